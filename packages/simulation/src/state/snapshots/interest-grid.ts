import type { AnyTable } from "../state-table.ts";

/**
 * Finds the rows near a point without looking at all of them. One grid serves all clients of a room: it sorts a
 * table's rows into square cells when the table has changed, and answers from the cells. Simplification: cells
 * share hash buckets, so an answer may hold rows that are further away; the caller measures distance anyway.
 */
export class InterestGrid {
  readonly cellSize: number;
  readonly #grids = new Map<AnyTable, TableCells>();

  /** `cellSize` in the position's unit; about half the usual radius is good. Default 16. */
  constructor(options: { readonly cellSize?: number } = {}) {
    this.cellSize = options.cellSize ?? 16;
    if (!(this.cellSize > 0)) throw new RangeError(`InterestGrid: cellSize ${this.cellSize} must be above 0`);
  }

  /** Sets `marks[index]` to 1 for every live row within `radius`, and maybe for some others. Rows without a position are all marked. */
  mark(table: AnyTable, x: number, y: number, radius: number, marks: Uint8Array): void {
    let cells = this.#grids.get(table);
    if (cells === undefined) {
      cells = new TableCells(table, this.cellSize);
      this.#grids.set(table, cells);
    }
    cells.mark(x, y, radius, marks);
  }

  /** Forgets a table. */
  delete(table: AnyTable): void {
    this.#grids.delete(table);
  }
}

class TableCells {
  readonly #table: AnyTable;
  readonly #cellSize: number;
  readonly #mask: number;
  /** First row of each bucket, and the next row of the same bucket; -1 ends. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  #version = -1;

  constructor(table: AnyTable, cellSize: number) {
    this.#table = table;
    this.#cellSize = cellSize;
    const buckets = 1 << Math.max(4, 32 - Math.clz32(table.capacity - 1));
    this.#mask = buckets - 1;
    this.#heads = new Int32Array(buckets);
    this.#next = new Int32Array(table.capacity);
  }

  mark(x: number, y: number, radius: number, marks: Uint8Array): void {
    const { alive, positionX, highWater } = this.#table;
    const left = Math.floor((x - radius) / this.#cellSize);
    const right = Math.floor((x + radius) / this.#cellSize);
    const bottom = Math.floor((y - radius) / this.#cellSize);
    const top = Math.floor((y + radius) / this.#cellSize);
    const cells = (right - left + 1) * (top - bottom + 1);
    // More cells than rows (or no usable centre): looking at the rows is cheaper.
    if (positionX === undefined || !(cells <= highWater)) {
      for (let index = 0; index < highWater; index++) marks[index] |= alive[index];
      return;
    }
    if (this.#version !== this.#table.version) this.#rebuild();
    for (let cellY = bottom; cellY <= top; cellY++) {
      for (let cellX = left; cellX <= right; cellX++) {
        for (let row = this.#heads[this.#bucket(cellX, cellY)]; row >= 0; row = this.#next[row]) marks[row] = 1;
      }
    }
  }

  #rebuild(): void {
    const { alive, positionX, positionY, highWater } = this.#table;
    this.#version = this.#table.version;
    this.#heads.fill(-1);
    if (positionX === undefined || positionY === undefined) return;
    for (let index = 0; index < highWater; index++) {
      if (alive[index] === 0) continue;
      const cellX = Math.floor(positionX[index] / this.#cellSize);
      const cellY = Math.floor(positionY[index] / this.#cellSize);
      const bucket = this.#bucket(cellX, cellY);
      this.#next[index] = this.#heads[bucket];
      this.#heads[bucket] = index;
    }
  }

  #bucket(cellX: number, cellY: number): number {
    return (Math.imul(cellX, 0x1f1f1f1f) ^ Math.imul(cellY, 0x27d4eb2d)) & this.#mask;
  }
}
