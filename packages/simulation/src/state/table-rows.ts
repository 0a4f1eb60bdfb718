import type { Fields, Row, RowIdentity, RowPrototype } from "./fields/field.ts";

/** The rows of a table: their class, and how they are walked without allocating. */

/** What an iterator needs of its table. */
interface RowSource<F extends Fields> {
  readonly highWater: number;
  readonly simulated: Uint8Array;
  rowAt(index: number): Row<F>;
}

/** Walks marked rows; it is its own result object and goes back to its table's pool when it is through. */
export class RowIterator<F extends Fields> implements IterableIterator<Row<F>> {
  value!: Row<F>;
  done = false;
  readonly #table: RowSource<F>;
  readonly #born: Float64Array;
  readonly #pool: RowIterator<F>[];
  #marks: Uint8Array;
  #births = 0;
  #index = 0;

  constructor(table: RowSource<F>, born: Float64Array, pool: RowIterator<F>[]) {
    this.#table = table;
    this.#born = born;
    this.#pool = pool;
    this.#marks = table.simulated;
  }

  start(marks: Uint8Array, births: number): this {
    this.#marks = marks;
    this.#births = births;
    this.#index = 0;
    this.done = false;
    return this;
  }

  next(): IteratorResult<Row<F>> {
    const end = this.#table.highWater;
    while (this.#index < end) {
      const index = this.#index++;
      if (this.#marks[index] === 1 && this.#born[index] <= this.#births) {
        this.value = this.#table.rowAt(index);
        return this;
      }
    }
    return this.#finish();
  }

  return(): IteratorResult<Row<F>> {
    return this.#finish();
  }

  [Symbol.iterator](): this {
    return this;
  }

  #finish(): IteratorResult<Row<F>> {
    if (!this.done) {
      this.done = true;
      if (this.#pool.length < 8) this.#pool.push(this);
    }
    return this;
  }
}

/** The class of a table's rows, to which columns add an accessor each. */
export function createRowClass(table: {
  readonly owners: Int32Array;
  idAt(index: number): number;
}): new (index: number) => RowIdentity & RowPrototype {
  return class TableRow {
    readonly index: number;

    constructor(index: number) {
      this.index = index;
    }

    get id(): number {
      return table.idAt(this.index);
    }

    get owner(): number {
      return table.owners[this.index];
    }
  };
}
