import type { Server } from "node:http";
import { PacketBatch } from "@riposte/datapath";
import type { AddressTable, DatapathCrypto, PacketProtection, UdpSocket, UdpSocketStats } from "@riposte/datapath";
import type { CarrierTraits } from "@riposte/protocol/channel";
import { ServerEndpoint } from "@riposte/protocol/endpoint";
import type { EndpointDriver } from "@riposte/protocol/endpoint";
import type { NetcodeDrops } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { MAX_PACKET_BYTES, UDP_TRAITS, WEBSOCKET_TRAITS } from "./carrier-traits.ts";
import { ConnectionAnnouncer } from "./connection-announcer.ts";
import { EndpointLoop } from "./endpoint-loop.ts";
import type { ListenTransportOptions } from "./listen-transport.ts";
import { WebSocketListener } from "./websocket-listener.ts";
import type { WebSocketStats } from "./websocket-listener.ts";

/** What `listenTransport` has opened for it. */
export interface ServerTransportParts {
  readonly options: ListenTransportOptions;
  readonly udp: UdpSocket;
  readonly http: Server | undefined;
  readonly ownsHttp: boolean;
  readonly addresses: AddressTable;
  readonly crypto: DatapathCrypto;
  readonly protection: PacketProtection;
}

export interface ServerTransportStats {
  readonly udp: UdpSocketStats;
  /** Undefined when the server takes UDP only. */
  readonly webSocket: WebSocketStats | undefined;
  /** Packets that were refused after that, by reason. */
  readonly drops: NetcodeDrops;
}

/** How long the last packets of a closing server may take to leave, and how often to look. */
const CLOSE_DRAIN_MS = 500;
const CLOSE_CHECK_MS = 1;
/** How long HTTP requests under way may take to end. */
const CLOSE_GRACE_MS = 2000;
const UNADMITTED_SOCKETS = 256;
/** How often the endpoint is told the wall clock, by which tokens expire. */
const UNIX_TIME_INTERVAL_MS = 10_000;

/** A server's sockets and timer around one `ServerEndpoint`; made by `listenTransport`. */
export class ServerTransport implements AsyncDisposable {
  readonly endpoint: ServerEndpoint;
  /** The number that UDP and TCP share. */
  readonly port: number;
  /** Resolves when everything is closed. */
  readonly closed: Promise<void>;

  readonly #udp: UdpSocket;
  readonly #webSocket: WebSocketListener | undefined;
  readonly #http: Server | undefined;
  readonly #ownsHttp: boolean;
  readonly #loop: EndpointLoop;
  readonly #allowSimulation: boolean;
  readonly #firstSocketPath: number;
  readonly #addresses: AddressTable;
  readonly #received: PacketBatch;
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
    this.#http = parts.http;
    this.#ownsHttp = parts.ownsHttp;
    this.#allowSimulation = options.allowSimulation ?? process.env.NODE_ENV !== "production";
    this.#addresses = addresses;
    this.#firstSocketPath = addresses.capacity;
    const announcer = new ConnectionAnnouncer(options.handlers);
    this.endpoint = new ServerEndpoint({
      protocolId: options.protocolId,
      privateKey: options.privateKey,
      maxClients: options.maxClients,
      publicAddresses: publicAddresses(options, udp.port),
      schemaHash: options.schemaHash,
      ...(options.limits !== undefined && { limits: options.limits }),
      crypto: parts.crypto,
      keys: parts.protection,
      driver: this.#driver(),
      sink: announcer,
      now: performance.now(),
      unixSeconds: Date.now() / 1000,
    });
    this.#loop = new EndpointLoop({
      endpoint: this.endpoint,
      protection: parts.protection,
      transmit: (batch) => this.#transmit(batch),
      deliver: (event) => announcer.deliver(event),
      simulationSeed: options.simulationSeed ?? 1,
    });
    this.#unixTime = setInterval(() => {
      this.endpoint.setUnixTime(Date.now() / 1000, this.#loop.now());
    }, UNIX_TIME_INTERVAL_MS).unref();
    if (parts.http !== undefined) this.#webSocket = this.#listenWebSocket(parts.http, options);
    this.#loop.wake();
  }

  /** Live counters of the sockets. */
  get stats(): ServerTransportStats {
    return { udp: this.#udp.stats, webSocket: this.#webSocket?.stats, drops: this.endpoint.drops };
  }

  /** Sends what is queued in all connections; call it once at the end of a tick. */
  flush(): void {
    this.#loop.flush();
  }

  /** Puts a bad link in front of every carrier, in both directions, or takes it away. Live. */
  simulate(conditions: NetworkConditions | undefined): void {
    if (conditions !== undefined && !this.#allowSimulation) {
      throw new TypeError("simulated network conditions are disabled here: see `allowSimulation`");
    }
    this.#loop.simulate(conditions);
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
    if (this.#udp.receive(this.#received) > 0) this.#loop.receive(this.#received);
  }

  /** For `listenTransport`: a socket takes more again. */
  resume(): void {
    this.#loop.wake();
  }

  #driver(): EndpointDriver {
    const firstSocketPath = this.#firstSocketPath;
    return {
      carrierOf: (path: number): CarrierTraits => (path < firstSocketPath ? UDP_TRAITS : WEBSOCKET_TRAITS),
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

  #listenWebSocket(http: Server, options: ListenTransportOptions): WebSocketListener {
    const maxUnadmitted = options.webSocket?.maxUnadmitted ?? UNADMITTED_SOCKETS;
    return new WebSocketListener({
      http,
      httpPath: options.httpPath ?? "/riposte",
      firstPath: this.#firstSocketPath,
      maxPayloadBytes: MAX_PACKET_BYTES,
      limits: {
        maxUnadmitted,
        maxSockets: options.webSocket?.maxSockets ?? options.maxClients + maxUnadmitted,
        maxUnadmittedPerAddress: options.webSocket?.maxUnadmittedPerAddress ?? 16,
        admissionTimeoutMs: options.webSocket?.admissionTimeoutMs ?? 5000,
        sendBufferBytes: options.webSocket?.sendBufferBytes ?? 65_536,
      },
      addressOf: options.addressOf ?? ((request) => request.socket.remoteAddress ?? ""),
      onBatch: (batch) => this.#loop.receive(batch),
      onWritable: () => this.#loop.wake(),
      onPathClosed: (path) => {
        this.endpoint.handlePathClosed(path, this.#loop.now());
        this.#loop.wake();
      },
    });
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
    this.#udp.send(batch);
    // A full socket holds on to the slots it was given.
    return this.#udp.writable ? batch : new PacketBatch(batch.capacity, batch.slotBytes);
  }

  /** Goodbyes to a full house take several turns, and longer on a simulated link. */
  readonly #closeDrained = (): void => {
    const drained = !this.#loop.continuing && this.#loop.simulatedOutboundCount === 0;
    if (drained || this.#loop.now() >= this.#drainUntil) this.#closeSockets();
    else setTimeout(this.#closeDrained, CLOSE_CHECK_MS);
  };

  #closeSockets(): void {
    clearInterval(this.#unixTime);
    this.#loop.stop();
    this.#udp.close();
    this.#webSocket?.close();
    if (this.#http === undefined || !this.#ownsHttp) {
      this.#resolveClosed();
      return;
    }
    const http = this.#http;
    const grace = setTimeout(() => http.closeAllConnections(), CLOSE_GRACE_MS);
    http.close(() => {
      clearTimeout(grace);
      this.#resolveClosed();
    });
    http.closeIdleConnections();
  }
}

function publicAddresses(options: ListenTransportOptions, port: number): readonly string[] {
  const given = options.publicAddresses;
  if (given === undefined) return [`127.0.0.1:${port}`, `[::1]:${port}`];
  return typeof given === "function" ? given(port) : given;
}
