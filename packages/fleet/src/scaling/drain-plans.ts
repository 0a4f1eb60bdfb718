/** Which nodes are drained of those regions that have too many: the emptiest, found in one pass over the nodes for all regions. */
import { FULL, READY } from "../registry/node-table.ts";
import type { NodeTable } from "../registry/node-table.ts";
import type { RegionState } from "./region-state.ts";

/** Of a region: at most so many nodes, and only as long as seats can be spared. */
export interface DrainPlan {
  readonly state: RegionState;
  readonly count: number;
  readonly seats: number;
  readonly reason: string;
}

export class DrainPlans {
  readonly #table: NodeTable;
  readonly #mayStop: (nodeId: string) => boolean;
  /** By region number. */
  readonly #plans: Map<number, DrainPlan & { readonly candidates: number[] }> = new Map();

  constructor(table: NodeTable, mayStop: (nodeId: string) => boolean) {
    this.#table = table;
    this.#mayStop = mayStop;
  }

  /** `region`: the table's number; below 0: it has no nodes. */
  add(region: number, plan: DrainPlan): void {
    if (region >= 0 && plan.count > 0) this.#plans.set(region, { ...plan, candidates: [] });
  }

  /** Forgets all plans. */
  carryOut(drain: (state: RegionState, index: number, reason: string) => void): void {
    if (this.#plans.size === 0) return;
    const table = this.#table;
    for (let index = 0; index < table.end; index++) {
      if (!table.has(index) || (table.state[index] !== READY && table.state[index] !== FULL)) continue;
      this.#plans.get(table.region[index])?.candidates.push(index);
    }
    for (const { state, count, seats, reason, candidates } of this.#plans.values()) {
      candidates.sort((a, b) => table.takenOf(a) - table.takenOf(b) || table.capacityOf(a) - table.capacityOf(b));
      let [drained, spare] = [0, seats];
      for (const index of candidates) {
        if (drained === count) break;
        const capacity = table.capacityOf(index);
        if (capacity > spare || !this.#mayStop(table.idOf(index))) continue;
        spare -= capacity;
        drained++;
        drain(state, index, `${reason}; ${table.takenOf(index)} players are there, the fewest`);
      }
    }
    this.#plans.clear();
  }
}
