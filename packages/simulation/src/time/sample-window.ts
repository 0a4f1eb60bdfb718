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
  readonly #scratch: Float64Array;
  /** Scratch of `low`. */
  readonly #smallest = new Float64Array(MAX_RANK + 1);
  #next = 0;

  constructor(capacity: number) {
    if (!(capacity > 0)) throw new RangeError(`capacity must be positive, got ${capacity}`);
    this.capacity = capacity;
    this.#samples = new Float64Array(capacity);
    this.#scratch = new Float64Array(capacity);
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

  /** Forgets all but the newest `count` samples. */
  keepNewest(count: number): void {
    if (count >= this.count) return;
    const samples = this.#samples;
    // The newest to the front, oldest of them first: what is written was read before.
    for (let i = 0; i < count; i++) this.#scratch[i] = samples[this.#at(count - 1 - i)];
    for (let i = 0; i < count; i++) samples[i] = this.#scratch[i];
    this.count = count;
    this.#next = count % this.capacity;
  }

  /**
   * The sample that `fraction` of the window lies below: 0 is the smallest. NaN when empty.
   * Meant for fractions near 0; the cost grows with the rank.
   */
  low(fraction: number): number {
    const { count } = this;
    if (count === 0) return Number.NaN;
    const rank = Math.min(MAX_RANK, Math.floor(fraction * count));
    const smallest = this.#smallest;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const sample = this.#samples[i];
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

  /** The largest of the newest `newest` samples, or of all; NaN when empty. */
  high(newest: number = this.count): number {
    return this.count === 0 ? Number.NaN : this.#highOf(0, Math.min(newest, this.count));
  }

  /**
   * Whether the newest `newest` samples lie on a higher level than the window did: in each quarter of them, one is above
   * anything more than twice as old by more than `margin`. Loss and jitter do not look like this, as the best of the older
   * ones had no part in either; a better route does, and what was measured before it says nothing any more.
   */
  hasRisen(newest: number, margin: number): boolean {
    if (this.count <= newest * 2) return false;
    const level = this.#highOf(newest * 2, this.count) + margin;
    for (let quarter = 0; quarter < 4; quarter++) {
      const from = Math.floor((newest * quarter) / 4);
      if (this.#highOf(from, Math.floor((newest * (quarter + 1)) / 4)) <= level) return false;
    }
    return true;
  }

  /** The largest sample of an age from `from` to below `to`. */
  #highOf(from: number, to: number): number {
    let high = -Infinity;
    for (let age = from; age < to; age++) high = Math.max(high, this.#samples[this.#at(age)]);
    return high;
  }

  /** Place of the sample that came `age` samples before the newest. */
  #at(age: number): number {
    const at = this.#next - 1 - age;
    return at < 0 ? at + this.capacity : at;
  }
}

const MAX_RANK = 15;
