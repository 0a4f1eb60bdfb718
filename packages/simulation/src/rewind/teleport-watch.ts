/**
 * Notices when an entity jumps: a field that declares `teleport` changed by more than that within
 * a tick. Clients do not blend across a jump, so the pose history must not either.
 */
import type { Fields, StateTable } from "../state/index.ts";

export class TeleportWatch {
  readonly #columns: ArrayLike<number>[] = [];
  readonly #limits: number[] = [];
  readonly #last: Float64Array[] = [];
  readonly #table: StateTable<Fields>;

  constructor(table: StateTable<Fields>) {
    this.#table = table;
    for (const { name, field } of table.definition.entries) {
      const { teleport } = field.attributes;
      if (teleport === Infinity) continue;
      const storage: unknown = table.columns[name];
      if (ArrayBuffer.isView(storage)) this.#add(storage, teleport);
      else if (typeof storage === "object" && storage !== null)
        for (const part of Object.values(storage)) this.#add(part, teleport);
    }
  }

  /** Whether any field of the table can jump. */
  get idle(): boolean {
    return this.#columns.length === 0;
  }

  /** Whether the entity at `index` has jumped since the last call. */
  check(index: number): boolean {
    let jumped = false;
    for (let i = 0; i < this.#columns.length; i++) {
      const value = this.#columns[i][index];
      if (Math.abs(value - this.#last[i][index]) > this.#limits[i]) jumped = true;
      this.#last[i][index] = value;
    }
    return jumped;
  }

  #add(column: unknown, limit: number): void {
    if (!(column instanceof Float64Array || column instanceof Int32Array || column instanceof Uint8Array)) return;
    this.#columns.push(column);
    this.#limits.push(limit);
    this.#last.push(new Float64Array(this.#table.capacity));
  }
}
