/** The last receipts of each player, in memory, for debugging; and whatever else is done with receipts besides. */
import type { HitValidation } from "../registration/hit-validation.ts";
import type { ReceiptOptions, ReceiptSink } from "./receipt-desk.ts";

export class RecentReceipts implements ReceiptOptions {
  readonly sink: ReceiptSink = { write: (receipt) => this.#write(receipt) };
  readonly keep = (verdict: HitValidation, seat: number): boolean => this.#keep(verdict, seat);
  readonly #base: ReceiptOptions | undefined;
  readonly #most: number;
  readonly #bySeat = new Map<number, ReceiptRing>();
  /** Of the verdict at hand. */
  #seat = -1;
  #isForBase = false;

  /** `most`: receipts of each player; `base`: who else keeps them. */
  constructor(most: number, base?: ReceiptOptions) {
    this.#most = most;
    this.#base = base;
  }

  /** Of the player at `seat`, the oldest first: copies. */
  of(seat: number): readonly Uint8Array[] {
    return this.#bySeat.get(seat)?.read() ?? [];
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
    let ring = this.#bySeat.get(this.#seat);
    if (ring === undefined) this.#bySeat.set(this.#seat, (ring = new ReceiptRing(this.#most)));
    ring.write(receipt);
    return !this.#isForBase || this.#base?.sink.write(receipt) !== false;
  }
}

/** One player's, in memory that is used again. */
class ReceiptRing {
  readonly #bytes: Uint8Array[];
  readonly #lengths: Int32Array;
  #count = 0;

  constructor(most: number) {
    this.#bytes = Array.from({ length: most }, () => new Uint8Array(0));
    this.#lengths = new Int32Array(most);
  }

  write(receipt: Uint8Array): void {
    const place = this.#count++ % this.#bytes.length;
    if (this.#bytes[place].length < receipt.length)
      this.#bytes[place] = new Uint8Array(Math.ceil(receipt.length / SIZE_STEP) * SIZE_STEP);
    this.#bytes[place].set(receipt);
    this.#lengths[place] = receipt.length;
  }

  read(): Uint8Array[] {
    const most = this.#bytes.length;
    const kept: Uint8Array[] = [];
    for (let n = Math.max(0, this.#count - most); n < this.#count; n++)
      kept.push(this.#bytes[n % most].slice(0, this.#lengths[n % most]));
    return kept;
  }
}

const SIZE_STEP = 512;
