import type { Channel, GameConnection } from "@riposte/protocol/channel";
import type { NetworkError } from "@riposte/protocol";
import type { ConnectionObserver, TransportHandlers } from "./transport-handlers.ts";

/** An `EndpointEvent`, of a connection wherever its machine runs. */
type ConnectionEvent<C> =
  | {
      readonly type: "admitted" | "closing" | "connected" | "interrupted" | "migrated" | "migrationFailed";
      readonly connection: C;
    }
  | { readonly type: "disconnected"; readonly connection: C; readonly error: NetworkError | undefined }
  | { readonly type: "rejected"; readonly connection: C | undefined; readonly error: NetworkError };

/**
 * Tells handlers of connections and messages in the order they expect. The datagram that makes a
 * connection usable may carry its first message, which reaches the sink before the event is polled:
 * "connected" is then told first.
 */
export class ConnectionAnnouncer<C extends GameConnection> {
  readonly #handlers: TransportHandlers<C>;
  readonly #announced: Set<C> = new Set();
  /** Observers, and then the handlers. */
  #observers: readonly ConnectionObserver<C>[];

  constructor(handlers: TransportHandlers<C>) {
    this.#handlers = handlers;
    this.#observers = [handlers];
  }

  /** Somebody else hears of connections, too, before the handlers do. Returns what ends it. */
  observe(observer: ConnectionObserver<C>): () => void {
    this.#observers = [...this.#observers.slice(0, -1), observer, this.#handlers];
    return () => {
      this.#observers = this.#observers.filter((other) => other !== observer);
    };
  }

  message(connection: C, channel: Channel, buffer: Uint8Array, offset: number, length: number, stream: number): void {
    if (!this.#announced.has(connection)) this.#announce(connection);
    this.#handlers.message?.(connection, channel, buffer, offset, length, stream);
  }

  raw(connection: C, buffer: Uint8Array, offset: number, length: number): void {
    if (!this.#announced.has(connection)) this.#announce(connection);
    this.#handlers.raw?.(connection, buffer, offset, length);
  }

  drained(connection: C): void {
    for (const observer of this.#observers) observer.drained?.(connection);
  }

  /** Passes an event on, unless the connection was announced by its first message. */
  deliver(event: ConnectionEvent<C>): void {
    const { type } = event;
    if (type === "connected") {
      if (!this.#announced.has(event.connection)) this.#announce(event.connection);
      return;
    }
    if (type === "admitted" && this.#announced.has(event.connection)) return;
    if (type === "disconnected") this.#announced.delete(event.connection);
    for (const observer of this.#observers) tell(observer, event);
  }

  #announce(connection: C): void {
    this.#announced.add(connection);
    for (const observer of this.#observers) observer.connected?.(connection);
  }
}

function tell<C extends GameConnection>(observer: ConnectionObserver<C>, event: ConnectionEvent<C>): void {
  switch (event.type) {
    case "admitted":
      return observer.admitted?.(event.connection);
    case "interrupted":
      return observer.interrupted?.(event.connection);
    case "migrated":
      return observer.migrated?.(event.connection);
    case "closing":
      return observer.closing?.(event.connection);
    case "disconnected":
      return observer.disconnected?.(event.connection, event.error);
    case "rejected":
      return observer.rejected?.(event.connection, event.error);
    case "connected":
    case "migrationFailed":
  }
}
