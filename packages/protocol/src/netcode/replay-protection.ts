/**
 * Which sequence numbers of a connection arrived already: a bitmap over the newest 8,192.
 * Everything older counts as received. `isReplay` is asked before opening, `accept` is called only
 * after a packet authenticated, so a forged sequence number moves nothing.
 */
import { REPLAY_WINDOW } from "./constants.ts";

const MASK = REPLAY_WINDOW - 1;

export class ReplayProtection {
  readonly #bits: Uint32Array = new Uint32Array(REPLAY_WINDOW / 32);
  #newest = -1;

  /** The largest sequence number accepted so far, -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  isReplay(sequence: number): boolean {
    if (sequence > this.#newest) return false;
    // By subtraction: a sum could leave the range of exact integers.
    if (this.#newest - sequence >= REPLAY_WINDOW) return true;
    const bit = sequence & MASK;
    return ((this.#bits[bit >>> 5] >>> (bit & 31)) & 1) !== 0;
  }

  accept(sequence: number): void {
    const ahead = sequence - this.#newest;
    if (ahead > 0) {
      this.#clear(ahead);
      this.#newest = sequence;
    } else if (-ahead >= REPLAY_WINDOW) return;
    const bit = sequence & MASK;
    this.#bits[bit >>> 5] |= 1 << (bit & 31);
  }

  reset(): void {
    this.#bits.fill(0);
    this.#newest = -1;
  }

  /** Forgets the `count` numbers that the ones behind `newest` push out of the window. */
  #clear(count: number): void {
    if (count >= REPLAY_WINDOW) {
      this.#bits.fill(0);
      return;
    }
    let bit = (this.#newest + 1) & MASK;
    let rest = count;
    while (rest > 0) {
      if ((bit & 31) === 0 && rest >= 32) {
        this.#bits[bit >>> 5] = 0;
        bit = (bit + 32) & MASK;
        rest -= 32;
      } else {
        this.#bits[bit >>> 5] &= ~(1 << (bit & 31));
        bit = (bit + 1) & MASK;
        rest--;
      }
    }
  }
}
