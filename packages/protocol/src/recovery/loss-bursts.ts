/** How many packets in a row are lost when one is, over roughly the newest 32 runs of losses. */

const WINDOW_RUNS = 32;
/** A longer run counts as this long: it is an outage, and says little about the losses to come. */
const MAX_RUN_PACKETS = 32;

export class LossBursts {
  /** Mean length of the runs of lost packets, 1 before the first; the run that goes on counts as far as it is known. */
  meanPackets: number;
  #runs: number;
  #length: number;

  constructor() {
    this.meanPackets = 1;
    this.#runs = 0;
    this.#length = 0;
  }

  /** In order of the packets. `inRow`: the one sent before it was lost, too. */
  onLost(inRow: boolean): void {
    if (inRow && this.#length > 0) {
      if (this.#length === MAX_RUN_PACKETS) return;
      this.#length++;
      this.meanPackets += 1 / this.#runs;
      return;
    }
    // The first runs weigh as in a plain average.
    if (this.#runs < WINDOW_RUNS) this.#runs++;
    this.#length = 1;
    this.meanPackets += (1 - this.meanPackets) / this.#runs;
  }

  /** A packet declared lost was acknowledged after all. */
  onSpuriousLoss(): void {
    if (this.#runs > 0) this.meanPackets = Math.max(1, this.meanPackets - 1 / this.#runs);
  }
}
