/** So many a second, and a few at once after a pause. The rate can be changed at any time; what was saved up stays. */
export class TokenBucket {
  #perSec: number;
  #burst: number;
  #tokens: number;
  #at: number;

  /** `perSec`: `Infinity` is no limit, 0 nothing. Full at first: one second's, at least one. */
  constructor(perSec: number, now: number) {
    this.#perSec = perSec;
    this.#burst = Math.max(1, perSec);
    this.#tokens = this.#burst;
    this.#at = now;
  }

  get perSec(): number {
    return this.#perSec;
  }

  setRate(perSec: number, now: number): void {
    if (perSec === this.#perSec) return;
    this.#fill(now);
    this.#perSec = perSec;
    this.#burst = Math.max(1, perSec);
    // Of an unlimited one nothing is left over.
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Whether anything may be spent. */
  isReady(now: number): boolean {
    this.#fill(now);
    // Sums of parts of tokens are not exact.
    return this.#perSec > 0 && this.#tokens >= 1 - 1e-6;
  }

  /** Also more than there is: the debt is paid off first. So a group that is larger than a burst waits no longer than others. */
  spend(amount: number, now: number): void {
    this.#fill(now);
    if (this.#perSec < Infinity) this.#tokens -= amount;
  }

  #fill(now: number): void {
    const elapsedMs = Math.max(0, now - this.#at);
    this.#at = now;
    if (this.#perSec === Infinity) this.#tokens = Infinity;
    else this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSec) / 1000);
  }
}
