import { atan2, cos, sin } from "../../math/index.ts";
import type { RowColumn } from "./column-plan.ts";
import { defineColumnAccessor, fieldAttributes } from "./field.ts";
import type { Column, Field, FieldAttributes, FieldOptions, Leaf, RecordMemory, RowPrototype } from "./field.ts";

/**
 * Rotations as unit quaternions in smallest-three form: which component is largest (2 bits) and the
 * other three, each rounded to 2^bits - 1 steps. The largest is kept positive and follows from the others.
 */

export interface Quaternion {
  x: number;
  y: number;
  z: number;
  w: number;
}

export interface QuaternionOptions extends FieldOptions {
  /** Bits of each of the three components; 4 to 20. Default 10 (about 0.1 degrees). */
  readonly bits?: number;
}

export interface QuaternionStorage {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
  readonly w: Float64Array;
}

/** A rotation. Settling makes it a unit quaternion; one of length 0 becomes the identity. */
export function quaternion(options: QuaternionOptions = {}): Field<Quaternion, Quaternion, QuaternionStorage> {
  const bits = options.bits ?? 10;
  if (!Number.isInteger(bits) || bits < 4 || bits > 20)
    throw new RangeError(`quaternion: bits ${bits} must be 4 to 20`);
  const attributes = fieldAttributes(options, "linear");
  const code = new SmallestThree(bits);
  const leaf: Leaf = {
    type: "quaternion",
    word: 0,
    wordCount: 4,
    bits,
    max: code.center * 2,
    step: code.step,
    origin: 0,
    text: false,
    element: [],
    elementWords: 0,
  };
  return {
    kind: "quaternion",
    attributes,
    wordCount: 4,
    leaves: [leaf],
    signature: `quaternion ${bits}`,
    writeInitial(words, at): void {
      words[at] = 3;
      words[at + 1] = words[at + 2] = words[at + 3] = code.center;
    },
    createColumn: (slots, memory) => new QuaternionColumn(slots, code, attributes, memory),
  };
}

/** Whether four words off the wire are a rotation: components whose squares leave room for the largest. */
export function isQuaternion(leaf: Leaf, words: Int32Array, at: number): boolean {
  let sum = 0;
  for (let i = 1; i < 4; i++) {
    const component = (words[at + i] - leaf.max / 2) * leaf.step;
    sum += component * component;
  }
  return sum <= 1;
}

/** Four doubles to four words and back; `value` is the scratch both work on. */
class SmallestThree {
  readonly center: number;
  readonly step: number;
  readonly value: Float64Array = new Float64Array(4);
  readonly #words = new Int32Array(4);
  readonly #decoded = new Float64Array(4);
  /** Of the squares of the three sent components, in `#decoded`; a code past 1 is never used. */
  #sum = 0;

  constructor(bits: number) {
    this.center = (1 << (bits - 1)) - 1;
    this.step = Math.SQRT1_2 / this.center;
  }

  /**
   * Rounds `value` in place and writes its words. A value that is already exactly what some words mean
   * keeps those words, so settling twice changes nothing even where two components tie for largest.
   */
  settle(words: Int32Array, at: number): void {
    const value = this.value;
    let largest = 0;
    for (let i = 1; i < 4; i++) if (Math.abs(value[i]) > Math.abs(value[largest])) largest = i;
    for (let i = 0; i < 4; i++) {
      const candidate = (largest + i) & 3;
      this.#round(candidate, 1);
      if (this.#isExact()) return this.#keep(words, at);
    }
    const length = Math.sqrt(value[0] * value[0] + value[1] * value[1] + value[2] * value[2] + value[3] * value[3]);
    if (!(length > 0) || length === Infinity) {
      value[0] = value[1] = value[2] = 0;
      value[3] = 1;
      largest = 3;
      this.#round(largest, 1);
    } else {
      this.#round(largest, value[largest] < 0 ? -length : length);
    }
    this.#keep(words, at);
  }

  load(words: Int32Array, at: number): void {
    this.#decode(words, at, this.value);
  }

  #round(largest: number, divisor: number): void {
    this.#words[0] = largest;
    let word = 1;
    for (let i = 0; i < 4; i++) {
      if (i === largest) continue;
      const level = Math.floor(this.value[i] / divisor / this.step + 0.5) + this.center;
      this.#words[word++] = level < 0 ? 0 : level > this.center * 2 ? this.center * 2 : level;
    }
    this.#sum = this.#decode(this.#words, 0, this.#decoded);
  }

  #decode(words: Int32Array, at: number, target: Float64Array): number {
    const largest = words[at] & 3;
    let sum = 0;
    let word = at + 1;
    for (let i = 0; i < 4; i++) {
      if (i === largest) continue;
      const component = (words[word++] - this.center) * this.step;
      target[i] = component;
      sum += component * component;
    }
    target[largest] = Math.sqrt(sum < 1 ? 1 - sum : 0);
    return sum;
  }

  #isExact(): boolean {
    const decoded = this.#decoded;
    const value = this.value;
    if (this.#sum > 1) return false;
    return decoded[0] === value[0] && decoded[1] === value[1] && decoded[2] === value[2] && decoded[3] === value[3];
  }

  #keep(words: Int32Array, at: number): void {
    for (let i = 0; i < 4; i++) {
      words[at + i] = this.#words[i]!;
      this.value[i] = this.#decoded[i]!;
    }
  }
}

class QuaternionColumn implements Column<Quaternion, Quaternion, QuaternionStorage>, RowColumn {
  readonly storage: QuaternionStorage;
  readonly #parts: readonly Float64Array[];
  readonly #code: SmallestThree;
  readonly #attributes: FieldAttributes;
  readonly #memory: RecordMemory;
  readonly #views: (QuaternionView | undefined)[] = [];
  readonly #from = new Float64Array(4);

  constructor(slots: number, code: SmallestThree, attributes: FieldAttributes, memory: RecordMemory) {
    const part = (): Float64Array => new Float64Array(slots);
    this.storage = { x: part(), y: part(), z: part(), w: part() };
    this.storage.w.fill(1);
    this.#parts = [this.storage.x, this.storage.y, this.storage.z, this.storage.w];
    this.#code = code;
    this.#attributes = attributes;
    this.#memory = memory;
    memory.plan.addOther(this);
  }

  /** The same object every time; it reads and writes the columns. */
  get(slot: number): Quaternion {
    return (this.#views[slot] ??= new QuaternionView(this.storage, slot));
  }

  copy(slot: number): Quaternion {
    const { x, y, z, w } = this.storage;
    return { x: x[slot], y: y[slot], z: z[slot], w: w[slot] };
  }

  set(slot: number, value: Quaternion): void {
    const { x, y, z, w } = value;
    this.storage.x[slot] = x;
    this.storage.y[slot] = y;
    this.storage.z[slot] = z;
    this.storage.w[slot] = w;
  }

  settle(slot: number): void {
    const { words, stride, word } = this.#memory;
    for (let part = 0; part < 4; part++) this.#code.value[part] = this.#parts[part][slot]!;
    this.#code.settle(words, slot * stride + word);
    this.#store(slot);
  }

  load(slot: number): void {
    const { words, stride, word } = this.#memory;
    this.#code.load(words, slot * stride + word);
    this.#store(slot);
  }

  /** Along the shorter arc: by a normalised mix, or at a constant rate where that is asked for or it goes beyond the second. */
  blend(
    slot: number,
    from: Int32Array,
    fromAt: number,
    to: Int32Array,
    toAt: number,
    fraction: number,
    spherical = false,
  ): void {
    const mix = this.#attributes.blend === "step" ? (fraction < 1 ? 0 : 1) : fraction;
    const value = this.#code.value;
    const dot = this.#dot(from, fromAt, to, toAt);
    let first = 1 - mix;
    let second = mix;
    if (spherical || mix > 1) {
      // The cosine alone says too little about a small angle, and the length of the difference too little about a large one.
      const half = this.#halfAngle(dot < 0 ? -1 : 1);
      const sine = sin(half * 2);
      if (sine > 1e-6) {
        first = sin((1 - mix) * half * 2) / sine;
        second = sin(mix * half * 2) / sine;
      }
    }
    if (dot < 0) second = -second;
    let squared = 0;
    for (let i = 0; i < 4; i++) {
      value[i] = this.#from[i] * first + value[i] * second;
      squared += value[i] * value[i];
    }
    const length = Math.sqrt(squared);
    for (let i = 0; i < 4; i++) value[i] = length > 0 ? value[i] / length : this.#from[i];
    this.#store(slot);
  }

  /** `teleport` is in radians here. */
  jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    const limit = this.#attributes.teleport;
    if (limit >= Math.PI) return false;
    return Math.abs(this.#dot(from, fromAt, to, toAt)) < cos(limit / 2);
  }

  defineAccessor(prototype: RowPrototype, name: string): void {
    defineColumnAccessor(prototype, name, this);
  }

  /** Half of the angle between the two quaternions of `#dot`, as points on the sphere, the second times `sign`. */
  #halfAngle(sign: number): number {
    let apart = 0;
    let together = 0;
    for (let i = 0; i < 4; i++) {
      const second = this.#code.value[i] * sign;
      const difference = this.#from[i] - second;
      const sum = this.#from[i] + second;
      apart += difference * difference;
      together += sum * sum;
    }
    return atan2(Math.sqrt(apart), Math.sqrt(together));
  }

  /** Leaves the first rotation in `#from`, the second in the code's `value`. */
  #dot(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): number {
    const word = this.#memory.word;
    const value = this.#code.value;
    this.#code.load(from, fromAt + word);
    for (let i = 0; i < 4; i++) this.#from[i] = value[i]!;
    this.#code.load(to, toAt + word);
    let dot = 0;
    for (let i = 0; i < 4; i++) dot += this.#from[i] * value[i];
    return dot;
  }

  #store(slot: number): void {
    for (let part = 0; part < 4; part++) this.#parts[part][slot] = this.#code.value[part]!;
  }
}

class QuaternionView {
  readonly #storage: QuaternionStorage;
  readonly #slot: number;

  constructor(storage: QuaternionStorage, slot: number) {
    this.#storage = storage;
    this.#slot = slot;
  }

  get x(): number {
    return this.#storage.x[this.#slot];
  }

  set x(value: number) {
    this.#storage.x[this.#slot] = value;
  }

  get y(): number {
    return this.#storage.y[this.#slot];
  }

  set y(value: number) {
    this.#storage.y[this.#slot] = value;
  }

  get z(): number {
    return this.#storage.z[this.#slot];
  }

  set z(value: number) {
    this.#storage.z[this.#slot] = value;
  }

  get w(): number {
    return this.#storage.w[this.#slot];
  }

  set w(value: number) {
    this.#storage.w[this.#slot] = value;
  }

  toJSON(): Quaternion {
    return { x: this.x, y: this.y, z: this.z, w: this.w };
  }
}
