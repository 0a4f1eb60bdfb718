import { ColumnPlan } from "./column-plan.ts";
import type { RowColumn } from "./column-plan.ts";
import { defineColumnAccessor, fieldAttributes } from "./field.ts";
import type { Column, Field, FieldOptions, Leaf, RecordMemory, RowPrototype } from "./field.ts";
import { bitsFor } from "./rounding.ts";

/** Bounded lists of any other kind of field. In a record: one word of length, then room for `max` elements, unused ones zero. */

export interface ListOptions extends FieldOptions {
  /** Most elements; 1 to 256. */
  readonly max: number;
}

/** A list in a row. Elements are read and written in place; it never grows past `max`. */
export interface BoundedList<Value> {
  readonly length: number;
  readonly max: number;
  /** `undefined` behind the end. */
  at(index: number): Value | undefined;
  /** Throws `RangeError` when there is no such element. */
  set(index: number, value: Value): void;
  /** False, and nothing is added, when the list is full. */
  push(value: Value): boolean;
  /** Takes it out; those behind it move up. Throws `RangeError` when there is no such element. */
  removeAt(index: number): void;
  clear(): void;
  /** Replaces everything, one value after the other; what does not fit is left out. */
  assign(values: Iterable<Value>): void;
  [Symbol.iterator](): IterableIterator<Value>;
}

export interface ListStorage<Storage> {
  readonly lengths: Int32Array;
  readonly max: number;
  /** The elements of slot `s` are at `s * max` and on. */
  readonly elements: Storage;
}

export function list<Value, Storage>(
  element: Field<Value, Value, Storage>,
  options: ListOptions,
): Field<readonly Value[], BoundedList<Value>, ListStorage<Storage>> {
  const { max } = options;
  if (!Number.isInteger(max) || max < 1 || max > 256) throw new RangeError(`list: max ${max} must be 1 to 256`);
  const wordCount = 1 + max * element.wordCount;
  if (wordCount > 8192) throw new RangeError(`list: ${max} elements of ${element.kind} are too much for one field`);
  const leaf: Leaf = {
    type: "list",
    word: 0,
    wordCount,
    bits: bitsFor(max),
    max,
    step: 1,
    origin: 0,
    text: false,
    element: element.leaves,
    elementWords: element.wordCount,
  };
  return {
    kind: "list",
    attributes: fieldAttributes(options, "step"),
    wordCount,
    leaves: [leaf],
    signature: `list ${max} (${element.signature})`,
    writeInitial: (words, at) => void words.fill(0, at, at + wordCount),
    createColumn: (slots, memory) => new ListColumn(slots, max, element, memory),
  };
}

class ListColumn<Value, Storage>
  implements Column<readonly Value[], BoundedList<Value>, ListStorage<Storage>>, RowColumn
{
  readonly storage: ListStorage<Storage>;
  readonly #element: Column<Value, Value, Storage>;
  readonly #elements: ColumnPlan;
  readonly #elementWords: number;
  /** Settled words of all elements of all slots, tightly packed. */
  readonly #words: Int32Array;
  readonly #memory: RecordMemory;
  readonly #views: (ListView<Value> | undefined)[] = [];

  constructor(slots: number, max: number, element: Field<Value, Value, Storage>, memory: RecordMemory) {
    this.#elementWords = element.wordCount;
    this.#words = new Int32Array(slots * max * element.wordCount);
    this.#elements = new ColumnPlan(this.#words, element.wordCount, slots * max, element.leaves.length);
    const elements = { words: this.#words, stride: element.wordCount, word: 0, plan: this.#elements };
    this.#element = element.createColumn(slots * max, elements);
    this.storage = { lengths: new Int32Array(slots), max, elements: this.#element.storage };
    this.#memory = memory;
    memory.plan.addOther(this);
  }

  /** The same object every time; it reads and writes the columns. */
  get(slot: number): BoundedList<Value> {
    return (this.#views[slot] ??= new ListView(this.storage.lengths, this.storage.max, this.#element, slot));
  }

  copy(slot: number): Value[] {
    const { lengths, max } = this.storage;
    return Array.from({ length: lengths[slot] }, (_, i) => this.#element.copy(slot * max + i));
  }

  set(slot: number, value: readonly Value[]): void {
    this.get(slot).assign(value);
  }

  settle(slot: number): void {
    const { words, stride, word } = this.#memory;
    const { lengths, max } = this.storage;
    const length = Math.min(Math.max(lengths[slot], 0), max);
    lengths[slot] = length;
    for (let j = 0; j < length; j++) this.#elements.settle(slot * max + j);
    const at = slot * stride + word;
    const used = length * this.#elementWords;
    const from = slot * max * this.#elementWords;
    words[at] = length;
    for (let j = 0; j < used; j++) words[at + 1 + j] = this.#words[from + j]!;
    words.fill(0, at + 1 + used, at + 1 + max * this.#elementWords);
  }

  load(slot: number): void {
    const { words, stride, word } = this.#memory;
    this.#load(slot, words, slot * stride + word);
  }

  blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const word = this.#memory.word;
    if (fraction < 1) this.#load(slot, from, fromAt + word);
    else this.#load(slot, to, toAt + word);
  }

  jumps(): boolean {
    return false;
  }

  defineAccessor(prototype: RowPrototype, name: string): void {
    defineColumnAccessor(prototype, name, this);
  }

  #load(slot: number, words: Int32Array, at: number): void {
    const { lengths, max } = this.storage;
    const length = words[at];
    const target = slot * max * this.#elementWords;
    lengths[slot] = length;
    for (let j = 0; j < length * this.#elementWords; j++) this.#words[target + j] = words[at + 1 + j]!;
    for (let j = 0; j < length; j++) this.#elements.load(slot * max + j);
  }
}

class ListView<Value> implements BoundedList<Value> {
  readonly max: number;
  readonly #lengths: Int32Array;
  readonly #element: Column<Value, Value, unknown>;
  readonly #slot: number;

  constructor(lengths: Int32Array, max: number, element: Column<Value, Value, unknown>, slot: number) {
    this.max = max;
    this.#lengths = lengths;
    this.#element = element;
    this.#slot = slot;
  }

  get length(): number {
    return this.#lengths[this.#slot];
  }

  at(index: number): Value | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) return undefined;
    return this.#element.get(this.#slot * this.max + index);
  }

  set(index: number, value: Value): void {
    this.#check(index);
    this.#element.set(this.#slot * this.max + index, value);
  }

  push(value: Value): boolean {
    const length = this.length;
    if (length >= this.max) return false;
    this.#element.set(this.#slot * this.max + length, value);
    this.#lengths[this.#slot] = length + 1;
    return true;
  }

  removeAt(index: number): void {
    this.#check(index);
    const values = this.toJSON();
    values.splice(index, 1);
    this.assign(values);
  }

  clear(): void {
    this.#lengths[this.#slot] = 0;
  }

  assign(values: Iterable<Value>): void {
    const copy = [...values];
    this.clear();
    for (const value of copy) if (!this.push(value)) break;
  }

  *[Symbol.iterator](): IterableIterator<Value> {
    for (let i = 0; i < this.length; i++) yield this.#element.get(this.#slot * this.max + i);
  }

  toJSON(): Value[] {
    return [...this];
  }

  #check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.length)
      throw new RangeError(`no element ${index} of ${this.length}`);
  }
}
