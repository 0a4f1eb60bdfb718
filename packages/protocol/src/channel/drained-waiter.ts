import { NetworkError } from "../network-error.ts";
import type { GameConnection } from "./game-connection.ts";

/**
 * Makes "wait until there is room again" of what a sink is told of one connection: its owner passes on `drained`, and that
 * the connection has ended.
 */
export class DrainedWaiter {
  readonly #connection: GameConnection;
  /** `send` calls that had answered `full` when the queue was last announced to have room. */
  #refusedBefore: number;
  /** Settled when the queue has room again, or never will. */
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(connection: GameConnection) {
    this.#connection = connection;
    this.#refusedBefore = connection.stats.sendsRefused;
    this.#waiting = undefined;
  }

  /**
   * After a `send` that answered `full`: resolves when half of the reliable queue is free again, and at once when there was
   * none. Rejects with the connection's `NetworkError` when it ends before, or has ended.
   */
  drained(): Promise<void> {
    if (this.#connection.state === "closed") return Promise.reject(this.#closeError());
    if (this.#connection.stats.sendsRefused === this.#refusedBefore) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  onDrained(): void {
    this.#refusedBefore = this.#connection.stats.sendsRefused;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Nobody will hear of it any more; `error` says why. */
  onEnded(error: NetworkError = this.#closeError()): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    // Whoever asked may have stopped waiting.
    waiting.promise.catch(() => {});
    waiting.reject(error);
  }

  #closeError(): NetworkError {
    return this.#connection.closeError ?? new NetworkError("aborted", "this side closed the connection");
  }
}
