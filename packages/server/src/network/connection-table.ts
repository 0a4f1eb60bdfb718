import type { GameConnection } from "@riposte/protocol/channel";
import { ClosedTotals } from "./closed-totals.ts";
import type { ErrorThrottle } from "./error-throttle.ts";
import { TrackedConnection } from "./tracked-connection.ts";
import type { TrafficTotals } from "./traffic-totals.ts";

/** The connections of a server by their ids, which are given out once and never again. */
export class ConnectionTable {
  readonly #errors: ErrorThrottle;
  readonly #byId: Map<number, TrackedConnection> = new Map();
  readonly #byConnection: Map<GameConnection, TrackedConnection> = new Map();
  readonly #closed: ClosedTotals = new ClosedTotals();
  #lastId = 0;

  constructor(errors: ErrorThrottle) {
    this.#errors = errors;
  }

  /** Connections that had an id so far. */
  get total(): number {
    return this.#lastId;
  }

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): IterableIterator<TrackedConnection> {
    return this.#byId.values();
  }

  add(connection: GameConnection, now: number): TrackedConnection {
    const tracked = new TrackedConnection(++this.#lastId, connection, this.#errors, now);
    this.#byId.set(tracked.id, tracked);
    this.#byConnection.set(connection, tracked);
    return tracked;
  }

  /** `undefined` when it has ended. Throws `RangeError` for an id that was never given out. */
  get(id: number): TrackedConnection | undefined {
    if (!Number.isInteger(id) || id < 1 || id > this.#lastId) throw new RangeError(`no connection had the id ${id}`);
    return this.#byId.get(id);
  }

  of(connection: GameConnection): TrackedConnection | undefined {
    return this.#byConnection.get(connection);
  }

  delete(tracked: TrackedConnection, now: number): void {
    this.#byId.delete(tracked.id);
    this.#byConnection.delete(tracked.connection);
    this.#closed.add(tracked.connection.stats, now);
  }

  /** What those that have ended have counted. */
  closedTotals(now: number): TrafficTotals {
    return this.#closed.read(now);
  }
}
