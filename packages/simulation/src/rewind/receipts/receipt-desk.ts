/**
 * Keeps receipts of verdicts: everything that a shot was judged by, cut out at that moment, so that it can be judged again
 * elsewhere (`replayReceipt`). Only what was looked at is in it. Writing it down is the sink's affair, off this thread.
 */
import { ByteWriter } from "@riposte/wire";
import type { StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { HitValidation } from "../registration/hit-validation.ts";
import type { VerdictRecord } from "../registration/hit-validation.ts";
import type { Shot, ShotParty } from "../registration/shot.ts";
import type { Fields, Row } from "../../state/index.ts";
import { MAX_RECEIPT_BYTES } from "./receipt-limits.ts";
import { writeReceipt } from "./receipt-writer.ts";
import { ShotTape } from "./shot-tape.ts";

export interface ReceiptSink {
  /** Takes a receipt: the bytes are borrowed until it returns. False: there is no room for it, and it is dropped. */
  write(receipt: Uint8Array): boolean;
}

export interface ReceiptOptions {
  readonly sink: ReceiptSink;
  /** Which verdicts are kept; `seat`: the shooter's, -1: nobody's. Default those on shots that were fired. */
  readonly keep?: (verdict: HitValidation, seat: number) => boolean;
}

export interface ReceiptCounters {
  kept: number;
  /** Those that the sink had no room for, and shots that looked at more than a receipt has room for. */
  dropped: number;
}

/** What a receipt is made of, besides what the tape has. */
export interface ReceiptParts {
  readonly shot: Readonly<Shot>;
  readonly party: ShotParty;
  readonly verdict: Readonly<VerdictRecord>;
  readonly claim: number;
  /** Whether a budget was taken to explain a claim. */
  readonly explains: boolean;
  /** How many tables are shot at. */
  readonly targets: number;
  /** The row at a place of one of these, if it still is the entity with that id. */
  readonly rowOf: (target: number, place: number, id: number) => Row<Fields> | undefined;
}

export class ReceiptDesk {
  readonly tape: ShotTape = new ShotTape();
  readonly counters: ReceiptCounters = { kept: 0, dropped: 0 };
  readonly #options: ReceiptOptions;
  readonly #statics: StaticGeometry;
  readonly #buffer = new Uint8Array(MAX_RECEIPT_BYTES);
  readonly #out = new ByteWriter();

  constructor(options: ReceiptOptions, statics: StaticGeometry) {
    this.#options = options;
    this.#statics = statics;
  }

  /** Makes the receipt of the shot that is on the tape, if it is to be kept. */
  file(parts: ReceiptParts, seat: number): void {
    const { verdict } = parts;
    const { sink, keep } = this.#options;
    if (!(keep === undefined ? verdict.outcome !== "rejected" : keep(verdict, seat))) return;
    const out = this.#out.reset(this.#buffer);
    if (!this.tape.isFull) writeReceipt(this.tape, this.#statics, parts, out);
    if (!this.tape.isFull && !out.failed && sink.write(out.written())) this.counters.kept++;
    else this.counters.dropped++;
  }
}
