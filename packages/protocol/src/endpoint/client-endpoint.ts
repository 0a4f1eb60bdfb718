/** A client's end of one connection: netcode asks for admission and protects, a `Connection` frames. */
import { Connection } from "../channel/index.ts";
import type { ConnectionExtensions, ConnectionOptions, ConnectionSink } from "../channel/index.ts";
import type { Crypto, KeyStore, ReceivedPacket, TransmitSlot } from "../machine.ts";
import { MAX_PACKET_BYTES, NetcodeClient } from "../netcode/index.ts";
import type { NetcodeClientState, NetcodeDrops } from "../netcode/index.ts";
import { NetworkError } from "../network-error.ts";
import { ConnectionMigrator } from "../path/index.ts";
import type { MigrationState } from "../path/index.ts";
import type { Endpoint, EndpointConnectionOptions, EndpointDriver, EndpointEvent } from "./endpoint.ts";
import { takesAes, wasUsable } from "./endpoint.ts";
import { EventQueue } from "./event-queue.ts";
import { fillProbe, watchPaths } from "./path-probing.ts";

export interface ClientEndpointOptions extends EndpointConnectionOptions {
  /** A connect token: 2,048 bytes. */
  readonly token: Uint8Array;
  /** The driver's path to each server address of the token, in its order; -1: cannot be reached, skip it. */
  readonly serverPaths: readonly number[];
  /** 8 bytes that the server must match; `undefined`: the server is a plain netcode program. */
  readonly schemaHash: Uint8Array | undefined;
  readonly crypto: Crypto;
  readonly keys: KeyStore;
  readonly driver: EndpointDriver;
  readonly sink: ConnectionSink;
  readonly now: number;
}

/** A path that takes no more packets is tried again after this time. */
const BLOCKED_RETRY_MS = 5;
/** The one connection, for the migrator. */
const CONNECTION = 0;

export class ClientEndpoint implements Endpoint {
  readonly #options: ClientEndpointOptions;
  readonly #netcode: NetcodeClient;
  readonly #events: EventQueue = new EventQueue();
  readonly #migrator: ConnectionMigrator;
  /** The path moved to last, which is retained for itself; -1: those of the token's servers are. */
  #movedPath = -1;
  #connection: Connection | undefined;
  #announced = false;
  #over = false;
  #pathsHeld = true;
  #wakeAt = Infinity;

  constructor(options: ClientEndpointOptions) {
    this.#options = options;
    this.#netcode = new NetcodeClient({
      ...options,
      aes: takesAes(options),
      ...(this.#takesLarge() && { maxPayloadBytes: options.driver.maxDatagramBytes }),
      handler: {
        stateChanged: (state, now) => this.#stateChanged(state, now),
        payload: (packet, offset, length, now) => this.#payload(packet, offset, length, now),
        fill: (buffer, offset, capacity, packetNumber, now) => this.#fill(buffer, offset, capacity, packetNumber, now),
        interrupted: () => this.#interrupted(),
        fillProbe: (slot, offset, capacity, packetNumber, now) =>
          this.#fillProbe(slot, offset, capacity, packetNumber, now),
      },
    });
    this.#migrator = new ConnectionMigrator({
      role: "client",
      maxConnections: 1,
      randomBytes: (length) => options.crypto.randomBytes(length),
      retainPath: (path) => options.driver.retainPath(path),
      releasePath: (path) => options.driver.releasePath(path),
      move: (_index, path, now) => this.#move(path, now),
      failed: (_index, path) => this.#migrationFailed(path),
      wake: () => this.#netcode.probe(),
    });
    for (const path of options.serverPaths) if (path >= 0) options.driver.retainPath(path);
    if (!this.#netcode.active) this.#ended(errorOf(this.#netcode.state));
  }

  /** From netcode's admission on; usable after "connected". */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** How far netcode's handshake is. */
  get state(): NetcodeClientState {
    return this.#netcode.state;
  }

  /** Why datagrams were dropped, counted. */
  get drops(): NetcodeDrops {
    return this.#netcode.drops;
  }

  /** Nothing will be sent any more: the driver may close its socket. */
  get finished(): boolean {
    return this.#netcode.finished;
  }

  /** The path in use; -1 while none leads to the server. */
  get path(): number {
    return this.#netcode.path;
  }

  /** Which server address of the token is used. */
  get serverIndex(): number {
    return this.#netcode.serverIndex;
  }

  /** When the server was heard last. */
  get lastReceivedAt(): number {
    return this.#netcode.lastReceivedAt;
  }

  get migrationState(): MigrationState {
    return this.#migrator.state(CONNECTION);
  }

  /**
   * Wants to go on by another path to the same server, from another address or by another carrier. It is asked first;
   * "migrated" or "migrationFailed" follows. False when the connection cannot move: it is not open, or the server
   * does not allow it.
   */
  migrate(path: number, now: number): boolean {
    if (this.#connection?.negotiated.sessionId === undefined || !this.#netcode.active) return false;
    this.#migrator.initiateMigration(CONNECTION, path, this.#netcode.path, now);
    return true;
  }

  /** Leaves, or gives up connecting. Poll until idle to tell the server. */
  close(now: number, code?: number, reason?: string): void {
    if (this.#connection === undefined) {
      if (this.#netcode.active) this.#ended(new NetworkError("aborted", "the attempt to connect was given up"));
      this.#netcode.disconnect(now);
      return;
    }
    this.#connection.close(code, reason);
    // Without a path there is nobody to be told.
    if (this.#netcode.path < 0) this.#netcode.disconnect(now);
  }

  /** The driver lost a path (the WebSocket closed). */
  handlePathClosed(path: number, now: number): void {
    this.#migrator.onPathClosed(path, now);
    const connection = this.#connection;
    if (path === this.#netcode.path && connection !== undefined && connection.negotiated.sessionId === undefined) {
      connection.abandon(new NetworkError("carrierFailed", "the carrier below the connection closed"));
    }
    this.#netcode.handlePathClosed(path, now);
  }

  /** The socket refused a datagram as too large for its path. */
  handleRefused(path: number, bytes: number, now: number): void {
    if (path === this.#netcode.path) this.#connection?.handleRefused(bytes, now);
  }

  /** Messages wait no longer for others to share a packet with. */
  flush(): void {
    this.#connection?.flush();
    this.#netcode.wake();
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
    if (this.#netcode.finished) this.#releasePaths();
    const connection = this.#connection;
    if (connection === undefined || now < this.#wakeAt) return;
    this.#wakeAt = Infinity;
    connection.handleTimeout(now);
    this.#announce();
    if (!connection.interrupted) this.#netcode.wake();
    else if (connection.state === "closed") this.#netcode.disconnect(now);
    else this.#wakeAt = connection.nextTimeout();
  }

  pollTransmit(slot: TransmitSlot, now: number): boolean {
    return this.#netcode.pollTransmit(slot, now);
  }

  pollEvent(): EndpointEvent | undefined {
    return this.#events.shift();
  }

  nextTimeout(): number {
    return Math.min(this.#netcode.nextTimeout(), this.#wakeAt, this.#migrator.nextTimeout());
  }

  #stateChanged(state: NetcodeClientState, now: number): void {
    if (state === "connected") {
      this.#admitted(now);
      return;
    }
    if (this.#netcode.active) return;
    const connection = this.#connection;
    const error = errorOf(state);
    if (connection !== undefined && connection.state !== "closed") connection.abandon(error);
    this.#wakeAt = Infinity;
    this.#ended(error);
  }

  #admitted(now: number): void {
    const { schemaHash, sink, limits, batch, congestionControl, qos, driver } = this.#options;
    const { handshakeRttMs } = this.#netcode;
    const options: ConnectionOptions = {
      role: "client",
      carrier: driver.carrierOf(this.#netcode.path),
      hello: schemaHash === undefined ? undefined : { version: 1, schemaHash, extensions: this.#extensions() },
      sink,
      owner: { wake: (connection) => this.#wake(connection), opened: (connection) => this.#opened(connection) },
      now,
      ...(batch !== undefined && { batch }),
      ...(congestionControl !== undefined && { congestionControl }),
      ...(qos !== undefined && { qos }),
      ...(handshakeRttMs !== undefined && { initialRttMs: handshakeRttMs }),
      ...(limits !== undefined && { limits }),
    };
    this.#connection = new Connection(options);
    this.#netcode.wake();
    this.#announce();
  }

  #wake(connection: Connection): void {
    this.#netcode.wake();
    // Without a path nobody asks it for its last words.
    if (connection.interrupted) this.#wakeAt = Math.min(this.#wakeAt, connection.nextTimeout());
  }

  #payload(packet: ReceivedPacket, offset: number, length: number, now: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.receivePayload(packet.buffer, offset, length, packet.packetNumber, packet.ecn, now);
    this.#announce();
    this.#netcode.wake();
    const isMovable = connection.negotiated.sessionId !== undefined;
    if (isMovable) watchPaths(this.#migrator, connection, packet, this.#netcode.path, false, now);
  }

  #takesLarge(): boolean {
    const { driver, extensions, schemaHash } = this.#options;
    const wanted = extensions?.largePackets ?? true;
    return wanted && schemaHash !== undefined && (driver.maxDatagramBytes ?? 0) > MAX_PACKET_BYTES;
  }

  #extensions(): ConnectionExtensions {
    const { driver, extensions } = this.#options;
    return {
      aes: takesAes(this.#options),
      ...(this.#takesLarge() && { largePackets: driver.maxDatagramBytes }),
      ...((extensions?.migration ?? true) && { migration: true }),
    };
  }

  #opened(connection: Connection): void {
    const { largePackets, sessionId, aes } = connection.negotiated;
    if (aes) this.#netcode.sendAes();
    if (sessionId !== undefined) this.#netcode.setSessionId(sessionId);
    if (largePackets !== undefined) this.#netcode.setMaxPayload(largePackets);
  }

  #move(path: number, now: number): boolean {
    const { driver } = this.#options;
    const connection = this.#connection;
    if (connection === undefined || !this.#netcode.active) return false;
    const before = this.#netcode.path;
    driver.retainPath(path);
    if (this.#movedPath >= 0) driver.releasePath(this.#movedPath);
    else this.#releaseServerPaths();
    this.#movedPath = path;
    this.#netcode.move(path, now);
    const isFresh = before < 0 || driver.isSameHost?.(before, path) !== true;
    connection.resume(driver.carrierOf(path), isFresh, now);
    this.#netcode.wake();
    this.#events.push({ type: "migrated", connection, path });
    return true;
  }

  #interrupted(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.interrupt();
    this.#wakeAt = connection.nextTimeout();
    this.#events.push({ type: "interrupted", connection });
  }

  #migrationFailed(path: number): void {
    if (this.#connection !== undefined) {
      this.#events.push({ type: "migrationFailed", connection: this.#connection, path });
    }
  }

  #fillProbe(slot: TransmitSlot, offset: number, capacity: number, packetNumber: number, now: number): number {
    const connection = this.#connection;
    if (connection === undefined) return 0;
    const { driver } = this.#options;
    return fillProbe(this.#migrator, driver, connection, slot, offset, capacity, packetNumber, now);
  }

  #fill(buffer: Uint8Array, offset: number, capacity: number, packetNumber: number, now: number): number {
    const connection = this.#connection;
    if (connection === undefined) return 0;
    if (!this.#options.driver.writable(this.#netcode.path)) {
      this.#wakeAt = Math.min(this.#wakeAt, now + BLOCKED_RETRY_MS);
      return 0;
    }
    const length = connection.fillPayload(buffer, offset, capacity, packetNumber, now);
    if (length > 0) return length;
    if (connection.state === "closed") this.#netcode.disconnect(now);
    // At least a millisecond on: what is due now was just asked for.
    else this.#wakeAt = Math.max(connection.nextTimeout(), now + 1);
    return 0;
  }

  #announce(): void {
    const connection = this.#connection;
    if (this.#announced || connection === undefined || !wasUsable(connection)) return;
    this.#announced = true;
    this.#events.push({ type: "connected", connection });
  }

  #ended(error: NetworkError): void {
    if (this.#over) return;
    this.#over = true;
    const connection = this.#connection;
    if (this.#announced && connection !== undefined) {
      this.#events.push({ type: "disconnected", connection, error: connection.closeError });
    } else this.#events.push({ type: "rejected", connection, error: connection?.closeError ?? error });
  }

  #releaseServerPaths(): void {
    if (!this.#pathsHeld) return;
    this.#pathsHeld = false;
    for (const path of this.#options.serverPaths) if (path >= 0) this.#options.driver.releasePath(path);
  }

  #releasePaths(): void {
    this.#releaseServerPaths();
    if (this.#movedPath >= 0) this.#options.driver.releasePath(this.#movedPath);
    this.#movedPath = -1;
    this.#migrator.forget(CONNECTION);
  }
}

function errorOf(state: NetcodeClientState): NetworkError {
  switch (state) {
    case "connectTokenExpired":
      return new NetworkError("tokenExpired", "the connect token expired before a server answered");
    case "invalidConnectToken":
      return new NetworkError("invalidToken", "this is no connect token, or it names no server within reach");
    case "connectionTimedOut":
      return new NetworkError("timedOut", "nothing came from the server for the token's timeout");
    case "connectionRequestTimedOut":
      return new NetworkError("timedOut", "no server answered the connection request");
    case "connectionResponseTimedOut":
      return new NetworkError("timedOut", "the server did not confirm the connection");
    case "connectionDenied":
      return new NetworkError("denied", "the server denied admission: it is full");
    case "disconnected":
    case "sendingConnectionRequest":
    case "sendingConnectionResponse":
    case "connected":
      return new NetworkError("closedByPeer", "the server ended the connection");
  }
}
