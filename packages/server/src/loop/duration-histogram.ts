/**
 * Durations in logarithmic buckets: constant memory, no allocation when recording, quantiles within
 * 5 %. Two halves take turns, so that quantiles speak of the last one to two window lengths and an
 * old bad second is forgotten.
 */

const SMALLEST_MS = 0.001;
/** Each bucket is 5 % wider than the one below it; 256 of them reach from 1 microsecond to 265 s. */
const GROWTH = 1.05;
const BUCKETS = 256;
const LOG_GROWTH: number = Math.log(GROWTH);

/** What a histogram says about its window. All zero when nothing was recorded. */
export interface DurationSummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class DurationHistogram {
  readonly #windowMs: number;
  #current: Uint32Array = new Uint32Array(BUCKETS);
  #previous: Uint32Array = new Uint32Array(BUCKETS);
  #currentMax = 0;
  #previousMax = 0;
  #turnsAt = Number.NEGATIVE_INFINITY;

  /** `windowMs`: length of one half; default 30 s. */
  constructor(windowMs: number = 30_000) {
    if (!(windowMs > 0)) throw new RangeError(`windowMs must be positive, got ${windowMs}`);
    this.#windowMs = windowMs;
  }

  record(durationMs: number, now: number): void {
    if (now >= this.#turnsAt) this.#turn(now);
    const value = durationMs > 0 ? durationMs : 0;
    if (value > this.#currentMax) this.#currentMax = value;
    let bucket = value <= SMALLEST_MS ? 0 : Math.ceil(Math.log(value / SMALLEST_MS) / LOG_GROWTH);
    if (bucket >= BUCKETS) bucket = BUCKETS - 1;
    this.#current[bucket]++;
  }

  summary(): DurationSummary {
    let count = 0;
    for (let i = 0; i < BUCKETS; i++) count += this.#current[i] + this.#previous[i];
    const maxMs = Math.max(this.#currentMax, this.#previousMax);
    return {
      count,
      p50Ms: Math.min(maxMs, this.#quantile(0.5, count)),
      p99Ms: Math.min(maxMs, this.#quantile(0.99, count)),
      maxMs,
    };
  }

  reset(): void {
    this.#current.fill(0);
    this.#previous.fill(0);
    this.#currentMax = 0;
    this.#previousMax = 0;
    this.#turnsAt = Number.NEGATIVE_INFINITY;
  }

  #turn(now: number): void {
    const oldest = this.#previous;
    oldest.fill(0);
    if (now - this.#turnsAt >= this.#windowMs) {
      // Nothing was recorded for a whole window: the half that just ended is stale as well.
      this.#current.fill(0);
      this.#currentMax = 0;
    }
    this.#previous = this.#current;
    this.#previousMax = this.#currentMax;
    this.#current = oldest;
    this.#currentMax = 0;
    this.#turnsAt = now + this.#windowMs;
  }

  #quantile(fraction: number, count: number): number {
    if (count === 0) return 0;
    let left = Math.ceil(fraction * count);
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#current[i] + this.#previous[i];
      if (left <= 0) return SMALLEST_MS * GROWTH ** i;
    }
    return SMALLEST_MS * GROWTH ** (BUCKETS - 1);
  }
}
