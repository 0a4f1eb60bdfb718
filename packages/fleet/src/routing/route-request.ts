/** What a router is asked, and what it answers. */
import type { Coordinates, ServerNode } from "../registry/server-node.ts";

export type RoutingStrategy =
  | "geographic"
  | "latency"
  | "leastLoad"
  | "powerOfTwo"
  | "weighted"
  | "consistentHash"
  | "sticky"
  | "composite";

/** How a location was found; measured latencies count more than any of them. */
export type LocationSource = "override" | "city" | "country" | "unknown";

export interface ClientLocation {
  readonly coordinates: Coordinates;
  readonly source: LocationSource;
  /** How far off it may be, in km. */
  readonly accuracyKm: number;
  /** ISO 3166-1, two letters. */
  readonly country?: string;
}

/** One player. */
export interface RouteClient {
  /** Decimal: a netcode client id. */
  readonly clientId: string;
  /** Not given: unknown, and nobody is sent across the world for it. */
  readonly location?: ClientLocation;
  /** Measured round trips to regions' beacons, in ms. */
  readonly latencies?: Readonly<Record<string, number>>;
}

export interface RouteFilter {
  readonly version?: string;
  readonly gameMode?: string;
  /** All must match. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Only these regions. */
  readonly regions?: readonly string[];
  /** Nodes that were tried already. */
  readonly exceptNodes?: readonly string[];
}

export interface RouteRequest {
  /** One, or a party or match that plays together: all get seats on one node. At most 64. */
  readonly clients: readonly RouteClient[];
  readonly filter?: RouteFilter;
  /** Default: as configured. */
  readonly strategy?: RoutingStrategy;
  /** What `consistentHash` maps; default the first client's id. */
  readonly hashKey?: string;
  /** The region (and node) that served the first client last, for `sticky`. */
  readonly lastRegion?: string;
  readonly lastNode?: string;
}

export type RejectionReason =
  | "state"
  | "suspected"
  | "ejected"
  | "version"
  | "gameMode"
  | "label"
  | "region"
  | "excluded"
  | "noSeats"
  | "tooFar"
  /** Nothing is wrong with it: others scored better. */
  | "outscored"
  /** Not drawn: only some of a region's nodes are looked at. */
  | "notSampled";

/** One node, as a decision saw it. */
export interface Candidate {
  readonly nodeId: string;
  readonly region: string;
  /** Lower is better; with its parts by name, in the same unit (ms of latency that they are worth). */
  readonly score?: number;
  readonly parts?: Readonly<Record<string, number>>;
  readonly rejected?: RejectionReason;
  /** In words, for an operator. */
  readonly detail?: string;
}

export type RouteOutcome =
  | {
      readonly node: ServerNode;
      readonly index: number;
      readonly score: number;
      readonly strategy: RoutingStrategy;
      /** Estimated round trip of the worst client. Not given: nothing is known of where they are, or where the region is. */
      readonly latencyMs?: number;
    }
  /** `full`: nodes match, none has the seats. `noMatch`: no node matches the filter. `noNodes`: there are none in a state to be used. */
  | { readonly refused: "full" | "noMatch" | "noNodes" };

export interface RouteExplanation {
  readonly outcome: RouteOutcome;
  /** Best first, then the rejected. */
  readonly candidates: readonly Candidate[];
  /** Estimated round trip of the worst client to each region, in ms, and where that comes from. */
  readonly regions: Readonly<
    Record<string, { readonly latencyMs: number; readonly source: "measured" | "distance" | "default" }>
  >;
}
