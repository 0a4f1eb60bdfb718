import type { Channel, ConnectionSink } from "./connection-options.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionStats } from "./connection-stats.ts";
import { laneOf } from "./qos-manager.ts";
import type { MessageTarget } from "./reliable-receive.ts";

/** Hands messages to the sink, and knows when the sink has closed the connection meanwhile. */
export class Delivery implements MessageTarget {
  readonly #connection: Connection;
  readonly #sink: ConnectionSink;
  readonly #stats: ConnectionStats;

  constructor(connection: Connection, sink: ConnectionSink, stats: ConnectionStats) {
    this.#connection = connection;
    this.#sink = sink;
    this.#stats = stats;
  }

  get closed(): boolean {
    return this.#connection.state === "closed";
  }

  deliver(channel: Channel, buffer: Uint8Array, offset: number, length: number, stream: number): void {
    this.#count(channel, length);
    this.#sink.message(this.#connection, channel, buffer, offset, length, stream);
  }

  deliverRaw(buffer: Uint8Array, offset: number, length: number): void {
    this.#count("unreliableUnordered", length);
    this.#sink.raw(this.#connection, buffer, offset, length);
  }

  #count(channel: Channel, length: number): void {
    const stats = this.#stats.channels[laneOf(channel)];
    stats.messagesReceived++;
    stats.bytesReceived += length;
  }
}
