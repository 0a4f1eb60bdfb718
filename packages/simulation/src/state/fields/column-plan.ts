/**
 * Where the numbers of a table are kept, and how its rows are rounded and restored: the columns that hold one number
 * each stand side by side here, by kind, so that a row takes one loop for each kind and no call for each column.
 * Columns of anything else are called.
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
  readonly #slots: number;
  /** All columns of doubles, one after the other, and what each was when it was settled last. */
  readonly #doubles: Float64Array;
  readonly #settled: Float64Array;
  /** The bits of `#doubles`, two words each: they tell -0 from 0. */
  readonly #bits: Int32Array;
  #doubleColumns = 0;
  /** Levels in doubles: start in `#doubles`, word, and four numbers each: base, step, offset and largest level. */
  readonly #levelStarts: number[] = [];
  readonly #levelWords: number[] = [];
  readonly #levels: number[] = [];
  /** Levels of a circle: start in `#doubles`, word, step, and half of how many there are. */
  readonly #angleStarts: number[] = [];
  readonly #angleWords: number[] = [];
  readonly #angleSteps: number[] = [];
  readonly #angleHalves: number[] = [];
  /** Whole numbers in integers: two numbers each, the least and the largest. */
  readonly #integers: Int32Array[] = [];
  readonly #integerWords: number[] = [];
  readonly #integerRanges: number[] = [];
  /** What is kept as it is up to a largest value. */
  readonly #bytes: Uint8Array[] = [];
  readonly #byteWords: number[] = [];
  readonly #byteMaxima: number[] = [];
  readonly #others: RowColumn[] = [];

  /** For rows whose record words start at `words[slot * stride]`, with at most `maxColumns` columns of numbers. */
  constructor(words: Int32Array, stride: number, slots: number, maxColumns: number) {
    this.#words = words;
    this.#stride = stride;
    this.#slots = slots;
    this.#doubles = new Float64Array(slots * maxColumns);
    this.#settled = new Float64Array(slots * maxColumns);
    this.#bits = new Int32Array(this.#doubles.buffer);
  }

  /** A column of numbers on `levels`. */
  addLevels(levels: Levels, word: number): Float64Array {
    const { base, step, offset, maxLevel } = levels;
    this.#levelWords.push(word);
    this.#levels.push(base, step, offset, maxLevel);
    return this.#addDoubles(this.#levelStarts);
  }

  /** A column of whole numbers from `min` to `max`, both of 32 bits. */
  addIntegers(min: number, max: number, word: number): Int32Array {
    const storage = new Int32Array(this.#slots);
    this.#integers.push(storage);
    this.#integerWords.push(word);
    this.#integerRanges.push(min, max);
    return storage;
  }

  /** A column of radians from -PI, `count` steps to the circle; a power of two. */
  addAngle(step: number, count: number, word: number): Float64Array {
    this.#angleWords.push(word);
    this.#angleSteps.push(step);
    this.#angleHalves.push(count / 2);
    return this.#addDoubles(this.#angleStarts);
  }

  /** A column of small numbers up to `max`. */
  addBytes(max: number, word: number): Uint8Array {
    const storage = new Uint8Array(this.#slots);
    this.#bytes.push(storage);
    this.#byteWords.push(word);
    this.#byteMaxima.push(max);
    return storage;
  }

  addOther(column: RowColumn): void {
    this.#others.push(column);
  }

  /** Rounds a row and brings its record up to date. Idempotent. */
  settle(slot: number): void {
    const at = slot * this.#stride;
    if (!this.#isAtRest(slot)) {
      this.#settleLevels(slot, at);
      this.#settleAngles(slot, at);
    }
    this.#settleIntegers(slot, at);
    this.#settleBytes(slot, at);
    for (let i = 0; i < this.#others.length; i++) this.#others[i].settle(slot);
  }

  /** A row becomes what its record says. */
  load(slot: number): void {
    const at = slot * this.#stride;
    const words = this.#words;
    const levels = this.#levels;
    for (let i = 0, k = 0; i < this.#levelStarts.length; i++, k += 4) {
      const level = words[at + this.#levelWords[i]] >>> 0;
      this.#keep(this.#levelStarts[i] + slot, (level + levels[k + 2]) * levels[k + 1] + levels[k]);
    }
    for (let i = 0; i < this.#angleStarts.length; i++) {
      const level = signed(words[at + this.#angleWords[i]], this.#angleHalves[i]);
      this.#keep(this.#angleStarts[i] + slot, level * this.#angleSteps[i]);
    }
    const integers = this.#integers;
    for (let i = 0; i < integers.length; i++)
      integers[i][slot] = (words[at + this.#integerWords[i]] >>> 0) + this.#integerRanges[2 * i];
    const bytes = this.#bytes;
    for (let i = 0; i < bytes.length; i++) bytes[i][slot] = words[at + this.#byteWords[i]];
    for (let i = 0; i < this.#others.length; i++) this.#others[i].load(slot);
  }

  #addDoubles(starts: number[]): Float64Array {
    const start = this.#doubleColumns++ * this.#slots;
    if (start + this.#slots > this.#doubles.length) throw new RangeError("more columns than were announced");
    starts.push(start);
    return this.#doubles.subarray(start, start + this.#slots);
  }

  #keep(at: number, value: number): void {
    this.#doubles[at] = value;
    this.#settled[at] = value;
  }

  /** Whether every double of a row is what it was when it was settled last, down to the sign of 0. */
  #isAtRest(slot: number): boolean {
    const doubles = this.#doubles;
    const settled = this.#settled;
    const slots = this.#slots;
    const end = this.#doubleColumns * slots;
    for (let place = slot; place < end; place += slots) {
      const value = doubles[place];
      if (value !== settled[place] || (value === 0 && this.#isNegativeZero(place))) return false;
    }
    return true;
  }

  /** Of a double that is 0 or -0. */
  #isNegativeZero(place: number): boolean {
    return (this.#bits[2 * place] | this.#bits[2 * place + 1]) !== 0;
  }

  #settleLevels(slot: number, at: number): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const settled = this.#settled;
    const starts = this.#levelStarts;
    const levels = this.#levels;
    for (let i = 0, k = 0; i < starts.length; i++, k += 4) {
      const place = starts[i] + slot;
      const value = doubles[place];
      // As it was, which most fields are in most ticks.
      if (value === settled[place] && (value !== 0 || !this.#isNegativeZero(place))) continue;
      const base = levels[k];
      const step = levels[k + 1];
      const offset = levels[k + 2];
      const max = levels[k + 3];
      let level = Math.floor((value - base) / step + 0.5) - offset;
      // NaN becomes level 0.
      if (!(level > 0)) level = 0;
      else if (level > max) level = max;
      words[at + this.#levelWords[i]] = level;
      this.#keep(place, (level + offset) * step + base);
    }
  }

  #settleAngles(slot: number, at: number): void {
    const starts = this.#angleStarts;
    for (let i = 0; i < starts.length; i++) {
      const place = starts[i] + slot;
      const value = this.#doubles[place];
      if (value === this.#settled[place] && (value !== 0 || !this.#isNegativeZero(place))) continue;
      const step = this.#angleSteps[i];
      const half = this.#angleHalves[i];
      // Whole turns fall away; infinite and NaN angles become level 0.
      const level = Math.floor(value / step + 0.5) & (2 * half - 1);
      this.#words[at + this.#angleWords[i]] = level;
      this.#keep(place, signed(level, half) * step);
    }
  }

  #settleIntegers(slot: number, at: number): void {
    const integers = this.#integers;
    const ranges = this.#integerRanges;
    const places = this.#integerWords;
    const words = this.#words;
    for (let i = 0; i < integers.length; i++) {
      const storage = integers[i];
      const min = ranges[2 * i];
      const max = ranges[2 * i + 1];
      let value = storage[slot];
      if (value < min) storage[slot] = value = min;
      else if (value > max) storage[slot] = value = max;
      words[at + places[i]] = value - min;
    }
  }

  #settleBytes(slot: number, at: number): void {
    const bytes = this.#bytes;
    const maxima = this.#byteMaxima;
    const places = this.#byteWords;
    const words = this.#words;
    for (let i = 0; i < bytes.length; i++) {
      const storage = bytes[i];
      let value = storage[slot];
      if (value > maxima[i]) storage[slot] = value = maxima[i];
      words[at + places[i]] = value;
    }
  }
}

/** Levels from half the circle on are those below 0. */
function signed(level: number, half: number): number {
  return level - ((level & half) << 1);
}
