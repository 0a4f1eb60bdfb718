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

/** Columns of one kind: for each, where its storage starts, its word in a record, and up to four numbers. */
class Lanes {
  count = 0;
  readonly starts: Int32Array;
  readonly words: Int32Array;
  readonly numbers: Float64Array;

  constructor(maxColumns: number) {
    this.starts = new Int32Array(maxColumns);
    this.words = new Int32Array(maxColumns);
    this.numbers = new Float64Array(maxColumns * 4);
  }

  add(start: number, word: number, ...numbers: number[]): void {
    if (this.count === this.starts.length) throw new RangeError("more columns than were announced");
    this.starts[this.count] = start;
    this.words[this.count] = word;
    this.numbers.set(numbers, this.count * 4);
    this.count++;
  }
}

export class ColumnPlan {
  readonly #words: Int32Array;
  readonly #stride: number;
  readonly #slots: number;
  /** All columns of doubles, one after the other, and what each was when it was settled last. */
  readonly #doubles: Float64Array;
  readonly #settled: Float64Array;
  #doublesEnd = 0;
  /** The same of integers and of bytes. */
  readonly #integers: Int32Array;
  readonly #settledIntegers: Int32Array;
  #integersEnd = 0;
  readonly #bytes: Uint8Array;
  readonly #settledBytes: Uint8Array;
  #bytesEnd = 0;
  /** Levels in doubles: base, step, offset and largest level. */
  readonly #levelLanes: Lanes;
  /** Levels of a circle: step, and half of how many there are. */
  readonly #angleLanes: Lanes;
  /** Whole numbers in integers: the least and the largest. */
  readonly #integerLanes: Lanes;
  /** What is kept as it is up to a largest value. */
  readonly #byteLanes: Lanes;
  readonly #others: RowColumn[] = [];

  /** For rows whose record words start at `words[slot * stride]`, with at most `maxColumns` columns of numbers. */
  constructor(words: Int32Array, stride: number, slots: number, maxColumns: number) {
    this.#words = words;
    this.#stride = stride;
    this.#slots = slots;
    this.#doubles = new Float64Array(slots * maxColumns);
    this.#settled = new Float64Array(slots * maxColumns);
    this.#integers = new Int32Array(slots * maxColumns);
    this.#bytes = new Uint8Array(slots * maxColumns);
    this.#settledIntegers = new Int32Array(slots * maxColumns);
    this.#settledBytes = new Uint8Array(slots * maxColumns);
    this.#levelLanes = new Lanes(maxColumns);
    this.#angleLanes = new Lanes(maxColumns);
    this.#integerLanes = new Lanes(maxColumns);
    this.#byteLanes = new Lanes(maxColumns);
  }

  /** A column of numbers on `levels`. */
  addLevels(levels: Levels, word: number): Float64Array {
    const start = this.#doublesEnd;
    this.#levelLanes.add(start, word, levels.base, levels.step, levels.offset, levels.maxLevel);
    return this.#addDoubles();
  }

  /** A column of radians from -PI, `count` steps to the circle; a power of two. */
  addAngle(step: number, count: number, word: number): Float64Array {
    this.#angleLanes.add(this.#doublesEnd, word, step, count / 2);
    return this.#addDoubles();
  }

  /** A column of whole numbers from `min` to `max`, both of 32 bits. */
  addIntegers(min: number, max: number, word: number): Int32Array {
    const start = this.#integersEnd;
    this.#integersEnd += this.#slots;
    this.#integerLanes.add(start, word, min, max);
    return this.#integers.subarray(start, this.#integersEnd);
  }

  /** A column of small numbers up to `max`. */
  addBytes(max: number, word: number): Uint8Array {
    const start = this.#bytesEnd;
    this.#bytesEnd += this.#slots;
    this.#byteLanes.add(start, word, max);
    return this.#bytes.subarray(start, this.#bytesEnd);
  }

  addOther(column: RowColumn): void {
    this.#others.push(column);
  }

  /** Rounds a row and brings its record up to date. Idempotent. */
  settle(slot: number): void {
    if (!this.#isAtRest(slot)) this.#settleNumbers(slot);
    for (let i = 0; i < this.#others.length; i++) this.#others[i].settle(slot);
  }

  #settleNumbers(slot: number): void {
    const at = slot * this.#stride;
    this.#settleLevels(slot, at);
    this.#settleAngles(slot, at);
    this.#settleIntegers(slot, at);
    this.#settleBytes(slot, at);
  }

  /** A row becomes what its record says. */
  load(slot: number): void {
    const at = slot * this.#stride;
    const words = this.#words;
    const levels = this.#levelLanes;
    for (let i = 0; i < levels.count; i++) {
      const level = words[at + levels.words[i]] >>> 0;
      const { numbers } = levels;
      this.#keep(levels.starts[i] + slot, (level + numbers[4 * i + 2]) * numbers[4 * i + 1] + numbers[4 * i]);
    }
    const angles = this.#angleLanes;
    for (let i = 0; i < angles.count; i++) {
      const level = signed(words[at + angles.words[i]], angles.numbers[4 * i + 1]);
      this.#keep(angles.starts[i] + slot, level * angles.numbers[4 * i]);
    }
    const integers = this.#integerLanes;
    for (let i = 0; i < integers.count; i++)
      this.#keepInteger(integers.starts[i] + slot, (words[at + integers.words[i]] >>> 0) + integers.numbers[4 * i]);
    const bytes = this.#byteLanes;
    for (let i = 0; i < bytes.count; i++) this.#keepByte(bytes.starts[i] + slot, words[at + bytes.words[i]]);
    for (let i = 0; i < this.#others.length; i++) this.#others[i].load(slot);
  }

  #addDoubles(): Float64Array {
    const start = this.#doublesEnd;
    this.#doublesEnd += this.#slots;
    return this.#doubles.subarray(start, start + this.#slots);
  }

  #keep(at: number, value: number): void {
    this.#doubles[at] = value;
    this.#settled[at] = value;
  }

  #keepInteger(at: number, value: number): void {
    this.#integers[at] = value;
    this.#settledIntegers[at] = value;
  }

  #keepByte(at: number, value: number): void {
    this.#bytes[at] = value;
    this.#settledBytes[at] = value;
  }

  /** Whether every number of a row is what it was when it was settled last, down to the sign of 0. */
  #isAtRest(slot: number): boolean {
    const slots = this.#slots;
    const doubles = this.#doubles;
    const settled = this.#settled;
    const doublesEnd = this.#doublesEnd;
    for (let place = slot; place < doublesEnd; place += slots) {
      const value = doubles[place];
      // What is settled is never -0.
      if (value !== settled[place] || Object.is(value, -0)) return false;
    }
    const integers = this.#integers;
    const settledIntegers = this.#settledIntegers;
    const integersEnd = this.#integersEnd;
    for (let place = slot; place < integersEnd; place += slots)
      if (integers[place] !== settledIntegers[place]) return false;
    const bytes = this.#bytes;
    const settledBytes = this.#settledBytes;
    const bytesEnd = this.#bytesEnd;
    for (let place = slot; place < bytesEnd; place += slots) if (bytes[place] !== settledBytes[place]) return false;
    return true;
  }

  #settleLevels(slot: number, at: number): void {
    const doubles = this.#doubles;
    const settled = this.#settled;
    const { count, starts, words, numbers } = this.#levelLanes;
    for (let i = 0; i < count; i++) {
      const place = starts[i] + slot;
      const value = doubles[place];
      // As it was, which most fields are in most ticks.
      if (value === settled[place] && !Object.is(value, -0)) continue;
      const base = numbers[4 * i];
      const step = numbers[4 * i + 1];
      const offset = numbers[4 * i + 2];
      const max = numbers[4 * i + 3];
      let level = Math.floor((value - base) / step + 0.5) - offset;
      // NaN becomes level 0.
      if (!(level > 0)) level = 0;
      else if (level > max) level = max;
      this.#words[at + words[i]] = level;
      this.#keep(place, (level + offset) * step + base);
    }
  }

  #settleAngles(slot: number, at: number): void {
    const { count, starts, words, numbers } = this.#angleLanes;
    for (let i = 0; i < count; i++) {
      const place = starts[i] + slot;
      const value = this.#doubles[place];
      if (value === this.#settled[place] && !Object.is(value, -0)) continue;
      const step = numbers[4 * i];
      const half = numbers[4 * i + 1];
      // Whole turns fall away; infinite and NaN angles become level 0.
      const level = Math.floor(value / step + 0.5) & (2 * half - 1);
      this.#words[at + words[i]] = level;
      this.#keep(place, signed(level, half) * step);
    }
  }

  #settleIntegers(slot: number, at: number): void {
    const { count, starts, words, numbers } = this.#integerLanes;
    for (let i = 0; i < count; i++) {
      const place = starts[i] + slot;
      const min = numbers[4 * i];
      const value = Math.min(Math.max(this.#integers[place], min), numbers[4 * i + 1]);
      this.#words[at + words[i]] = value - min;
      this.#keepInteger(place, value);
    }
  }

  #settleBytes(slot: number, at: number): void {
    const { count, starts, words, numbers } = this.#byteLanes;
    for (let i = 0; i < count; i++) {
      const place = starts[i] + slot;
      const value = Math.min(this.#bytes[place], numbers[4 * i]);
      this.#words[at + words[i]] = value;
      this.#keepByte(place, value);
    }
  }
}

/** Levels from half the circle on are those below 0. */
function signed(level: number, half: number): number {
  return level - ((level & half) << 1);
}
