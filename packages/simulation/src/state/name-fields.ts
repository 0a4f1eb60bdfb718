import { fieldAttributes, wordLeaf } from "./field.ts";
import type { Column, Field, FieldAttributes, FieldOptions, RecordMemory, RowPrototype } from "./field.ts";
import { bitsFor } from "./rounding.ts";

/** Fields that name something: bool, enumeration and entity references. They are never mixed when blended. */

/** An entity reference that points at nothing. */
export const NO_ENTITY: -1 = -1;

const MAX_ENTITY = 0xffffff;

/** true or false. */
export function bool(options: FieldOptions = {}): Field<boolean, boolean, Uint8Array> {
  return smallField(
    "bool",
    1,
    "bool",
    options,
    (level) => level !== 0,
    (value) => (value ? 1 : 0),
  );
}

/** One of up to 256 names. A name that is not on the list throws `RangeError` when it is assigned. */
export function enumeration<const Name extends string>(
  names: readonly Name[],
  options: FieldOptions = {},
): Field<Name, Name, Uint8Array> {
  if (names.length < 1 || names.length > 256) throw new RangeError("enumeration: give 1 to 256 names");
  const levels = new Map<string, number>();
  for (const name of names) {
    if (levels.has(name)) throw new RangeError(`enumeration: "${name}" is there twice`);
    levels.set(name, levels.size);
  }
  const toLevel = (value: Name): number => {
    const level = levels.get(value);
    if (level === undefined) throw new RangeError(`enumeration: "${value}" is not one of ${names.join(", ")}`);
    return level;
  };
  const signature = `enumeration ${JSON.stringify(names)}`;
  return smallField("enumeration", names.length - 1, signature, options, (level) => names[level], toLevel);
}

/** The id of an entity of any table, or `NO_ENTITY` (-1). */
export function entity(options: FieldOptions = {}): Field<number, number, Int32Array> {
  const attributes = fieldAttributes(options, "step");
  return {
    kind: "entity",
    attributes,
    wordCount: 1,
    leaves: [wordLeaf("entity", 24, MAX_ENTITY)],
    signature: "entity",
    writeInitial: (words, at) => void (words[at] = NO_ENTITY),
    createColumn: (slots, memory) => new EntityColumn(slots, memory, attributes.teleport),
  };
}

function smallField<Value>(
  kind: "bool" | "enumeration",
  max: number,
  signature: string,
  options: FieldOptions,
  fromLevel: (level: number) => Value,
  toLevel: (value: Value) => number,
): Field<Value, Value, Uint8Array> {
  const attributes: FieldAttributes = fieldAttributes(options, "step");
  return {
    kind,
    attributes,
    wordCount: 1,
    leaves: [wordLeaf("raw", bitsFor(max), max)],
    signature,
    writeInitial: (words, at) => void (words[at] = 0),
    createColumn: (slots, memory) => new SmallColumn(slots, max, memory, attributes.teleport, fromLevel, toLevel),
  };
}

class SmallColumn<Value> implements Column<Value, Value, Uint8Array> {
  readonly storage: Uint8Array;
  readonly #max: number;
  readonly #memory: RecordMemory;
  readonly #teleport: number;
  readonly #fromLevel: (level: number) => Value;
  readonly #toLevel: (value: Value) => number;

  constructor(
    slots: number,
    max: number,
    memory: RecordMemory,
    teleport: number,
    fromLevel: (level: number) => Value,
    toLevel: (value: Value) => number,
  ) {
    this.storage = new Uint8Array(slots);
    this.#max = max;
    this.#memory = memory;
    this.#teleport = teleport;
    this.#fromLevel = fromLevel;
    this.#toLevel = toLevel;
  }

  get(slot: number): Value {
    return this.#fromLevel(this.storage[slot]);
  }

  copy(slot: number): Value {
    return this.get(slot);
  }

  set(slot: number, value: Value): void {
    this.storage[slot] = this.#toLevel(value);
  }

  settle(slots: Int32Array, count: number): void {
    const storage = this.storage;
    const { words, stride, word } = this.#memory;
    for (let i = 0; i < count; i++) {
      const slot = slots[i];
      if (storage[slot] > this.#max) storage[slot] = this.#max;
      words[slot * stride + word] = storage[slot]!;
    }
  }

  load(slot: number): void {
    const { words, stride, word } = this.#memory;
    this.storage[slot] = words[slot * stride + word]!;
  }

  blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const word = this.#memory.word;
    this.storage[slot] = fraction < 1 ? from[fromAt + word] : to[toAt + word];
  }

  jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    const word = this.#memory.word;
    return this.#teleport < 1 && from[fromAt + word] !== to[toAt + word];
  }

  defineAccessor(prototype: RowPrototype, name: string): void {
    const storage = this.storage;
    const fromLevel = this.#fromLevel;
    const toLevel = this.#toLevel;
    Object.defineProperty(prototype, name, {
      enumerable: true,
      get(this: RowPrototype): Value {
        return fromLevel(storage[this.index]);
      },
      set(this: RowPrototype, value: Value): void {
        storage[this.index] = toLevel(value);
      },
    });
  }
}

class EntityColumn implements Column<number, number, Int32Array> {
  readonly storage: Int32Array;
  readonly #memory: RecordMemory;
  readonly #teleport: number;

  constructor(slots: number, memory: RecordMemory, teleport: number) {
    this.storage = new Int32Array(slots).fill(NO_ENTITY);
    this.#memory = memory;
    this.#teleport = teleport;
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

  settle(slots: Int32Array, count: number): void {
    const storage = this.storage;
    const { words, stride, word } = this.#memory;
    for (let i = 0; i < count; i++) {
      const slot = slots[i];
      const id = storage[slot];
      if (id < 0 || id > MAX_ENTITY) storage[slot] = NO_ENTITY;
      words[slot * stride + word] = storage[slot]!;
    }
  }

  load(slot: number): void {
    const { words, stride, word } = this.#memory;
    this.storage[slot] = words[slot * stride + word]!;
  }

  blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const word = this.#memory.word;
    this.storage[slot] = fraction < 1 ? from[fromAt + word] : to[toAt + word];
  }

  jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    const word = this.#memory.word;
    return this.#teleport < 1 && from[fromAt + word] !== to[toAt + word];
  }

  defineAccessor(prototype: RowPrototype, name: string): void {
    const storage = this.storage;
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
}
