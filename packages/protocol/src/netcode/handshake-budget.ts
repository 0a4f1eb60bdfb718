/**
 * Limits how many handshake packets are decrypted, so that a flood of well-formed requests with
 * forged tokens costs a comparison each and not a decryption. A client asks 10 times a second; a
 * path gets 32 attempts a second, all paths together `perSecond`, at most 512 of them at once. Paths
 * share 4,096 cells by number. What only a client can send whose token was opened already is not
 * held back by what strangers send: it counts for its path alone.
 */
const CELLS = 4096;
const PER_PATH = 32;
const BURST = 512;

export class HandshakeBudget {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #window: Float64Array = new Float64Array(CELLS).fill(-1);
  readonly #used: Uint8Array = new Uint8Array(CELLS);
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = Math.min(perSecond, BURST);
    this.#tokens = this.#burst;
    this.#filledAt = now;
  }

  /** Takes one attempt of this path; false when it has none left. `known`: an admission is under way, or was. */
  take(path: number, known: boolean, now: number): boolean {
    const cell = path & (CELLS - 1);
    const window = Math.floor(now / 1000);
    if (this.#window[cell] !== window) {
      this.#window[cell] = window;
      this.#used[cell] = 0;
    }
    if (this.#used[cell] >= PER_PATH) return false;
    if (now > this.#filledAt) {
      const refill = ((now - this.#filledAt) * this.#perSecond) / 1000;
      this.#tokens = Math.min(this.#burst, this.#tokens + refill);
      this.#filledAt = now;
    }
    if (!known && this.#tokens < 1) return false;
    if (!known) this.#tokens--;
    this.#used[cell]++;
    return true;
  }
}
