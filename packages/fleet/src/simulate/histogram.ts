/** Counts of values from 0 on in steps of equal width; what is larger counts in the last step. */
export interface Quantiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export class Histogram {
  readonly #width: number;
  readonly #counts: Float64Array;
  #count = 0;
  #sum = 0;
  #max = 0;

  constructor(width: number, steps: number) {
    this.#width = width;
    this.#counts = new Float64Array(steps);
  }

  add(value: number, times = 1): void {
    const step = Math.min(Math.floor(Math.max(0, value) / this.#width), this.#counts.length - 1);
    this.#counts[step] += times;
    this.#count += times;
    this.#sum += value * times;
    if (value > this.#max) this.#max = value;
  }

  /** To the middle of a step. */
  get quantiles(): Quantiles {
    return {
      count: this.#count,
      mean: this.#count === 0 ? 0 : round(this.#sum / this.#count),
      p50: this.#quantile(0.5),
      p90: this.#quantile(0.9),
      p99: this.#quantile(0.99),
      p999: this.#quantile(0.999),
      max: round(this.#max),
    };
  }

  /** Share of what was counted that is below `limit`, a multiple of the width. */
  shareBelow(limit: number): number {
    let below = 0;
    for (let step = 0; step * this.#width < limit && step < this.#counts.length; step++) below += this.#counts[step];
    return this.#count === 0 ? 1 : below / this.#count;
  }

  #quantile(share: number): number {
    if (this.#count === 0) return 0;
    let left = share * this.#count;
    for (let step = 0; step < this.#counts.length; step++)
      if ((left -= this.#counts[step]) <= 0) return round(Math.min((step + 0.5) * this.#width, this.#max));
    return round(this.#max);
  }
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
