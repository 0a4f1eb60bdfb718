import { PacketBatch } from "@riposte/datapath";
import type { Datapath, DatapathCrypto, PacketProtection, UdpSocketStats } from "@riposte/datapath";
import { NetworkError } from "@riposte/protocol";
import { DrainedWaiter } from "@riposte/protocol/channel";
import type { Connection } from "@riposte/protocol/channel";
import { ClientEndpoint, PathMoves } from "@riposte/protocol/endpoint";
import type { EndpointEvent } from "@riposte/protocol/endpoint";
import type { NetcodeAddress } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { maxDatagramBytes, slotBytesFor } from "./carrier-traits.ts";
import { CarrierLink } from "./client-link.ts";
import type { ClientLink, DatagramCarrier } from "./client-link.ts";
import { ConnectionAnnouncer } from "./connection-announcer.ts";
import type { DialUdpOptions } from "./dial-udp.ts";
import { EndpointLoop } from "./endpoint-loop.ts";
import type { SimulatedCarrier } from "./simulated-carrier.ts";
import { UdpLink } from "./udp-link.ts";

/** What `dialUdp` has prepared for it. */
export interface ClientTransportParts {
  readonly options: DialUdpOptions;
  readonly datapath: Datapath;
  readonly servers: readonly NetcodeAddress[];
  readonly link: UdpLink;
  readonly crypto: DatapathCrypto;
  readonly protection: PacketProtection;
  /** Undefined where simulation is not allowed. */
  readonly Simulation: typeof SimulatedCarrier | undefined;
}

/** How long the last packets of a closing client may take to leave, and how often to look. */
const CLOSE_DRAIN_MS = 500;
const CLOSE_CHECK_MS = 5;
/** Paths of the first link are below it, those of the next below twice as much, and so on. */
const PATHS_PER_LINK = 256;

interface OpenLink {
  readonly link: ClientLink;
  /** Its first path. */
  readonly base: number;
  /** How often its paths are retained; a link that nobody needs any more is closed. */
  retained: number;
  closed: boolean;
}

/** A client's sockets and timer around one `ClientEndpoint`; made by `dialUdp`. */
export class ClientTransport implements AsyncDisposable {
  /** Settles when the connection is usable, or will never be. */
  readonly connected: Promise<void>;
  /** Resolves when the sockets are closed, whoever ended the connection. */
  readonly closed: Promise<void>;

  readonly #parts: ClientTransportParts;
  readonly #maxPacketBytes: number;
  readonly #endpoint: ClientEndpoint;
  /** By number, as they were opened; those that nobody needs any more are gone. */
  readonly #links = new Map<number, OpenLink>();
  #linksOpened = 0;
  readonly #loop: EndpointLoop;
  readonly #announcer: ConnectionAnnouncer<Connection>;
  readonly #simulation: SimulatedCarrier | undefined;
  readonly #connected: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #moves = new PathMoves();
  #paths: Int32Array = new Int32Array(0);
  #connection: Connection | undefined;
  #waiter: DrainedWaiter | undefined;
  #ending = false;
  #drainUntil = 0;

  constructor(parts: ClientTransportParts) {
    const { options, link, Simulation } = parts;
    const { signal, maxPacketBytes = 1500 } = options;
    const datagramBytes = maxDatagramBytes(maxPacketBytes);
    const slotBytes = slotBytesFor(datagramBytes);
    this.connected = this.#connected.promise;
    this.closed = this.#closed.promise;
    this.#parts = parts;
    this.#maxPacketBytes = maxPacketBytes;
    this.#announcer = new ConnectionAnnouncer(options.handlers);
    this.#announcer.observe({ drained: () => this.#waiter?.onDrained() });
    const transmit = (batch: PacketBatch): PacketBatch => this.#transmit(batch);
    if (Simulation !== undefined) {
      const receive = (batch: PacketBatch): void => this.#loop.receive(batch);
      this.#simulation = new Simulation({ seed: options.simulationSeed ?? 1, slotBytes, receive, transmit });
    }
    this.#add(link);
    this.#endpoint = new ClientEndpoint({
      ...connectionOptions(options),
      token: options.token,
      crypto: parts.crypto,
      keys: parts.protection,
      driver: {
        maxDatagramBytes: datagramBytes,
        carrierOf: (path) => (this.#linkOf(path)?.link ?? link).traits(path % PATHS_PER_LINK),
        retainPath: (path) => this.#retain(path),
        releasePath: (path) => this.#release(path),
        writable: (path) => {
          const entry = this.#linkOf(path);
          return entry !== undefined && !entry.closed && entry.link.writable;
        },
      },
      serverPaths: link.serverPaths,
      schemaHash: options.schemaHash,
      sink: this.#announcer,
      now: performance.now(),
    });
    const simulation = this.#simulation;
    this.#loop = new EndpointLoop({
      endpoint: this.#endpoint,
      protection: parts.protection,
      slotBytes,
      transmit: simulation === undefined ? transmit : (batch) => simulation.transmit(batch),
      deliver: (event) => this.#deliver(event),
    });
    if (signal !== undefined) {
      const abort = (): void => this.#abort(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      const settled = (): void => signal.removeEventListener("abort", abort);
      this.connected.then(settled, settled);
    }
    if (options.simulate !== undefined) this.simulate(options.simulate);
    this.#loop.wake();
  }

  /** The connection; usable once `connected` has resolved. */
  get connection(): Connection {
    if (this.#connection === undefined) throw new TypeError("not connected yet");
    return this.#connection;
  }

  /** Live counters of the first socket. */
  get stats(): UdpSocketStats {
    return this.#parts.link.socket.stats;
  }

  /** When something of the server's was heard last, by `performance.now()`. */
  get lastReceivedAt(): number {
    return this.#endpoint.lastReceivedAt;
  }

  /** Sends what is queued; call it once after everything of a frame is handed over. */
  flush(): void {
    this.#loop.flush();
  }

  /**
   * After a `send` that answered `full`: resolves when half of the reliable queue is free again, and at once when there was
   * none. Rejects with a `NetworkError` when the connection ends before, or has ended.
   */
  drained(): Promise<void> {
    if (this.#waiter === undefined) throw new TypeError("not connected yet");
    return this.#waiter.drained();
  }

  /** Puts a bad link in front of the sockets, in both directions, or takes it away. Live. */
  simulate(conditions: NetworkConditions | undefined): void {
    if (this.#simulation !== undefined) this.#simulation.set(conditions);
    else if (conditions !== undefined) {
      throw new TypeError("simulated network conditions are disabled here: see `allowSimulation`");
    }
  }

  /**
   * Goes on from another port of this machine: for a change of network that nobody has noticed, and for tests. The old
   * one is used until the server has answered on the new one. Rejects with `NetworkError` when it does not answer,
   * or does not allow it.
   */
  async migrate(): Promise<void> {
    const { datapath, servers } = this.#parts;
    const link = await UdpLink.open({ datapath, servers, maxPacketBytes: this.#maxPacketBytes });
    await this.#moveTo(this.#add(link), link.serverPaths[this.#endpoint.serverIndex]);
  }

  /** Goes on by a carrier that is open already, a WebSocket perhaps. Rejects as `migrate` does; the carrier is closed then. */
  async migrateTo(carrier: DatagramCarrier): Promise<void> {
    await this.#moveTo(this.#add(new CarrierLink(carrier)), 0);
  }

  /** Tells the server goodbye, with the game's own code and reason if given, and closes the sockets. */
  close(code?: number, reason?: string): Promise<void> {
    if (!this.#ending) {
      this.#endpoint.close(this.#loop.now(), code, reason);
      this.#loop.wake();
      this.#end(undefined);
    }
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #add(link: ClientLink): OpenLink {
    const number = this.#linksOpened++;
    const entry: OpenLink = { link, base: number * PATHS_PER_LINK, retained: 0, closed: false };
    this.#links.set(number, entry);
    link.onBatch = (batch) => {
      if (entry.base > 0) for (let i = 0; i < batch.count; i++) batch.path[i] += entry.base;
      if (this.#simulation === undefined) this.#loop.receive(batch);
      else this.#simulation.receive(batch);
    };
    link.onWritable = () => this.#loop.wake();
    link.onClose = () => {
      if (entry.closed) return;
      entry.closed = true;
      this.#forgetUnneeded(entry);
      this.#endpoint.handlePathClosed(entry.base, this.#loop.now());
      this.#loop.wake();
    };
    return entry;
  }

  #linkOf(path: number): OpenLink | undefined {
    return this.#links.get(Math.floor(path / PATHS_PER_LINK));
  }

  #retain(path: number): void {
    const entry = this.#linkOf(path);
    if (entry === undefined) return;
    entry.retained++;
    entry.link.retain(path % PATHS_PER_LINK);
  }

  #release(path: number): void {
    const entry = this.#linkOf(path);
    if (entry === undefined) return;
    entry.link.release(path % PATHS_PER_LINK);
    if (--entry.retained === 0 && !this.#ending) this.#closeLink(entry);
  }

  #closeLink(entry: OpenLink): void {
    if (!entry.closed) entry.link.close();
    entry.closed = true;
    this.#forgetUnneeded(entry);
  }

  /** A link holds buffers: of a session that moves often only those in use are kept. */
  #forgetUnneeded({ base, closed, retained }: OpenLink): void {
    if (closed && retained === 0) this.#links.delete(base / PATHS_PER_LINK);
  }

  #transmit(batch: PacketBatch): PacketBatch {
    let writable = true;
    const first = this.#links.get(0);
    if (first !== undefined && this.#links.size === 1) {
      first.link.transmit(batch);
      writable = first.link.writable;
    } else writable = this.#transmitByLink(batch);
    for (let i = 0; i < batch.count; i++) {
      if (batch.refused[i] === 1) this.#endpoint.handleRefused(batch.path[i], batch.length[i], this.#loop.now());
    }
    // A full socket holds on to the slots it was given.
    return writable ? batch : new PacketBatch(batch.capacity, batch.slotBytes);
  }

  #transmitByLink(batch: PacketBatch): boolean {
    if (this.#paths.length < batch.count) this.#paths = new Int32Array(batch.capacity);
    const paths = this.#paths;
    let writable = true;
    for (let i = 0; i < batch.count; i++) paths[i] = batch.path[i];
    for (const { link, base, closed } of this.#links.values()) {
      if (closed) continue;
      let any = false;
      for (let i = 0; i < batch.count; i++) {
        const own = paths[i] >= base && paths[i] < base + PATHS_PER_LINK;
        batch.path[i] = own ? paths[i] - base : -1;
        if (own) any = true;
      }
      if (any) link.transmit(batch);
      if (any && !link.writable) writable = false;
    }
    for (let i = 0; i < batch.count; i++) batch.path[i] = paths[i];
    return writable;
  }

  /** `linkPath` is counted from 0; -1: the link does not lead to the server. */
  async #moveTo(entry: OpenLink, linkPath: number): Promise<void> {
    const path = entry.base + linkPath;
    if (linkPath < 0 || !this.#endpoint.migrate(path, this.#loop.now())) {
      this.#closeLink(entry);
      throw new NetworkError("denied", "the connection is not open, or the server does not let it move");
    }
    const moved = this.#moves.begin(path);
    this.#loop.wake();
    await moved;
  }

  #deliver(event: EndpointEvent): void {
    if (event.type === "connected") {
      this.#connection = event.connection;
      this.#waiter = new DrainedWaiter(event.connection);
    }
    this.#announcer.deliver(event);
    switch (event.type) {
      case "connected":
        this.#connected.resolve();
        return;
      case "migrated":
        this.#moves.onMigrated(event.path);
        return;
      case "migrationFailed":
        this.#moves.onFailed(event.path);
        return;
      case "disconnected":
      case "rejected":
        this.#end(event.error);
        return;
      case "interrupted":
      // Told by servers.
      case "admitted":
      case "closing":
    }
  }

  #abort(reason: unknown): void {
    this.#connected.reject(reason);
    void this.close();
  }

  /** The connection is over: the last packets leave, then the sockets close. */
  #end(error: NetworkError | undefined): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#connected.reject(error ?? new NetworkError("aborted", "closed before it was connected"));
    this.#moves.onEnded(error);
    this.#waiter?.onEnded();
    this.#drainUntil = this.#loop.now() + CLOSE_DRAIN_MS;
    setImmediate(this.#closeSockets);
  }

  readonly #closeSockets = (): void => {
    this.#loop.wake();
    const drained = this.#endpoint.finished && (this.#simulation?.outboundCount ?? 0) === 0;
    if (!drained && this.#loop.now() < this.#drainUntil) {
      setTimeout(this.#closeSockets, CLOSE_CHECK_MS);
      return;
    }
    this.#loop.stop();
    this.#simulation?.stop();
    for (const entry of this.#links.values()) this.#closeLink(entry);
    this.#closed.resolve();
  };
}

/** What is the endpoint's of a transport's options. */
export function connectionOptions(
  options: Pick<DialUdpOptions, "limits" | "batch" | "congestionControl" | "extensions" | "qos">,
): Pick<DialUdpOptions, "limits" | "batch" | "congestionControl" | "extensions" | "qos"> {
  const { limits, batch, congestionControl, extensions, qos } = options;
  return {
    ...(limits !== undefined && { limits }),
    ...(batch !== undefined && { batch }),
    ...(congestionControl !== undefined && { congestionControl }),
    ...(extensions !== undefined && { extensions }),
    ...(qos !== undefined && { qos }),
  };
}
