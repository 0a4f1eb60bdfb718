/**
 * A sorted set of disjoint half-open ranges [start, end) of numbers below 2^53, in one typed array.
 * Adjacent ranges merge. Made for few ranges that change mostly at the upper end: packet numbers
 * received, stream bytes acknowledged.
 */
export class RangeSet {
  /** How many ranges there are. */
  count: number;
  readonly maxRanges: number;
  #bounds: Float64Array;

  /** Storage starts at 8 ranges and doubles up to `maxRanges`. */
  constructor(maxRanges: number) {
    this.count = 0;
    this.maxRanges = maxRanges;
    this.#bounds = new Float64Array(2 * Math.min(8, maxRanges));
  }

  start(index: number): number {
    return this.#bounds[2 * index];
  }

  end(index: number): number {
    return this.#bounds[2 * index + 1];
  }

  clear(): void {
    this.count = 0;
  }

  contains(value: number): boolean {
    const index = this.#firstEndingAbove(value);
    return index < this.count && this.#bounds[2 * index] <= value;
  }

  /** Adds [start, end). False, and nothing added, when that would make more than `maxRanges`. */
  insert(start: number, end: number): boolean {
    if (end <= start) return true;
    // First range that ends at or after `start`: it touches or comes later.
    let first = this.#firstEndingAbove(start);
    if (first > 0 && this.#bounds[2 * first - 1] === start) first--;
    let last = first; // one past the last range that touches
    while (last < this.count && this.#bounds[2 * last] <= end) last++;
    if (last === first) {
      if (this.count === this.maxRanges) return false;
      this.#open(first);
      this.#bounds[2 * first] = start;
      this.#bounds[2 * first + 1] = end;
      return true;
    }
    if (this.#bounds[2 * first] > start) this.#bounds[2 * first] = start;
    const lastEnd = this.#bounds[2 * last - 1];
    this.#bounds[2 * first + 1] = lastEnd > end ? lastEnd : end;
    this.#close(first + 1, last);
    return true;
  }

  /** Takes [start, end) out. Splitting a range when there are `maxRanges` already keeps its upper part only. */
  remove(start: number, end: number): void {
    if (end <= start) return;
    let index = this.#firstEndingAbove(start);
    if (index === this.count) return;
    const bounds = this.#bounds;
    if (bounds[2 * index] < start) {
      if (bounds[2 * index + 1] > end) {
        if (this.count === this.maxRanges) {
          bounds[2 * index] = end;
          return;
        }
        const upper = bounds[2 * index + 1];
        bounds[2 * index + 1] = start;
        this.#open(index + 1);
        this.#bounds[2 * index + 2] = end;
        this.#bounds[2 * index + 3] = upper;
        return;
      }
      bounds[2 * index + 1] = start;
      index++;
    }
    let last = index;
    while (last < this.count && bounds[2 * last + 1] <= end) last++;
    if (last < this.count && bounds[2 * last] < end) bounds[2 * last] = end;
    this.#close(index, last);
  }

  removeFirst(): void {
    this.#close(0, 1);
  }

  /** Index of the first range whose end is above `value`; looks at the upper end first. */
  #firstEndingAbove(value: number): number {
    const bounds = this.#bounds;
    let low = 0;
    let high = this.count;
    if (high > 0 && bounds[2 * high - 1] <= value) return high;
    if (high > 0 && bounds[2 * high - 2] <= value) return high - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bounds[2 * middle + 1] > value) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #open(index: number): void {
    if (2 * this.count === this.#bounds.length) {
      const larger = new Float64Array(Math.min(2 * this.#bounds.length, 2 * this.maxRanges));
      larger.set(this.#bounds);
      this.#bounds = larger;
    }
    if (index < this.count) this.#bounds.copyWithin(2 * index + 2, 2 * index, 2 * this.count);
    this.count++;
  }

  /** Deletes the ranges [from, to). */
  #close(from: number, to: number): void {
    if (to <= from) return;
    if (to < this.count) this.#bounds.copyWithin(2 * from, 2 * to, 2 * this.count);
    this.count -= to - from;
  }
}
