import { DrainedWaiter } from "@riposte/protocol/channel";
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
  readonly waiter: DrainedWaiter;
  /** Never "migrated", which is only told. */
  status: ConnectionStatus = "connecting";
  /** It was usable once. */
  wasConnected = false;

  constructor(id: number, connection: GameConnection, errors: ErrorThrottle, now: number) {
    this.id = id;
    this.connection = connection;
    this.startedAt = now;
    this.traces = new ConnectionTraces(connection, errors);
    this.waiter = new DrainedWaiter(connection);
  }
}
