import { NetworkError } from "@riposte/protocol";
import type { GameConnection } from "@riposte/protocol/channel";
import type { ConnectionObserver } from "@riposte/transport";
import type { ConnectionTable } from "./connection-table.ts";
import type { ErrorThrottle } from "./error-throttle.ts";
import { ListenerSet } from "./listener-set.ts";
import type { ConnectionStatus, NetworkEventListener } from "./network-event-listener.ts";
import { PacketNotifier } from "./packet-notifier.ts";
import type { TrackedConnection } from "./tracked-connection.ts";

/** Follows the transport's connections: gives them their ids and statuses, and tells the listeners. */
export class ConnectionFollower implements ConnectionObserver {
  /** Connections that became usable so far. */
  successful = 0;
  readonly #table: ConnectionTable;
  readonly #listeners: ListenerSet;
  readonly #now: () => number;
  /** While some listener wants packets: what tells it, by connection. */
  #notifiers: Map<TrackedConnection, PacketNotifier> | undefined;

  constructor(table: ConnectionTable, errors: ErrorThrottle, now: () => number) {
    this.#table = table;
    this.#listeners = new ListenerSet(errors);
    this.#now = now;
    this.#notifiers = undefined;
  }

  addListener(listener: NetworkEventListener): void {
    this.#listeners.add(listener);
    this.#followPackets();
  }

  /** False when it was not there. */
  deleteListener(listener: NetworkEventListener): boolean {
    const found = this.#listeners.delete(listener);
    this.#followPackets();
    return found;
  }

  /** Lets go of all connections. */
  stop(): void {
    this.#notifiers = undefined;
    for (const tracked of this.#table) {
      tracked.traces.clear();
      tracked.waiter.onEnded(new NetworkError("aborted", "the network interface was disposed of"));
    }
  }

  admitted(connection: GameConnection): void {
    this.#track(connection);
  }

  connected(connection: GameConnection): void {
    const tracked = this.#track(connection);
    tracked.status = statusOf(connection);
    tracked.wasConnected = true;
    this.successful++;
    this.#listeners.statusChanged(tracked.id, "connected");
  }

  interrupted(connection: GameConnection): void {
    this.#changed(connection, "interrupted");
  }

  migrated(connection: GameConnection): void {
    this.#changed(connection, "migrated");
  }

  closing(connection: GameConnection): void {
    this.#changed(connection, "closing");
  }

  drained(connection: GameConnection): void {
    this.#table.of(connection)?.waiter.onDrained();
  }

  disconnected(connection: GameConnection, error: NetworkError | undefined): void {
    this.#ended(connection, error);
  }

  rejected(connection: GameConnection | undefined, error: NetworkError): void {
    if (connection !== undefined) this.#ended(connection, error);
  }

  #track(connection: GameConnection): TrackedConnection {
    const known = this.#table.of(connection);
    if (known !== undefined) return known;
    const tracked = this.#table.add(connection, this.#now());
    if (this.#notifiers !== undefined) this.#notify(tracked, this.#notifiers);
    this.#listeners.statusChanged(tracked.id, "connecting");
    return tracked;
  }

  #changed(connection: GameConnection, status: "interrupted" | "migrated" | "closing"): void {
    const tracked = this.#table.of(connection);
    if (tracked === undefined) return;
    if (tracked.status !== "closing") tracked.status = status === "migrated" ? "connected" : status;
    this.#listeners.statusChanged(tracked.id, status);
  }

  #ended(connection: GameConnection, error: NetworkError | undefined): void {
    const tracked = this.#table.of(connection);
    if (tracked === undefined) return;
    tracked.status = "disconnected";
    this.#table.delete(tracked, this.#now());
    this.#notifiers?.delete(tracked);
    tracked.waiter.onEnded();
    if (error !== undefined && (error.code !== "closedByPeer" || !tracked.wasConnected)) {
      this.#listeners.networkError(tracked.id, `${error.code}: ${error.message}`);
    }
    this.#listeners.statusChanged(tracked.id, "disconnected");
  }

  /** Traces packets while a listener wants them, and not else. */
  #followPackets(): void {
    const wanted = this.#listeners.wantsPackets;
    if (wanted === (this.#notifiers !== undefined)) return;
    if (wanted) {
      this.#notifiers = new Map();
      for (const tracked of this.#table) this.#notify(tracked, this.#notifiers);
      return;
    }
    for (const [tracked, notifier] of this.#notifiers ?? []) tracked.traces.delete(notifier);
    this.#notifiers = undefined;
  }

  #notify(tracked: TrackedConnection, notifiers: Map<TrackedConnection, PacketNotifier>): void {
    const notifier = new PacketNotifier(tracked.id, tracked.connection, this.#listeners);
    notifiers.set(tracked, notifier);
    tracked.traces.add(notifier);
  }
}

/** Of a connection that became usable, perhaps long ago. */
function statusOf({ state, interrupted }: GameConnection): ConnectionStatus {
  if (state === "finishing" || state === "closed") return "closing";
  return interrupted ? "interrupted" : "connected";
}
