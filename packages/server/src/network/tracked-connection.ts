import { NetworkError } from "@riposte/protocol";
import type { GameConnection } from "@riposte/protocol/channel";
import { ConnectionTraces } from "./connection-traces.ts";
import type { ErrorThrottle } from "./error-throttle.ts";
import type { ConnectionStatus } from "./network-event-listener.ts";

/** One connection with its id, and what the network interface keeps for it. */
export class TrackedConnection {
  readonly id: number;
  readonly connection: GameConnection;
  /** When it got its seat: monotonic milliseconds. */
  readonly startedAt: number;
  readonly traces: ConnectionTraces;
  /** Never "migrated", which is only told. */
  status: ConnectionStatus = "connecting";
  /** It was usable once. */
  wasConnected = false;
  /** `send` calls that had answered `full` when the queue was last announced to have room. */
  #refusedBefore: number;
  /** Settled when the queue has room again, or never will. */
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(id: number, connection: GameConnection, errors: ErrorThrottle, now: number) {
    this.id = id;
    this.connection = connection;
    this.startedAt = now;
    this.traces = new ConnectionTraces(connection, errors);
    this.#refusedBefore = connection.stats.sendsRefused;
    this.#drained = undefined;
  }

  /** Resolves at once unless a `send` has answered `full` since there was room. Rejects with why the connection ended. */
  drained(): Promise<void> {
    if (this.connection.state === "closed") return Promise.reject(this.#closeError());
    if (this.connection.stats.sendsRefused === this.#refusedBefore) return Promise.resolve();
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  onDrained(): void {
    this.#refusedBefore = this.connection.stats.sendsRefused;
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** Nobody will hear of it any more; `error` says why. */
  onEnded(error: NetworkError = this.#closeError()): void {
    const waiting = this.#drained;
    this.#drained = undefined;
    if (waiting === undefined) return;
    // Whoever asked may have stopped waiting.
    waiting.promise.catch(() => {});
    waiting.reject(error);
  }

  #closeError(): NetworkError {
    return this.connection.closeError ?? new NetworkError("aborted", "this side closed the connection");
  }
}
