/**
 * The WebSocket driver of a client: the same netcode packets as on UDP, one to a binary message,
 * sealed the same way. Runs in browsers and in Node; uses nothing but the global `WebSocket`, timers
 * and `crypto.getRandomValues`.
 *
 * In a hidden tab browsers slow timers down to one a second or less, but deliver socket events at
 * once, so every packet that arrives also drives the protocol's timeouts: the server's snapshots and
 * keep-alives keep the session alive.
 */

import { NO_KEY, NetworkError } from "@riposte/protocol";
import type { ReceivedPacket, TransmitSlot } from "@riposte/protocol";
import type { CarrierTraits, Connection } from "@riposte/protocol/channel";
import { ClientEndpoint } from "@riposte/protocol/endpoint";
import type { EndpointDriver } from "@riposte/protocol/endpoint";
import { nobleCrypto, readConnectToken, SoftwareKeys } from "@riposte/protocol/netcode";
import { NetworkConditionSimulator } from "@riposte/protocol/simulator";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { ClientCarrier, DialOptions } from "./carriers/carrier.ts";

const SLOT_BYTES = 2048;
/** Above this many bytes in the socket's buffer no packet is made: what waits there only gets older. */
const MAX_BUFFERED_BYTES = 65_536;
/** The one path: the socket. */
const PATH = 0;
const TRAITS: CarrierTraits = { name: "websocket", maxPayloadBytes: 1200, reliable: true };

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
  readonly name = "websocket";
  readonly #options: DialOptions;
  /** Told once: the connection is up, or could not be made. */
  #settled: ((error: NetworkError | undefined) => void) | undefined;
  readonly #socket: WebSocket;
  readonly #keys: SoftwareKeys;
  readonly #endpoint: ClientEndpoint;
  #incoming: NetworkConditionSimulator | undefined;
  #outgoing: NetworkConditionSimulator | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #over = false;
  readonly #socketClosed: Promise<void>;

  readonly #packet: ReceivedPacket = {
    buffer: new Uint8Array(0),
    offset: 0,
    length: 0,
    path: PATH,
    ecn: 0,
    key: NO_KEY,
    packetNumber: 0,
    headerLength: 0,
    aadLength: 0,
    opened: false,
  };
  readonly #slot: TransmitSlot = {
    buffer: new Uint8Array(SLOT_BYTES),
    offset: 0,
    capacity: SLOT_BYTES,
    length: 0,
    path: PATH,
    ecn: 0,
    key: NO_KEY,
    packetNumber: 0,
    headerLength: 0,
    aadLength: 0,
  };

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
      serverPaths: addresses.map((_address, i) => (i === 0 ? PATH : -1)),
      schemaHash: options.schemaHash,
      sink: options.handlers,
      now: performance.now(),
    });
    this.#socket = new WebSocket(options.url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("open", () => this.#wake());
    this.#socket.addEventListener("message", (event: MessageEvent) => this.#handleMessage(event.data));
    this.#socketClosed = new Promise((resolve) => {
      this.#socket.addEventListener("close", (event) => {
        this.#handleClose(event.code);
        resolve();
      });
    });
    // The reason is never told; "close" follows.
    this.#socket.addEventListener("error", () => undefined);
  }

  get connection(): Connection {
    return this.#endpoint.connection as Connection;
  }

  carrierOf(): CarrierTraits {
    return TRAITS;
  }

  retainPath(): void {
    // There is one path, and it lives as long as the driver.
  }

  releasePath(): void {
    // See retainPath.
  }

  writable(): boolean {
    return this.#socket.readyState === WebSocket.OPEN && this.#socket.bufferedAmount < MAX_BUFFERED_BYTES;
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

  flush(): void {
    if (this.#over) return;
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
    await this.#socketClosed;
  }

  /** Gives up without a word to the session; used when connecting was aborted. */
  abandon(): void {
    this.#settled = undefined;
    this.#endpoint.close(performance.now());
    this.#transmit(performance.now());
    this.#end(undefined);
  }

  #handleMessage(data: unknown): void {
    if (this.#over || !(data instanceof ArrayBuffer) || data.byteLength === 0 || data.byteLength > SLOT_BYTES) return;
    const bytes = new Uint8Array(data);
    if (this.#incoming === undefined) this.#receive(bytes, 0, bytes.length, performance.now());
    else this.#incoming.push(bytes, 0, bytes.length, PATH, performance.now());
    this.#wake();
  }

  #receive(buffer: Uint8Array, offset: number, length: number, now: number): void {
    const packet = this.#packet;
    packet.buffer = buffer;
    packet.offset = offset;
    packet.length = length;
    packet.path = PATH;
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
    if (!this.#over) this.#setTimer(now);
  }

  #handleEvents(): void {
    for (let event = this.#endpoint.pollEvent(); event !== undefined; event = this.#endpoint.pollEvent()) {
      if (event.type === "connected") {
        this.#settled?.(undefined);
        this.#settled = undefined;
      } else if (event.type === "disconnected" || event.type === "rejected") {
        this.#transmit(performance.now());
        this.#end(event.error);
        return;
      }
    }
  }

  #transmit(now: number): void {
    const slot = this.#slot;
    while (this.writable()) {
      slot.offset = 0;
      slot.capacity = SLOT_BYTES;
      slot.key = NO_KEY;
      if (!this.#endpoint.pollTransmit(slot, now)) return;
      this.#keys.seal(slot);
      const { length } = slot;
      if (this.#outgoing !== undefined) this.#outgoing.push(slot.buffer, 0, length, PATH, now);
      else this.#socket.send(slot.buffer.subarray(0, length) as Uint8Array<ArrayBuffer>);
    }
  }

  #releaseSimulated(until: number): void {
    const now = performance.now();
    for (let packet = this.#incoming?.pop(until); packet !== undefined; packet = this.#incoming?.pop(until)) {
      this.#receive(packet.buffer, packet.offset, packet.length, now);
    }
    for (let packet = this.#outgoing?.pop(until); packet !== undefined; packet = this.#outgoing?.pop(until)) {
      if (this.#socket.readyState !== WebSocket.OPEN) continue;
      const { buffer, offset, length } = packet;
      this.#socket.send(buffer.subarray(offset, offset + length) as Uint8Array<ArrayBuffer>);
    }
  }

  #setTimer(now: number): void {
    const dueAt = Math.min(
      this.#endpoint.nextTimeout(),
      this.#incoming?.nextTimeout() ?? Infinity,
      this.#outgoing?.nextTimeout() ?? Infinity,
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

  #handleClose(code: number): void {
    if (this.#over) return;
    this.#endpoint.handlePathClosed(PATH, performance.now());
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
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#socket.readyState <= WebSocket.OPEN) this.#socket.close(1000);
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
