/**
 * Ties the rows of a table to the entities of an entity component system whose components are structures of arrays, such as
 * bitecs: `pull` copies the table into the components (to draw, or to begin a step), `push` copies them back (to end a step).
 * Knows nothing of the library itself: entities are numbers, components are arrays that they index.
 *
 * The table is the truth. An entity that the library should have because of a row is made in `added` and unmade in
 * `removed`; for one that begins in the library, `attach` makes the row.
 */
import type { Fields, Row, StateTable } from "../state/index.ts";
import { columnAt } from "./column-path.ts";
import type { ColumnPath } from "./column-path.ts";
import type { NumberColumn } from "../state/fields/number-column.ts";

/** A component's array: `Position.x`. */
export interface NumberArrayLike {
  [entity: number]: number;
}

export interface EcsBridgeOptions<F extends Fields> {
  /** Where each column goes: `{ x: Position.x, "velocity.x": Velocity.x }`. */
  readonly columns: { readonly [P in ColumnPath<F>]?: NumberArrayLike };
  /** Makes the entity of a new row, with its components, and returns it: an integer from 0 on. */
  added(this: void, row: Row<F>): number;
  /** The row of an entity is gone. */
  removed?(this: void, entity: number, id: number): void;
}

export class EcsBridge<F extends Fields> {
  readonly #table: StateTable<F>;
  readonly #options: EcsBridgeOptions<F>;
  readonly #columns: NumberColumn[] = [];
  readonly #components: NumberArrayLike[] = [];
  /** By index: the id that is known, and its entity; -1 for none. */
  readonly #ids: Int32Array;
  readonly #entities: Int32Array;
  /** By entity: the index; -1 for none. Grows. */
  #indices: Int32Array = new Int32Array(64).fill(NONE);
  #highWater = 0;

  /** Throws `RangeError` for a path that names no column of numbers. */
  constructor(table: StateTable<F>, options: EcsBridgeOptions<F>) {
    this.#table = table;
    this.#options = options;
    for (const [path, component] of Object.entries<NumberArrayLike | undefined>(options.columns)) {
      if (component === undefined) continue;
      this.#columns.push(columnAt(table, path));
      this.#components.push(component);
    }
    this.#ids = new Int32Array(table.capacity).fill(NONE);
    this.#entities = new Int32Array(table.capacity).fill(NONE);
  }

  /** The library's entity of a row's id; -1 when it has none. */
  entityOf(id: number): number {
    const index = id & 0xffff;
    return id >= 0 && this.#ids[index] === id ? this.#entities[index] : NONE;
  }

  /** The row of an entity; `undefined` when it has none, or none any more. */
  rowOf(entity: number): Row<F> | undefined {
    const index = this.#indices[entity] ?? NONE;
    return index >= 0 && this.#table.indexOf(this.#ids[index]) === index ? this.#table.rowAt(index) : undefined;
  }

  /** Table to components: makes and unmakes entities, then copies every live row. Returns the number of rows. */
  pull(): number {
    const table = this.#table;
    const { alive, highWater } = table;
    const ids = this.#ids;
    let rows = 0;
    for (let index = Math.max(highWater, this.#highWater) - 1; index >= 0; index--) {
      const isAlive = alive[index] === 1;
      if (ids[index] >= 0 && !(isAlive && ids[index] === table.idAt(index))) this.#forget(index, true);
    }
    for (let index = 0; index < highWater; index++) {
      if (alive[index] === 0) continue;
      rows++;
      if (ids[index] < 0) this.#tie(index, this.#options.added(table.rowAt(index)));
    }
    this.#highWater = highWater;
    for (let i = 0; i < this.#columns.length; i++)
      copyOut(this.#columns[i], this.#components[i], this.#entities, highWater);
    return rows;
  }

  /** Components to table, for the rows that have an entity and are simulated. Rounding is the table's affair, after the step. */
  push(): void {
    const table = this.#table;
    const { simulated } = table;
    const entities = this.#entities;
    const end = Math.min(table.highWater, this.#highWater);
    for (let i = 0; i < this.#columns.length; i++) {
      const column = this.#columns[i];
      const component = this.#components[i];
      for (let index = 0; index < end; index++) {
        if (simulated[index] === 0 || entities[index] < 0 || this.#ids[index] !== table.idAt(index)) continue;
        column[index] = component[entities[index]];
      }
    }
  }

  /** Makes the row of an entity that began in the library; its fields are the components'. Throws as `spawn` does when the table is full. */
  attach(entity: number, owner = -1): Row<F> {
    const row = this.#table.spawn(owner);
    if (this.#ids[row.index] >= 0) this.#forget(row.index, true);
    this.#tie(row.index, entity);
    for (let i = 0; i < this.#columns.length; i++) this.#columns[i][row.index] = this.#components[i][entity];
    this.#table.settleRow(row.index);
    return row;
  }

  /** Ends the row of an entity that the library has ended; `removed` is not called. Does nothing when there is none. */
  detach(entity: number): void {
    const row = this.rowOf(entity);
    if (row === undefined) return;
    this.#forget(row.index, false);
    this.#table.despawn(row);
  }

  #tie(index: number, entity: number): void {
    if (!(Number.isInteger(entity) && entity >= 0 && entity < MAX_ENTITIES))
      throw new RangeError(`an entity must be an integer from 0 to ${MAX_ENTITIES - 1}, got ${entity}`);
    if (entity >= this.#indices.length) {
      const indices = new Int32Array(Math.max(entity + 1, this.#indices.length * 2)).fill(NONE);
      indices.set(this.#indices);
      this.#indices = indices;
    }
    this.#ids[index] = this.#table.idAt(index);
    this.#entities[index] = entity;
    this.#indices[entity] = index;
    if (index >= this.#highWater) this.#highWater = index + 1;
  }

  #forget(index: number, tell: boolean): void {
    const id = this.#ids[index];
    const entity = this.#entities[index];
    this.#ids[index] = NONE;
    this.#entities[index] = NONE;
    if (this.#indices[entity] === index) this.#indices[entity] = NONE;
    if (tell) this.#options.removed?.(entity, id);
  }
}

function copyOut(column: NumberColumn, component: NumberArrayLike, entities: Int32Array, end: number): void {
  for (let index = 0; index < end; index++) if (entities[index] >= 0) component[entities[index]] = column[index];
}

const NONE = -1;
/** 2^24: what fits the table of entities in 64 MiB. */
const MAX_ENTITIES = 1 << 24;
