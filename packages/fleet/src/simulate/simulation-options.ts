/** What is simulated. */
import { DEFAULT_CONFIG } from "../config/config-defaults.ts";
import type { LoadBalancerConfig } from "../config/load-balancer-config.ts";

/** What goes wrong, or right, in the simulated time. */
export const INCIDENTS = ["loss", "release", "spike"] as const;
export type Incident = (typeof INCIDENTS)[number];

export interface SimulationOptions {
  /** Game servers. Default 2000. */
  readonly nodes: number;
  /** Default 40. */
  readonly regions: number;
  /** People who have the game. Default 1,000,000. */
  readonly players: number;
  /** Default 7. */
  readonly days: number;
  /** Default 1: the same seed, the same result. */
  readonly seed: number;
  /** Default: all of them. */
  readonly incidents: readonly Incident[];
  /** Default `DEFAULT_CONFIG`. */
  readonly config: LoadBalancerConfig;
  /** Default 3. */
  readonly balancers: number;
  /** Default 12. */
  readonly seatsPerNode: number;
  /** Of one player in a week. Default 1. */
  readonly sessionsPerWeek: number;
  /** Half of all sessions are shorter. Default 75 minutes. */
  readonly medianSessionMs: number;
  /** Share of players who have measured the round trip to some regions. Default 0.5. */
  readonly measuredShare: number;
  /** From a node's start until it takes players. Default 60 s. */
  readonly startUpMs: number;
  /** A draining node is stopped after so long, whoever plays there. Default 4 h. */
  readonly drainDeadlineMs: number;
  /** Whoever has waited so long gives up. Default 10 minutes. */
  readonly patienceMs: number;
  /**
   * Whether regions are scaled, by `config.scaling` or, where that is empty, between a tenth of their nodes and all of them
   * with `freeShare` of the seats free. Else all nodes are there all the time. Default true.
   */
  readonly scaling: boolean;
  /** Default 0.3. */
  readonly freeShare: number;
  /** Every exchange of seats as it is, for small fleets; else what comes of them. Default false. */
  readonly realSeats: boolean;
  /** Before Monday 0:00 the world fills with players; nothing of that counts, but in the sums of players. Default 4 h. */
  readonly warmUpMs: number;
  /** Of the time in ms, to measure what a decision takes. Default: it is not measured. */
  readonly clock?: () => number;
}

export const SIMULATION_DEFAULTS: SimulationOptions = {
  nodes: 2000,
  regions: 40,
  players: 1_000_000,
  days: 7,
  seed: 1,
  incidents: INCIDENTS,
  config: DEFAULT_CONFIG,
  balancers: 3,
  seatsPerNode: 12,
  sessionsPerWeek: 1,
  medianSessionMs: 75 * 60_000,
  measuredShare: 0.5,
  startUpMs: 60_000,
  drainDeadlineMs: 4 * 3_600_000,
  patienceMs: 600_000,
  scaling: true,
  freeShare: 0.3,
  realSeats: false,
  warmUpMs: 4 * 3_600_000,
};

/** The scale that one machine does not have. */
export const FULL_SCALE = { nodes: 100_000, regions: 300, players: 50_000_000, days: 7 } as const;

/** Defaults for what is not given. Throws `RangeError` for what cannot be. */
export function simulationOptions(options: Partial<SimulationOptions>): SimulationOptions {
  const all = { ...SIMULATION_DEFAULTS, ...options };
  whole("nodes", all.nodes, 1, 1 << 24);
  whole("regions", all.regions, 1, Math.min(all.nodes, 1024));
  whole("players", all.players, 1, 2 ** 31);
  whole("balancers", all.balancers, 1, 64);
  whole("seatsPerNode", all.seatsPerNode, 1, 1000);
  if (!(all.days > 0 && all.days <= 28))
    throw new RangeError(`days must be more than 0 and at most 28, not ${all.days}`);
  if (!(all.sessionsPerWeek > 0 && all.sessionsPerWeek <= 100))
    throw new RangeError(`sessionsPerWeek must be more than 0 and at most 100, not ${all.sessionsPerWeek}`);
  return all;
}

function whole(name: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}
