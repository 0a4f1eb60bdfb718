/**
 * One balancer of the simulated fleet: its own table, router, queue and memory of last regions, all of them the real ones, and
 * the seats that nodes have lent to it.
 */
import { Random } from "@riposte/protocol";
import { LastRegions } from "../balancer/last-regions.ts";
import type { LoadBalancerConfig } from "../config/load-balancer-config.ts";
import { WaitingQueue } from "../queue/waiting-queue.ts";
import { NodeTable } from "../registry/node-table.ts";
import { Router } from "../routing/router.ts";
import type { StateStore } from "../store/state-store.ts";
import type { Party } from "./party.ts";

export interface SimulatedBalancerOptions {
  readonly maxNodes: number;
  readonly maxRegions: number;
  readonly config: LoadBalancerConfig;
  readonly balancers: number;
  readonly store: StateStore;
  readonly seed: number;
}

export class SimulatedBalancer {
  readonly table: NodeTable;
  readonly router: Router;
  readonly queue: WaitingQueue<Party>;
  readonly lastRegions: LastRegions;
  /** By node. */
  readonly lent: Int16Array;

  constructor(options: SimulatedBalancerOptions) {
    const { maxNodes, maxRegions, config, balancers, store, seed } = options;
    this.table = new NodeTable({ maxNodes, maxRegions });
    this.lent = new Int16Array(maxNodes);
    this.router = new Router({
      table: this.table,
      seatsOf: (index) => this.lent[index],
      random: new Random(seed),
      config: config.routing,
    });
    const queue = { ...config.queue, admissionsPerSec: config.queue.admissionsPerSec / balancers };
    this.queue = new WaitingQueue(queue, new Random(seed + 1), 0);
    this.lastRegions = new LastRegions(store);
  }
}
