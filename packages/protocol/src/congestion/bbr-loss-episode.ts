/**
 * The losses of a round trip as BBR sees them (draft-ietf-ccwg-bbr sections 5.3.1.3 and 5.5.11), and what they
 * changed, in case they turn out to be none. A loss is spurious when all packets lost since the first of its
 * round have been acknowledged.
 */
import type { BbrPathModel } from "./bbr-path-model.ts";

export class LossEpisode {
  /** Separate ranges of packet numbers lost in this round trip, and whether it has a mark (ECN CE). */
  ranges: number;
  marked: boolean;
  /** The state that these losses ended. */
  endedState: "startup" | "probeBwUp" | undefined;
  #lastLost: number;
  /** Packets that have not turned out to be there. */
  #missing: number;
  #bandwidthShortTerm: number;
  #inflightShortTerm: number;
  #inflightLongTerm: number;

  constructor() {
    this.ranges = 0;
    this.marked = false;
    this.endedState = undefined;
    this.#lastLost = -2;
    this.#missing = 0;
    this.#bandwidthShortTerm = 0;
    this.#inflightShortTerm = 0;
    this.#inflightLongTerm = 0;
  }

  /** SaveStateUponLoss: the first loss of a round trip. */
  start(model: BbrPathModel): void {
    this.#missing = 0;
    this.endedState = undefined;
    this.#bandwidthShortTerm = model.bandwidthShortTerm;
    this.#inflightShortTerm = model.inflightShortTerm;
    this.#inflightLongTerm = model.inflightLongTerm;
  }

  onLost(packetNumber: number): void {
    this.#missing++;
    if (packetNumber !== this.#lastLost + 1) this.ranges++;
    this.#lastLost = packetNumber;
  }

  /** A mark is never spurious. */
  onMarked(): void {
    this.#missing = Infinity;
    this.marked = true;
  }

  onRoundEnd(): void {
    this.ranges = 0;
    this.marked = false;
  }

  /** A packet was there after all. True when it was the last that was missing. */
  onFound(): boolean {
    return this.#missing > 0 && --this.#missing === 0;
  }

  /** What the model held before, unless it holds more by now. */
  undo(model: BbrPathModel): void {
    model.bandwidthShortTerm = Math.max(model.bandwidthShortTerm, this.#bandwidthShortTerm);
    model.inflightShortTerm = Math.max(model.inflightShortTerm, this.#inflightShortTerm);
    model.inflightLongTerm = Math.max(model.inflightLongTerm, this.#inflightLongTerm);
  }
}
