/** What a balancer has done and what it knows, as numbers: a plain object for `GET /v1/stats` and the console. */
import type { AllocateRefusal } from "../http/balancer-api.ts";
import type { NodeHealth } from "../health/health-book.ts";
import type { Coordinates, NodeState } from "../registry/server-node.ts";
import type { LocationSource, RoutingStrategy } from "../routing/route-request.ts";
import type { RegionScalingStatus, ScalingDecisionKind } from "../scaling/scaling-decision.ts";
import type { DriverOperation } from "../scaling/fleet-scaler.ts";
import type { StateStore, StoreError, StoreStatus } from "../store/state-store.ts";

/** `placed`: a seat was taken; `repeated`: the same key again, the same answer. */
export type PlacementOutcome = "placed" | "repeated";

/** `limited`: too many requests of a prefix; `challenged`: proof of work missing or wrong. */
export type RefusalReason = AllocateRefusal["code"] | "limited" | "challenged";

/** Of copying an answer to another balancer. `failed`: that one did not answer in time, the next was asked; `alone`: there is no other. */
export type ClaimResult = "stored" | "existing" | "failed" | "alone";

export interface SeatCounts {
  /** Of nodes that are not lost. */
  readonly capacity: number;
  /** Of nodes that take players. */
  readonly free: number;
  /** Taken, or kept for players on their way. */
  readonly used: number;
  /** Of the free ones: lent to this balancer. */
  readonly lent: number;
}

export interface RegionStats {
  readonly nodes: Readonly<Record<NodeState, number>>;
  /** Of the ready ones. */
  readonly suspectedNodes: number;
  readonly seats: SeatCounts;
  /** In the middle of its nodes that say where they stand; not given: none does. */
  readonly coordinates?: Coordinates;
}

/** Since the balancer started. Percentiles are read off a histogram's buckets. */
export interface TimeStats {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export type PlacementCounts = Readonly<Partial<Record<RoutingStrategy, Readonly<Record<PlacementOutcome, number>>>>>;

/** What a balancer sees at the moment. */
export interface FleetView {
  /** By name. */
  readonly regions: Readonly<Record<string, RegionStats>>;
  /** Players who wait here. */
  readonly queueLength: number;
  readonly store: { readonly kind: StateStore["kind"]; readonly status: StoreStatus };
  /** This one among them. */
  readonly balancersAlive: number;
  readonly isLeader: boolean;
  readonly configVersion: number;
  /** Of regions that this balancer scales. */
  readonly scaling?: readonly RegionScalingStatus[];
}

/** Regions are by name, the first 300 that were seen, the rest under `other`. Counters begin at 0 with the process. */
export interface LoadBalancerStats extends FleetView {
  readonly placements: Readonly<Record<string, PlacementCounts>>;
  /** By region: seats for which nobody came, as nodes tell every balancer. */
  readonly expiredSeats: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<RefusalReason, number>>;
  readonly claims: Readonly<Record<ClaimResult, number>>;
  readonly healthChanges: Readonly<Record<NodeHealth, number>>;
  readonly storeErrors: Readonly<Record<StoreError["code"], number>>;
  readonly geoip: Readonly<Record<LocationSource, number>>;
  /** Decisions by region; of `start` and `giveUp` nodes. */
  readonly scalingDecisions: Readonly<Record<string, Readonly<Record<ScalingDecisionKind, number>>>>;
  readonly scalingDriverErrors: Readonly<Record<DriverOperation, number>>;
  /** Choosing a node. */
  readonly route: TimeStats;
  /** The whole of an allocation, the copy to another balancer included. */
  readonly allocation: TimeStats;
  /** Of those who were let in from the queue. */
  readonly queueWait: TimeStats;
}
