/** What both endpoints have in common: the driver they ask of, the events they give. */
import type { CarrierTraits, Connection } from "../channel/index.ts";
import type { NetworkError } from "../network-error.ts";

/** What an endpoint asks of the driver that owns sockets and WebSockets. */
export interface EndpointDriver {
  /** What the carrier below this path gives. */
  carrierOf(path: number): CarrierTraits;
  /** The path is in use: its number must not be given to another address. Calls count up and down. */
  retainPath(path: number): void;
  releasePath(path: number): void;
  /** Names the address behind a path now, the same whenever it returns. Default: the path, for those that stand for one address for ever. */
  addressOf?(path: number): string;
  /** False while the path takes no more packets (a WebSocket's buffer is full). */
  writable(path: number): boolean;
}

export type EndpointEvent =
  /** Usable: the hello is done, or the peer is a plain netcode program. */
  | { readonly type: "connected"; readonly connection: Connection }
  /** Once for each "connected". `error` is undefined after an orderly close by this side. */
  | { readonly type: "disconnected"; readonly connection: Connection; readonly error: NetworkError | undefined }
  /** It never became usable. */
  | { readonly type: "rejected"; readonly connection: Connection | undefined; readonly error: NetworkError };

/** Usable now, or heard by the sink before it closed in the very payload that opened it: then it is announced too. */
export function wasUsable(connection: Connection): boolean {
  const { state, stats } = connection;
  return state === "open" || state === "raw" || stats.messagesReceived > 0;
}
