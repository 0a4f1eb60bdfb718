/** A game server as the fleet knows it: what it registered, what it reports, and what is made of both. */

/** Where a node stands, in degrees. */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** How clients reach a node, by carrier. */
export interface NodeAddresses {
  /** Native UDP, one to 32 of them, numeric (`192.0.2.1:7777`, `[2001:db8::1]:7777`): they go into the connect token. */
  readonly udp: readonly string[];
  /** `ws://` or `wss://`. */
  readonly websocket?: string;
  readonly quic?: CertifiedAddress;
  readonly webTransport?: CertifiedAddress;
}

export interface CertifiedAddress {
  readonly address: string;
  /** SHA-256 of the certificate, in hex, for clients that cannot check it otherwise. */
  readonly certificateHashes?: readonly string[];
}

/** What a node says of itself when it registers. */
export interface NodeRegistration {
  /** Unique in the fleet, at most 64 of [A-Za-z0-9._-]. */
  readonly id: string;
  readonly region: string;
  readonly coordinates?: Coordinates;
  readonly addresses: NodeAddresses;
  readonly capacity: NodeCapacity;
  /** Of the game's build. */
  readonly version: string;
  /** At most 16, keys and values at most 64 characters. */
  readonly labels: Readonly<Record<string, string>>;
  /** Game modes it hosts; none: all. */
  readonly gameModes: readonly string[];
  /** Of its players against those of others where weights count. Default 1. */
  readonly weight: number;
  /** Where balancers ask whether it is alive: an `http://` address. */
  readonly healthUrl?: string;
}

export interface NodeCapacity {
  /** Rooms or matches at once. */
  readonly sessions: number;
  /** Seats. */
  readonly players: number;
}

/** What a node reports a few times a second. */
export interface NodeLoad {
  readonly sessions: number;
  /** Players in their seats, and seats that are kept for players who are on their way. */
  readonly players: number;
  readonly reserved: number;
  /** Share of a core, 0 to 1, of the busiest thread. */
  readonly cpu: number;
  /** 99th percentile of the game's tick, in ms. */
  readonly tickMs: number;
}

/**
 * - `starting`: registered, not yet ready by its own word
 * - `ready`: takes players
 * - `full`: ready, but without a free seat
 * - `draining`: takes nobody new; who plays may finish
 * - `maintenance`: the same, by an operator's hand, until it is ended by hand
 * - `lost`: most balancers have heard nothing of it for too long
 */
export type NodeState = "starting" | "ready" | "full" | "draining" | "maintenance" | "lost";

/** A node's registration with what the fleet has made of its reports. */
export interface ServerNode extends NodeRegistration {
  readonly state: NodeState;
  readonly load: NodeLoad;
  /** When it became ready, in the balancer's monotonic ms; -1: not yet. */
  readonly readyAt: number;
  /** Why no player is sent there although it is ready, if so. */
  readonly suspicion?: string;
}
