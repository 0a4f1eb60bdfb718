/**
 * A server's end of all its connections, on all carriers: netcode admits and protects, one
 * `Connection` for each client frames. Costs the same for every packet however many clients there
 * are: connections with something to send wait in a ring, those with a timer in a heap.
 */
import { Connection } from "../channel/index.ts";
import type { ConnectionLimits, ConnectionOptions, ConnectionSink } from "../channel/index.ts";
import type { Crypto, KeyStore, Machine, ReceivedPacket, TransmitSlot } from "../machine.ts";
import { Deadlines, NetcodeServer } from "../netcode/index.ts";
import type { NetcodeAddress, NetcodeDrops, ServerDisconnectReason, ServerSession } from "../netcode/index.ts";
import { NetworkError } from "../network-error.ts";
import type { EndpointDriver, EndpointEvent } from "./endpoint.ts";
import { wasUsable } from "./endpoint.ts";
import { EventQueue } from "./event-queue.ts";

export interface ServerEndpointOptions {
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
  /** Bounds of each connection's queues; see `ConnectionLimits` for the defaults. */
  readonly limits?: Partial<ConnectionLimits>;
  /** See `NetcodeServerOptions`. */
  readonly maxPending?: number;
  readonly tokenHistory?: number;
  readonly handshakesPerSecond?: number;
}

/** A connection whose path takes no more packets is asked again after this time. */
const BLOCKED_RETRY_MS = 5;
/** How long a closed connection waits for its path to take the reason; its seat is free afterwards. */
const CLOSE_GRACE_MS = 1000;

export class ServerEndpoint implements Machine<EndpointEvent> {
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
  readonly #owner: { wake(connection: Connection): void };

  constructor(options: ServerEndpointOptions) {
    this.#options = options;
    this.#driver = options.driver;
    this.#connections = Array.from({ length: options.maxClients }, () => undefined);
    this.#deadlines = new Deadlines(options.maxClients);
    this.#leaveBy = new Float64Array(options.maxClients);
    this.#owner = { wake: (connection) => this.#wake(connection) };
    this.#netcode = new NetcodeServer({
      ...options,
      handler: {
        connected: (session, now) => this.#connected(session, now),
        disconnected: (session, reason) => this.#disconnected(session, reason),
        payload: (session, packet, offset, length, now) => this.#payload(session, packet, offset, length, now),
        fill: (session, buffer, offset, capacity, packetNumber, now) =>
          this.#fill(session, buffer, offset, capacity, packetNumber, now),
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

  /** Sends a client away with the application's own code; `connection.fail` says why in ours. */
  disconnect(connection: Connection, code?: number, reason?: string): void {
    connection.close(code, reason);
  }

  /** Sends everybody away and admits nobody any more. Poll until idle to tell them. */
  close(now: number): void {
    this.#netcode.stop(now);
  }

  /** The driver lost a path (a WebSocket closed): its connection ends at once. */
  handlePathClosed(path: number, now: number): void {
    this.#netcode.handlePathClosed(path, now);
  }

  classify(packet: ReceivedPacket): void {
    this.#netcode.classify(packet);
  }

  receive(packet: ReceivedPacket, now: number): void {
    this.#netcode.receive(packet, now);
  }

  handleTimeout(now: number): void {
    this.#netcode.handleTimeout(now);
    for (let index = this.#deadlines.due(now); index >= 0; index = this.#deadlines.due(now)) {
      this.#deadlines.clear(index);
      const connection = this.#connections[index];
      if (connection === undefined) continue;
      connection.handleTimeout(now);
      this.#announce(connection);
      this.#netcode.wake(index);
    }
  }

  pollTransmit(slot: TransmitSlot, now: number): boolean {
    return this.#netcode.pollTransmit(slot, now);
  }

  pollEvent(): EndpointEvent | undefined {
    return this.#events.shift();
  }

  nextTimeout(): number {
    return Math.min(this.#netcode.nextTimeout(), this.#deadlines.earliest);
  }

  #wake(connection: Connection): void {
    if (this.#connections[connection.index] === connection) this.#netcode.wake(connection.index);
  }

  #connected(session: ServerSession, now: number): void {
    const { schemaHash, sink, limits } = this.#options;
    const { index, clientId, userData, handshakeRttMs } = session;
    const options: ConnectionOptions = {
      role: "server",
      carrier: this.#driver.carrierOf(session.path),
      hello: schemaHash === undefined ? undefined : { version: 1, schemaHash },
      sink,
      owner: this.#owner,
      now,
      index,
      clientId,
      userData,
      ...(handshakeRttMs !== undefined && { initialRttMs: handshakeRttMs }),
      ...(limits !== undefined && { limits }),
    };
    const connection = new Connection(options);
    session.context = connection;
    this.#connections[index] = connection;
    this.#leaveBy[index] = Infinity;
    this.#announce(connection);
  }

  #disconnected(session: ServerSession, reason: ServerDisconnectReason): void {
    const connection = this.#connections[session.index];
    this.#connections[session.index] = undefined;
    this.#deadlines.clear(session.index);
    if (connection === undefined) return;
    if (reason === "displaced") {
      connection.fail(new NetworkError("displaced", "a newer connection took this client's place"));
    } else if (reason === "serverDisconnected") connection.close();
    else connection.abandon(errorOf(reason));
    this.#ended(connection, reason === "displaced");
  }

  #payload(session: ServerSession, packet: ReceivedPacket, offset: number, length: number, now: number): void {
    const connection = this.#connections[session.index];
    if (connection === undefined || (length === 0 && connection.state !== "open")) return;
    connection.receivePayload(packet.buffer, offset, length, packet.packetNumber, packet.ecn, now);
    this.#announce(connection);
    this.#wake(connection);
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
