/** Numbers that cost nothing to count: prom-client, which makes a text of the labels each time, hears of them at a scrape. */
import type { Counter, Histogram } from "prom-client";
import type { TimeStats } from "./load-balancer-stats.ts";

/** One counter with its labels. */
export class CountCell {
  readonly #child: Counter.Internal;
  #value = 0;
  #told = 0;

  constructor(child: Counter.Internal) {
    this.#child = child;
    // At 0 from the start: a rate over a counter that appears with its first event misses that one.
    child.inc(0);
  }

  get value(): number {
    return this.#value;
  }

  add(count = 1): void {
    this.#value += count;
  }

  tell(): void {
    if (this.#value > this.#told) this.#child.inc(this.#value - this.#told);
    this.#told = this.#value;
  }
}

/** Counters of one metric with one label, all of whose values are known. */
export class CountCells<K extends string> {
  readonly #cells: Readonly<Record<K, CountCell>>;

  constructor(counter: Counter, values: readonly K[]) {
    const cells = values.map((value) => [value, new CountCell(counter.labels(value))]);
    this.#cells = Object.fromEntries(cells) as Record<K, CountCell>;
  }

  add(value: K, count = 1): void {
    this.#cells[value].add(count);
  }

  get values(): Readonly<Record<K, number>> {
    const cells = Object.entries<CountCell>(this.#cells);
    return Object.fromEntries(cells.map(([key, cell]) => [key, cell.value])) as Record<K, number>;
  }

  tell(): void {
    for (const cell of Object.values<CountCell>(this.#cells)) cell.tell();
  }
}

/** A histogram of times, with percentiles of its own: prom-client's can only be asked for asynchronously. */
export class TimeCells {
  readonly #child: Histogram.Internal<string>;
  readonly #boundsMs: readonly number[];
  readonly #counts: Float64Array;
  #count = 0;
  #sumMs = 0;

  /** `bounds`: of the buckets, in seconds. */
  constructor(child: Histogram.Internal<string>, bounds: readonly number[]) {
    this.#child = child;
    this.#boundsMs = bounds.map((bound) => bound * 1000);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  note(ms: number): void {
    this.#child.observe(ms / 1000);
    let bucket = 0;
    while (bucket < this.#boundsMs.length && ms > this.#boundsMs[bucket]) bucket++;
    this.#counts[bucket]++;
    this.#count++;
    this.#sumMs += ms;
  }

  get stats(): TimeStats {
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumMs / this.#count,
      p50Ms: this.#percentile(0.5),
      p95Ms: this.#percentile(0.95),
      p99Ms: this.#percentile(0.99),
    };
  }

  /** As Prometheus' histogram_quantile: evenly spread within a bucket; beyond the last, its bound. */
  #percentile(share: number): number {
    const rank = share * this.#count;
    let below = 0;
    for (const [i, bound] of this.#boundsMs.entries()) {
      const inside = this.#counts[i];
      if (inside > 0 && below + inside >= rank) {
        const from = i === 0 ? 0 : this.#boundsMs[i - 1];
        return from + ((bound - from) * (rank - below)) / inside;
      }
      below += inside;
    }
    return this.#count === 0 ? 0 : this.#boundsMs[this.#boundsMs.length - 1];
  }
}
