import type { Channel, Connection } from "@riposte/protocol/channel";
import type { NetworkError } from "@riposte/protocol";

/** What a game's network layer hears from a transport. Called from within a wake-up; sending from it is fine. */
export interface TransportHandlers {
  /** The connection is usable from now on. */
  connected?(connection: Connection): void;
  /** It is over; `error` is undefined when this side closed it in order. */
  disconnected?(connection: Connection, error: NetworkError | undefined): void;
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
  /** No path leads to the peer for the moment; its session waits for another one until it times out. */
  interrupted?(connection: Connection): void;
  /** It goes on by another address, on the same carrier or another. */
  migrated?(connection: Connection): void;
  /** After a `send` that answered `full`: half of the reliable queue is free again. */
  drained?(connection: Connection): void;
}
