/** What the HTTP API calls: the balancer as requests see it. Refusals are values; a rejected promise is a defect (500). */
import type { LoadBalancerConfig } from "../config/load-balancer-config.ts";
import type { Attribution } from "../geoip/attribution.ts";
import type { GeoIpError } from "../geoip/geo-ip-error.ts";
import type { GeoIpStats } from "../geoip/geo-ip-options.ts";
import type { NodeRegistration, NodeState, ServerNode } from "../registry/server-node.ts";
import type { RouteClient, RouteExplanation, RouteFilter, RoutingStrategy } from "../routing/route-request.ts";
import type { ScalingExplanation } from "../scaling/fleet-scaler.ts";

/** A player, or a party or match that plays together. */
export interface AllocateRequest {
  /** Idempotency key, 16 to 64 of [A-Za-z0-9_-]: a request that is sent again with the same one, here or at another balancer, gets the same answer; one for other clients gets none. */
  readonly key: string;
  readonly clients: readonly AllocateClient[];
  readonly room?: string;
  readonly filter?: RouteFilter;
  readonly strategy?: RoutingStrategy;
  readonly hashKey?: string;
  /** Of who waits already: from the last answer, here or elsewhere. */
  readonly ticket?: string;
  /** The how manieth time this is sent because no answer came. Default 1; above, all balancers are asked whether they know one. */
  readonly attempt?: number;
}

export interface AllocateClient {
  /** Decimal. Who asks must be allowed to speak for it: see docs/api.md. */
  readonly clientId: string;
  /** As seen by who asks on the player's behalf; default: the address of the request. */
  readonly ip?: string;
  readonly latencies?: Readonly<Record<string, number>>;
  /** Of the game, base64, at most 192 bytes: goes into the token. */
  readonly userData?: string;
}

export interface Allocation {
  readonly status: "allocated";
  readonly node: Pick<ServerNode, "id" | "region" | "addresses" | "version">;
  readonly seats: readonly AllocatedSeat[];
  /** ms from now until the tokens expire. */
  readonly expiresInMs: number;
}

export interface AllocatedSeat {
  readonly clientId: string;
  /** Connect token, base64. */
  readonly token: string;
}

/** The fleet is full: send the same request again, with the ticket. */
export interface Waiting {
  readonly status: "waiting";
  readonly ticket: string;
  /** 1 is next. */
  readonly position: number;
  readonly estimatedWaitMs?: number;
  readonly askAgainInMs: number;
}

export interface AllocateRefusal {
  readonly status: "refused";
  readonly code:
    | "noMatch"
    | "noNodes"
    | "queueFull"
    | "badTicket"
    | "expired"
    | "askAgain"
    | "keyUsed"
    | "tooManySeats"
    | "starting";
  readonly error: string;
}

export type AllocateReply = Allocation | Waiting | AllocateRefusal;

/** A decision, and what it was made from. */
export interface ExplainReply extends RouteExplanation {
  /** With where they are thought to be. */
  readonly clients: readonly RouteClient[];
  /** Where the first client played last. */
  readonly lastRegion?: string;
  readonly lastNode?: string;
  /** Whom to credit where locations of this answer are shown. */
  readonly attributions: readonly Attribution[];
}

/** Who did something, for the audit log. */
export interface Actor {
  /** Subject of the token, or the node key's id. */
  readonly subject: string;
  readonly address: string;
}

export interface RegisterReply {
  /** Goes with this node's reports to this balancer. */
  readonly session: string;
  /** This node's own key for connect tokens, 32 bytes in base64, which only it and balancers know. */
  readonly tokenKey: string;
  readonly protocolId: string;
  readonly reportEveryMs: number;
  /** All balancers that are known, so that it reports to each. */
  readonly balancers: readonly string[];
}

/**
 * `gossip`: health and counters; `claim`: answers to keep a copy of, and keys for which an answer is looked for; `allocate`: a
 * request for which the other one has no seat.
 */
export type PeerPath = "gossip" | "claim" | "allocate";

export type NodeCommand = "drain" | "maintain" | "resume" | "unregister";

export interface ConfigVersion {
  readonly version: number;
  readonly config: LoadBalancerConfig;
  readonly changedBy: string;
  /** ISO 8601. */
  readonly changedAt: string;
  readonly comment?: string;
}

/** The databases of places by address, as they are now. */
export interface GeoIpReply extends GeoIpStats {
  /** Whom to credit where their locations are shown. */
  readonly attributions: readonly Attribution[];
}

export interface GeoIpUpdateReply {
  /** Names of the databases that are new. */
  readonly changed: readonly string[];
}

export interface BalancerApi {
  /** `ip`: of the request. */
  allocate(request: AllocateRequest, ip: string): Promise<AllocateReply>;
  /** Who waited with this key waits no more. */
  leaveQueue(key: string): void;
  /** A client is about to ask for a seat. */
  expectClient(clientId: string): void;
  explain(request: Omit<AllocateRequest, "key">, ip: string): Promise<ExplainReply>;
  registerNode(registration: NodeRegistration, actor: Actor): Promise<RegisterReply>;
  /** A node's report; the answer is JSON. `undefined`: the session is not known here, and the node must register. */
  exchange(nodeId: string, session: string, report: unknown): unknown;
  commandNode(nodeId: string, command: NodeCommand, actor: Actor): Promise<ServerNode | undefined>;
  nodes(filter?: { readonly region?: string; readonly state?: NodeState }): readonly ServerNode[];
  stats(): unknown;
  scaling(): ScalingExplanation;
  config(): ConfigVersion;
  configVersions(): Promise<readonly ConfigVersion[]>;
  /** Validates, and with `dryRun` says what it would have done to recorded traffic instead of changing anything. */
  changeConfig(
    change: unknown,
    options: { readonly dryRun: boolean; readonly comment?: string },
    actor: Actor,
  ): Promise<unknown>;
  rollBackConfig(version: number, actor: Actor): Promise<ConfigVersion | undefined>;
  /** `undefined`: this balancer has no databases. */
  geoIp(): GeoIpReply | undefined;
  /** Looks for new databases now. `force`: also of another type, or older. Refused (`error`) when one fails a check. */
  updateGeoIp(force: boolean, actor: Actor): Promise<GeoIpUpdateReply | { readonly error: GeoIpError } | undefined>;
  /** What another balancer posts, as text, with its MAC (`peers/peer-mac.ts`); the answer is JSON. `undefined`: it is no balancer of this fleet. */
  peer(path: PeerPath, body: string, mac: unknown): Promise<unknown>;
  /** Prometheus exposition. */
  metrics(): Promise<string>;
  /** For whoever asks whether this balancer can be sent players: true when it knows nodes and is not closing. */
  readonly isReady: boolean;
}
