/**
 * BBR's "full pipe" estimator (draft-ietf-ccwg-bbr section 5.3.1.2): the path is full when three
 * round trips of a sender that pushes harder and harder bring less than a quarter more each.
 */

const GROWTH = 1.25;
const ROUNDS = 3;

export class FullPipe {
  /** Since the last `reset`. */
  fullNow: boolean;
  /** Ever. */
  reached: boolean;
  #baseline: number;
  #rounds: number;

  constructor() {
    this.fullNow = false;
    this.reached = false;
    this.#baseline = 0;
    this.#rounds = 0;
  }

  /** Looks anew, for growth above `baseline` bytes per second. */
  reset(baseline = 0): void {
    this.#baseline = baseline;
    this.#rounds = 0;
    this.fullNow = false;
  }

  /** The delivery rate at the start of a round trip in which the sender had enough to send. */
  onRound(bytesPerSec: number): void {
    if (this.fullNow) return;
    if (bytesPerSec >= GROWTH * this.#baseline) {
      this.reset(bytesPerSec);
      return;
    }
    this.fullNow = ++this.#rounds >= ROUNDS;
    if (this.fullNow) this.reached = true;
  }
}
