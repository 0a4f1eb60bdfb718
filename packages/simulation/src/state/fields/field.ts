import type { ColumnPlan } from "./column-plan.ts";

/**
 * What a field is: its attributes, how many record words it takes, how those words are coded, and
 * the column that stores it. The constructors (`uint`, `float`, `vec2`, ...) return these; a schema is a
 * plain object of them, and all types a game sees (rows, values, columns) are inferred from it.
 */

/** Who may be sent a field: every client, only the client that owns the entity, or nobody (the server keeps it). */
export type Audience = "all" | "owner" | "server";

/** How a drawn value between two snapshots is made: by mixing, along the shorter arc, or by keeping the older one. */
export type Blend = "linear" | "angle" | "step";

export type FieldKind =
  | "uint"
  | "int"
  | "float"
  | "f32"
  | "angle"
  | "bool"
  | "enumeration"
  | "vec2"
  | "vec3"
  | "quaternion"
  | "entity"
  | "text"
  | "bytes"
  | "list";

/** What every field constructor takes besides its range. */
export interface FieldOptions {
  /** Default "all". */
  readonly audience?: Audience;
  /** Default: "linear" for float, f32, vec2, vec3 and quaternion, "angle" for angle, "step" for the rest. */
  readonly blend?: Blend;
  /** Whether clients compute it ahead of the server and are corrected when they differ. Default true. */
  readonly predicted?: boolean;
  /**
   * A change larger than this (in the field's unit; `true`: any change) is a jump: the entity is drawn at its new
   * place at once, never in between. Default Infinity.
   */
  readonly teleport?: number | true;
  /**
   * Name of the field that holds this one's speed in units per second. Deltas are then taken from where the
   * entity should have got to, which about halves their bits. Default none.
   */
  readonly velocity?: string;
}

export interface FieldAttributes {
  readonly audience: Audience;
  readonly blend: Blend;
  readonly predicted: boolean;
  readonly teleport: number;
  readonly velocity: string | undefined;
}

/** How one piece of a record is put into bits. Word numbers are relative to the field. */
export interface Leaf {
  readonly type: "range" | "wrap" | "raw" | "entity" | "quaternion" | "blob" | "list";
  /** First word, and how many. */
  readonly word: number;
  readonly wordCount: number;
  /** Bits of one full value (range, wrap, raw), of one component (quaternion), or of the length (blob, list). */
  readonly bits: number;
  /** Largest valid word (range, raw) as an int32: `max >>> 0`, since V8 holds a larger one as a double, and slows every codec. Or largest length (blob, list). */
  readonly max: number;
  /** Value of one level and of level 0, for expectations from velocity. */
  readonly step: number;
  readonly origin: number;
  /** Blobs only: must be well-formed UTF-8. */
  readonly text: boolean;
  /** Lists only. */
  readonly element: readonly Leaf[];
  readonly elementWords: number;
}

/**
 * Storage of one field for every slot of a table. `words` is the table's settled record memory; the
 * field's words of a slot start at `slot * stride + word`.
 */
export interface Column<Value, Access, Storage> {
  /** The typed arrays themselves, for loops over whole columns. */
  readonly storage: Storage;
  get(slot: number): Access;
  /** The value by itself, not tied to the column. */
  copy(slot: number): Value;
  /** Copies in; rounds whatever the storage itself cannot hold. */
  set(slot: number, value: Value): void;
  /**
   * Storage becomes the mix of two records at `fraction` (0 = first; above 1: beyond the second); words are left alone.
   * `spherical`: rotations turn at a constant rate.
   */
  blend(
    slot: number,
    from: Int32Array,
    fromAt: number,
    to: Int32Array,
    toAt: number,
    fraction: number,
    spherical?: boolean,
  ): void;
  /** Whether two records are further apart than the field's `teleport`. */
  jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean;
  /** Adds the row property `name`. */
  defineAccessor(prototype: RowPrototype, name: string): void;
}

/** What accessors are defined on: `this.index` is the slot. */
export interface RowPrototype {
  readonly index: number;
}

/** Where a column's record words live. */
export interface RecordMemory {
  readonly words: Int32Array;
  readonly stride: number;
  readonly word: number;
  /** Keeps the numbers of all columns, settles and loads the rows. */
  readonly plan: ColumnPlan;
}

export interface Field<Value, Access = Value, Storage = unknown> {
  readonly kind: FieldKind;
  readonly attributes: FieldAttributes;
  /** Int32 words in a settled record. */
  readonly wordCount: number;
  readonly leaves: readonly Leaf[];
  /** What describes the field in the schema hash: kind, range, step. */
  readonly signature: string;
  /** The settled words of a new row's field. */
  writeInitial(words: Int32Array, at: number): void;
  createColumn(slots: number, memory: RecordMemory): Column<Value, Access, Storage>;
}

/** A schema: fields by name. */
export type Fields = Readonly<Record<string, Field<unknown, unknown>>>;

/** What is assigned: numbers, booleans, names, `{ x, y }`, strings, byte arrays, arrays. */
export type ValueOf<T> = T extends Field<infer Value, unknown> ? Value : never;

/** What a row's property gives. */
export type AccessOf<T> = T extends Field<unknown, infer Access> ? Access : never;

/** What `table.columns` holds. */
export type StorageOf<T> = T extends Field<unknown, unknown, infer Storage> ? Storage : never;

/** Plain values of a record. */
export type Values<F> = { -readonly [K in keyof F]: ValueOf<F[K]> };

/** The typed arrays of a table. */
export type Columns<F> = { readonly [K in keyof F]: StorageOf<F[K]> };

/** A persistent accessor of one slot of a table. */
export type Row<F> = { -readonly [K in keyof F]: AccessOf<F[K]> } & RowIdentity;

export interface RowIdentity {
  /** `index | generation << 16`: another entity that later takes the same index has another id. */
  readonly id: number;
  /** Seat of the client that owns it, -1 for nobody. */
  readonly owner: number;
  readonly index: number;
}

export function fieldAttributes(options: FieldOptions | undefined, blend: Blend): FieldAttributes {
  return {
    audience: options?.audience ?? "all",
    blend: options?.blend ?? blend,
    predicted: options?.predicted ?? true,
    teleport: options?.teleport === true ? 0 : (options?.teleport ?? Infinity),
    velocity: options?.velocity,
  };
}

/** A row property that goes through the column's `get` and `set`. */
export function defineColumnAccessor<Value, Access>(
  prototype: RowPrototype,
  name: string,
  column: Pick<Column<Value, Access, unknown>, "get" | "set">,
): void {
  Object.defineProperty(prototype, name, {
    enumerable: true,
    get(this: RowPrototype): Access {
      return column.get(this.index);
    },
    set(this: RowPrototype, value: Value): void {
      column.set(this.index, value);
    },
  });
}

/** A leaf of one word. */
export function wordLeaf(type: Leaf["type"], bits: number, max: number, step = 1, origin = 0): Leaf {
  return { type, word: 0, wordCount: 1, bits, max: max | 0, step, origin, text: false, element: [], elementWords: 0 };
}

/** The same leaf further along in a record. */
export function moveLeaf(leaf: Leaf, words: number): Leaf {
  return { ...leaf, word: leaf.word + words };
}
