/** The last receipts of each player, in memory, for debugging; and whatever else is done with receipts besides. */
import type { HitValidation } from "../registration/hit-validation.ts";
import type { ReceiptOptions, ReceiptSink } from "./receipt-desk.ts";

export class RecentReceipts implements ReceiptOptions {
  readonly sink: ReceiptSink = { write: (receipt) => this.#write(receipt) };
  readonly keep = (verdict: HitValidation, seat: number): boolean => this.#keep(verdict, seat);
  readonly #base: ReceiptOptions | undefined;
  readonly #most: number;
  readonly #bySeat = new Map<number, Uint8Array[]>();
  /** Of the verdict at hand. */
  #seat = -1;
  #isForBase = false;

  /** `most`: receipts of each player; `base`: who else keeps them. */
  constructor(most: number, base?: ReceiptOptions) {
    this.#most = most;
    this.#base = base;
  }

  /** Of the player at `seat`, the oldest first. */
  of(seat: number): readonly Uint8Array[] {
    return this.#bySeat.get(seat) ?? [];
  }

  /** Another player has the seat. */
  forget(seat: number): void {
    this.#bySeat.delete(seat);
  }

  #keep(verdict: HitValidation, seat: number): boolean {
    this.#seat = seat;
    const wasFired = verdict.outcome !== "rejected";
    this.#isForBase = this.#base !== undefined && (this.#base.keep?.(verdict, seat) ?? wasFired);
    return this.#isForBase || wasFired;
  }

  #write(receipt: Uint8Array): boolean {
    const kept = this.#bySeat.get(this.#seat) ?? [];
    this.#bySeat.set(this.#seat, kept);
    kept.push(receipt.slice());
    if (kept.length > this.#most) kept.shift();
    return !this.#isForBase || this.#base?.sink.write(receipt) !== false;
  }
}
