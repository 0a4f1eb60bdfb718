import { PacketBatch } from "@riposte/datapath";
import type { AddressTable, DatapathCrypto, PacketProtection, UdpSocket, UdpSocketStats } from "@riposte/datapath";
import { NetworkError } from "@riposte/protocol";
import type { Connection } from "@riposte/protocol/channel";
import { ClientEndpoint } from "@riposte/protocol/endpoint";
import type { EndpointEvent } from "@riposte/protocol/endpoint";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import { UDP_TRAITS } from "./carrier-traits.ts";
import type { DialUdpOptions } from "./dial-udp.ts";
import { ConnectionAnnouncer } from "./connection-announcer.ts";
import { EndpointLoop } from "./endpoint-loop.ts";

/** What `dialUdp` has opened for it. */
export interface ClientTransportParts {
  readonly options: DialUdpOptions;
  readonly udp: UdpSocket;
  readonly addresses: AddressTable;
  readonly serverPaths: readonly number[];
  readonly crypto: DatapathCrypto;
  readonly protection: PacketProtection;
}

/** How long the last packets of a closing client may take to leave, and how often to look. */
const CLOSE_DRAIN_MS = 500;
const CLOSE_CHECK_MS = 5;
/** A client hears one server: what the kernel joined of its packets shares a slot. */
const RECEIVE_SLOTS = 16;

/** A client's UDP socket and timer around one `ClientEndpoint`; made by `dialUdp`. */
export class ClientTransport implements AsyncDisposable {
  /** Settles when the connection is usable, or will never be. */
  readonly connected: Promise<void>;
  /** Resolves when the socket is closed, whoever ended the connection. */
  readonly closed: Promise<void>;

  readonly #endpoint: ClientEndpoint;
  readonly #udp: UdpSocket;
  readonly #loop: EndpointLoop;
  readonly #announcer: ConnectionAnnouncer;
  readonly #allowSimulation: boolean;
  readonly #received: PacketBatch;
  readonly #connected: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #connection: Connection | undefined;
  #ending = false;
  #drainUntil = 0;

  constructor(parts: ClientTransportParts) {
    const { options, udp, addresses } = parts;
    const { signal } = options;
    this.connected = this.#connected.promise;
    this.closed = this.#closed.promise;
    this.#udp = udp;
    this.#received = udp.createReceiveBatch(RECEIVE_SLOTS);
    this.#announcer = new ConnectionAnnouncer(options.handlers);
    this.#allowSimulation = options.allowSimulation ?? process.env.NODE_ENV !== "production";
    this.#endpoint = new ClientEndpoint({
      token: options.token,
      crypto: parts.crypto,
      keys: parts.protection,
      driver: {
        carrierOf: () => UDP_TRAITS,
        retainPath: (path) => addresses.retain(path),
        releasePath: (path) => addresses.release(path),
        writable: () => udp.writable,
      },
      serverPaths: parts.serverPaths,
      schemaHash: options.schemaHash,
      sink: this.#announcer,
      now: performance.now(),
    });
    this.#loop = new EndpointLoop({
      endpoint: this.#endpoint,
      protection: parts.protection,
      transmit: (batch) => this.#transmit(batch),
      deliver: (event) => this.#deliver(event),
      simulationSeed: options.simulationSeed ?? 1,
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

  /** Live counters of the socket. */
  get stats(): UdpSocketStats {
    return this.#udp.stats;
  }

  /** Sends what is queued; call it once after everything of a frame is handed over. */
  flush(): void {
    this.#loop.flush();
  }

  /** Puts a bad link in front of the socket, in both directions, or takes it away. Live. */
  simulate(conditions: NetworkConditions | undefined): void {
    if (conditions !== undefined && !this.#allowSimulation) {
      throw new TypeError("simulated network conditions are disabled here: see `allowSimulation`");
    }
    this.#loop.simulate(conditions);
  }

  /** Tells the server goodbye, with the game's own code and reason if given, and closes the socket. */
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

  /** For `dialUdp`: datagrams wait. */
  receiveUdp(): void {
    if (this.#udp.receive(this.#received) > 0) this.#loop.receive(this.#received);
  }

  /** For `dialUdp`: the socket takes more again. */
  resume(): void {
    this.#loop.wake();
  }

  #transmit(batch: PacketBatch): PacketBatch {
    this.#udp.send(batch);
    // A full socket holds on to the slots it was given.
    return this.#udp.writable ? batch : new PacketBatch(batch.capacity, batch.slotBytes);
  }

  #deliver(event: EndpointEvent): void {
    if (event.type === "connected") this.#connection = event.connection;
    this.#announcer.deliver(event);
    if (event.type === "connected") this.#connected.resolve();
    else if (event.type === "disconnected" || event.type === "rejected") this.#end(event.error);
  }

  #abort(reason: unknown): void {
    this.#connected.reject(reason);
    void this.close();
  }

  /** The connection is over: the last packets leave, then the socket closes. */
  #end(error: NetworkError | undefined): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#connected.reject(error ?? new NetworkError("aborted", "closed before it was connected"));
    this.#drainUntil = this.#loop.now() + CLOSE_DRAIN_MS;
    setImmediate(this.#closeSocket);
  }

  readonly #closeSocket = (): void => {
    this.#loop.wake();
    const drained = this.#endpoint.finished && this.#loop.simulatedOutboundCount === 0;
    if (!drained && this.#loop.now() < this.#drainUntil) {
      setTimeout(this.#closeSocket, CLOSE_CHECK_MS);
      return;
    }
    this.#loop.stop();
    this.#udp.close();
    this.#closed.resolve();
  };
}
