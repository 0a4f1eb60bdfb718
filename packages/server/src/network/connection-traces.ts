import type { GameConnection, ConnectionTrace } from "@riposte/protocol/channel";
import type { ErrorThrottle } from "./error-throttle.ts";

/**
 * Several traces of one connection, which has room for one: listeners and diagnostics look at the same packets.
 * The connection has no trace at all while there are none. One that throws is reported.
 */
export class ConnectionTraces implements ConnectionTrace {
  readonly #connection: GameConnection;
  readonly #errors: ErrorThrottle;
  #traces: readonly ConnectionTrace[] = [];

  constructor(connection: GameConnection, errors: ErrorThrottle) {
    this.#connection = connection;
    this.#errors = errors;
  }

  add(trace: ConnectionTrace): void {
    if (!this.#traces.includes(trace)) this.#set([...this.#traces, trace]);
  }

  delete(trace: ConnectionTrace): void {
    this.#set(this.#traces.filter((other) => other !== trace));
  }

  clear(): void {
    this.#set([]);
  }

  packetSent(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void {
    for (const trace of this.#traces) {
      try {
        trace.packetSent(packetNumber, buffer, offset, length, now);
      } catch (error) {
        this.#errors.report("packet trace", error);
      }
    }
  }

  packetReceived(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void {
    for (const trace of this.#traces) {
      try {
        trace.packetReceived(packetNumber, buffer, offset, length, now);
      } catch (error) {
        this.#errors.report("packet trace", error);
      }
    }
  }

  packetLost(packetNumber: number, bytes: number, now: number): void {
    for (const trace of this.#traces) {
      try {
        trace.packetLost(packetNumber, bytes, now);
      } catch (error) {
        this.#errors.report("packet trace", error);
      }
    }
  }

  #set(traces: readonly ConnectionTrace[]): void {
    this.#traces = traces;
    if (traces.length > 0) this.#connection.trace = this;
    else if (this.#connection.trace === this) this.#connection.trace = undefined;
  }
}
