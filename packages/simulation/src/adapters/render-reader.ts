/**
 * Reads fields of all rows of a table straight into a renderer's buffer, row after row: instance attributes, a
 * particle container, a canvas loop. Nothing is allocated.
 */
import type { Fields, StateTable } from "../state/index.ts";
import { columnAt } from "./column-path.ts";
import type { ColumnPath } from "./column-path.ts";
import type { NumberColumn } from "../state/fields/number-column.ts";

export interface RenderReaderOptions {
  /** Numbers from one row to the next in the target. Default: as many as there are paths. */
  readonly stride?: number;
}

export class RenderReader<F extends Fields> {
  /** Numbers from one row to the next in the target. */
  readonly stride: number;
  /** The entity id of each row that was read last: the first `count` are valid. */
  readonly ids: Int32Array;
  /** Rows that were read last. */
  count = 0;
  readonly #table: StateTable<F>;
  readonly #columns: readonly NumberColumn[];

  /**
   * `table`: a table of the view, or any other. `paths`: what is written for each row, in this order; angles in radians,
   * booleans as 0 and 1, names as their place. Throws `RangeError` for a path that names no column of numbers.
   */
  constructor(table: StateTable<F>, paths: readonly ColumnPath<F>[], options: RenderReaderOptions = {}) {
    this.#table = table;
    this.#columns = paths.map((path) => columnAt(table, path));
    this.stride = options.stride ?? paths.length;
    if (!(Number.isInteger(this.stride) && this.stride >= paths.length))
      throw new RangeError(`stride must be an integer of at least ${paths.length}, got ${this.stride}`);
    this.ids = new Int32Array(table.capacity);
  }

  /**
   * Writes the live rows by rising index to `target[offset]` and on, and returns how many there were; the ids go to
   * `ids`. What lies between the rows when `stride` is larger is left alone. Throws `RangeError` when `target` is too small.
   */
  read(target: Float32Array | Float64Array, offset = 0): number {
    const { alive, highWater, count } = this.#table;
    const columns = this.#columns;
    const { stride, ids } = this;
    const end = offset + (count - 1) * stride + columns.length;
    if (count > 0 && !(offset >= 0 && end <= target.length))
      throw new RangeError(`${count} rows from ${offset} on need ${end} numbers, the target has ${target.length}`);
    let rows = 0;
    for (let index = 0; index < highWater; index++) if (alive[index] === 1) ids[rows++] = index;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      let at = offset + i;
      for (let row = 0; row < rows; row++, at += stride) target[at] = column[ids[row]];
    }
    for (let row = 0; row < rows; row++) ids[row] = this.#table.idAt(ids[row]);
    this.count = rows;
    return rows;
  }
}
