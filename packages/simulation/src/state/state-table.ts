import { ColumnPlan } from "./fields/column-plan.ts";
import type { RecordDefinition } from "./definition.ts";
import type { StateDefinition } from "./define-state.ts";
import type { Column, Columns, Fields, Row, RowIdentity, Values } from "./fields/field.ts";
import { createRowClass, RowIterator } from "./table-rows.ts";

/**
 * All entities of one kind: a column of storage per field, a settled record of int32 words per row, and one
 * persistent accessor object per row. A game writes `row.x += 1` or walks `table.columns.x`; `settle` then
 * rounds what was written and brings the records up to date. Only settled records are sent, compared or kept.
 */

/** A table with the types of its fields left open: what engine code that serves any game works with. */
export interface AnyTable extends Pick<
  StateTable<Fields>,
  | "capacity"
  | "count"
  | "highWater"
  | "alive"
  | "owners"
  | "generations"
  | "simulated"
  | "words"
  | "wordCount"
  | "version"
  | "positionX"
  | "positionY"
  | "idAt"
  | "indexOf"
  | "readWords"
  | "writeWords"
  | "remove"
  | "blendWords"
  | "settle"
  | "settleRow"
  | "clear"
> {
  readonly definition: RecordDefinition;
  insert(id: number, owner: number): RowIdentity;
}

export interface StateTableOptions {
  /** Default: the definition's capacity, or 256 for inputs and messages. */
  readonly capacity?: number;
}

const NO_ROW = -1;

export class StateTable<F extends Fields> {
  readonly definition: RecordDefinition<F>;
  readonly capacity: number;
  readonly wordCount: number;
  /** The typed arrays by field name. Between settlings they hold whatever the game wrote. */
  readonly columns: Columns<F>;
  /** Settled records: row `i` is `words[i * wordCount]` and on. Written by this class only. */
  readonly words: Int32Array;
  /** 1 for every live row. */
  readonly alive: Uint8Array;
  /** 1 for every row that iteration visits and `settle` rounds. Set on spawn; a client clears it for what it does not predict. */
  readonly simulated: Uint8Array;
  /** Owner's seat, -1 for nobody. */
  readonly owners: Int32Array;
  /** Counts, modulo 256, how often each index was given out. */
  readonly generations: Uint8Array;
  /** Where the rows are, for interest and hits; `undefined` without a position. */
  readonly positionX: Float64Array | Int32Array | undefined;
  readonly positionY: Float64Array | Int32Array | undefined;

  #count = 0;
  #highWater = 0;
  #version = 0;
  /** Nothing below it is free. */
  #firstFree = 0;
  #births = 0;
  readonly #born: Float64Array;
  readonly #rows: (Row<F> | undefined)[] = [];
  readonly #plan: ColumnPlan;
  readonly #columns: Column<unknown, unknown, unknown>[] = [];
  /** Those that may jump when blended. */
  readonly #jumpers: Column<unknown, unknown, unknown>[] = [];
  readonly #columnByName = new Map<string, Column<unknown, unknown, unknown>>();
  readonly #RowClass: new (index: number) => Row<F>;
  readonly #iterators: RowIterator<F>[] = [];

  constructor(definition: RecordDefinition<F> | StateDefinition<F>, options: StateTableOptions = {}) {
    const capacity = options.capacity ?? ("capacity" in definition ? definition.capacity : 256);
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 65536) {
      throw new RangeError(`StateTable: capacity ${capacity} must be 1 to 65536`);
    }
    this.definition = definition;
    this.capacity = capacity;
    this.wordCount = definition.wordCount;
    this.words = new Int32Array(capacity * definition.wordCount);
    this.alive = new Uint8Array(capacity);
    this.simulated = new Uint8Array(capacity);
    this.owners = new Int32Array(capacity).fill(-1);
    this.generations = new Uint8Array(capacity);
    this.#born = new Float64Array(capacity);
    this.#plan = new ColumnPlan(this.words, definition.wordCount, capacity, definition.leaves.length);
    const storages: Record<string, unknown> = {};
    const RowClass = createRowClass(this);
    for (const entry of definition.entries) {
      const memory = { words: this.words, stride: definition.wordCount, word: entry.word, plan: this.#plan };
      const column = entry.field.createColumn(capacity, memory);
      storages[entry.name] = column.storage;
      column.defineAccessor(RowClass.prototype, entry.name);
      this.#columns.push(column);
      if (entry.field.attributes.teleport < Infinity) this.#jumpers.push(column);
      this.#columnByName.set(entry.name, column);
    }
    // The two objects below have, by construction, one property per field of F: the compiler cannot see that.
    this.columns = storages as Columns<F>;
    this.#RowClass = RowClass as new (index: number) => Row<F>;
    const [x, y] = positionColumns(definition, storages);
    this.positionX = x;
    this.positionY = y;
  }

  /** Live rows. */
  get count(): number {
    return this.#count;
  }

  /** All live rows have an index below this. */
  get highWater(): number {
    return this.#highWater;
  }

  /** Goes up whenever settled records, owners or the set of rows change. */
  get version(): number {
    return this.#version;
  }

  /** Whether any field declares a `teleport`. */
  get mayJump(): boolean {
    return this.#jumpers.length > 0;
  }

  get full(): boolean {
    return this.#count === this.capacity;
  }

  /**
   * A new row at the lowest free index, with neutral values (0 or the nearest, false, the first name, the identity)
   * where none are given; settled at once. Throws `RangeError` when the table is full: ask `full` first.
   */
  spawn(owner = -1, values?: Partial<Values<F>>): Row<F> {
    if (this.full) throw new RangeError(`the table is full: capacity ${this.capacity}`);
    let index = this.#firstFree;
    while (this.alive[index] === 1) index++;
    this.#firstFree = index + 1;
    return this.#enliven(index, owner, values);
  }

  /** Makes the row of an entity that was spawned elsewhere live here under its id, replacing whatever had the index. */
  insert(id: number, owner: number): Row<F> {
    const index = id & 0xffff;
    if (!(id >= 0) || id > 0xffffff || index >= this.capacity) throw new RangeError(`no row for entity id ${id}`);
    if (this.alive[index] === 1) this.remove(index);
    this.generations[index] = id >>> 16;
    return this.#enliven(index, owner, undefined);
  }

  /** Ends a row, given itself or its index. Does nothing when it is no longer alive. Safe while iterating. */
  despawn(row: RowIdentity | number): void {
    this.remove(typeof row === "number" ? row : row.index);
  }

  /** `despawn` by index. */
  remove(index: number): void {
    if (this.alive[index] !== 1) return;
    this.alive[index] = 0;
    this.simulated[index] = 0;
    this.owners[index] = -1;
    this.generations[index] = (this.generations[index] + 1) & 0xff;
    this.#count--;
    this.#version++;
    if (index < this.#firstFree) this.#firstFree = index;
    while (this.#highWater > 0 && this.alive[this.#highWater - 1] === 0) this.#highWater--;
  }

  clear(): void {
    for (let index = this.#highWater - 1; index >= 0; index--) this.remove(index);
  }

  /** The live row with this id, `undefined` when it is gone or the id is not one. */
  get(id: number): Row<F> | undefined {
    const index = this.indexOf(id);
    return index < 0 ? undefined : this.rowAt(index);
  }

  /** Index of the live row with this id, or -1. */
  indexOf(id: number): number {
    const index = id & 0xffff;
    if (!(id >= 0) || id > 0xffffff || index >= this.capacity) return NO_ROW;
    return this.alive[index] === 1 && this.generations[index] === id >>> 16 ? index : NO_ROW;
  }

  idAt(index: number): number {
    return index | (this.generations[index] << 16);
  }

  /** The accessor of an index, alive or not. The same object every time. */
  rowAt(index: number): Row<F> {
    return (this.#rows[index] ??= new this.#RowClass(index));
  }

  firstOwnedBy(owner: number): Row<F> | undefined {
    for (let index = 0; index < this.#highWater; index++) {
      if (this.alive[index] === 1 && this.owners[index] === owner) return this.rowAt(index);
    }
    return undefined;
  }

  setOwner(row: RowIdentity, owner: number): void {
    this.owners[row.index] = owner;
    this.#version++;
  }

  /** Rounds every simulated row to the declared steps and clamps it into range (NaN becomes the minimum, or 0). Idempotent. */
  settle(): void {
    this.#version++;
    const { simulated } = this;
    const plan = this.#plan;
    const end = this.#highWater;
    for (let index = 0; index < end; index++) if (simulated[index] === 1) plan.settle(index);
  }

  /** `settle` for one row. */
  settleRow(index: number): void {
    this.#version++;
    this.#plan.settle(index);
  }

  /** Copies the settled record of a row to `target[offset]` and on. */
  readWords(index: number, target: Int32Array, offset = 0): void {
    const from = index * this.wordCount;
    for (let i = 0; i < this.wordCount; i++) target[offset + i] = this.words[from + i]!;
  }

  /** Sets a row to a settled record: one from `readWords`, `decodeRecord` or a snapshot. */
  writeWords(index: number, source: Int32Array, offset = 0): void {
    const to = index * this.wordCount;
    for (let i = 0; i < this.wordCount; i++) this.words[to + i] = source[offset + i]!;
    this.#load(index);
  }

  /**
   * Sets a row's columns to the mix of two records at `fraction` from 0 to 1 (above 1: beyond the second), each field by
   * its blend mode. When any field jumps further than its `teleport` the whole row jumps. `spherical`: rotations turn at a
   * constant rate. For drawing: the record stays what it was.
   */
  blendWords(
    index: number,
    from: Int32Array,
    fromAt: number,
    to: Int32Array,
    toAt: number,
    fraction: number,
    spherical = false,
  ): void {
    const mix = this.mayJump && this.jumps(from, fromAt, to, toAt) ? (fraction < 1 ? 0 : 1) : fraction;
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) columns[i].blend(index, from, fromAt, to, toAt, mix, spherical);
  }

  /** Whether any field's `teleport` is exceeded from one record to another. */
  jumps(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): boolean {
    for (let i = 0; i < this.#jumpers.length; i++) if (this.#jumpers[i].jumps(from, fromAt, to, toAt)) return true;
    return false;
  }

  /** Value of one field of a row, by name; what the row's property gives. */
  valueAt(index: number, name: string): unknown {
    return this.#columnByName.get(name)?.get(index);
  }

  /** The values of a row by themselves, not tied to the table. */
  copyValues(index: number): Values<F> {
    const values: Record<string, unknown> = {};
    for (const [name, column] of this.#columnByName) values[name] = column.copy(index);
    // One property per field of F, as above.
    return values as Values<F>;
  }

  /** Sets fields of a row by name; unknown names throw `RangeError`. */
  assign(index: number, values: Partial<Values<F>>): void {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) continue;
      const column = this.#columnByName.get(name);
      if (column === undefined) throw new RangeError(`there is no field "${name}"`);
      column.set(index, value);
    }
  }

  /** The simulated rows by rising index. Rows spawned meanwhile are not visited. */
  [Symbol.iterator](): IterableIterator<Row<F>> {
    return this.#iterator(this.simulated);
  }

  /** Every live row by rising index, simulated or not. */
  all(): IterableIterator<Row<F>> {
    return this.#iterator(this.alive);
  }

  #iterator(marks: Uint8Array): RowIterator<F> {
    const iterator = this.#iterators.pop() ?? new RowIterator<F>(this, this.#born, this.#iterators);
    return iterator.start(marks, this.#births);
  }

  #enliven(index: number, owner: number, values: Partial<Values<F>> | undefined): Row<F> {
    this.alive[index] = 1;
    this.simulated[index] = 1;
    this.owners[index] = owner;
    this.#born[index] = ++this.#births;
    this.#count++;
    if (index >= this.#highWater) this.#highWater = index + 1;
    this.words.set(this.definition.initialWords, index * this.wordCount);
    this.#load(index);
    if (values !== undefined) {
      try {
        this.assign(index, values);
      } catch (error) {
        this.remove(index);
        throw error;
      }
      this.settleRow(index);
    }
    return this.rowAt(index);
  }

  #load(index: number): void {
    this.#version++;
    this.#plan.load(index);
  }
}

type PositionColumn = Float64Array | Int32Array | undefined;

function positionColumns(
  definition: RecordDefinition | StateDefinition,
  storages: Record<string, unknown>,
): [PositionColumn, PositionColumn] {
  if (!("position" in definition) || definition.position.length === 0) return [undefined, undefined];
  const [first, second] = definition.position;
  if (second !== undefined) return [numberArray(storages[first]), numberArray(storages[second])];
  const vector = storages[first];
  if (typeof vector !== "object" || vector === null || !("x" in vector) || !("y" in vector))
    return [undefined, undefined];
  return [numberArray(vector.x), numberArray(vector.y)];
}

function numberArray(storage: unknown): PositionColumn {
  return storage instanceof Float64Array || storage instanceof Int32Array ? storage : undefined;
}
