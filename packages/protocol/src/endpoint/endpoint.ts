/** What both endpoints have in common: the driver they ask of, the events they give. */
import type { BatchOptions, CarrierTraits, Connection, ConnectionLimits, QosOverrides } from "../channel/index.ts";
import type { CongestionControl } from "../congestion/index.ts";
import type { KeyStore, Machine } from "../machine.ts";
import type { NetworkError } from "../network-error.ts";

/** What both endpoints take for their connections. */
export interface EndpointConnectionOptions {
  /** Bounds of each connection's queues; see `ConnectionLimits` for the defaults. */
  readonly limits?: Partial<ConnectionLimits>;
  /** When messages wait for others to share a packet with. Default: never. */
  readonly batch?: BatchOptions;
  /** A fresh congestion controller for each path of each connection. Default New Reno. */
  readonly congestionControl?: () => CongestionControl;
  readonly extensions?: EndpointExtensions;
  /** Priorities, weights and rate limits of the channels, of all connections. Default: see `ChannelQos`. */
  readonly qos?: QosOverrides;
}

/** What a side is willing to do beyond netcode 1.02, where the peer is and, on a server, the token permits it. */
export interface EndpointExtensions {
  /** Packets above netcode's size, as far as the path takes them. Default true. */
  readonly largePackets?: boolean;
  /** Sessions that survive a change of address or carrier. Default true. */
  readonly migration?: boolean;
  /** AES-256-GCM for payloads, where both sides have instructions for it. Default true. */
  readonly aes?: boolean;
}

/** What an endpoint asks of the driver that owns sockets and WebSockets. */
export interface EndpointDriver {
  /** What the carrier below this path gives. */
  carrierOf(path: number): CarrierTraits;
  /** The path is in use: its number must not be given to another address. Calls count up and down. */
  retainPath(path: number): void;
  releasePath(path: number): void;
  /** Names the address behind a path now, the same whenever it returns. Default: the path, for those that stand for one address for ever. */
  addressOf?(path: number): string;
  /** Whether two paths lead to one host, so that what was learned of one holds for the other (RFC 9000 section 9.4). Default: never. */
  isSameHost?(a: number, b: number): boolean;
  /** Largest datagram it sends and receives, above 1,225 for large packets to be offered. Default 1,225. */
  readonly maxDatagramBytes?: number;
  /** False while the path takes no more packets (a WebSocket's buffer is full). */
  writable(path: number): boolean;
}

export type EndpointEvent =
  /** Server: a client has a seat; its hello is outstanding. "connected" or "rejected" follows, the former perhaps before this one is polled. */
  | { readonly type: "admitted"; readonly connection: Connection }
  /** Usable: the hello is done, or the peer is a plain netcode program. */
  | { readonly type: "connected"; readonly connection: Connection }
  /** Server: this side begins to close it. */
  | { readonly type: "closing"; readonly connection: Connection }
  /** Once for each "connected". `error` is undefined after an orderly close by this side. */
  | { readonly type: "disconnected"; readonly connection: Connection; readonly error: NetworkError | undefined }
  /** No path leads to the peer for the moment: it waits for another one until it times out. */
  | { readonly type: "interrupted"; readonly connection: Connection }
  /** It goes on by another path, on the same carrier or another. */
  | { readonly type: "migrated"; readonly connection: Connection; readonly path: number }
  /** A path that we asked for did not answer; the connection stays where it is. */
  | { readonly type: "migrationFailed"; readonly connection: Connection; readonly path: number }
  /** It never became usable. */
  | { readonly type: "rejected"; readonly connection: Connection | undefined; readonly error: NetworkError };

/** Usable now, or heard by the sink before it closed in the very payload that opened it: then it is announced too. */
export function wasUsable(connection: Connection): boolean {
  const { state, stats } = connection;
  return state === "open" || state === "raw" || stats.messagesReceived > 0;
}

export function takesAes(options: EndpointConnectionOptions & { readonly keys: KeyStore }): boolean {
  return options.keys.prefersAes && (options.extensions?.aes ?? true);
}

/** What a driver runs, whichever end it is. */
export interface Endpoint extends Machine<EndpointEvent> {
  /** Messages of all connections wait no longer for others to share a packet with: call it at the end of a tick. */
  flush(): void;
  /** The driver lost a path: the WebSocket closed, the socket broke. */
  handlePathClosed(path: number, now: number): void;
  /** The socket refused a datagram of so many bytes as too large for its path. */
  handleRefused(path: number, bytes: number, now: number): void;
}
