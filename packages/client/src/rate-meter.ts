/** Turns a counter into a rate over about the last second. */

const WINDOW_MS = 1000;

export class RateMeter {
  #perSec = 0;
  #count = 0;
  #at = Number.NaN;

  /** The rate of the last full window; 0 before there was one. */
  get perSec(): number {
    return this.#perSec;
  }

  /** Tells the counter's present value; call it as often as you like. */
  sample(count: number, now: number): void {
    if (Number.isNaN(this.#at)) {
      this.#at = now;
      this.#count = count;
      return;
    }
    const elapsed = now - this.#at;
    if (elapsed < WINDOW_MS) return;
    this.#perSec = ((count - this.#count) * 1000) / elapsed;
    this.#count = count;
    this.#at = now;
  }
}
