/**
 * Maglev tables of pools' regions, built when they are first asked for and after their nodes have changed. Suspicion,
 * ejection and seats do not change a table: who cannot be used is passed over, and has its players again afterwards.
 */
import type { NodeTable } from "../registry/node-table.ts";
import { FULL, READY } from "../registry/node-table.ts";
import { MaglevTable } from "./maglev-table.ts";
import type { NodePool, RegionList } from "./node-pool.ts";

export interface RegionMaglev {
  readonly table: MaglevTable;
  /** Indices of nodes, by their numbers in the table. */
  readonly nodes: Int32Array;
  readonly version: number;
}

export class MaglevTables {
  readonly #table: NodeTable;
  readonly #maxTables: number;
  /** The one that was used longest ago first. */
  readonly #tables: Map<RegionList, RegionMaglev> = new Map();

  constructor(table: NodeTable, maxTables: number) {
    this.#table = table;
    this.#maxTables = maxTables;
  }

  get size(): number {
    return this.#tables.size;
  }

  of(pool: NodePool, region: number, list: RegionList): RegionMaglev {
    let maglev = this.#tables.get(list);
    if (maglev !== undefined) this.#tables.delete(list);
    if (maglev?.version !== list.membersVersion) maglev = this.#build(pool, region, list);
    for (const oldest of this.#tables.keys()) {
      if (this.#tables.size < this.#maxTables) break;
      this.#tables.delete(oldest);
    }
    this.#tables.set(list, maglev);
    return maglev;
  }

  #build(pool: NodePool, region: number, list: RegionList): RegionMaglev {
    const { state, region: regions, weight } = this.#table;
    const nodes: number[] = [];
    for (let index = 0; index < this.#table.end; index++) {
      if (!this.#table.has(index) || regions[index] !== region || !pool.includes(index)) continue;
      if (state[index] === READY || state[index] === FULL) nodes.push(index);
    }
    const names = nodes.map((index) => this.#table.idOf(index));
    const weights = nodes.map((index) => weight[index]);
    return { table: new MaglevTable(names, weights), nodes: Int32Array.from(nodes), version: list.membersVersion };
  }
}
