/**
 * How the rows of a table are rounded and restored: the columns that hold one number each stand side by side here, by
 * kind, so that a row takes one loop for each kind and no call for each column. Columns of anything else are called.
 *
 * All rounding is that of `rounding.ts`, written out.
 */
import type { Levels } from "./rounding.ts";

/** A column that rounds and restores its rows itself. */
export interface RowColumn {
  /** Rounds a row to the declared steps and brings its record words up to date. */
  settle(slot: number): void;
  /** Record words to storage. */
  load(slot: number): void;
}

export class ColumnPlan {
  readonly #words: Int32Array;
  readonly #stride: number;
  /** Levels in doubles: storage, word, and four numbers each: base, step, offset and largest level. */
  readonly #doubles: Float64Array[] = [];
  readonly #doubleWords: number[] = [];
  readonly #doubleLevels: number[] = [];
  /** Whole numbers in integers: two numbers each, the least and the largest. */
  readonly #integers: Int32Array[] = [];
  readonly #integerWords: number[] = [];
  readonly #integerRanges: number[] = [];
  /** Levels of a circle: two numbers each, the step and how many there are. */
  readonly #angles: Float64Array[] = [];
  readonly #angleWords: number[] = [];
  readonly #angleLevels: number[] = [];
  /** What is kept as it is up to a largest value. */
  readonly #bytes: Uint8Array[] = [];
  readonly #byteWords: number[] = [];
  readonly #byteMaxima: number[] = [];
  readonly #others: RowColumn[] = [];

  /** The record words of row `i` start at `words[i * stride]`. */
  constructor(words: Int32Array, stride: number) {
    this.#words = words;
    this.#stride = stride;
  }

  /** Numbers on `levels`. */
  addLevels(storage: Float64Array | Int32Array, levels: Levels, word: number): void {
    const { base, step, offset, maxLevel } = levels;
    if (storage instanceof Float64Array) {
      this.#doubles.push(storage);
      this.#doubleWords.push(word);
      this.#doubleLevels.push(base, step, offset, maxLevel);
      return;
    }
    if (base !== 0 || step !== 1) throw new RangeError(`integers have steps of 1 from 0, not of ${step} from ${base}`);
    this.#integers.push(storage);
    this.#integerWords.push(word);
    this.#integerRanges.push(offset, offset + maxLevel);
  }

  /** Radians from -PI, `count` steps to the circle; a power of two. */
  addAngle(storage: Float64Array, step: number, count: number, word: number): void {
    this.#angles.push(storage);
    this.#angleWords.push(word);
    this.#angleLevels.push(step, count);
  }

  addBytes(storage: Uint8Array, max: number, word: number): void {
    this.#bytes.push(storage);
    this.#byteWords.push(word);
    this.#byteMaxima.push(max);
  }

  addOther(column: RowColumn): void {
    this.#others.push(column);
  }

  /** Rounds a row and brings its record up to date. Idempotent. */
  settle(slot: number): void {
    const at = slot * this.#stride;
    this.#settleDoubles(slot, at);
    this.#settleIntegers(slot, at);
    this.#settleAngles(slot, at);
    this.#settleBytes(slot, at);
    for (let i = 0; i < this.#others.length; i++) this.#others[i].settle(slot);
  }

  /** A row becomes what its record says. */
  load(slot: number): void {
    const at = slot * this.#stride;
    const words = this.#words;
    const doubles = this.#doubles;
    const levels = this.#doubleLevels;
    for (let i = 0, k = 0; i < doubles.length; i++, k += 4) {
      const level = words[at + this.#doubleWords[i]] >>> 0;
      doubles[i][slot] = (level + levels[k + 2]) * levels[k + 1] + levels[k];
    }
    const integers = this.#integers;
    for (let i = 0; i < integers.length; i++)
      integers[i][slot] = (words[at + this.#integerWords[i]] >>> 0) + this.#integerRanges[2 * i];
    const angles = this.#angles;
    for (let i = 0; i < angles.length; i++) {
      const count = this.#angleLevels[2 * i + 1];
      angles[i][slot] = angleOf(words[at + this.#angleWords[i]], this.#angleLevels[2 * i], count);
    }
    const bytes = this.#bytes;
    for (let i = 0; i < bytes.length; i++) bytes[i][slot] = words[at + this.#byteWords[i]];
    for (let i = 0; i < this.#others.length; i++) this.#others[i].load(slot);
  }

  #settleDoubles(slot: number, at: number): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const doubleWords = this.#doubleWords;
    const levels = this.#doubleLevels;
    for (let i = 0, k = 0; i < doubles.length; i++, k += 4) {
      const storage = doubles[i];
      const base = levels[k];
      const step = levels[k + 1];
      const offset = levels[k + 2];
      const max = levels[k + 3];
      let level = Math.floor((storage[slot] - base) / step + 0.5) - offset;
      // NaN becomes level 0.
      if (!(level > 0)) level = 0;
      else if (level > max) level = max;
      words[at + doubleWords[i]] = level;
      storage[slot] = (level + offset) * step + base;
    }
  }

  #settleIntegers(slot: number, at: number): void {
    const integers = this.#integers;
    const ranges = this.#integerRanges;
    for (let i = 0; i < integers.length; i++) {
      const storage = integers[i];
      const min = ranges[2 * i];
      const value = Math.min(Math.max(storage[slot], min), ranges[2 * i + 1]);
      this.#words[at + this.#integerWords[i]] = value - min;
      storage[slot] = value;
    }
  }

  #settleAngles(slot: number, at: number): void {
    const words = this.#words;
    const angles = this.#angles;
    for (let i = 0; i < angles.length; i++) {
      const storage = angles[i];
      const step = this.#angleLevels[2 * i];
      const count = this.#angleLevels[2 * i + 1];
      const word = at + this.#angleWords[i];
      const turn = Math.floor(storage[slot] / step + 0.5);
      // Infinite and NaN angles give NaN here, which the word memory stores as 0.
      words[word] = turn - Math.floor(turn / count) * count;
      storage[slot] = angleOf(words[word], step, count);
    }
  }

  #settleBytes(slot: number, at: number): void {
    const bytes = this.#bytes;
    for (let i = 0; i < bytes.length; i++) {
      const storage = bytes[i];
      const max = this.#byteMaxima[i];
      if (storage[slot] > max) storage[slot] = max;
      this.#words[at + this.#byteWords[i]] = storage[slot];
    }
  }
}

function angleOf(level: number, step: number, count: number): number {
  return (level >= count / 2 ? level - count : level) * step;
}
