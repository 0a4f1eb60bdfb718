/** The settings of a fleet that nobody has changed. */
import { ROUTING_DEFAULTS } from "../routing/routing-defaults.ts";
import type { LoadBalancerConfig, RegionScaling } from "./load-balancer-config.ts";

/** No region is scaled until it is named. */
export const DEFAULT_CONFIG: LoadBalancerConfig = {
  routing: ROUTING_DEFAULTS,
  seats: { ttlMs: 60_000, tokenExpireSeconds: 30, tokenTimeoutSeconds: 10, rememberMs: 90_000, perClient: 20 },
  queue: { maxWaiting: 10_000, admissionsPerSec: Infinity, patienceMs: 15_000 },
  health: {
    suspectAfterMs: 1000,
    loseAfterMs: 5000,
    forgetAfterMs: 600_000,
    checkEveryMs: 1000,
    checkTimeoutMs: 500,
    trustAfterMs: 2000,
  },
  scaling: {},
  limits: {
    requestsPerSec: 50,
    requestBurst: 200,
    connectionsPerPrefix: 256,
    connections: 16_384,
    challengeAbovePerSec: Infinity,
    proofBits: 18,
  },
  geoip: { overrides: [] },
};

/** Of a region that is named, in what is not said of it. */
export const DEFAULT_REGION_SCALING: RegionScaling = {
  targetFreeSeats: 100,
  minNodes: 1,
  maxNodes: 10,
  scaleOutCooldownMs: 30_000,
  scaleInCooldownMs: 300_000,
  scaleInMargin: 0.25,
  maxStarting: 10,
  startTimeoutMs: 300_000,
  maxDrainMs: Infinity,
  seatsPerNode: 64,
  schedule: [],
  predict: true,
};
