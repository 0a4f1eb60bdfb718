import { f32Value } from "./f32-word.ts";
import { defineColumnAccessor, fieldAttributes, moveLeaf } from "./field.ts";
import type { Column, Field, FieldAttributes, FieldOptions, Leaf, RecordMemory, RowPrototype } from "./field.ts";

/** Vectors: two or three numbers of one kind under one name. */

export interface Vec2 {
  x: number;
  y: number;
}

export interface Vec3 {
  x: number;
  y: number;
  z: number;
}

export interface Vec2Storage<S> {
  readonly x: S;
  readonly y: S;
}

export interface Vec3Storage<S> {
  readonly x: S;
  readonly y: S;
  readonly z: S;
}

/** The attributes default to those of `component`, which is a uint, int, float or f32 field. */
export function vec2<S>(
  component: Field<number, number, S>,
  options: FieldOptions = {},
): Field<Vec2, Vec2, Vec2Storage<S>> {
  const parts = vectorParts("vec2", component, 2, options);
  return {
    ...parts,
    kind: "vec2",
    createColumn(slots, memory): Column<Vec2, Vec2, Vec2Storage<S>> {
      const [x, y] = componentColumns(component, 2, slots, memory);
      return new Vec2Column([x, y], parts.attributes, parts.leaves, memory);
    },
  };
}

/** The attributes default to those of `component`, which is a uint, int, float or f32 field. */
export function vec3<S>(
  component: Field<number, number, S>,
  options: FieldOptions = {},
): Field<Vec3, Vec3, Vec3Storage<S>> {
  const parts = vectorParts("vec3", component, 3, options);
  return {
    ...parts,
    kind: "vec3",
    createColumn(slots, memory): Column<Vec3, Vec3, Vec3Storage<S>> {
      const [x, y, z] = componentColumns(component, 3, slots, memory);
      return new Vec3Column([x, y, z], parts.attributes, parts.leaves, memory);
    },
  };
}

type NumberColumn<S> = Column<number, number, S>;

/** Rounding and blending are the same for any number of components. */
abstract class VectorColumn<Value, S> {
  protected readonly parts: readonly NumberColumn<S>[];
  readonly #attributes: FieldAttributes;
  readonly #leaves: readonly Leaf[];
  readonly #memory: RecordMemory;
  readonly #views: (Value | undefined)[] = [];

  constructor(
    parts: readonly NumberColumn<S>[],
    attributes: FieldAttributes,
    leaves: readonly Leaf[],
    memory: RecordMemory,
  ) {
    this.parts = parts;
    this.#attributes = attributes;
    this.#leaves = leaves;
    this.#memory = memory;
  }

  abstract set(slot: number, value: Value): void;
  protected abstract createView(slot: number): Value;

  /** The same object every time; it reads and writes the columns. */
  get(slot: number): Value {
    return (this.#views[slot] ??= this.createView(slot));
  }

  blend(slot: number, from: Int32Array, fromAt: number, to: Int32Array, toAt: number, fraction: number): void {
    const mix = this.#attributes.blend === "step" ? (fraction < 1 ? 0 : 1) : fraction;
    for (let i = 0; i < this.parts.length; i++) this.parts[i].blend(slot, from, fromAt, to, toAt, mix);
  }

  jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    const limit = this.#attributes.teleport;
    if (limit === Infinity) return false;
    let squared = 0;
    for (const leaf of this.#leaves) {
      const word = this.#memory.word + leaf.word;
      const difference = leafNumber(leaf, to[toAt + word]) - leafNumber(leaf, from[fromAt + word]);
      squared += difference * difference;
    }
    return squared > limit * limit;
  }

  defineAccessor(prototype: RowPrototype, name: string): void {
    defineColumnAccessor(prototype, name, this);
  }
}

class Vec2Column<S> extends VectorColumn<Vec2, S> implements Column<Vec2, Vec2, Vec2Storage<S>> {
  readonly storage: Vec2Storage<S> = { x: this.parts[0].storage, y: this.parts[1].storage };

  protected createView(slot: number): Vec2 {
    return new Vec2View(this.parts, slot);
  }

  copy(slot: number): Vec2 {
    return { x: this.parts[0].get(slot), y: this.parts[1].get(slot) };
  }

  set(slot: number, value: Vec2): void {
    const { x, y } = value;
    this.parts[0].set(slot, x);
    this.parts[1].set(slot, y);
  }
}

class Vec3Column<S> extends VectorColumn<Vec3, S> implements Column<Vec3, Vec3, Vec3Storage<S>> {
  readonly storage: Vec3Storage<S> = { x: this.parts[0].storage, y: this.parts[1].storage, z: this.parts[2].storage };

  protected createView(slot: number): Vec3 {
    return new Vec3View(this.parts, slot);
  }

  copy(slot: number): Vec3 {
    return { x: this.parts[0].get(slot), y: this.parts[1].get(slot), z: this.parts[2].get(slot) };
  }

  set(slot: number, value: Vec3): void {
    const { x, y, z } = value;
    this.parts[0].set(slot, x);
    this.parts[1].set(slot, y);
    this.parts[2].set(slot, z);
  }
}

class Vec2View {
  readonly #parts: readonly Column<number, number, unknown>[];
  readonly #slot: number;

  constructor(parts: readonly Column<number, number, unknown>[], slot: number) {
    this.#parts = parts;
    this.#slot = slot;
  }

  get x(): number {
    return this.#parts[0].get(this.#slot);
  }

  set x(value: number) {
    this.#parts[0].set(this.#slot, value);
  }

  get y(): number {
    return this.#parts[1].get(this.#slot);
  }

  set y(value: number) {
    this.#parts[1].set(this.#slot, value);
  }

  toJSON(): Vec2 {
    return { x: this.x, y: this.y };
  }
}

class Vec3View extends Vec2View {
  readonly #z: Column<number, number, unknown>;
  readonly #slot: number;

  constructor(parts: readonly Column<number, number, unknown>[], slot: number) {
    super(parts, slot);
    this.#z = parts[2]!;
    this.#slot = slot;
  }

  get z(): number {
    return this.#z.get(this.#slot);
  }

  set z(value: number) {
    this.#z.set(this.#slot, value);
  }

  override toJSON(): Vec3 {
    return { x: this.x, y: this.y, z: this.z };
  }
}

/** What vec2 and vec3 have in common. */
interface VectorParts {
  readonly attributes: FieldAttributes;
  readonly wordCount: number;
  readonly leaves: readonly Leaf[];
  readonly signature: string;
  writeInitial(words: Int32Array, at: number): void;
}

function vectorParts(kind: string, component: Field<number, number>, size: number, options: FieldOptions): VectorParts {
  if (component.wordCount !== 1 || component.kind === "angle" || component.kind === "entity") {
    throw new RangeError(`${kind}: components are uint, int, float or f32, not ${component.kind}`);
  }
  const leaves: Leaf[] = [];
  for (let i = 0; i < size; i++) leaves.push(moveLeaf(component.leaves[0], i));
  return {
    attributes: fieldAttributes({ ...definedOptions(component.attributes), ...options }, "linear"),
    wordCount: size,
    leaves,
    signature: `${kind} (${component.signature})`,
    writeInitial(words, at): void {
      for (let i = 0; i < size; i++) component.writeInitial(words, at + i);
    },
  };
}

function definedOptions(attributes: FieldAttributes): FieldOptions {
  const { audience, blend, predicted, teleport } = attributes;
  return { audience, blend, predicted, teleport };
}

function componentColumns<S>(
  component: Field<number, number, S>,
  size: number,
  slots: number,
  memory: RecordMemory,
): NumberColumn<S>[] {
  const columns: NumberColumn<S>[] = [];
  for (let i = 0; i < size; i++) columns.push(component.createColumn(slots, { ...memory, word: memory.word + i }));
  return columns;
}

/** The number behind a word of a number leaf. */
function leafNumber(leaf: Leaf, word: number): number {
  return leaf.type === "range" ? (word >>> 0) * leaf.step + leaf.origin : f32Value(word);
}
