/** The real scaler, on the first balancer's table, with nodes that start and stop as it says. */
import { DEFAULT_REGION_SCALING } from "../config/config-defaults.ts";
import type { LoadBalancerConfig, RegionScaling } from "../config/load-balancer-config.ts";
import type { NodeTable } from "../registry/node-table.ts";
import { RegionScaler } from "../scaling/region-scaler.ts";
import type { World } from "./world.ts";

export interface SimulatedScalerOptions {
  readonly table: NodeTable;
  readonly world: World;
  readonly config: LoadBalancerConfig;
  readonly seatsPerNode: number;
  readonly freeShare: number;
  /** Returns the id of the node, or `undefined` when there is no room for it. */
  readonly start: (region: number) => string | undefined;
  readonly drain: (node: number) => void;
  readonly resume: (node: number) => void;
}

const LEAST_SHARE = 0.1;

export class SimulatedScaler {
  /** Nodes that it asked for, drained, and resumed. */
  started = 0;
  drained = 0;
  resumed = 0;
  readonly #options: SimulatedScalerOptions;
  readonly #scaler: RegionScaler;

  constructor(options: SimulatedScalerOptions) {
    this.#options = options;
    const { table } = options;
    const scaling = scalingOf(options);
    this.#scaler = new RegionScaler({ table, config: () => scaling });
  }

  step(now: number, unixMs: number): void {
    const { table, start, drain, resume } = this.#options;
    for (const decision of this.#scaler.step(now, unixMs)) {
      switch (decision.kind) {
        case "start":
          this.#start(decision.region, decision.count, now, start);
          break;
        case "drain":
          this.drained++;
          drain(table.indexOf(decision.nodeId));
          break;
        case "resume":
          this.resumed++;
          resume(table.indexOf(decision.nodeId));
          break;
        case "stop":
        case "giveUp":
          // Nodes stop by themselves when they are empty, and always start.
          break;
      }
    }
  }

  #start(region: string, count: number, now: number, start: (region: number) => string | undefined): void {
    const number = this.#options.table.regions.numberOf(region);
    for (let i = 0; i < count; i++) {
      if (start(number) === undefined) {
        this.#scaler.startFailed(region, count - i, now);
        return;
      }
      this.started++;
    }
  }
}

function scalingOf({ world, config, seatsPerNode, freeShare }: SimulatedScalerOptions): Record<string, RegionScaling> {
  if (Object.keys(config.scaling).length > 0) return { ...config.scaling };
  return Object.fromEntries(
    world.regions.map(({ name, nodes }) => [
      name,
      {
        ...DEFAULT_REGION_SCALING,
        // Of what is used at the peak: at night, fewer would do, but a target is a number.
        targetFreeSeats: Math.ceil(freeShare * nodes * seatsPerNode * MEAN_OF_PEAK),
        minNodes: Math.max(1, Math.floor(LEAST_SHARE * nodes)),
        maxNodes: nodes,
        maxStarting: Math.max(DEFAULT_REGION_SCALING.maxStarting, Math.ceil(nodes / 10)),
        seatsPerNode,
      },
    ]),
  );
}

/** What a region uses in the mean of a week, of what it uses at its peak. */
const MEAN_OF_PEAK = 0.5;
