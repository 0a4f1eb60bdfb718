/**
 * A server's end of all its connections, on all carriers: netcode admits and protects, one
 * `Connection` for each client frames. Costs the same for every packet however many clients there
 * are: connections with something to send wait in a ring, those with a timer in a heap.
 */
import { Connection, QosSettings, ReassemblyPool } from "../channel/index.ts";
import type { ConnectionExtensions, ConnectionOptions, ConnectionSink, GameConnection } from "../channel/index.ts";
import type { Crypto, KeyStore, ReceivedPacket, TransmitSlot } from "../machine.ts";
import { Deadlines, MAX_PACKET_BYTES, NetcodeServer, readUserData, ReadyRing } from "../netcode/index.ts";
import type {
  NetcodeAddress,
  NetcodeDrops,
  ServerDisconnectReason,
  ServerSession,
  SharedAdmission,
} from "../netcode/index.ts";
import { NetworkError } from "../network-error.ts";
import { ConnectionMigrator } from "../path/index.ts";
import type { MigrationState } from "../path/index.ts";
import type { Endpoint, EndpointConnectionOptions, EndpointDriver, EndpointEvent } from "./endpoint.ts";
import { takesAes, wasUsable } from "./endpoint.ts";
import { EventQueue } from "./event-queue.ts";
import { fillProbe, watchPaths } from "./path-probing.ts";

export interface ServerEndpointOptions extends EndpointConnectionOptions {
  readonly protocolId: bigint;
  /** 32 bytes shared with the token service. */
  readonly privateKey: Uint8Array;
  /** 1 to 4,096. */
  readonly maxClients: number;
  /** What connect tokens call this server: numeric addresses with port. */
  readonly publicAddresses: readonly (NetcodeAddress | string)[];
  /** 8 bytes that clients must match; `undefined`: plain netcode peers only. */
  readonly schemaHash: Uint8Array | undefined;
  readonly crypto: Crypto;
  readonly keys: KeyStore;
  readonly driver: EndpointDriver;
  readonly sink: ConnectionSink;
  /** Monotonic milliseconds, and the Unix time at that instant. */
  readonly now: number;
  readonly unixSeconds: number;
  /** What the unfinished fragmented messages of all connections may hold. Default 64 MiB. */
  readonly reassemblyPoolBytes?: number;
  /** What it shares with endpoints of other threads on its port. Default: it is alone. */
  readonly shared?: SharedAdmission;
  /** See `NetcodeServerOptions`. */
  readonly maxPending?: number;
  readonly tokenHistory?: number;
  readonly handshakesPerSecond?: number;
}

/** A connection whose path takes no more packets is asked again after this time. */
const BLOCKED_RETRY_MS = 5;
/** How long a closed connection waits for its path to take the reason; its seat is free afterwards. */
const CLOSE_GRACE_MS = 1000;

export class ServerEndpoint implements Endpoint {
  readonly #options: ServerEndpointOptions;
  readonly #netcode: NetcodeServer;
  readonly #driver: EndpointDriver;
  /** By netcode client index. */
  readonly #connections: (Connection | undefined)[];
  readonly #announced: Set<Connection> = new Set();
  readonly #deadlines: Deadlines;
  /** When a closed connection whose path is blocked is given up, by client index. */
  readonly #leaveBy: Float64Array;
  readonly #events: EventQueue = new EventQueue();
  readonly #owner: ConnectionOptions["owner"];
  readonly #migrator: ConnectionMigrator;
  /** Connections whose messages wait for others to share a packet with, or for `flush`. */
  readonly #held: ReadyRing;
  /** Priorities, weights and rate limits of the channels: change them at any time. */
  readonly qos: QosSettings;
  /** What the unfinished fragmented messages of all connections share. */
  readonly reassemblyPool: ReassemblyPool;

  constructor(options: ServerEndpointOptions) {
    this.#options = options;
    this.#driver = options.driver;
    this.qos = new QosSettings(options.qos);
    this.reassemblyPool = new ReassemblyPool(options.reassemblyPoolBytes);
    this.#held = new ReadyRing(options.maxClients);
    this.#connections = Array.from({ length: options.maxClients }, () => undefined);
    this.#deadlines = new Deadlines(options.maxClients);
    this.#leaveBy = new Float64Array(options.maxClients);
    this.#owner = {
      wake: (connection) => this.#wake(connection),
      opened: (connection) => this.#opened(connection),
      closing: (connection) => this.#events.push({ type: "closing", connection }),
    };
    this.qos.onChange = () => this.#wakeAll();
    this.#migrator = new ConnectionMigrator({
      role: "server",
      maxConnections: options.maxClients,
      randomBytes: (length) => options.crypto.randomBytes(length),
      retainPath: (path) => this.#driver.retainPath(path),
      releasePath: (path) => this.#driver.releasePath(path),
      move: (index, path, now) => this.#move(index, path, now),
      wake: (index) => this.#netcode.probe(index),
    });
    this.#netcode = new NetcodeServer({
      ...options,
      aes: takesAes(this.#options),
      handler: {
        connected: (session, now) => this.#connected(session, now),
        disconnected: (session, reason) => this.#disconnected(session, reason),
        payload: (session, packet, offset, length, now) => this.#payload(session, packet, offset, length, now),
        fill: (session, buffer, offset, capacity, packetNumber, now) =>
          this.#fill(session, buffer, offset, capacity, packetNumber, now),
        interrupted: (session) => this.#interrupted(session),
        fillProbe: (session, slot, offset, capacity, packetNumber, now) =>
          this.#fillProbe(session, slot, offset, capacity, packetNumber, now),
        retainPath: (path) => this.#driver.retainPath(path),
        releasePath: (path) => this.#driver.releasePath(path),
        addressOf: (path) => this.#driver.addressOf?.(path) ?? String(path),
      },
    });
  }

  /** Connections that are usable. */
  get connections(): Iterable<Connection> & { readonly size: number } {
    return this.#announced;
  }

  /** Seats taken, those still in their hello included. */
  get clientCount(): number {
    return this.#netcode.clientCount;
  }

  get maxClients(): number {
    return this.#netcode.maxClients;
  }

  /** Admissions under way. */
  get pendingCount(): number {
    return this.#netcode.pendingCount;
  }

  /** Admissions begun, and clients turned away because every seat was taken. */
  get connectionAttempts(): number {
    return this.#netcode.attempts;
  }

  /** Why datagrams were dropped, counted. */
  get drops(): NetcodeDrops {
    return this.#netcode.drops;
  }

  /** Connect tokens remembered, and how many were forgotten before they expired. */
  get tokenHistory(): { readonly size: number; readonly evicted: number } {
    return this.#netcode.tokenHistory;
  }

  /** The Unix time at `now`: drivers tell it every few seconds, since wall clocks are set and machines sleep. */
  setUnixTime(unixSeconds: number, now: number): void {
    this.#netcode.setUnixTime(unixSeconds, now);
  }

  /** Moves done, challenges sent, paths that did not answer, new paths that were too many. */
  get migrations(): Pick<ConnectionMigrator, "migrations" | "challengesSent" | "failed" | "rateLimited"> {
    return this.#migrator;
  }

  /** Whether a connection is about to move. */
  migrationState(connection: Connection): MigrationState {
    return this.#migrator.state(connection.index);
  }

  /** The path of a connection; -1 while none leads to its peer, and once it has ended. */
  pathOf(connection: GameConnection): number {
    const { index } = connection;
    return this.#connections[index] === connection ? (this.#netcode.session(index)?.path ?? -1) : -1;
  }

  /** Messages of all connections wait no longer for others to share a packet with. Call it at the end of a tick. */
  flush(): void {
    for (let index = this.#held.shift(); index >= 0; index = this.#held.shift()) {
      const connection = this.#connections[index];
      if (connection === undefined) continue;
      connection.flush();
      this.#netcode.wake(index);
    }
  }

  /** Sends a client away with the application's own code; `connection.fail` says why in ours. */
  disconnect(connection: Connection, code?: number, reason?: string): void {
    connection.close(code, reason);
  }

  /** Sends everybody away and admits nobody any more. Poll until idle to tell them. */
  close(now: number): void {
    this.#netcode.stop(now);
  }

  /** The driver lost a path (a WebSocket closed): its connection ends at once, or waits for another one if it may move. */
  handlePathClosed(path: number, now: number): void {
    this.#migrator.onPathClosed(path, now);
    this.#netcode.handlePathClosed(path, now);
  }

  /** The socket refused a datagram as too large for its path. */
  handleRefused(path: number, bytes: number, now: number): void {
    const index = this.#netcode.clientIndexByPath(path);
    if (index >= 0) this.#connections[index]?.handleRefused(bytes, now);
  }

  classify(packet: ReceivedPacket): void {
    this.#netcode.classify(packet);
  }

  receive(packet: ReceivedPacket, now: number): void {
    this.#netcode.receive(packet, now);
  }

  handleTimeout(now: number): void {
    this.#netcode.handleTimeout(now);
    this.#migrator.handleTimeout(now);
    for (let index = this.#deadlines.due(now); index >= 0; index = this.#deadlines.due(now)) {
      this.#deadlines.clear(index);
      const connection = this.#connections[index];
      if (connection === undefined) continue;
      connection.handleTimeout(now);
      this.#announce(connection);
      if (!connection.interrupted) this.#netcode.wake(index);
      else if (connection.state === "closed") this.#netcode.disconnect(index, now);
      else this.#deadlines.set(index, connection.nextTimeout());
    }
  }

  pollTransmit(slot: TransmitSlot, now: number): boolean {
    return this.#netcode.pollTransmit(slot, now);
  }

  pollEvent(): EndpointEvent | undefined {
    return this.#events.shift();
  }

  nextTimeout(): number {
    return Math.min(this.#netcode.nextTimeout(), this.#deadlines.earliest, this.#migrator.nextTimeout());
  }

  #wake(connection: Connection): void {
    const { index } = connection;
    if (this.#connections[index] !== connection) return;
    this.#held.push(index);
    this.#netcode.wake(index);
    // Without a path nobody asks it for its last words.
    if (connection.interrupted) this.#deadlines.advance(index, connection.nextTimeout());
  }

  /** Something that counts for all of them has changed. */
  #wakeAll(): void {
    for (const connection of this.#connections) if (connection !== undefined) this.#wake(connection);
  }

  /** What the token of a session permits, and the driver is able to. */
  #extensionsOf(session: ServerSession): ConnectionExtensions {
    const { largePackets = true, migration = true } = this.#options.extensions ?? {};
    const permitted = readUserData(session.userData);
    const { maxDatagramBytes = 0 } = this.#driver;
    const isLarge = largePackets && permitted.allowLargePackets && maxDatagramBytes > MAX_PACKET_BYTES;
    return {
      aes: takesAes(this.#options),
      ...(isLarge && { largePackets: maxDatagramBytes }),
      ...(migration && permitted.allowMigration && { migration: this.#netcode.name(session.index) }),
    };
  }

  #opened(connection: Connection): void {
    const { largePackets, sessionId, aes } = connection.negotiated;
    this.#netcode.setExtensions(connection.index, {
      maxPayloadBytes: largePackets === undefined ? 0 : (this.#driver.maxDatagramBytes ?? 0),
      movable: sessionId !== undefined,
      aes,
    });
  }

  #move(index: number, path: number, now: number): boolean {
    const connection = this.#connections[index];
    const before = this.#netcode.session(index)?.path ?? -1;
    if (connection === undefined || !this.#netcode.move(index, path, now)) return false;
    const isFresh = before < 0 || this.#driver.isSameHost?.(before, path) !== true;
    connection.resume(this.#driver.carrierOf(path), isFresh, now);
    this.#netcode.wake(index);
    this.#events.push({ type: "migrated", connection, path });
    return true;
  }

  #interrupted(session: ServerSession): void {
    const connection = this.#connections[session.index];
    if (connection === undefined) return;
    connection.interrupt();
    this.#deadlines.set(session.index, connection.nextTimeout());
    this.#events.push({ type: "interrupted", connection });
  }

  #fillProbe(
    session: ServerSession,
    slot: TransmitSlot,
    offset: number,
    capacity: number,
    packetNumber: number,
    now: number,
  ): number {
    const connection = this.#connections[session.index];
    if (connection === undefined) return 0;
    return fillProbe(this.#migrator, this.#driver, connection, slot, offset, capacity, packetNumber, now);
  }

  #connected(session: ServerSession, now: number): void {
    const { schemaHash, sink, limits, batch, congestionControl } = this.#options;
    const { index, clientId, userData, handshakeRttMs } = session;
    const options: ConnectionOptions = {
      role: "server",
      carrier: this.#driver.carrierOf(session.path),
      hello: schemaHash === undefined ? undefined : { version: 1, schemaHash, extensions: this.#extensionsOf(session) },
      sink,
      owner: this.#owner,
      now,
      index,
      clientId,
      userData,
      qosDefaults: this.qos,
      reassemblyPool: this.reassemblyPool,
      ...(batch !== undefined && { batch }),
      ...(congestionControl !== undefined && { congestionControl }),
      ...(handshakeRttMs !== undefined && { initialRttMs: handshakeRttMs }),
      ...(limits !== undefined && { limits }),
    };
    const connection = new Connection(options);
    session.context = connection;
    this.#connections[index] = connection;
    this.#leaveBy[index] = Infinity;
    this.#events.push({ type: "admitted", connection });
    this.#announce(connection);
  }

  #disconnected(session: ServerSession, reason: ServerDisconnectReason): void {
    const connection = this.#connections[session.index];
    this.#connections[session.index] = undefined;
    this.#deadlines.clear(session.index);
    this.#migrator.forget(session.index);
    if (connection === undefined) return;
    if (reason === "displaced") {
      connection.fail(new NetworkError("displaced", "a newer connection took this client's place"));
    } else if (reason === "serverDisconnected") connection.close();
    else connection.abandon(errorOf(reason));
    this.#announce(connection);
    this.#ended(connection, reason === "displaced");
  }

  #payload(session: ServerSession, packet: ReceivedPacket, offset: number, length: number, now: number): void {
    const connection = this.#connections[session.index];
    if (connection === undefined) return;
    connection.receivePayload(packet.buffer, offset, length, packet.packetNumber, packet.ecn, now);
    // Whoever heard a message may have closed the whole server.
    if (this.#connections[session.index] !== connection) return;
    this.#announce(connection);
    this.#netcode.wake(session.index);
    const isMovable = session.movable && connection.state !== "closed";
    if (isMovable) watchPaths(this.#migrator, connection, packet, session.path, true, now);
  }

  #fill(
    session: ServerSession,
    buffer: Uint8Array,
    offset: number,
    capacity: number,
    packetNumber: number,
    now: number,
  ): number {
    const connection = session.context;
    if (!(connection instanceof Connection)) return 0;
    const { index } = session;
    const live = this.#connections[index] === connection;
    if (!this.#driver.writable(session.path)) {
      if (live) this.#awaitPath(connection, now);
      return 0;
    }
    const length = connection.fillPayload(buffer, offset, capacity, packetNumber, now);
    if (length > 0 || !live) return length;
    if (connection.state === "closed") this.#netcode.disconnect(index, now);
    // At least a millisecond on: what is due now was just asked for.
    else this.#deadlines.set(index, Math.max(connection.nextTimeout(), now + 1));
    return 0;
  }

  /** The path takes nothing now. A client that never reads must not keep its seat after it was sent away. */
  #awaitPath(connection: Connection, now: number): void {
    const { index } = connection;
    if (connection.state === "closed") {
      if (now >= this.#leaveBy[index]) {
        this.#netcode.disconnect(index, now);
        return;
      }
      this.#leaveBy[index] = Math.min(this.#leaveBy[index], now + CLOSE_GRACE_MS);
    }
    this.#deadlines.advance(index, now + BLOCKED_RETRY_MS);
  }

  #announce(connection: Connection): void {
    if (this.#announced.has(connection) || !wasUsable(connection)) return;
    this.#announced.add(connection);
    this.#events.push({ type: "connected", connection });
  }

  #ended(connection: Connection, displaced: boolean): void {
    const error =
      connection.closeError ?? (displaced ? new NetworkError("displaced", "a newer connection") : undefined);
    if (this.#announced.delete(connection)) this.#events.push({ type: "disconnected", connection, error });
    else {
      const why = error ?? new NetworkError("closedByPeer", "the client left before it said hello");
      this.#events.push({ type: "rejected", connection, error: why });
    }
  }
}

function errorOf(reason: ServerDisconnectReason): NetworkError {
  if (reason === "timedOut") return new NetworkError("timedOut", "nothing came from the client for its timeout");
  if (reason === "pathClosed") return new NetworkError("carrierFailed", "the carrier below the connection closed");
  return new NetworkError("closedByPeer", "the client disconnected");
}
