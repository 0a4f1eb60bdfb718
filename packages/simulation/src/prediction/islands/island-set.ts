/** Which predicted rows may influence each other in the next tick: a game joins them two by two. */
import type { RowIdentity } from "../../state/index.ts";
import { tableOf } from "../../game/world.ts";
import type { AnyWorldTable, States, World } from "../../game/world.ts";

/** What a game's `prediction.islands` tells its islands to. */
export interface Islands {
  /** The two may influence each other in the next tick. What is not predicted is left out. */
  join(one: RowIdentity, other: RowIdentity): void;
}

export type IslandFinder<S extends States = States> = (this: void, world: World<S>, out: Islands) => void;

/** Union-find over the simulated rows, numbered table by table by rising index. */
export class IslandSet implements Islands {
  count = 0;
  readonly #tables: readonly AnyWorldTable[];
  /** By table and index. */
  readonly #numbers: readonly Int32Array[];
  #parents = new Int32Array(16);

  constructor(tables: readonly AnyWorldTable[]) {
    this.#tables = tables;
    this.#numbers = tables.map(({ capacity }) => new Int32Array(capacity));
  }

  /** Numbers the rows: each an island of its own. */
  begin(): void {
    let count = 0;
    for (let t = 0; t < this.#tables.length; t++) {
      const { simulated, highWater } = this.#tables[t];
      const numbers = this.#numbers[t];
      for (let index = 0; index < highWater; index++) if (simulated[index] === 1) numbers[index] = count++;
    }
    if (count > this.#parents.length) this.#parents = new Int32Array(count * 2);
    for (let i = 0; i < count; i++) this.#parents[i] = i;
    this.count = count;
  }

  join(one: RowIdentity, other: RowIdentity): void {
    const a = this.#numberOf(one);
    const b = this.#numberOf(other);
    if (a >= 0 && b >= 0) this.union(a, b);
  }

  union(a: number, b: number): void {
    this.#parents[this.find(a)] = this.find(b);
  }

  /** The number by which the island of a row is known. */
  find(number: number): number {
    const parents = this.#parents;
    let at = number;
    while (parents[at] !== at) at = parents[at] = parents[parents[at]];
    return at;
  }

  #numberOf(row: RowIdentity): number {
    const t = tableOf(this.#tables, row);
    return t >= 0 && this.#tables[t].simulated[row.index] === 1 ? this.#numbers[t][row.index] : -1;
  }
}
