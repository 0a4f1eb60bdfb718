/**
 * Remote entities of one table and the updates that came in of them: which of them a picture of some moment is made from
 * (`RecordBlend` then makes it), births, deaths and gaps respected, and how far to go on when the next update is late.
 */
import type { AuthoritativeTable } from "../authoritative-state.ts";
import { extrapolatedTicks } from "./curve.ts";
import type { StateSample } from "./record-blend.ts";

/** The authoritative state of a table with the ticks it is from. */
export interface UpdatedTable extends AuthoritativeTable {
  /** Tick at which the entity's record is known to have been the server's state. */
  readonly updatedAt: ArrayLike<number>;
  /** All present entities have an index below this. */
  readonly highWater: number;
}

export class StateInterpolator {
  /** Entity id whose updates are kept at an index, -1 for none. */
  readonly ids: Int32Array;
  readonly owners: Int32Array;
  /** One past the highest index in use. */
  highWater = 0;
  readonly #capacity: number;
  readonly #wordCount: number;
  readonly #depth: number;
  /** Indices that there is memory for; grows up to the capacity. */
  #rows = 0;
  #words: Int32Array = new Int32Array(0);
  #ticks: Float64Array = new Float64Array(0);
  readonly #heads: Int32Array;
  readonly #counts: Int32Array;
  /** Tick of the first update since the entity came into sight. */
  readonly #cameAt: Float64Array;
  /** Tick at which the entity was gone, Infinity while it is there. */
  readonly #goneAt: Float64Array;

  /** `depth`: updates kept of each entity, a power of two. Of an older view the oldest of them is what is known. */
  constructor(capacity: number, wordCount: number, depth = 32) {
    if (!(depth >= 2 && Number.isInteger(depth) && (depth & (depth - 1)) === 0))
      throw new RangeError(`StateInterpolator: depth ${depth} must be a power of two`);
    this.#capacity = capacity;
    this.#wordCount = wordCount;
    this.#depth = depth;
    this.ids = new Int32Array(capacity).fill(-1);
    this.owners = new Int32Array(capacity).fill(-1);
    this.#heads = new Int32Array(capacity);
    this.#counts = new Int32Array(capacity);
    this.#cameAt = new Float64Array(capacity);
    this.#goneAt = new Float64Array(capacity).fill(Infinity);
  }

  /** Records of all updates; samples point into it. `update` may replace it. */
  get words(): Int32Array {
    return this.#words;
  }

  clear(): void {
    this.ids.fill(-1);
    this.#counts.fill(0);
    this.highWater = 0;
  }

  /** Takes in what a snapshot of `tick` said. */
  update(tick: number, state: UpdatedTable): void {
    const { present, ids, owners, words, updatedAt } = state;
    const wordCount = this.#wordCount;
    const mask = this.#depth - 1;
    const end = Math.max(state.highWater, this.highWater);
    if (end > this.#rows) this.#grow(end);
    for (let index = 0; index < end; index++) {
      if (present[index] === 0) {
        if (this.ids[index] >= 0 && this.#goneAt[index] === Infinity) this.#goneAt[index] = tick;
        continue;
      }
      if (this.ids[index] !== ids[index]) {
        this.ids[index] = ids[index];
        this.#counts[index] = 0;
        if (index >= this.highWater) this.highWater = index + 1;
      } else if (this.#goneAt[index] !== Infinity) {
        // It left the player's surroundings and came back: no blending across the gap.
        this.#counts[index] = 0;
      }
      this.#goneAt[index] = Infinity;
      this.owners[index] = owners[index];
      const at = updatedAt[index];
      const count = this.#counts[index];
      const head = this.#heads[index];
      const base = index * this.#depth;
      if (count === 0) this.#cameAt[index] = at;
      else if (at <= this.#ticks[base + head]) continue;
      const next = (head + 1) & mask;
      this.#heads[index] = next;
      this.#counts[index] = Math.min(count + 1, this.#depth);
      this.#ticks[base + next] = at;
      const to = (base + next) * wordCount;
      const from = index * wordCount;
      for (let i = 0; i < wordCount; i++) this.#words[to + i] = words[from + i];
    }
  }

  /**
   * Which records show the entity at `index` at fractional tick `view`; false when it is not there then.
   * Beyond the newest update it goes on, and slows down to a stop within `maxExtrapolationTicks`.
   */
  sample(index: number, view: number, maxExtrapolationTicks: number, out: StateSample): boolean {
    const count = this.#counts[index];
    if (count === 0 || this.ids[index] < 0) return false;
    if (view >= this.#goneAt[index]) {
      this.#counts[index] = 0;
      this.ids[index] = -1;
      while (this.highWater > 0 && this.ids[this.highWater - 1] < 0) this.highWater--;
      return false;
    }
    if (view < this.#cameAt[index]) return false;
    // The newest update not after the view is `age` updates old; `count` when the view is farther back than what is kept.
    let age = 0;
    while (age < count && this.#tickOf(index, age) > view) age++;
    out.fraction = 0;
    out.beyondTicks = 0;
    if (age === count) {
      // The oldest that is known is nearest to the truth.
      this.#span(index, count - 1, count - 1, out);
    } else if (age > 0) {
      this.#span(index, age, age - 1, out);
      out.fraction = (view - this.#tickOf(index, age)) / out.spanTicks;
    } else {
      const beyond =
        this.#goneAt[index] === Infinity ? extrapolatedTicks(view - this.#tickOf(index, 0), maxExtrapolationTicks) : 0;
      this.#span(index, count > 1 ? 1 : 0, 0, out);
      out.beyondTicks = beyond;
      if (out.spanTicks > 0) out.fraction = 1 + beyond / out.spanTicks;
    }
    return true;
  }

  /** The newest tick the entity at `index` is known at; -1 when it is not known. */
  newestTick(index: number): number {
    return this.#counts[index] === 0 ? -1 : this.#ticks[index * this.#depth + this.#heads[index]];
  }

  /** Where the record that the entity at `index` had at exactly `tick` begins; -1 when it is not kept. */
  recordAt(index: number, tick: number): number {
    for (let age = 0; age < this.#counts[index]; age++)
      if (this.#tickOf(index, age) === tick) return this.#recordOf(index, age);
    return -1;
  }

  /** Fills in the records: from the one of age `from` to that of age `to`, and the two before. */
  #span(index: number, from: number, to: number, out: StateSample): void {
    const count = this.#counts[index];
    const tick = this.#tickOf(index, from);
    out.from = this.#recordOf(index, from);
    out.to = this.#recordOf(index, to);
    out.spanTicks = this.#tickOf(index, to) - tick;
    const earlier = from + 1 < count;
    const earliest = from + 2 < count;
    out.earlier = earlier ? this.#recordOf(index, from + 1) : -1;
    out.earlierTicks = earlier ? tick - this.#tickOf(index, from + 1) : 0;
    out.earliest = earliest ? this.#recordOf(index, from + 2) : -1;
    out.earliestTicks = earliest ? this.#tickOf(index, from + 1) - this.#tickOf(index, from + 2) : 0;
  }

  /** Tick of the update that came `age` updates before the newest. */
  #tickOf(index: number, age: number): number {
    return this.#ticks[index * this.#depth + ((this.#heads[index] - age) & (this.#depth - 1))];
  }

  #recordOf(index: number, age: number): number {
    return (index * this.#depth + ((this.#heads[index] - age) & (this.#depth - 1))) * this.#wordCount;
  }

  #grow(end: number): void {
    this.#rows = Math.min(this.#capacity, Math.max(end, this.#rows * 2, FIRST_ROWS));
    const size = this.#rows * this.#depth;
    const words = new Int32Array(size * this.#wordCount);
    words.set(this.#words);
    this.#words = words;
    const ticks = new Float64Array(size);
    ticks.set(this.#ticks);
    this.#ticks = ticks;
  }
}

const FIRST_ROWS = 16;

/** As far as a client draws beyond its newest snapshot. */
export const MAX_EXTRAPOLATION_MS = 200;
/** As far as the view may be ahead of the news: so long all go on at full speed there (`extrapolationLimit`). */
export const MAX_AHEAD_MS = 200;
