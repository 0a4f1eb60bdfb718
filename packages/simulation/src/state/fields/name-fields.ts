import type { RowColumn } from "./column-plan.ts";
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
    createColumn: (_, memory) => new SmallColumn(max, memory, attributes.teleport, fromLevel, toLevel),
  };
}

/** What all of them have in common: one word that is stored as it is. */
abstract class NameColumn<Value, Storage extends Uint8Array | Int32Array> implements Column<Value, Value, Storage> {
  readonly storage: Storage;
  protected readonly memory: RecordMemory;
  readonly #teleport: number;

  constructor(storage: Storage, memory: RecordMemory, teleport: number) {
    this.storage = storage;
    this.memory = memory;
    this.#teleport = teleport;
  }

  abstract get(slot: number): Value;
  abstract set(slot: number, value: Value): void;
  abstract defineAccessor(prototype: RowPrototype, name: string): void;

  copy(slot: number): Value {
    return this.get(slot);
  }

  blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const word = this.memory.word;
    this.storage[slot] = fraction < 1 ? from[fromAt + word] : to[toAt + word];
  }

  jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    const word = this.memory.word;
    return this.#teleport < 1 && from[fromAt + word] !== to[toAt + word];
  }
}

class SmallColumn<Value> extends NameColumn<Value, Uint8Array> {
  readonly #fromLevel: (level: number) => Value;
  readonly #toLevel: (value: Value) => number;

  constructor(
    max: number,
    memory: RecordMemory,
    teleport: number,
    fromLevel: (level: number) => Value,
    toLevel: (value: Value) => number,
  ) {
    super(memory.plan.addBytes(max, memory.word), memory, teleport);
    this.#fromLevel = fromLevel;
    this.#toLevel = toLevel;
  }

  override get(slot: number): Value {
    return this.#fromLevel(this.storage[slot]);
  }

  override set(slot: number, value: Value): void {
    this.storage[slot] = this.#toLevel(value);
  }

  override defineAccessor(prototype: RowPrototype, name: string): void {
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

class EntityColumn extends NameColumn<number, Int32Array> implements RowColumn {
  constructor(slots: number, memory: RecordMemory, teleport: number) {
    super(new Int32Array(slots).fill(NO_ENTITY), memory, teleport);
    memory.plan.addOther(this);
  }

  override get(slot: number): number {
    return this.storage[slot];
  }

  override set(slot: number, value: number): void {
    this.storage[slot] = value;
  }

  settle(slot: number): void {
    const { words, stride, word } = this.memory;
    const id = this.storage[slot];
    if (id < 0 || id > MAX_ENTITY) this.storage[slot] = NO_ENTITY;
    words[slot * stride + word] = this.storage[slot]!;
  }

  load(slot: number): void {
    const { words, stride, word } = this.memory;
    this.storage[slot] = words[slot * stride + word]!;
  }

  override defineAccessor(prototype: RowPrototype, name: string): void {
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
