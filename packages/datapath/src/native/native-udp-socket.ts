import { getSystemErrorName } from "node:util";
import { DEFAULT_BUFFER_BYTES, bindAnyFamily } from "../bind.ts";
import type { UdpSocket, UdpSocketCapabilities, UdpSocketOptions, UdpSocketStats } from "../datapath.ts";
import { PacketBatch } from "../packet-batch.ts";
import type { NativeAddon, NativeSocket } from "./addon.ts";

/** uv_poll's events. */
const READABLE = 1;
const WRITABLE = 2;
/** A message that GRO joined. */
const JOINED_BYTES = 65_536;
const DEFAULT_SLOTS = 64;
/** Descriptors of a batch for joined messages: the addon stops early enough for all datagrams of a message. */
const JOINED_CAPACITY = 1024;

/** Counters of native/udp_socket.h. */
const PACKETS_RECEIVED = 0;
const BYTES_RECEIVED = 1;
const PACKETS_SENT = 2;
const BYTES_SENT = 3;
const RECEIVE_OVERFLOWED = 4;
const RECEIVE_MALFORMED = 5;
const SEND_OVERFLOWED = 6;
const SEND_FAILED = 7;

/**
 * Batches by `recvmmsg` and `sendmmsg`. Readiness comes from libuv's own loop, level-triggered: one
 * batch for each turn, so timers run in between however fast datagrams come.
 */
export class NativeUdpSocket implements UdpSocket {
  readonly stats: UdpSocketStats;
  readonly capabilities: UdpSocketCapabilities;
  readonly address: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;

  readonly #native: NativeSocket;
  readonly #onReadable: () => void;
  readonly #onWritable: (() => void) | undefined;
  /** What the kernel did not take: the caller leaves the batch alone until it did. */
  #unsent: PacketBatch | undefined;
  #unsentFrom = 0;
  #unsentCount = 0;
  /** Packets of batches that came in the meantime. */
  #overflowed = 0;
  #closed = false;

  /** See `UdpSocketOptions`. */
  static async open(addon: NativeAddon, options: UdpSocketOptions): Promise<NativeUdpSocket> {
    return bindAnyFamily(options.host, async (host) => new NativeUdpSocket(addon, host, options));
  }

  private constructor(addon: NativeAddon, host: string, options: UdpSocketOptions) {
    const native = new addon.UdpSocket();
    const { port = 0, bufferBytes = DEFAULT_BUFFER_BYTES, reusePort = false } = options;
    const result = native.bind(options.addresses, this.#handleEvents, host, port, reusePort, bufferBytes);
    if (result < 0) {
      const code = getSystemErrorName(result);
      const error = new Error(`bind ${code} ${host}:${port}`);
      throw Object.assign(error, { errno: result, code, syscall: "bind", address: host, port });
    }
    this.#native = native;
    this.#onReadable = options.onReadable;
    this.#onWritable = options.onWritable;
    this.address = native.address;
    this.port = native.port;
    this.receiveBufferBytes = native.receiveBufferBytes;
    this.sendBufferBytes = native.sendBufferBytes;
    this.stats = this.#createStats();
    this.capabilities = createCapabilities(native);
  }

  get writable(): boolean {
    return this.#unsent === undefined && !this.#closed;
  }

  createReceiveBatch(slots: number = DEFAULT_SLOTS): PacketBatch {
    return this.#native.enableGro()
      ? new PacketBatch(Math.max(JOINED_CAPACITY, slots), JOINED_BYTES, slots)
      : new PacketBatch(slots);
  }

  receive(batch: PacketBatch): number {
    batch.count = 0;
    return (batch.count = this.#native.receive(batch.buffer, batch.descriptors, batch.slotBytes));
  }

  send(batch: PacketBatch): number {
    const { count } = batch;
    if (!this.writable) {
      for (let i = 0; i < count; i += 1) if (batch.path[i] >= 0) this.#overflowed += 1;
      return 0;
    }
    const next = this.#native.send(batch.buffer, batch.descriptors, count, 0);
    if (next < count) {
      this.#unsent = batch;
      this.#unsentFrom = next;
      this.#unsentCount = count;
    }
    return this.#native.lastSent();
  }

  close(): void {
    this.#closed = true;
    this.#unsent = undefined;
    this.#native.close();
  }

  readonly #handleEvents = (events: number): void => {
    if ((events & WRITABLE) !== 0) this.#resume();
    if ((events & READABLE) !== 0 && !this.#closed) this.#onReadable();
  };

  /** There is room: first for what is left of the batch that found none. */
  #resume(): void {
    const batch = this.#unsent;
    if (batch === undefined) return;
    const next = this.#native.send(batch.buffer, batch.descriptors, this.#unsentCount, this.#unsentFrom);
    if (next < this.#unsentCount) {
      this.#unsentFrom = next;
      return;
    }
    this.#unsent = undefined;
    this.#onWritable?.();
  }

  #createStats(): UdpSocketStats {
    const native = this.#native;
    const dropped = (): number => this.#overflowed;
    return {
      get packetsReceived() {
        return native.count(PACKETS_RECEIVED);
      },
      get bytesReceived() {
        return native.count(BYTES_RECEIVED);
      },
      get packetsSent() {
        return native.count(PACKETS_SENT);
      },
      get bytesSent() {
        return native.count(BYTES_SENT);
      },
      get receiveOverflowed() {
        return native.count(RECEIVE_OVERFLOWED);
      },
      get receiveMalformed() {
        return native.count(RECEIVE_MALFORMED);
      },
      get sendOverflowed() {
        return native.count(SEND_OVERFLOWED) + dropped();
      },
      get sendFailed() {
        return native.count(SEND_FAILED);
      },
    };
  }
}

function createCapabilities(native: NativeSocket): UdpSocketCapabilities {
  return {
    get gso() {
      return native.gso;
    },
    gro: native.gro,
    ecn: native.ecn,
    localAddress: native.localAddress,
    dontFragment: native.dontFragment,
  };
}
