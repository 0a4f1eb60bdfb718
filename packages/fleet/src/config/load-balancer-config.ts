/** Everything that can be changed while balancers run, with its defaults. */
import type { LocationOverride } from "../geoip/location-overrides.ts";
import type { RoutingStrategy } from "../routing/route-request.ts";

export interface LoadBalancerConfig {
  readonly routing: RoutingConfig;
  readonly seats: SeatConfig;
  readonly queue: QueueConfig;
  readonly health: HealthConfig;
  /** By region; "*": of those that are not named and have nodes. */
  readonly scaling: Readonly<Record<string, RegionScaling>>;
  readonly limits: LimitConfig;
  readonly geoip: GeoIpConfig;
}

export interface RoutingConfig {
  /** Default "composite". */
  readonly strategy: RoutingStrategy;
  /** Of "composite": ms of latency that each is worth. */
  readonly weights: {
    /** Of a ms of round trip. Default 1. */
    readonly latency: number;
    /** Of a node that is full against one that is empty. Default 40; below 0 packs players together instead of spreading them. */
    readonly load: number;
    /** Of a node whose core is fully busy. Default 60. */
    readonly cpu: number;
    /** Of being where the client played last. Default 10. */
    readonly sticky: number;
  };
  /** Nodes that are looked at in each region. Default 4. */
  readonly sampledNodes: number;
  /** Regions that are looked at, the nearest first. Default 3. */
  readonly sampledRegions: number;
  /** Worst round trip of anybody that is sent anywhere, in ms. Default 400: where all are farther, the nearest counts. */
  readonly maxLatencyMs: number;
  /** Where players count as being of whom nothing is known: no location, no measurement, no last region. Default: the region with the most nodes. */
  readonly defaultRegion?: string;
  /** A new node's share of players grows to its full one over so long. Default 30000 ms. */
  readonly slowStartMs: number;
  /** Where a smaller share than this of a region's nodes can be used, suspicion and ejection are ignored there. Default 0.5. */
  readonly panicThreshold: number;
  /** A node on which so many placements one after the other came to nothing is left out for a while. Default 5. */
  readonly ejectAfterFailures: number;
  /** For so long at first, twice as long each time after. Default 10000 ms. */
  readonly ejectForMs: number;
  /** At most this share of a region's nodes is ejected at once. Default 0.2. */
  readonly maxEjectedShare: number;
}

export interface SeatConfig {
  /** A seat is kept so long for a player who does not come. Default 60000 ms: more than a token's lifetime and a handshake. */
  readonly ttlMs: number;
  /** Lifetime of connect tokens. Default 30 s. */
  readonly tokenExpireSeconds: number;
  /** Silence after which a session ends. Default 10 s. */
  readonly tokenTimeoutSeconds: number;
  /** An answer is remembered for its idempotency key for so long. Default 90000 ms: more than `ttlMs`. */
  readonly rememberMs: number;
  /** Answers for one client id within `rememberMs`, as far as a balancer knows of them. Default 20. */
  readonly perClient: number;
}

export interface QueueConfig {
  /** Players who may wait. Default 10000; beyond, they are refused. */
  readonly maxWaiting: number;
  /** Players let in, per second, over the whole fleet. Default Infinity: as seats get free. */
  readonly admissionsPerSec: number;
  /** Who has not asked for so long has gone. Default 15000 ms. */
  readonly patienceMs: number;
}

export interface HealthConfig {
  /** A node's reports may be late by so much before it is suspected. Default 1000 ms. */
  readonly suspectAfterMs: number;
  /** And before it may be lost, when most balancers agree. Default 5000 ms. */
  readonly loseAfterMs: number;
  /** A node that has been lost for so long is forgotten, as if it had never registered. Default 600000 ms. */
  readonly forgetAfterMs: number;
  /** Each node is asked for its health so often, by one balancer. Default 1000 ms. */
  readonly checkEveryMs: number;
  /** Default 500 ms. */
  readonly checkTimeoutMs: number;
  /** A node that was suspected is trusted again after so long without suspicion; doubled with each time, up to ten times that. Default 2000 ms. */
  readonly trustAfterMs: number;
}

export interface RegionScaling {
  /** Free seats there should be. Default 100. */
  readonly targetFreeSeats: number;
  /** Defaults 1 and 10. */
  readonly minNodes: number;
  readonly maxNodes: number;
  /** Nodes are started so long after others were, at the earliest. Default 30000 ms. */
  readonly scaleOutCooldownMs: number;
  /** Nodes are drained so long after the last change, at the earliest. Default 300000 ms. */
  readonly scaleInCooldownMs: number;
  /** A node is drained only where the target and this share of it would be free without its seats. Default 0.25. */
  readonly scaleInMargin: number;
  /** Nodes on their way at once. Default 10. */
  readonly maxStarting: number;
  /** A node that is not ready so long after it was asked for is given up. Default 300000 ms. */
  readonly startTimeoutMs: number;
  /** A node that drains is stopped after so long although players are there. Default Infinity: never. */
  readonly maxDrainMs: number;
  /** Seats of a node, as long as none has been seen there. Default 64. */
  readonly seatsPerNode: number;
  /** Other targets at certain times, each day, UTC; the first that matches counts. */
  readonly schedule: readonly ScheduledTarget[];
  /** Whether demand of the same hour of days before is expected again. Default true. */
  readonly predict: boolean;
}

export interface ScheduledTarget {
  /** Days of the week, 0 is Sunday; none: every day. */
  readonly days: readonly number[];
  /** "HH:MM". */
  readonly from: string;
  readonly to: string;
  readonly targetFreeSeats?: number;
  readonly minNodes?: number;
}

export interface LimitConfig {
  /** Requests of one prefix (IPv4 /24, IPv6 /48) per second, and at once. Defaults 50 and 200. */
  readonly requestsPerSec: number;
  readonly requestBurst: number;
  /** Connections of one prefix, and of all. Defaults 256 and 16384. */
  readonly connectionsPerPrefix: number;
  readonly connections: number;
  /** Above so many allocations a second, clients must bring a proof of work or a challenge token. Default Infinity. */
  readonly challengeAbovePerSec: number;
  /** Leading zero bits of a proof. Default 18, some 0.2 s in a browser. */
  readonly proofBits: number;
}

export interface GeoIpConfig {
  /** Where addresses are, whatever databases say. At most 2000. Default none. */
  readonly overrides: readonly LocationOverride[];
}
