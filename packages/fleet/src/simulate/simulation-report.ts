/** What came of a simulation. Times in ms, but for routing itself in microseconds. */
import type { Quantiles } from "./histogram.ts";
import type { StoreCounts, StoreKind } from "./counting-store.ts";

/** Round trips of the worst player of each party, access lines included. */
export interface LatencyReport {
  readonly placed: Quantiles;
  /** The nearest region in which a node of the version had the seats. */
  readonly nearestWithRoom: Quantiles;
  /** The nearest region of all. */
  readonly nearest: Quantiles;
  /** What the placement was worse than these. */
  readonly excessOverRoom: Quantiles;
  readonly excessOverNearest: Quantiles;
  /** Share of the placements that were no more than 1 and 10 ms worse than the nearest with room. */
  readonly within1Ms: number;
  readonly within10Ms: number;
}

export interface Sample {
  /** Hours since the beginning. */
  readonly hour: number;
  readonly playing: number;
  readonly waiting: number;
  readonly seats: number;
  readonly readyNodes: number;
  readonly drainingNodes: number;
  readonly emptyNodes: number;
  readonly fullNodes: number;
  readonly placementsPerSec: number;
  readonly excessMeanMs: number;
  readonly excessP99Ms: number;
  /** Of the placements: farther away than AS_NEAR_MS because nothing near had room, and without need. */
  readonly forcedShare: number;
  readonly chosenShare: number;
  readonly storeWritesPerSec: number;
  /** Share of ready nodes that have the new version. */
  readonly releasedShare: number;
}

export interface SimulationReport {
  readonly scale: {
    readonly nodes: number;
    readonly regions: number;
    readonly players: number;
    readonly seats: number;
    readonly balancers: number;
    readonly days: number;
    readonly seed: number;
    readonly strategy: string;
    readonly incidents: readonly string[];
  };
  /** How much of it is over: less than 1 when it was stopped. */
  readonly completed: number;
  /** Players; `arrived` is the sum of the others. */
  readonly players: {
    readonly arrived: number;
    readonly finished: number;
    readonly playing: number;
    /** In a queue, or about to ask again. */
    readonly waiting: number;
    readonly gaveUp: number;
  };
  readonly placements: {
    /** Parties. */
    readonly count: number;
    readonly peakPerSec: number;
    /** Sent to nodes that were dead and not yet known to be. */
    readonly toDeadNodes: number;
    /** By the next balancer, as the first had no seats. */
    readonly forwarded: number;
  };
  /** By what happened at the time: "calm" is the rest. */
  readonly latency: Readonly<Record<string, LatencyReport>>;
  /** By what the router knew of the first player: "measured", "city", "country" or "unknown"; and by the party's size. */
  readonly latencyByKnowledge: Readonly<Record<string, LatencyReport>>;
  readonly latencyBySize: Readonly<Record<string, LatencyReport>>;
  readonly overload: {
    /** Times that a node had more players than seats. */
    readonly nodesAboveCapacity: number;
    /** Regions of which players had to go elsewhere, and how many placements that were. */
    readonly regionsOverflowed: number;
    readonly forcedElsewhere: number;
    readonly chosenElsewhere: number;
    /** Parties that had to wait; how long, those who gave up apart. */
    readonly waited: Quantiles;
    /** Answers "queueFull". */
    readonly queueFull: number;
    readonly busiestRegions: readonly { readonly region: string; readonly forcedElsewhere: number }[];
  };
  readonly churn: {
    readonly started: number;
    readonly drained: number;
    readonly stopped: number;
    readonly lostNodes: number;
    /** Players who had to reconnect, as their node was lost; and how long that took. */
    readonly movedByLoss: number;
    readonly backAfterMs: Quantiles;
    readonly released: number;
    /** Of the nodes that were drained for the release: nobody had to be interrupted. */
    readonly releasedUninterrupted: number;
    readonly interruptedByRelease: number;
    /** From the beginning of a node's drain until it was empty or cut off. */
    readonly drainMs: Quantiles;
  };
  readonly store: {
    readonly writes: number;
    readonly meanPerSec: number;
    readonly peakPerSec: number;
    readonly byKind: Readonly<Record<StoreKind, StoreCounts>>;
  };
  /** Microseconds of one decision, of every eighth; nothing when no clock was given. */
  readonly routingMicros: Quantiles;
  readonly samples: readonly Sample[];
}
