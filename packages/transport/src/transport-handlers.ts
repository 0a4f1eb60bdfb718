import type { Channel, Connection } from "@riposte/protocol/channel";
import type { NetworkError } from "@riposte/protocol";

/** Who hears of the connections of a transport. Called from within a wake-up; sending from it is fine. Must not throw. */
export interface ConnectionObserver {
  /** Server: a client has a seat, and has not said hello yet. Not told if its first packets make it usable at once. */
  admitted?(connection: Connection): void;
  /** The connection is usable from now on. */
  connected?(connection: Connection): void;
  /** No path leads to the peer for the moment; its session waits for another one until it times out. */
  interrupted?(connection: Connection): void;
  /** It goes on by another address, on the same carrier or another. */
  migrated?(connection: Connection): void;
  /** After a `send` that answered `full`: half of the reliable queue is free again. */
  drained?(connection: Connection): void;
  /** Server: this side begins to close it. */
  closing?(connection: Connection): void;
  /** It is over; `error` is undefined when this side closed it in order. */
  disconnected?(connection: Connection, error: NetworkError | undefined): void;
  /** It never became usable. */
  rejected?(connection: Connection | undefined, error: NetworkError): void;
}

/** What a game's network layer hears from a transport. */
export interface TransportHandlers extends ConnectionObserver {
  /** One message; the bytes are borrowed until return. `stream` is 0 but on `reliableOrdered`. */
  message?(
    connection: Connection,
    channel: Channel,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): void;
  /** One payload of a plain netcode peer; the bytes are borrowed until return. */
  raw?(connection: Connection, buffer: Uint8Array, offset: number, length: number): void;
}
