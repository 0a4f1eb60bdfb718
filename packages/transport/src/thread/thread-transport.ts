import type { Server } from "node:http";
import { MessageChannel } from "node:worker_threads";
import { NetworkError } from "@riposte/protocol";
import { DEFAULT_LIMITS, QosSettings } from "@riposte/protocol/channel";
import type { Channel, GameConnection } from "@riposte/protocol/channel";
import { readUserData } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { ConnectionAnnouncer } from "../connection-announcer.ts";
import type { EndpointView, GameTransport, ServerTransportStats } from "../game-transport.ts";
import { bindBoth, closeHttp } from "../http-port.ts";
import { bindServer, closeOnAbort, publicAddresses, socketLimits } from "../listen-transport.ts";
import type { ListenTransportOptions } from "../listen-transport.ts";
import { loadSimulation } from "../load-simulation.ts";
import type { ConnectionObserver, TransportHandlers } from "../transport-handlers.ts";
import { laneMemory } from "./message-lane.ts";
import type { ConnectionEvent } from "./records.ts";
import { SERVER_WIDTH, readServerNumbers } from "./server-numbers.ts";
import type { ServerNumbers } from "./server-numbers.ts";
import { houseMemory } from "./shared-house.ts";
import type { SiblingStart } from "./sibling-threads.ts";
import { SocketFlags, socketMemory } from "./socket-flags.ts";
import { SocketGateway } from "./socket-gateway.ts";
import type { ThreadConnection } from "./thread-connection.ts";
import { ThreadLink } from "./thread-link.ts";
import type { LinkOwner } from "./thread-link.ts";
import { namedCongestionControl, plainOptions, resolveThreadOptions } from "./thread-options.ts";
import type { NetworkThreadOptions, PlainServerOptions } from "./thread-options.ts";

const REASSEMBLY_POOL_BYTES = 64 * 1024 * 1024;
/** Between two network threads; also of the two rings that are not used. */
const SIBLING_RING_BYTES = 256 * 1024;

/**
 * Opens a server like `listenTransport`, with everything below its connections in a thread of its own, or several: what the game thread
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
  const transport = new ThreadTransport(options, await loadConditionsCheck(options.allowSimulation));
  const house = thread.threads > 1 ? houseMemory(options.maxClients) : undefined;
  const pool = Math.floor((options.reassemblyPoolBytes ?? REASSEMBLY_POOL_BYTES) / thread.threads);
  const bindUdp = async (wanted: number): Promise<ThreadLink[]> => {
    const port = house === undefined ? wanted : await probePort(plain, wanted);
    const siblings = siblingStarts(thread.threads);
    const links = siblings.map(
      (own, number) =>
        new ThreadLink({
          owner: transport,
          limits,
          qos: transport.endpoint.qos,
          start: {
            port,
            options: { ...plain, reassemblyPoolBytes: pool },
            congestionControl: algorithm,
            thread,
            number,
            house,
            siblings: own,
            sockets,
          },
        }),
    );
    try {
      // None reads before all are bound: only then does the kernel bring each client to one socket for good.
      await Promise.all(links.map((link) => link.bind(port)));
      return links;
    } catch (error) {
      await Promise.all(links.map((link) => link.stop()));
      throw error;
    }
  };
  const { udp: links, http, ownsHttp } = await bindBoth(options, bindUdp);
  try {
    signal?.throwIfAborted();
    const gateway = http && sockets && new SocketGateway(http, options, new SocketFlags(sockets), links);
    transport.start(links, gateway, ownsHttp ? http : undefined);
    const addresses = publicAddresses(options, links[0].port);
    await Promise.all(links.map((link) => link.open(addresses)));
    signal?.throwIfAborted();
  } catch (error) {
    await transport.abandon();
    if (ownsHttp) http?.close();
    throw error;
  }
  closeOnAbort(transport, signal);
  return transport;
}

type ConditionsCheck = (conditions: NetworkConditions) => void;

/** Only where simulation is allowed: elsewhere none of its code is loaded. */
async function loadConditionsCheck(allowed: boolean | undefined): Promise<ConditionsCheck | undefined> {
  if ((await loadSimulation(allowed)) === undefined) return undefined;
  return (await import("@riposte/protocol/simulator")).checkNetworkConditions;
}

/** A port that nobody has: sockets that share one could be bound to that of another server, too. */
async function probePort(options: PlainServerOptions, wanted: number): Promise<number> {
  const probe = await bindServer({ ...options, handlers: {} }, wanted);
  probe.close();
  return probe.port;
}

/** The ways from each thread to each other one; nothing where there is only one. */
function siblingStarts(threads: number): (SiblingStart | undefined)[][] {
  const starts = Array.from({ length: threads }, () => Array.from<SiblingStart | undefined>({ length: threads }));
  for (let a = 0; a < threads; a++) {
    for (let b = a + 1; b < threads; b++) {
      const { port1, port2 } = new MessageChannel();
      const [there, back] = [laneMemory(SIBLING_RING_BYTES), laneMemory(SIBLING_RING_BYTES)];
      starts[a][b] = { to: there, from: back, port: port1 };
      starts[b][a] = { to: back, from: there, port: port2 };
    }
  }
  return starts;
}

/** A transport in a network thread, seen from the game thread; made by `listenNetworkThread`. */
class ThreadTransport implements GameTransport, LinkOwner {
  readonly endpoint: EndpointView;
  readonly closed: Promise<void>;
  readonly #announcer: ConnectionAnnouncer<GameConnection>;
  readonly #handlers: TransportHandlers;
  readonly #connections = new Set<GameConnection>();
  readonly #resolveClosed: () => void;
  readonly #checkConditions: ConditionsCheck | undefined;
  #links: readonly ThreadLink[] = [];
  /** The newest connection of each client, where several threads do not know of each other's. */
  readonly #byClient = new Map<bigint, ThreadConnection>();
  #openThreads = 0;
  #gateway: SocketGateway | undefined;
  #ownHttp: Server | undefined;
  #closing = false;

  constructor(options: ListenTransportOptions, checkConditions: ConditionsCheck | undefined) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#handlers = options.handlers;
    this.#checkConditions = checkConditions;
    this.#announcer = new ConnectionAnnouncer(options.handlers);
    const qos = new QosSettings(options.qos);
    qos.onChange = () => {
      for (const link of this.#links) link.serverCommand({ type: "serverQos", overrides: qos.overrides });
    };
    this.endpoint = this.#viewEndpoint(options, qos);
  }

  get port(): number {
    return this.#first().port;
  }

  get canSimulate(): boolean {
    return this.#first().canSimulate;
  }

  get stats(): ServerTransportStats {
    const { udp, drops, ringDropped, tracesLeftOut, passedOn } = this.#numbers();
    return { udp, drops, webSocket: this.#gateway?.stats, thread: { ringDropped, tracesLeftOut, passedOn } };
  }

  observe(observer: ConnectionObserver): () => void {
    return this.#announcer.observe(observer);
  }

  addressOf(connection: GameConnection): string {
    const view = (connection as ThreadConnection).view;
    if (view.path < this.#first().firstSocketPath) return view.address;
    return this.#gateway?.addressOf(view.path) ?? "";
  }

  flush(): void {
    for (const link of this.#links) link.flush();
  }

  simulate(conditions: NetworkConditions | undefined, connection?: GameConnection): void {
    if (!this.canSimulate) {
      if (conditions === undefined) return;
      throw new TypeError("simulated network conditions are disabled here: see `allowSimulation`");
    }
    // A mistake is this thread's, not the other's.
    if (conditions !== undefined) this.#checkConditions?.(conditions);
    if (connection !== undefined) {
      const own = connection as ThreadConnection;
      own.link.command(own, { type: "simulate", conditions });
    } else for (const link of this.#links) link.serverCommand({ type: "simulateAll", conditions });
  }

  close(): Promise<void> {
    if (this.#closing) return this.closed;
    this.#closing = true;
    for (const link of this.#links) {
      link.serverCommand({ type: "closeServer" });
      link.publishNow();
    }
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For `listenNetworkThread`: the threads are bound. */
  start(links: readonly ThreadLink[], gateway: SocketGateway | undefined, ownHttp: Server | undefined): void {
    this.#links = links;
    this.#openThreads = links.length;
    this.#gateway = gateway;
    this.#ownHttp = ownHttp;
  }

  /** For `listenNetworkThread`: it did not come to opening. */
  async abandon(): Promise<void> {
    this.#closing = true;
    this.#gateway?.close();
    await Promise.all(this.#links.map((link) => link.stop()));
  }

  /** As netcode does it within one thread: a newer token displaces the older connection of its client, an older one is turned away. */
  arrived(connection: ThreadConnection): boolean {
    const { clientId } = connection;
    const before = this.#byClient.get(clientId);
    if (before !== undefined && before.state !== "closed" && before.link !== connection.link) {
      if (issuedAt(connection) < issuedAt(before)) {
        connection.fail(new NetworkError("displaced", "a newer connection of this client is there"));
        return false;
      }
      before.fail(new NetworkError("displaced", "a newer connection took this client's place"));
    }
    this.#byClient.set(clientId, connection);
    return true;
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
    const isOver = type === "disconnected" || type === "rejected";
    if (isOver && this.#byClient.get(connection.clientId) === connection) this.#byClient.delete(connection.clientId);
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

  failed(error: NetworkError): void {
    // Of several threads, the others go with the first.
    if (this.#openThreads === 0) return;
    this.#openThreads = 0;
    this.#closing = true;
    for (const link of this.#links) link.fail(error);
    this.#handlers.failed?.(error);
    void this.#closeRest();
  }

  /** For the link: the thread has said its goodbyes and closed its socket. */
  threadClosed(): void {
    this.#openThreads--;
    if (this.#openThreads === 0) void this.#closeRest();
  }

  async #closeRest(): Promise<void> {
    this.#gateway?.close();
    await Promise.all([...this.#links.map((link) => link.stop()), this.#ownHttp && closeHttp(this.#ownHttp)]);
    this.#resolveClosed();
  }

  #first(): ThreadLink {
    if (this.#links.length === 0) throw new TypeError("the transport is not open");
    return this.#links[0];
  }

  #numbers(): ServerNumbers {
    const row = new Float64Array(SERVER_WIDTH);
    for (const link of this.#links) link.addNumbers(row);
    return readServerNumbers(row);
  }

  #viewEndpoint(options: ListenTransportOptions, qos: QosSettings): EndpointView {
    const numbers = (): ServerNumbers => this.#numbers();
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

/** When its token was issued, Unix milliseconds; 0 when it does not say. */
function issuedAt({ userData }: ThreadConnection): number {
  return readUserData(userData).issuedAt;
}
