/**
 * Whether claims are held back and let go in heaps, again and again. A bad line does so now and then; one that does
 * nothing else would be no line to play on. A heap has claims that are late, and one that is not, after a time without
 * any: who claims rarely, or has got a longer way, makes none.
 */

/** So many on end are no accident. */
const ON_END = 3;
/** A heap is spread over so much by the network's jitter. */
const HEAP_MS = 300;

export class ClaimHolds {
  readonly #holdMs: number;
  /** The clock when the newest tick heard of would have come on the shortest way. */
  #heardUntil = -Infinity;
  #heapAt = -Infinity;
  #hasLate = false;
  #hasTimely = false;
  #onEnd = 0;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /**
   * Takes in that a claim came at `now`, `lateMs` later than the earliest of late. Returns whether with it one more hold
   * is complete, after two or more others.
   */
  note(now: number, lateMs: number): boolean {
    if (now - this.#heardUntil >= this.#holdMs && now - this.#heapAt > HEAP_MS) {
      const follows = this.#hasLate && this.#hasTimely && this.#heardUntil <= this.#heapAt + HEAP_MS;
      if (!follows) this.#onEnd = 0;
      this.#heapAt = now;
      this.#hasLate = this.#hasTimely = false;
    }
    this.#heardUntil = Math.max(this.#heardUntil, now - lateMs);
    if ((this.#hasLate && this.#hasTimely) || now - this.#heapAt > HEAP_MS) return false;
    if (lateMs >= this.#holdMs / 2) this.#hasLate = true;
    else this.#hasTimely = true;
    return this.#hasLate && this.#hasTimely && ++this.#onEnd >= ON_END;
  }

  restart(): void {
    this.#heardUntil = this.#heapAt = -Infinity;
    this.#onEnd = 0;
  }
}
