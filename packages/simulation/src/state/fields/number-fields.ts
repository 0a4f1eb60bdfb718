import { powerOfTwo } from "../../math/power-of-two.ts";
import type { RowColumn } from "./column-plan.ts";
import { f32Value, f32Word } from "./f32-word.ts";
import { fieldAttributes, wordLeaf } from "./field.ts";
import type { Column, Field, FieldAttributes, FieldOptions, RecordMemory, RowPrototype } from "./field.ts";
import { bitsFor, createLevels, levelValue, roundToLevel } from "./rounding.ts";
import type { Levels } from "./rounding.ts";

/** Number fields: uint, int, float (ranges of levels), angle (levels around a circle) and f32 (unrounded). */

export interface UintOptions extends FieldOptions {
  /** Largest value, up to 2^32 - 1. Either this or `bits`. */
  readonly max?: number;
  /** 1 to 32; the largest value is 2^bits - 1. */
  readonly bits?: number;
}

export interface IntOptions extends FieldOptions {
  /** Whole numbers from -2^31 to 2^31 - 1. */
  readonly min: number;
  readonly max: number;
}

export interface FloatOptions extends FieldOptions {
  readonly min: number;
  /** Values go from `min` in whole steps to at most `max`. */
  readonly max: number;
  readonly step: number;
}

export interface AngleOptions extends FieldOptions {
  /** The circle is divided into 2^bits steps; 2 to 24. Default 12. */
  readonly bits?: number;
}

/** Columns of whole numbers: 32-bit integers, or doubles when the range goes past 2^31 - 1. */
export type IntegerStorage = Int32Array | Float64Array;

/** A whole number from 0 to `max`. Throws `RangeError` for a range that does not fit 32 bits. */
export function uint(options: UintOptions): Field<number, number, IntegerStorage> {
  const bits = options.bits ?? 0;
  if ((options.max === undefined) === (options.bits === undefined)) throw new RangeError("uint: give max or bits");
  if (options.bits !== undefined && !(Number.isInteger(bits) && bits >= 1 && bits <= 32)) {
    throw new RangeError(`uint: bits ${bits} must be 1 to 32`);
  }
  const max = options.max ?? powerOfTwo(bits) - 1;
  if (!Number.isInteger(max) || max < 0 || max > 0xffffffff) throw new RangeError(`uint: max ${max} must fit 32 bits`);
  return integer("uint", 0, max, options);
}

/** A whole number from `min` to `max`. Throws `RangeError` for a range that does not fit 32 bits. */
export function int(options: IntOptions): Field<number, number, IntegerStorage> {
  const { min, max } = options;
  if (!Number.isInteger(min) || !Number.isInteger(max) || min < -0x80000000 || max > 0x7fffffff || min > max) {
    throw new RangeError(`int: ${min} to ${max} must be whole numbers in order that fit 32 bits`);
  }
  return integer("int", min, max, options);
}

/** A number rounded to whole steps from `min`. Throws `RangeError` when the range has more than 2^32 steps. */
export function float(options: FloatOptions): Field<number, number, Float64Array> {
  const levels = createLevels(options.min, options.max, options.step, "float");
  const attributes = fieldAttributes(options, "linear");
  return {
    kind: "float",
    attributes,
    wordCount: 1,
    leaves: [wordLeaf("range", bitsFor(levels.maxLevel), levels.maxLevel, levels.step, levelValue(levels, 0))],
    signature: `float ${options.min} ${options.max} ${options.step}`,
    writeInitial: (words, at) => void (words[at] = roundToLevel(levels, 0)),
    createColumn: (_, memory) =>
      new LevelColumn(memory.plan.addLevels(levels, memory.word), levels, attributes, memory),
  };
}

/** A direction in radians, kept from -PI up to PI, rounded to 2^bits steps of the circle. */
export function angle(options: AngleOptions = {}): Field<number, number, Float64Array> {
  const bits = options.bits ?? 12;
  if (!Number.isInteger(bits) || bits < 2 || bits > 24) throw new RangeError(`angle: bits ${bits} must be 2 to 24`);
  const attributes = fieldAttributes(options, "angle");
  const count = 1 << bits;
  return {
    kind: "angle",
    attributes,
    wordCount: 1,
    leaves: [wordLeaf("wrap", bits, count - 1, (2 * Math.PI) / count)],
    signature: `angle ${bits}`,
    writeInitial: (words, at) => void (words[at] = 0),
    createColumn: (_, memory) => new AngleColumn(count, attributes, memory),
  };
}

/** A single-precision number, sent as it is; NaN becomes 0. The one type that is not rounded to a declared step. */
export function f32(options: FieldOptions = {}): Field<number, number, Float64Array> {
  const attributes = fieldAttributes(options, "linear");
  return {
    kind: "f32",
    attributes,
    wordCount: 1,
    leaves: [wordLeaf("raw", 32, 0xffffffff)],
    signature: "f32",
    writeInitial: (words, at) => void (words[at] = 0),
    createColumn: (slots, memory) => new F32Column(slots, attributes, memory),
  };
}

function integer(
  kind: "uint" | "int",
  min: number,
  max: number,
  options: FieldOptions,
): Field<number, number, IntegerStorage> {
  const levels = createLevels(min, max, 1, kind);
  const attributes = fieldAttributes(options, "step");
  return {
    kind,
    attributes,
    wordCount: 1,
    leaves: [wordLeaf("range", bitsFor(levels.maxLevel), levels.maxLevel, 1, min)],
    signature: `${kind} ${min} ${max}`,
    writeInitial: (words, at) => void (words[at] = roundToLevel(levels, 0)),
    createColumn: (_, memory): Column<number, number, IntegerStorage> =>
      max > 0x7fffffff
        ? new LevelColumn(memory.plan.addLevels(levels, memory.word), levels, attributes, memory)
        : new LevelColumn(memory.plan.addIntegers(min, max, memory.word), levels, attributes, memory),
  };
}

/** uint, int and float. */
class LevelColumn<Storage extends IntegerStorage> implements Column<number, number, Storage> {
  readonly storage: Storage;
  readonly #levels: Levels;
  readonly #teleport: number;
  readonly #steps: boolean;
  readonly #memory: RecordMemory;

  constructor(storage: Storage, levels: Levels, attributes: FieldAttributes, memory: RecordMemory) {
    this.storage = storage;
    this.#levels = levels;
    this.#teleport = attributes.teleport;
    this.#steps = attributes.blend === "step";
    this.#memory = memory;
  }

  get(slot: number): number {
    return this.storage[slot];
  }

  copy(slot: number): number {
    return this.get(slot);
  }

  set(slot: number, value: number): void {
    this.storage[slot] = this.storage instanceof Int32Array ? toInt32(value) : value;
  }

  blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const word = this.#memory.word;
    const first = from[fromAt + word];
    const second = to[toAt + word];
    const a = levelValue(this.#levels, first >>> 0);
    if (first === second || (this.#steps && fraction < 1)) this.storage[slot] = a;
    else {
      const b = levelValue(this.#levels, second >>> 0);
      this.storage[slot] = this.#steps ? b : a + (b - a) * fraction;
    }
  }

  jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    const word = this.#memory.word;
    const levels = (from[fromAt + word] >>> 0) - (to[toAt + word] >>> 0);
    return Math.abs(levels) * this.#levels.step > this.#teleport;
  }

  defineAccessor(prototype: RowPrototype, name: string): void {
    if (this.storage instanceof Int32Array) defineIntegerAccessor(prototype, name, this.storage);
    else defineNumberAccessor(prototype, name, this.storage);
  }
}

/** What angle and f32 have in common: doubles that a game may set to anything. */
abstract class DoubleColumn implements Column<number, number, Float64Array> {
  readonly storage: Float64Array;

  constructor(storage: Float64Array) {
    this.storage = storage;
  }

  get(slot: number): number {
    return this.storage[slot];
  }

  copy(slot: number): number {
    return this.get(slot);
  }

  set(slot: number, value: number): void {
    this.storage[slot] = value;
  }

  abstract blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void;
  abstract jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean;

  defineAccessor(prototype: RowPrototype, name: string): void {
    defineNumberAccessor(prototype, name, this.storage);
  }
}

class AngleColumn extends DoubleColumn {
  readonly #count: number;
  readonly #step: number;
  readonly #attributes: FieldAttributes;
  readonly #memory: RecordMemory;

  constructor(count: number, attributes: FieldAttributes, memory: RecordMemory) {
    const step = (2 * Math.PI) / count;
    super(memory.plan.addAngle(step, count, memory.word));
    this.#count = count;
    this.#step = step;
    this.#attributes = attributes;
    this.#memory = memory;
  }

  override blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const word = this.#memory.word;
    const a = from[fromAt + word];
    const b = to[toAt + word];
    if (a === b) {
      this.storage[slot] = this.#value(a);
      return;
    }
    const arc = this.#arc(a, b);
    const blend = this.#attributes.blend;
    if (blend === "step") this.storage[slot] = this.#value(fraction < 1 ? a : b);
    else this.storage[slot] = this.#value(a) + (blend === "angle" ? arc : b - a) * fraction * this.#step;
  }

  override jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    const word = this.#memory.word;
    return Math.abs(this.#arc(from[fromAt + word], to[toAt + word])) * this.#step > this.#attributes.teleport;
  }

  /** Levels from a to b the shorter way. */
  #arc(a: number, b: number): number {
    const arc = (b - a) & (this.#count - 1);
    return arc >= this.#count / 2 ? arc - this.#count : arc;
  }

  #value(level: number): number {
    return (level >= this.#count / 2 ? level - this.#count : level) * this.#step;
  }
}

class F32Column extends DoubleColumn implements RowColumn {
  readonly #attributes: FieldAttributes;
  readonly #memory: RecordMemory;

  constructor(slots: number, attributes: FieldAttributes, memory: RecordMemory) {
    super(new Float64Array(slots));
    this.#attributes = attributes;
    this.#memory = memory;
    memory.plan.addOther(this);
  }

  settle(slot: number): void {
    const { words, stride, word } = this.#memory;
    const bits = f32Word(this.storage[slot]);
    words[slot * stride + word] = bits;
    this.storage[slot] = f32Value(bits);
  }

  load(slot: number): void {
    const { words, stride, word } = this.#memory;
    this.storage[slot] = f32Value(words[slot * stride + word]);
  }

  override blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const word = this.#memory.word;
    const a = f32Value(from[fromAt + word]);
    const b = f32Value(to[toAt + word]);
    this.storage[slot] = this.#attributes.blend === "step" ? (fraction < 1 ? a : b) : a + (b - a) * fraction;
  }

  override jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    const word = this.#memory.word;
    return Math.abs(f32Value(from[fromAt + word]) - f32Value(to[toAt + word])) > this.#attributes.teleport;
  }
}

/** Rounds to the nearest whole number and clamps to 32 bits: what an integer column can hold between two settlings. */
function toInt32(value: number): number {
  const rounded = Math.floor(value + 0.5);
  return rounded > 0x7fffffff ? 0x7fffffff : rounded < -0x80000000 ? -0x80000000 : rounded;
}

function defineNumberAccessor(prototype: RowPrototype, name: string, storage: Float64Array): void {
  Object.defineProperty(prototype, name, {
    enumerable: true,
    get(this: RowPrototype): number {
      return storage[this.index];
    },
    set(this: RowPrototype, value: number): void {
      storage[this.index] = value;
    },
  });
}

function defineIntegerAccessor(prototype: RowPrototype, name: string, storage: Int32Array): void {
  Object.defineProperty(prototype, name, {
    enumerable: true,
    get(this: RowPrototype): number {
      return storage[this.index];
    },
    set(this: RowPrototype, value: number): void {
      storage[this.index] = toInt32(value);
    },
  });
}
