import type { Server } from "node:http";
import type { NetworkError } from "@riposte/protocol";
import { DEFAULT_LIMITS, QosSettings } from "@riposte/protocol/channel";
import type { Channel, GameConnection } from "@riposte/protocol/channel";
import { checkNetworkConditions } from "@riposte/protocol/simulator";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { ConnectionAnnouncer } from "../connection-announcer.ts";
import type { EndpointView, GameTransport, ServerTransportStats } from "../game-transport.ts";
import { bindBoth, closeHttp } from "../http-port.ts";
import { closeOnAbort, publicAddresses, socketLimits } from "../listen-transport.ts";
import type { ListenTransportOptions } from "../listen-transport.ts";
import type { ConnectionObserver, TransportHandlers } from "../transport-handlers.ts";
import type { ConnectionEvent } from "./records.ts";
import { SocketFlags, socketMemory } from "./socket-flags.ts";
import { SocketGateway } from "./socket-gateway.ts";
import type { ThreadConnection } from "./thread-connection.ts";
import { ThreadLink } from "./thread-link.ts";
import type { LinkOwner } from "./thread-link.ts";
import { namedCongestionControl, plainOptions, resolveThreadOptions } from "./thread-options.ts";
import type { NetworkThreadOptions } from "./thread-options.ts";

const REASSEMBLY_POOL_BYTES = 64 * 1024 * 1024;

/**
 * Opens a server like `listenTransport`, with everything below its connections in a thread of its own: what the game thread
 * does delays no acknowledgement. WebSockets stay in this thread, which holds the HTTP server; their sessions do not. Throws `TypeError` for
 * what cannot go to another thread: a `datapath`, a `congestionControl` without a name. Rejects with
 * `PortInUseError` when the port is taken.
 */
export async function listenNetworkThread(
  options: ListenTransportOptions,
  threadOptions: NetworkThreadOptions = {},
): Promise<GameTransport> {
  const { signal, congestionControl } = options;
  signal?.throwIfAborted();
  const thread = resolveThreadOptions(threadOptions);
  const plain = plainOptions(options);
  const algorithm = congestionControl && namedCongestionControl(congestionControl);
  const sockets = options.http === false ? undefined : socketMemory(socketLimits(options).maxSockets);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const transport = new ThreadTransport(options);
  const bindUdp = async (port: number): Promise<ThreadLink> => {
    const link = new ThreadLink({
      owner: transport,
      limits,
      qos: transport.endpoint.qos,
      start: { port, options: plain, congestionControl: algorithm, thread, sockets },
    });
    try {
      await link.bind(port);
      return link;
    } catch (error) {
      await link.stop();
      throw error;
    }
  };
  const { udp: link, http, ownsHttp } = await bindBoth(options, bindUdp);
  try {
    signal?.throwIfAborted();
    const gateway = http && sockets && new SocketGateway(http, options, new SocketFlags(sockets), link);
    transport.start(link, gateway, ownsHttp ? http : undefined);
    await link.open(publicAddresses(options, link.port));
    signal?.throwIfAborted();
  } catch (error) {
    await transport.abandon();
    if (ownsHttp) http?.close();
    throw error;
  }
  closeOnAbort(transport, signal);
  return transport;
}

/** A transport in a network thread, seen from the game thread; made by `listenNetworkThread`. */
class ThreadTransport implements GameTransport, LinkOwner {
  readonly endpoint: EndpointView;
  readonly closed: Promise<void>;
  readonly #announcer: ConnectionAnnouncer<GameConnection>;
  readonly #handlers: TransportHandlers;
  readonly #connections = new Set<GameConnection>();
  readonly #resolveClosed: () => void;
  #link: ThreadLink | undefined;
  #gateway: SocketGateway | undefined;
  #ownHttp: Server | undefined;
  #closing = false;

  constructor(options: ListenTransportOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#handlers = options.handlers;
    this.#announcer = new ConnectionAnnouncer(options.handlers);
    const qos = new QosSettings(options.qos);
    qos.onChange = () => this.#link?.serverCommand({ type: "serverQos", overrides: qos.overrides });
    this.endpoint = this.#viewEndpoint(options, qos);
  }

  get port(): number {
    return this.#opened.port;
  }

  get canSimulate(): boolean {
    return this.#opened.canSimulate;
  }

  get stats(): ServerTransportStats {
    const { udp, drops, ringDropped, tracesLeftOut } = this.#opened.numbers();
    return { udp, drops, webSocket: this.#gateway?.stats, thread: { ringDropped, tracesLeftOut } };
  }

  observe(observer: ConnectionObserver): () => void {
    return this.#announcer.observe(observer);
  }

  addressOf(connection: GameConnection): string {
    const view = (connection as ThreadConnection).view;
    if (view.path < this.#opened.firstSocketPath) return view.address;
    return this.#gateway?.addressOf(view.path) ?? "";
  }

  flush(): void {
    this.#link?.flush();
  }

  simulate(conditions: NetworkConditions | undefined, connection?: GameConnection): void {
    const link = this.#opened;
    if (!link.canSimulate) {
      if (conditions === undefined) return;
      throw new TypeError("simulated network conditions are disabled here: see `allowSimulation`");
    }
    // A mistake is this thread's, not the other's.
    if (conditions !== undefined) checkNetworkConditions(conditions);
    if (connection === undefined) link.serverCommand({ type: "simulateAll", conditions });
    else link.command(connection as ThreadConnection, { type: "simulate", conditions });
  }

  close(): Promise<void> {
    if (this.#closing) return this.closed;
    this.#closing = true;
    this.#link?.serverCommand({ type: "closeServer" });
    this.#link?.publishNow();
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For `listenNetworkThread`: the thread is bound. */
  start(link: ThreadLink, gateway: SocketGateway | undefined, ownHttp: Server | undefined): void {
    this.#link = link;
    this.#gateway = gateway;
    this.#ownHttp = ownHttp;
  }

  /** For `listenNetworkThread`: it did not come to opening. */
  async abandon(): Promise<void> {
    this.#closing = true;
    this.#gateway?.close();
    await this.#link?.stop();
  }

  message(
    connection: ThreadConnection,
    channel: Channel,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): void {
    this.#announcer.message(connection, channel, buffer, offset, length, stream);
  }

  raw(connection: ThreadConnection, buffer: Uint8Array, offset: number, length: number): void {
    this.#announcer.raw(connection, buffer, offset, length);
  }

  drained(connection: ThreadConnection): void {
    this.#announcer.drained(connection);
  }

  connectionEvent(type: ConnectionEvent["type"], connection: ThreadConnection, error: NetworkError | undefined): void {
    switch (type) {
      case "disconnected":
        this.#connections.delete(connection);
        this.#announcer.deliver({ type, connection, error });
        return;
      case "rejected":
        if (error !== undefined) this.#announcer.deliver({ type, connection, error });
        return;
      case "connected":
        this.#connections.add(connection);
        this.#announcer.deliver({ type, connection });
        return;
      case "admitted":
      case "closing":
      case "interrupted":
      case "migrated":
        this.#announcer.deliver({ type, connection });
    }
  }

  refused(error: NetworkError): void {
    this.#announcer.deliver({ type: "rejected", connection: undefined, error });
  }

  datagram(path: number, buffer: Uint8Array, offset: number, length: number): void {
    this.#gateway?.send(path, buffer, offset, length);
  }

  pathEvent(type: "pathRetained" | "pathReleased" | "pathForgotten", path: number): void {
    this.#gateway?.handlePathEvent(type, path);
  }

  failed(error: Error): void {
    this.#closing = true;
    this.#handlers.failed?.(error);
    void this.#closeRest();
  }

  /** For the link: the thread has said its goodbyes and closed its socket. */
  threadClosed(): void {
    void this.#closeRest();
  }

  async #closeRest(): Promise<void> {
    this.#gateway?.close();
    await Promise.all([this.#link?.stop(), this.#ownHttp && closeHttp(this.#ownHttp)]);
    this.#resolveClosed();
  }

  get #opened(): ThreadLink {
    if (this.#link === undefined) throw new TypeError("the transport is not open");
    return this.#link;
  }

  #viewEndpoint(options: ListenTransportOptions, qos: QosSettings): EndpointView {
    const numbers = (): ReturnType<ThreadLink["numbers"]> => this.#opened.numbers();
    const limitBytes = options.reassemblyPoolBytes ?? REASSEMBLY_POOL_BYTES;
    return {
      qos,
      maxClients: options.maxClients,
      connections: this.#connections,
      get clientCount() {
        return numbers().clientCount;
      },
      get connectionAttempts() {
        return numbers().connectionAttempts;
      },
      get pendingCount() {
        return numbers().pendingCount;
      },
      get drops() {
        return numbers().drops;
      },
      reassemblyPool: {
        limitBytes,
        get usedBytes() {
          return numbers().reassemblyUsedBytes;
        },
        get evicted() {
          return numbers().reassembliesEvicted;
        },
      },
    };
  }
}
