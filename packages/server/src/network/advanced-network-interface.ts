import { NetworkError } from "@riposte/protocol";
import type {
  Channel,
  ChannelQos,
  GameConnection,
  ConnectionTrace,
  QosManager,
  QosSettings,
  SendOptions,
  SendResult,
} from "@riposte/protocol/channel";
import { congestionControlFactory } from "@riposte/protocol/congestion";
import type { CongestionControl, CongestionControlName } from "@riposte/protocol/congestion";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { ConnectionObserver, EndpointView } from "@riposte/transport";
import { ConnectionFollower } from "./connection-follower.ts";
import { ConnectionTable } from "./connection-table.ts";
import { ErrorThrottle } from "./error-throttle.ts";
import type { ConnectionStatus, ListenerErrorReport, NetworkEventListener } from "./network-event-listener.ts";
import { readConnectionStats, readNetworkStats } from "./network-stats.ts";
import type { ConnectionNetworkStats, NetworkStats } from "./network-stats.ts";
import { clearReassembly, readReassembly } from "./reassembly-report.ts";
import type { ReassemblyReport } from "./reassembly-report.ts";
import { refusedRequests } from "./refused-requests.ts";
import type { TrackedConnection } from "./tracked-connection.ts";

/** What it needs of a `GameTransport`. */
export interface NetworkTransport {
  readonly endpoint: Omit<EndpointView, "maxClients">;
  /** Whether `simulate` works. */
  readonly canSimulate: boolean;
  observe(observer: ConnectionObserver): () => void;
  simulate(conditions: NetworkConditions | undefined, connection?: GameConnection): void;
  addressOf(connection: GameConnection): string;
  flush(): void;
}

export interface NetworkInterfaceOptions {
  /** Hears of what listeners throw. Default: nobody. */
  readonly onListenerError?: ListenerErrorReport;
  /** Monotonic milliseconds, the transport's. Default `performance.now()`. */
  readonly now?: () => number;
}

/** A message: its bytes, or what makes them, which is called once however many receivers there are, and not at all without any. */
export type NetworkMessage = Uint8Array | (() => Uint8Array);

/** What became of a message to several connections. */
export interface MulticastResult {
  readonly queued: number;
  /** Ids of connections whose reliable queue had no room. */
  readonly full: readonly number[];
  /** Receivers that had ended, or take no messages (plain netcode peers, connections that are closing). */
  readonly closed: number;
}

/**
 * A server's network under one roof: its connections by id, messages to one, some or all of them, who listens, the
 * numbers, and what may be changed while it runs. Ids are numbers from 1 on, given out once. A call about a connection
 * that has ended does nothing and says so; an id that was never given out throws `RangeError`.
 */
export class AdvancedNetworkInterface implements Disposable {
  readonly #transport: NetworkTransport;
  readonly #now: () => number;
  readonly #connections: ConnectionTable;
  readonly #follower: ConnectionFollower;
  /** One for each algorithm, so that their controllers differ in their seeds. */
  readonly #factories: Map<CongestionControlName, () => CongestionControl> = new Map();
  readonly #unobserve: () => void;
  /** Attempts of connections that had come and gone before. */
  readonly #attemptsBefore: number;

  constructor(transport: NetworkTransport, options: NetworkInterfaceOptions = {}) {
    this.#transport = transport;
    this.#now = options.now ?? (() => performance.now());
    const errors = new ErrorThrottle(options.onListenerError ?? (() => {}), this.#now);
    this.#connections = new ConnectionTable(errors);
    this.#follower = new ConnectionFollower(this.#connections, errors, this.#now);
    const { connectionAttempts, clientCount, pendingCount, connections } = transport.endpoint;
    this.#attemptsBefore = connectionAttempts - clientCount - pendingCount;
    for (const connection of connections) this.#follower.connected(connection);
    this.#unobserve = transport.observe(this.#follower);
  }

  /** Hears from the next event on; registering twice is harmless. Packets are traced only while somebody wants them. */
  registerEventListener(listener: NetworkEventListener): void {
    this.#follower.addListener(listener);
  }

  /** False when it was not registered. */
  unregisterEventListener(listener: NetworkEventListener): boolean {
    return this.#follower.deleteListener(listener);
  }

  /** Ids of the connections now, those on their way in or out included, oldest first. */
  get connectionIds(): number[] {
    return Array.from(this.#connections, ({ id }) => id);
  }

  /** The id of a connection; `undefined` once it has ended. */
  idOf(connection: GameConnection): number | undefined {
    return this.#connections.of(connection)?.id;
  }

  /** The connection behind an id; `undefined` once it has ended. */
  connection(connectionId: number): GameConnection | undefined {
    return this.#connections.get(connectionId)?.connection;
  }

  status(connectionId: number): ConnectionStatus {
    return this.#connections.get(connectionId)?.status ?? "disconnected";
  }

  /** "192.0.2.1:40123", of a WebSocket without the port; empty while no path leads there. */
  addressOf(connectionId: number): string {
    const connection = this.connection(connectionId);
    return connection === undefined ? "" : this.#transport.addressOf(connection);
  }

  /**
   * Queues a message, copying it; it leaves with the next flush (the server's tick), or earlier with others. `full`: wait for
   * `drained`. `closed`: the connection has ended, or takes no messages. Throws `RangeError` for messages and options that
   * the channel never takes.
   */
  send(connectionId: number, message: NetworkMessage, channel: Channel, options?: SendOptions): SendResult {
    const tracked = this.#connections.get(connectionId);
    if (tracked === undefined) return "closed";
    return sendTo(tracked.connection, typeof message === "function" ? message() : message, channel, options);
  }

  /** Sends to every connection that is usable, but for `except`. */
  broadcast(
    message: NetworkMessage,
    channel: Channel,
    options?: SendOptions & { readonly except?: number },
  ): MulticastResult {
    const receivers: TrackedConnection[] = [];
    for (const tracked of this.#connections) {
      if (tracked.wasConnected && tracked.id !== options?.except) receivers.push(tracked);
    }
    return this.#sendToAll(receivers, message, channel, options);
  }

  /** Sends to these connections. */
  multicast(
    connectionIds: Iterable<number>,
    message: NetworkMessage,
    channel: Channel,
    options?: SendOptions,
  ): MulticastResult {
    const receivers = Array.from(connectionIds, (id) => this.#connections.get(id));
    return this.#sendToAll(receivers, message, channel, options);
  }

  /**
   * After a `send` that answered `full`: resolves when half of the reliable queue is free again, and at once when there was
   * none. Rejects with the connection's `NetworkError` when it ends before, or has ended.
   */
  drained(connectionId: number): Promise<void> {
    const tracked = this.#connections.get(connectionId);
    if (tracked !== undefined) return tracked.waiter.drained();
    return Promise.reject(new NetworkError("aborted", `connection ${connectionId} has ended`));
  }

  /** Takes nothing more for it, delivers what was accepted (for up to `timeoutMs`, default 5,000), then disconnects. False when it has ended. */
  finish(connectionId: number, code?: number, reason?: string, timeoutMs?: number): boolean {
    const connection = this.connection(connectionId);
    if (connection === undefined) return false;
    connection.finish(code, reason, timeoutMs);
    this.#transport.flush();
    return true;
  }

  /** Ends it at once; the peer is told the application's `code` and `reason`. False when it has ended. */
  disconnect(connectionId: number, code?: number, reason?: string): boolean {
    const connection = this.connection(connectionId);
    if (connection === undefined) return false;
    connection.close(code, reason);
    this.#transport.flush();
    return true;
  }

  /** Sends what is queued in all connections; a game server does it at the end of each tick. */
  flush(): void {
    this.#transport.flush();
  }

  /** The whole server's numbers, read now. */
  stats(): NetworkStats {
    const now = this.#now();
    const { endpoint } = this.#transport;
    const { reassemblyPool: pool } = endpoint;
    const { successful } = this.#follower;
    const attempts = endpoint.connectionAttempts - this.#attemptsBefore;
    const underWay = endpoint.pendingCount + endpoint.clientCount - endpoint.connections.size;
    const counts = {
      totalConnections: this.#connections.total,
      connectionAttempts: attempts,
      successfulConnections: successful,
      failedConnections: Math.max(0, attempts - successful - underWay),
      refusedRequests: refusedRequests(endpoint.drops),
      reassemblyLimitBytes: pool.limitBytes,
      reassembliesEvicted: pool.evicted,
    };
    return readNetworkStats([...this.#connections], this.#connections.closedTotals(now), counts, now);
  }

  /** One connection's numbers, read now; `undefined` once it has ended. */
  connectionStats(connectionId: number): ConnectionNetworkStats | undefined {
    const tracked = this.#connections.get(connectionId);
    return tracked && readConnectionStats(tracked, this.#now());
  }

  /** Another algorithm from now on, by name or made by your own function; it starts from its own initial window. False when the connection has ended. */
  setCongestionControl(connectionId: number, algorithm: CongestionControlName | (() => CongestionControl)): boolean {
    const create = typeof algorithm === "function" ? algorithm : this.#factory(algorithm);
    const connection = this.connection(connectionId);
    connection?.setCongestionControl(create);
    return connection !== undefined;
  }

  /** Priorities, weights and rate limits of all connections; a change counts at once for those without a setting of their own. */
  get qos(): QosSettings {
    return this.#transport.endpoint.qos;
  }

  /** The same of one connection, over those of the server; `undefined` once it has ended. */
  qosOf(connectionId: number): QosManager | undefined {
    return this.connection(connectionId)?.qos;
  }

  /** Changes some of a channel's values, of the server or of one connection. False when that has ended. */
  setQos(channel: Channel, values: Partial<ChannelQos>, connectionId?: number): boolean {
    const settings = connectionId === undefined ? this.qos : this.qosOf(connectionId);
    settings?.set(channel, values);
    return settings !== undefined;
  }

  /** Whether `simulateNetworkConditions` works here: never in production. */
  get canSimulate(): boolean {
    return this.#transport.canSimulate;
  }

  /**
   * Puts a bad link in front of all connections, or of one alone, in both directions, wherever it moves; `undefined` takes
   * it away. Throws `TypeError` in production. False when the connection has ended.
   */
  simulateNetworkConditions(conditions: NetworkConditions | undefined, connectionId?: number): boolean {
    if (conditions !== undefined && !this.canSimulate) {
      throw new TypeError("network conditions cannot be simulated here: in production, and where it was switched off");
    }
    if (connectionId === undefined) {
      this.#transport.simulate(conditions);
      return true;
    }
    const connection = this.connection(connectionId);
    if (connection !== undefined) this.#transport.simulate(conditions, connection);
    return connection !== undefined;
  }

  /** Fragmented messages that wait for their missing pieces, of all connections or of one. */
  inspectReassembly(connectionId?: number): ReassemblyReport {
    return readReassembly(this.#transport.endpoint.reassemblyPool, this.#some(connectionId));
  }

  /** Drops them and frees their memory. Returns how many there were. */
  clearReassembly(connectionId?: number): number {
    return clearReassembly(this.#some(connectionId));
  }

  /** Traces one connection's packets, beside whoever else does. False when it has ended. */
  addTrace(connectionId: number, trace: ConnectionTrace): boolean {
    const tracked = this.#connections.get(connectionId);
    tracked?.traces.add(trace);
    return tracked !== undefined;
  }

  removeTrace(connectionId: number, trace: ConnectionTrace): void {
    this.#connections.get(connectionId)?.traces.delete(trace);
  }

  /** Hears nothing more of the transport: its listeners and traces neither, and who waits for `drained` is told. */
  [Symbol.dispose](): void {
    this.#unobserve();
    this.#follower.stop();
  }

  #some(connectionId: number | undefined): Iterable<TrackedConnection> {
    if (connectionId === undefined) return this.#connections;
    const tracked = this.#connections.get(connectionId);
    return tracked === undefined ? [] : [tracked];
  }

  #sendToAll(
    receivers: readonly (TrackedConnection | undefined)[],
    message: NetworkMessage,
    channel: Channel,
    options: SendOptions | undefined,
  ): MulticastResult {
    const full: number[] = [];
    let bytes: Uint8Array | undefined;
    let queued = 0;
    for (const tracked of receivers) {
      if (tracked === undefined) continue;
      bytes ??= typeof message === "function" ? message() : message;
      const result = sendTo(tracked.connection, bytes, channel, options);
      if (result === "queued") queued++;
      else if (result === "full") full.push(tracked.id);
    }
    return { queued, full, closed: receivers.length - queued - full.length };
  }

  #factory(name: CongestionControlName): () => CongestionControl {
    let factory = this.#factories.get(name);
    if (factory === undefined) {
      factory = congestionControlFactory(name);
      this.#factories.set(name, factory);
    }
    return factory;
  }
}

function sendTo(
  connection: GameConnection,
  bytes: Uint8Array,
  channel: Channel,
  options: SendOptions | undefined,
): SendResult {
  return connection.send(channel, bytes, 0, bytes.length, options);
}
