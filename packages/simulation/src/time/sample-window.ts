/**
 * The last `capacity` samples of a measurement, and the k-th smallest of them.
 *
 * Both timelines are steered by a low quantile: how early an input is at nearly all times, how
 * new the newest snapshot is at nearly all frames. A mean would be pulled about by rare outliers
 * and say nothing about the bad moments.
 */
export class SampleWindow {
  readonly capacity: number;
  count = 0;
  readonly #samples: Float64Array;
  /** Scratch of `low`. */
  readonly #smallest = new Float64Array(MAX_RANK + 1);
  #next = 0;

  constructor(capacity: number) {
    if (!(capacity > 0)) throw new RangeError(`capacity must be positive, got ${capacity}`);
    this.capacity = capacity;
    this.#samples = new Float64Array(capacity);
  }

  push(sample: number): void {
    this.#samples[this.#next] = sample;
    this.#next = this.#next + 1 === this.capacity ? 0 : this.#next + 1;
    if (this.count < this.capacity) this.count++;
  }

  clear(): void {
    this.count = 0;
    this.#next = 0;
  }

  /**
   * The sample that `fraction` of the window lies below: 0 is the smallest. NaN when empty.
   * Meant for fractions near 0; the cost grows with the rank.
   */
  low(fraction: number): number {
    const count = this.count;
    if (count === 0) return Number.NaN;
    const rank = Math.min(MAX_RANK, Math.floor(fraction * count));
    const samples = this.#samples;
    const smallest = this.#smallest;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const sample = samples[i];
      if (kept > rank && sample >= smallest[rank]) continue;
      let at = kept > rank ? rank : kept;
      while (at > 0 && smallest[at - 1] > sample) {
        smallest[at] = smallest[at - 1];
        at--;
      }
      smallest[at] = sample;
      if (kept <= rank) kept++;
    }
    return smallest[rank];
  }

  /** The largest sample; NaN when empty. */
  high(): number {
    if (this.count === 0) return Number.NaN;
    let high = this.#samples[0];
    for (let i = 1; i < this.count; i++) if (this.#samples[i] > high) high = this.#samples[i];
    return high;
  }
}

const MAX_RANK = 15;
