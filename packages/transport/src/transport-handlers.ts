import type { Channel, GameConnection } from "@riposte/protocol/channel";
import type { NetworkError } from "@riposte/protocol";

/** Who hears of the connections of a transport. Called from within a wake-up; sending from it is fine. Must not throw. */
export interface ConnectionObserver<C extends GameConnection = GameConnection> {
  /** Server: a client has a seat, and has not said hello yet. Not told if its first packets make it usable at once. */
  admitted?(connection: C): void;
  /** The connection is usable from now on. */
  connected?(connection: C): void;
  /** No path leads to the peer for the moment; its session waits for another one until it times out. */
  interrupted?(connection: C): void;
  /** It goes on by another address, on the same carrier or another. */
  migrated?(connection: C): void;
  /** After a `send` that answered `full`: half of the reliable queue is free again. */
  drained?(connection: C): void;
  /** Server: this side begins to close it. */
  closing?(connection: C): void;
  /** It is over; `error` is undefined when this side closed it in order. */
  disconnected?(connection: C, error: NetworkError | undefined): void;
  /** It never became usable. */
  rejected?(connection: C | undefined, error: NetworkError): void;
}

/** What a game's network layer hears from a transport. */
export interface TransportHandlers<C extends GameConnection = GameConnection> extends ConnectionObserver<C> {
  /** One message; the bytes are borrowed until return. `stream` is 0 but on `reliableOrdered`. */
  message?(connection: C, channel: Channel, buffer: Uint8Array, offset: number, length: number, stream: number): void;
  /** One payload of a plain netcode peer; the bytes are borrowed until return. */
  raw?(connection: C, buffer: Uint8Array, offset: number, length: number): void;
  /** The network thread broke: every connection is over, and the transport is closed. */
  failed?(error: Error): void;
}
