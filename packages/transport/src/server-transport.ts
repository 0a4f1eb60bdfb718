import type { Server } from "node:http";
import { PacketBatch } from "@riposte/datapath";
import type { AddressTable, DatapathCrypto, PacketProtection, UdpSocket } from "@riposte/datapath";
import type { CarrierTraits, Connection, GameConnection } from "@riposte/protocol/channel";
import { ServerEndpoint } from "@riposte/protocol/endpoint";
import type { EndpointDriver, EndpointEvent } from "@riposte/protocol/endpoint";
import type { SharedAdmission } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { WEBSOCKET_TRAITS, maxDatagramBytes, slotBytesFor, udpTraits } from "./carrier-traits.ts";
import { connectionOptions } from "./client-transport.ts";
import { ConnectionAnnouncer } from "./connection-announcer.ts";
import { EndpointLoop } from "./endpoint-loop.ts";
import type { ListenTransportOptions } from "./listen-transport.ts";
import type { SimulatedCarrier } from "./simulated-carrier.ts";
import type { ConnectionObserver } from "./transport-handlers.ts";
import type { GameTransport, ServerTransportStats } from "./game-transport.ts";
import { closeHttp } from "./http-port.ts";
import type { SocketCallbacks, SocketCarrier } from "./websocket-listener.ts";

/** What `listenTransport` has opened for it. */
export interface ServerTransportParts {
  readonly options: ListenTransportOptions;
  readonly udp: UdpSocket;
  /** How tokens name this server. */
  readonly publicAddresses: readonly string[];
  /** Takes WebSockets; without it there are none. */
  readonly openSockets: ((callbacks: SocketCallbacks) => SocketCarrier) | undefined;
  /** What it shares with the transports of other threads on its port. */
  readonly shared?: SharedPort | undefined;
  /** Closed with the transport. */
  readonly ownHttp: Server | undefined;
  readonly addresses: AddressTable;
  readonly crypto: DatapathCrypto;
  readonly protection: PacketProtection;
  /** Undefined where simulation is not allowed. */
  readonly Simulation: typeof SimulatedCarrier | undefined;
}

/** One of several transports in as many threads, whose sockets share a port. */
export interface SharedPort {
  readonly admission: SharedAdmission;
  /** Passes a datagram on if it is another thread's; false when it is ours. */
  passOn(batch: PacketBatch, index: number, addresses: AddressTable): boolean;
}

/** How long the last packets of a closing server may take to leave, and how often to look. */
const CLOSE_DRAIN_MS = 500;
const CLOSE_CHECK_MS = 1;
/** Batches that wait when a socket is opened. */
const MAX_STALE_BATCHES = 256;
/** How often the endpoint is told the wall clock, by which tokens expire. */
const UNIX_TIME_INTERVAL_MS = 10_000;

/** A server's sockets and timer around one `ServerEndpoint`; made by `listenTransport`. */
export class ServerTransport implements GameTransport {
  readonly endpoint: ServerEndpoint;
  /** The number that UDP and TCP share. */
  readonly port: number;
  /** Resolves when everything is closed. */
  readonly closed: Promise<void>;

  readonly #udp: UdpSocket;
  readonly #webSocket: SocketCarrier | undefined;
  readonly #ownHttp: Server | undefined;
  readonly #loop: EndpointLoop;
  readonly #announcer: ConnectionAnnouncer<Connection>;
  readonly #simulation: SimulatedCarrier | undefined;
  /** Connections with conditions of their own, and the path these are set for. */
  readonly #simulated = new Map<GameConnection, { conditions: NetworkConditions; path: number }>();
  readonly #maxPacketBytes: number;
  readonly #datagramBytes: number;
  readonly #firstSocketPath: number;
  readonly #addresses: AddressTable;
  readonly #received: PacketBatch;
  readonly #shared: SharedPort | undefined;
  /** What other threads passed on. */
  #forwarded: PacketBatch | undefined;
  readonly #resolveClosed: () => void;
  readonly #unixTime: NodeJS.Timeout;
  #closing = false;
  #drainUntil = 0;

  constructor(parts: ServerTransportParts) {
    const { options, udp, addresses } = parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.port = udp.port;
    this.#udp = udp;
    this.#received = udp.createReceiveBatch();
    this.#shared = parts.shared;
    this.#ownHttp = parts.ownHttp;
    this.#maxPacketBytes = options.maxPacketBytes ?? 1500;
    this.#datagramBytes = maxDatagramBytes(this.#maxPacketBytes);
    const slotBytes = slotBytesFor(this.#datagramBytes);
    const transmit = (batch: PacketBatch): PacketBatch => this.#transmit(batch);
    if (parts.Simulation !== undefined) {
      const receive = (batch: PacketBatch): void => this.#loop.receive(batch);
      this.#simulation = new parts.Simulation({ seed: options.simulationSeed ?? 1, slotBytes, receive, transmit });
    }
    this.#addresses = addresses;
    this.#firstSocketPath = addresses.capacity;
    const announcer = new ConnectionAnnouncer<Connection>(options.handlers);
    this.#announcer = announcer;
    this.endpoint = new ServerEndpoint({
      ...connectionOptions(options),
      ...(options.reassemblyPoolBytes !== undefined && { reassemblyPoolBytes: options.reassemblyPoolBytes }),
      protocolId: options.protocolId,
      privateKey: options.privateKey,
      maxClients: options.maxClients,
      publicAddresses: parts.publicAddresses,
      ...(parts.shared !== undefined && { shared: parts.shared.admission }),
      schemaHash: options.schemaHash,
      crypto: parts.crypto,
      keys: parts.protection,
      driver: this.#driver(),
      sink: announcer,
      now: performance.now(),
      unixSeconds: Date.now() / 1000,
    });
    const simulation = this.#simulation;
    this.#loop = new EndpointLoop({
      endpoint: this.endpoint,
      protection: parts.protection,
      slotBytes,
      transmit: simulation === undefined ? transmit : (batch) => simulation.transmit(batch),
      deliver: (event) => {
        this.#followSimulated(event);
        announcer.deliver(event);
      },
    });
    this.#unixTime = setInterval(() => {
      this.endpoint.setUnixTime(Date.now() / 1000, this.#loop.now());
    }, UNIX_TIME_INTERVAL_MS).unref();
    this.#webSocket = parts.openSockets?.({
      firstPath: this.#firstSocketPath,
      onBatch: (batch) => this.#receive(batch),
      onWritable: () => this.#loop.wake(),
      onPathClosed: (path) => {
        this.endpoint.handlePathClosed(path, this.#loop.now());
        this.#loop.wake();
      },
    });
    this.#loop.wake();
  }

  /** Live counters of the sockets. */
  get stats(): ServerTransportStats {
    return { udp: this.#udp.stats, webSocket: this.#webSocket?.stats, drops: this.endpoint.drops };
  }

  /** Somebody else hears of this server's connections, before its handlers do. Returns what ends it. */
  observe(observer: ConnectionObserver): () => void {
    return this.#announcer.observe(observer);
  }

  /** Where a connection's packets come from now: "192.0.2.1:40123", of a WebSocket without the port; empty while no path leads to it. */
  addressOf(connection: GameConnection): string {
    const path = this.endpoint.pathOf(connection);
    if (path < 0) return "";
    if (path >= this.#firstSocketPath) return this.#webSocket?.addressOf(path) ?? "";
    const host = this.#addresses.host(path);
    return `${host.includes(":") ? `[${host}]` : host}:${this.#addresses.port(path)}`;
  }

  /** Sends what is queued in all connections; call it once at the end of a tick. */
  flush(): void {
    this.#loop.flush();
  }

  /** Whether `simulate` works; never when NODE_ENV is "production". */
  get canSimulate(): boolean {
    return this.#simulation !== undefined;
  }

  /**
   * Puts a bad link in front of every carrier, in both directions, or of one connection alone, wherever it moves, until it
   * ends; or takes it away. Live. Throws `TypeError` where simulation is not allowed.
   */
  simulate(conditions: NetworkConditions | undefined, connection?: GameConnection): void {
    if (this.#simulation === undefined) {
      if (conditions === undefined) return;
      throw new TypeError("simulated network conditions are disabled here: see `allowSimulation`");
    }
    if (connection === undefined) {
      this.#simulation.set(conditions);
      return;
    }
    const before = this.#simulated.get(connection);
    const path = this.endpoint.pathOf(connection);
    const wanted = connection.state === "closed" ? undefined : conditions;
    if (before !== undefined && before.path !== path) this.#simulation.set(undefined, before.path);
    if (path >= 0) this.#simulation.set(wanted, path);
    if (wanted === undefined) this.#simulated.delete(connection);
    else this.#simulated.set(connection, { conditions: wanted, path });
  }

  /** Tells every client goodbye and closes the sockets; the HTTP server too if `listenTransport` made it listen. */
  close(): Promise<void> {
    if (this.#closing) return this.closed;
    this.#closing = true;
    this.endpoint.close(this.#loop.now());
    this.#loop.wake();
    this.#drainUntil = this.#loop.now() + CLOSE_DRAIN_MS;
    this.#closeDrained();
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For `listenTransport`: datagrams wait. One batch per turn of the event loop. */
  receiveUdp(): void {
    if (this.#udp.receive(this.#received) === 0) return;
    if (this.#shared !== undefined) this.#keepOwn(this.#received, this.#shared);
    if (this.#received.count > 0) this.#receive(this.#received);
  }

  /** A datagram that came to another thread's socket; `receiveForwarded` follows. */
  takeForwarded(host: string, port: number, buffer: Uint8Array, offset: number, length: number, ecn: number): void {
    this.#forwarded ??= new PacketBatch(64, slotBytesFor(this.#datagramBytes));
    if (this.#forwarded.full) this.receiveForwarded();
    const path = this.#addresses.intern(host, port);
    if (path >= 0) this.#forwarded.append(buffer, offset, length, path, ecn);
  }

  receiveForwarded(): void {
    const batch = this.#forwarded;
    if (batch === undefined || batch.count === 0) return;
    this.#receive(batch);
    batch.count = 0;
  }

  /** Drops what came while not all sockets of the port were bound: the kernel will bring the rest of it elsewhere. */
  dropStale(): void {
    for (let i = 0; i < MAX_STALE_BATCHES && this.#udp.receive(this.#received) > 0; i++);
  }

  /** For `listenTransport`: a socket takes more again. */
  resume(): void {
    this.#loop.wake();
  }

  #receive(batch: PacketBatch): void {
    if (this.#simulation === undefined) this.#loop.receive(batch);
    else this.#simulation.receive(batch);
  }

  /** Leaves in a batch what is not passed on. */
  #keepOwn(batch: PacketBatch, shared: SharedPort): void {
    let kept = 0;
    for (let i = 0; i < batch.count; i++) {
      if (shared.passOn(batch, i, this.#addresses)) continue;
      batch.offset[kept] = batch.offset[i];
      batch.length[kept] = batch.length[i];
      batch.path[kept] = batch.path[i];
      batch.ecn[kept] = batch.ecn[i];
      kept++;
    }
    batch.count = kept;
  }

  /** Conditions of one connection go where it goes, stay on no path that it has left, and end with it. */
  #followSimulated({ type, connection }: EndpointEvent): void {
    const own = connection && this.#simulated.get(connection);
    if (connection === undefined || own === undefined) return;
    if (type === "disconnected" || type === "rejected") this.simulate(undefined, connection);
    else if (this.endpoint.pathOf(connection) !== own.path) this.simulate(own.conditions, connection);
  }

  #driver(): EndpointDriver {
    const firstSocketPath = this.#firstSocketPath;
    const addresses = this.#addresses;
    return {
      maxDatagramBytes: this.#datagramBytes,
      carrierOf: (path: number): CarrierTraits => {
        if (path >= firstSocketPath) return WEBSOCKET_TRAITS;
        return udpTraits(addresses.host(path), this.#udp.capabilities, this.#maxPacketBytes);
      },
      isSameHost: (a: number, b: number): boolean =>
        a < firstSocketPath && b < firstSocketPath && addresses.host(a) === addresses.host(b),
      retainPath: (path: number): void => {
        if (path < firstSocketPath) this.#addresses.retain(path);
        else this.#webSocket?.retain(path);
      },
      releasePath: (path: number): void => {
        if (path < firstSocketPath) this.#addresses.release(path);
        else this.#webSocket?.release(path);
      },
      addressOf: (path: number): string =>
        path < firstSocketPath ? this.#addresses.name(path) : (this.#webSocket?.nameOf(path) ?? ""),
      writable: (path: number): boolean =>
        path < firstSocketPath ? this.#udp.writable : this.#webSocket?.writable(path) === true,
    };
  }

  #transmit(batch: PacketBatch): PacketBatch {
    let forUdp = batch.count;
    const webSocket = this.#webSocket;
    if (webSocket !== undefined) {
      for (let i = 0; i < batch.count; i += 1) {
        if (batch.path[i] < this.#firstSocketPath) continue;
        webSocket.send(batch.path[i], batch.buffer, batch.offset[i], batch.length[i]);
        batch.path[i] = -1;
        forUdp -= 1;
      }
    }
    if (forUdp === 0) return batch;
    if (this.#udp.send(batch) < forUdp) this.#tellRefused(batch);
    // A full socket holds on to the slots it was given.
    return this.#udp.writable ? batch : new PacketBatch(batch.capacity, batch.slotBytes);
  }

  #tellRefused(batch: PacketBatch): void {
    for (let i = 0; i < batch.count; i++) {
      if (batch.refused[i] === 1) this.endpoint.handleRefused(batch.path[i], batch.length[i], this.#loop.now());
    }
  }

  /** Goodbyes to a full house take several turns, and longer on a simulated link. */
  readonly #closeDrained = (): void => {
    const drained = !this.#loop.continuing && (this.#simulation?.outboundCount ?? 0) === 0;
    if (drained || this.#loop.now() >= this.#drainUntil) this.#closeSockets();
    else setTimeout(this.#closeDrained, CLOSE_CHECK_MS);
  };

  #closeSockets(): void {
    clearInterval(this.#unixTime);
    this.#loop.stop();
    this.#simulation?.stop();
    this.#udp.close();
    this.#webSocket?.close();
    if (this.#ownHttp === undefined) this.#resolveClosed();
    else void closeHttp(this.#ownHttp).then(this.#resolveClosed);
  }
}
