import type { Channel, Connection, ConnectionSink } from "@riposte/protocol/channel";
import type { EndpointEvent } from "@riposte/protocol/endpoint";
import type { TransportHandlers } from "./transport-handlers.ts";

/**
 * Tells handlers of connections and messages in the order they expect. The datagram that makes a
 * connection usable may carry its first message, which reaches the sink before the event is polled:
 * "connected" is then told first.
 */
export class ConnectionAnnouncer implements ConnectionSink {
  readonly #handlers: TransportHandlers;
  readonly #announced: Set<Connection> = new Set();

  constructor(handlers: TransportHandlers) {
    this.#handlers = handlers;
  }

  message(
    connection: Connection,
    channel: Channel,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): void {
    if (!this.#announced.has(connection)) this.#announce(connection);
    this.#handlers.message?.(connection, channel, buffer, offset, length, stream);
  }

  raw(connection: Connection, buffer: Uint8Array, offset: number, length: number): void {
    if (!this.#announced.has(connection)) this.#announce(connection);
    this.#handlers.raw?.(connection, buffer, offset, length);
  }

  drained(connection: Connection): void {
    this.#handlers.drained?.(connection);
  }

  /** Passes an event on, unless the connection was announced by its first message. */
  deliver(event: EndpointEvent): void {
    if (event.type === "connected") {
      if (!this.#announced.has(event.connection)) this.#announce(event.connection);
    } else if (event.type === "disconnected") {
      this.#announced.delete(event.connection);
      this.#handlers.disconnected?.(event.connection, event.error);
    } else if (event.type === "interrupted") this.#handlers.interrupted?.(event.connection);
    else if (event.type === "migrated") this.#handlers.migrated?.(event.connection);
  }

  #announce(connection: Connection): void {
    this.#announced.add(connection);
    this.#handlers.connected?.(connection);
  }
}
