/** Nodes, players and seats of all regions, counted in one pass over the node table. Columns by the table's region number. */
import { DRAINING, FULL, LOST, READY, STARTING } from "../registry/node-table.ts";
import type { NodeTable } from "../registry/node-table.ts";

export class RegionCensus {
  /** Registered, and not ready yet. */
  readonly starting: Int32Array;
  /** Ready or full. */
  readonly serving: Int32Array;
  readonly draining: Int32Array;
  readonly maintenance: Int32Array;
  readonly lost: Int32Array;
  /** Of ready nodes. */
  readonly freeSeats: Float64Array;
  /** Players, and seats kept for players, on nodes that are not lost. */
  readonly demand: Float64Array;
  /** Seats of nodes that are not lost. */
  readonly capacity: Float64Array;
  /** Indices of the nodes that start, and of those that drain. */
  readonly startingNodes: number[] = [];
  readonly drainingNodes: number[] = [];

  constructor(maxRegions: number) {
    const counts = (): Int32Array => new Int32Array(maxRegions);
    const amounts = (): Float64Array => new Float64Array(maxRegions);
    this.starting = counts();
    this.serving = counts();
    this.draining = counts();
    this.maintenance = counts();
    this.lost = counts();
    this.freeSeats = amounts();
    this.demand = amounts();
    this.capacity = amounts();
  }

  take(table: NodeTable): void {
    const { starting, serving, draining, maintenance, lost, freeSeats, demand, capacity } = this;
    const regions = table.regions.count;
    for (const column of [starting, serving, draining, maintenance, lost, freeSeats, demand, capacity])
      column.fill(0, 0, regions);
    this.startingNodes.length = 0;
    this.drainingNodes.length = 0;
    for (let index = 0; index < table.end; index++) {
      if (!table.has(index)) continue;
      const region = table.region[index];
      const state = table.state[index];
      if (state === LOST) {
        lost[region]++;
        continue;
      }
      const taken = table.takenOf(index);
      const seats = table.capacityOf(index);
      demand[region] += taken;
      capacity[region] += seats;
      switch (state) {
        case READY:
          if (seats > taken) freeSeats[region] += seats - taken;
          serving[region]++;
          break;
        case FULL:
          serving[region]++;
          break;
        case STARTING:
          starting[region]++;
          this.startingNodes.push(index);
          break;
        case DRAINING:
          draining[region]++;
          this.drainingNodes.push(index);
          break;
        default:
          maintenance[region]++;
      }
    }
  }
}
