/** A client's end of one connection: netcode asks for admission and protects, a `Connection` frames. */
import { Connection } from "../channel/index.ts";
import type { ConnectionLimits, ConnectionOptions, ConnectionSink } from "../channel/index.ts";
import type { Crypto, KeyStore, Machine, ReceivedPacket, TransmitSlot } from "../machine.ts";
import { NetcodeClient } from "../netcode/index.ts";
import type { NetcodeClientState, NetcodeDrops } from "../netcode/index.ts";
import { NetworkError } from "../network-error.ts";
import type { EndpointDriver, EndpointEvent } from "./endpoint.ts";
import { wasUsable } from "./endpoint.ts";
import { EventQueue } from "./event-queue.ts";

export interface ClientEndpointOptions {
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
  /** Bounds of the connection's queues; see `ConnectionLimits` for the defaults. */
  readonly limits?: Partial<ConnectionLimits>;
}

/** A path that takes no more packets is tried again after this time. */
const BLOCKED_RETRY_MS = 5;

export class ClientEndpoint implements Machine<EndpointEvent> {
  readonly #options: ClientEndpointOptions;
  readonly #netcode: NetcodeClient;
  readonly #events: EventQueue = new EventQueue();
  #connection: Connection | undefined;
  #announced = false;
  #over = false;
  #pathsHeld = true;
  #wakeAt = Infinity;

  constructor(options: ClientEndpointOptions) {
    this.#options = options;
    this.#netcode = new NetcodeClient({
      ...options,
      handler: {
        stateChanged: (state, now) => this.#stateChanged(state, now),
        payload: (packet, offset, length, now) => this.#payload(packet, offset, length, now),
        fill: (buffer, offset, capacity, packetNumber, now) => this.#fill(buffer, offset, capacity, packetNumber, now),
      },
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

  /** Leaves, or gives up connecting. Poll until idle to tell the server. */
  close(now: number, code?: number, reason?: string): void {
    if (this.#connection === undefined) {
      if (this.#netcode.active) this.#ended(new NetworkError("aborted", "the attempt to connect was given up"));
      this.#netcode.disconnect(now);
    } else this.#connection.close(code, reason);
  }

  /** The driver lost a path (the WebSocket closed). */
  handlePathClosed(path: number, now: number): void {
    if (path === this.#netcode.path && this.#connection !== undefined) {
      this.#connection.abandon(new NetworkError("carrierFailed", "the carrier below the connection closed"));
    }
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
    if (this.#netcode.finished) this.#releasePaths();
    const connection = this.#connection;
    if (connection === undefined || now < this.#wakeAt) return;
    this.#wakeAt = Infinity;
    connection.handleTimeout(now);
    this.#announce();
    this.#netcode.wake();
  }

  pollTransmit(slot: TransmitSlot, now: number): boolean {
    return this.#netcode.pollTransmit(slot, now);
  }

  pollEvent(): EndpointEvent | undefined {
    return this.#events.shift();
  }

  nextTimeout(): number {
    return Math.min(this.#netcode.nextTimeout(), this.#wakeAt);
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
    const { schemaHash, sink, limits, driver } = this.#options;
    const { handshakeRttMs } = this.#netcode;
    const options: ConnectionOptions = {
      role: "client",
      carrier: driver.carrierOf(this.#netcode.path),
      hello: schemaHash === undefined ? undefined : { version: 1, schemaHash },
      sink,
      owner: { wake: () => this.#netcode.wake() },
      now,
      ...(handshakeRttMs !== undefined && { initialRttMs: handshakeRttMs }),
      ...(limits !== undefined && { limits }),
    };
    this.#connection = new Connection(options);
    this.#netcode.wake();
    this.#announce();
  }

  #payload(packet: ReceivedPacket, offset: number, length: number, now: number): void {
    const connection = this.#connection;
    if (connection === undefined || (length === 0 && connection.state !== "open")) return;
    connection.receivePayload(packet.buffer, offset, length, packet.packetNumber, packet.ecn, now);
    this.#announce();
    this.#netcode.wake();
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

  #releasePaths(): void {
    if (!this.#pathsHeld) return;
    this.#pathsHeld = false;
    for (const path of this.#options.serverPaths) if (path >= 0) this.#options.driver.releasePath(path);
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
