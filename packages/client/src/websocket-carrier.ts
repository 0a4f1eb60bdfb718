/**
 * The WebSocket driver of a client: the same netcode packets as on UDP, one to a binary message,
 * sealed the same way. Runs in browsers and in Node; uses nothing but the global `WebSocket`, timers
 * and `crypto.getRandomValues`. When its socket closes or falls silent it opens another one, and the
 * session goes on there.
 *
 * In a hidden tab browsers slow timers down to one a second or less, but deliver socket events at
 * once, so every packet that arrives also drives the protocol's timeouts: the server's snapshots and
 * keep-alives keep the session alive.
 */

import { createReceivedPacket, createTransmitSlot, NO_KEY, NetworkError } from "@riposte/protocol";
import type { ReceivedPacket, TransmitSlot } from "@riposte/protocol";
import type { CarrierTraits, Connection } from "@riposte/protocol/channel";
import { ClientEndpoint, PathMoves } from "@riposte/protocol/endpoint";
import type { EndpointDriver, EndpointEvent } from "@riposte/protocol/endpoint";
import { nobleCrypto, readConnectToken, SoftwareKeys } from "@riposte/protocol/netcode";
import { NetworkConditionSimulator } from "@riposte/protocol/simulator";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { ClientCarrier, DialOptions } from "./carriers/carrier.ts";
import { ResumePolicy } from "./resume-policy.ts";
import { WebSocketLink } from "./websocket-link.ts";

const SLOT_BYTES = 2048;
/** The first socket; each further one is one higher. */
const FIRST_PATH = 0;

/** Has a page tell us when it goes for good; gives what undoes it. A page that the browser keeps may come back, and resumes. */
function onPageGone(callback: () => void): () => void {
  if (typeof document === "undefined") return () => undefined;
  const listener = (event: PageTransitionEvent): void => {
    if (!event.persisted) callback();
  };
  addEventListener("pagehide", listener);
  return () => removeEventListener("pagehide", listener);
}

/** Connects over a WebSocket; resolves when the server has admitted the client. */
export function dialWebSocket(options: DialOptions): Promise<ClientCarrier> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const abort = (): void => {
      driver.abandon();
      reject(signal?.reason as Error);
    };
    const driver = new WebSocketDriver(options, (error) => {
      signal?.removeEventListener("abort", abort);
      if (error === undefined) resolve(driver);
      else reject(error);
    });
    signal?.addEventListener("abort", abort);
  });
}

class WebSocketDriver implements ClientCarrier, EndpointDriver {
  readonly #options: DialOptions;
  /** Told once: the connection is up, or could not be made. */
  #settled: ((error: NetworkError | undefined) => void) | undefined;
  /** By path. */
  readonly #links: WebSocketLink[] = [];
  readonly #keys: SoftwareKeys;
  readonly #endpoint: ClientEndpoint;
  readonly #resume = new ResumePolicy();
  readonly #moves = new PathMoves();
  #incoming: NetworkConditionSimulator | undefined;
  #outgoing: NetworkConditionSimulator | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #over = false;
  /** Without a goodbye the server would keep the seat until the session times out. */
  readonly #stayOnPage: () => void = onPageGone(() => void this.close());

  readonly #packet: ReceivedPacket = createReceivedPacket();
  readonly #slot: TransmitSlot = createTransmitSlot(new Uint8Array(SLOT_BYTES));

  constructor(options: DialOptions, settled: (error: NetworkError | undefined) => void) {
    this.#options = options;
    this.#settled = settled;
    const cryptography = nobleCrypto((length) => crypto.getRandomValues(new Uint8Array(length)));
    this.#keys = new SoftwareKeys(cryptography);
    this.simulate(options.simulate);
    const addresses = readConnectToken(options.token)?.serverAddresses ?? [];
    this.#endpoint = new ClientEndpoint({
      token: options.token,
      crypto: cryptography,
      keys: this.#keys,
      driver: this,
      // The socket leads to one server, whichever of the token's addresses that is.
      serverPaths: addresses.map((_address, i) => (i === 0 ? FIRST_PATH : -1)),
      schemaHash: options.schemaHash,
      sink: options.handlers,
      now: performance.now(),
    });
    this.#open();
  }

  get connection(): Connection {
    return this.#endpoint.connection as Connection;
  }

  carrierOf(path: number): CarrierTraits {
    return this.#links[path].traits;
  }

  retainPath(): void {
    // A path means one socket for ever.
  }

  releasePath(path: number): void {
    // Moved away from, or given up. The last one is closed by `#end`, behind the goodbyes.
    if (!this.#over && path !== this.#endpoint.path) this.#links[path].close();
  }

  writable(path: number): boolean {
    return this.#links[path].writable;
  }

  simulate(conditions: NetworkConditions | undefined): void {
    if (conditions === undefined) {
      // What is under way arrives now.
      this.#releaseSimulated(Infinity);
      this.#incoming = undefined;
      this.#outgoing = undefined;
      return;
    }
    if (this.#incoming === undefined || this.#outgoing === undefined) {
      const seed = crypto.getRandomValues(new Uint32Array(2));
      this.#incoming = new NetworkConditionSimulator({ seed: seed[0], conditions });
      this.#outgoing = new NetworkConditionSimulator({ seed: seed[1], conditions });
    } else {
      this.#incoming.conditions = conditions;
      this.#outgoing.conditions = conditions;
    }
  }

  async migrate(): Promise<void> {
    const path = this.#open();
    await this.#links[path].opened.catch((error: unknown) => {
      throw new NetworkError("carrierFailed", "no other WebSocket could be opened", { cause: error });
    });
    if (!this.#endpoint.migrate(path, performance.now())) {
      this.#links[path].close();
      throw new NetworkError("denied", "the connection is not open, or the server does not let it move");
    }
    const moved = this.#moves.begin(path);
    this.#wake();
    await moved;
  }

  flush(): void {
    if (this.#over) return;
    this.#endpoint.flush();
    this.#transmit(performance.now());
    this.#setTimer(performance.now());
  }

  async close(): Promise<void> {
    if (!this.#over) {
      const now = performance.now();
      this.#endpoint.close(now);
      this.#releaseSimulated(Infinity);
      this.#outgoing = undefined;
      this.#transmit(now);
      this.#end(undefined);
    }
    await Promise.all(this.#links.map(({ closed }) => closed));
  }

  /** Gives up without a word to the session; used when connecting was aborted. */
  abandon(): void {
    this.#settled = undefined;
    this.#endpoint.close(performance.now());
    this.#transmit(performance.now());
    this.#end(undefined);
  }

  /** One more socket; its path. */
  #open(): number {
    const link = new WebSocketLink(this.#options.url);
    const path = this.#links.push(link) - 1;
    link.onWritable = () => this.#wake();
    link.onDatagram = (bytes) => {
      if (this.#over) return;
      const now = performance.now();
      if (this.#incoming === undefined) this.#receive(bytes, 0, bytes.length, path, now);
      else this.#incoming.push(bytes, 0, bytes.length, path, now);
      this.#wake();
    };
    link.onClose = (code) => this.#handleClose(path, code);
    return path;
  }

  #receive(buffer: Uint8Array, offset: number, length: number, path: number, now: number): void {
    const packet = this.#packet;
    packet.buffer = buffer;
    packet.offset = offset;
    packet.length = length;
    packet.path = path;
    packet.key = NO_KEY;
    packet.opened = false;
    this.#endpoint.classify(packet);
    if (packet.key !== NO_KEY) this.#keys.open(packet);
    this.#endpoint.receive(packet, now);
  }

  #wake(): void {
    if (this.#over) return;
    const now = performance.now();
    this.#releaseSimulated(now);
    this.#endpoint.handleTimeout(now);
    this.#transmit(now);
    this.#handleEvents();
    if (this.#over) return;
    this.#resumeIfDue(now);
    this.#setTimer(now);
  }

  /** Opens another socket when the one in use is gone or silent, and moves there when it is open. */
  #resumeIfDue(now: number): void {
    if (now < this.#resumeAt()) return;
    this.#resume.onAttempt(now);
    const path = this.#open();
    const link = this.#links[path];
    link.opened.then(
      () => {
        const openedAt = performance.now();
        const isWanted = !this.#over && this.#resume.isNeeded(this.#endpoint.lastReceivedAt, openedAt);
        if (isWanted && this.#endpoint.migrate(path, openedAt)) this.#wake();
        else link.close();
      },
      () => undefined,
    );
  }

  /** When another socket is due. */
  #resumeAt(): number {
    const { connection } = this.#endpoint;
    if (connection?.negotiated.sessionId === undefined || connection.state === "closed") return Infinity;
    return this.#resume.dueAt(this.#endpoint.lastReceivedAt);
  }

  #handleEvents(): void {
    for (let event = this.#endpoint.pollEvent(); event !== undefined; event = this.#endpoint.pollEvent()) {
      this.#handleEvent(event);
    }
  }

  #handleEvent(event: EndpointEvent): void {
    switch (event.type) {
      case "connected":
        this.#settled?.(undefined);
        this.#settled = undefined;
        return;
      case "interrupted":
        this.#resume.onInterrupted(performance.now());
        this.#options.handlers.interrupted?.(event.connection);
        return;
      case "migrated":
        this.#resume.onMigrated(performance.now());
        this.#moves.onMigrated(event.path);
        this.#options.handlers.migrated?.(event.connection);
        return;
      case "migrationFailed":
        this.#moves.onFailed(event.path);
        return;
      case "disconnected":
      case "rejected":
        this.#transmit(performance.now());
        this.#end(event.error);
        return;
      // Told by servers.
      case "admitted":
      case "closing":
    }
  }

  #transmit(now: number): void {
    const slot = this.#slot;
    for (;;) {
      slot.offset = 0;
      slot.capacity = SLOT_BYTES;
      slot.key = NO_KEY;
      if (!this.#endpoint.pollTransmit(slot, now)) return;
      this.#keys.seal(slot);
      const { length } = slot;
      if (this.#outgoing !== undefined) this.#outgoing.push(slot.buffer, 0, length, slot.path, now);
      else this.#links[slot.path].send(slot.buffer, 0, length);
    }
  }

  #releaseSimulated(until: number): void {
    const now = performance.now();
    for (let packet = this.#incoming?.pop(until); packet !== undefined; packet = this.#incoming?.pop(until)) {
      this.#receive(packet.buffer, packet.offset, packet.length, packet.path, now);
    }
    for (let packet = this.#outgoing?.pop(until); packet !== undefined; packet = this.#outgoing?.pop(until)) {
      this.#links[packet.path].send(packet.buffer, packet.offset, packet.length);
    }
  }

  #setTimer(now: number): void {
    const dueAt = Math.min(
      this.#endpoint.nextTimeout(),
      this.#incoming?.nextTimeout() ?? Infinity,
      this.#outgoing?.nextTimeout() ?? Infinity,
      this.#resumeAt(),
    );
    // A timer that fires too early only sets the next one.
    if (this.#timer !== undefined && this.#timerAt <= dueAt) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
    if (dueAt === Infinity) return;
    this.#timerAt = dueAt;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#timerAt = Infinity;
        this.#wake();
      },
      Math.max(1, dueAt - now),
    );
  }

  #handleClose(path: number, code: number): void {
    if (this.#over) return;
    this.#endpoint.handlePathClosed(path, performance.now());
    if (path !== FIRST_PATH || this.#endpoint.connection?.negotiated.sessionId !== undefined) {
      this.#wake();
      return;
    }
    this.#handleEvents();
    if (this.#over) return;
    const opened = this.#settled === undefined;
    this.#end(
      new NetworkError(
        "carrierFailed",
        opened
          ? `the WebSocket to ${this.#options.url} closed with code ${code}`
          : `no WebSocket to ${this.#options.url}: is the server running, and does every proxy on the way let WebSockets through?`,
      ),
    );
  }

  #end(error: NetworkError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#stayOnPage();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const link of this.#links) link.close();
    this.#moves.onEnded(error);
    const settled = this.#settled;
    this.#settled = undefined;
    if (settled === undefined) {
      const connection = this.#endpoint.connection;
      if (connection !== undefined) this.#options.handlers.disconnected(connection, error);
    } else {
      settled(error ?? new NetworkError("closedByPeer", "the server closed the connection before it was open"));
    }
  }
}
