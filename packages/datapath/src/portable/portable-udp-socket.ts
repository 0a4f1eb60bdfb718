import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { UdpSocket, UdpSocketCapabilities, UdpSocketOptions, UdpSocketStats } from "../datapath.ts";
import { PacketBatch } from "../packet-batch.ts";
import { DEFAULT_BUFFER_BYTES, bindAnyFamily } from "../bind.ts";
import { PortableAddressTable } from "./portable-address-table.ts";

const DEFAULT_QUEUE_PACKETS = 1024;
/** While a send queue is full, how often to look whether it has drained: libuv says so only per packet. */
const WRITABLE_CHECK_MS = 1;
/** node:dgram offers none of it. */
const CAPABILITIES: UdpSocketCapabilities = {
  gso: false,
  gro: false,
  ecn: false,
  localAddress: false,
  dontFragment: false,
};

/**
 * Batches over node:dgram.
 *
 * libuv reads at most 32 datagrams per turn of the event loop and node:dgram raises one event for
 * each; the event only puts the buffer into a bounded ring. One immediate later in the same turn
 * tells the driver, which drains the ring into its batch. So however fast datagrams come, timers
 * run between every 32 of them.
 */
export class PortableUdpSocket implements UdpSocket {
  readonly stats: { -readonly [Counter in keyof UdpSocketStats]: number } = {
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    receiveOverflowed: 0,
    receiveMalformed: 0,
    sendOverflowed: 0,
    sendFailed: 0,
  };
  readonly capabilities: UdpSocketCapabilities = CAPABILITIES;
  readonly address: string;
  readonly port: number;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;

  readonly #socket: Socket;
  readonly #dualStack: boolean;
  readonly #addresses: PortableAddressTable;
  readonly #onReadable: () => void;
  readonly #onWritable: (() => void) | undefined;
  #closed = false;
  #writable = true;
  #writableTimer: NodeJS.Timeout | undefined;

  readonly #queue: (Uint8Array | undefined)[];
  readonly #queuePaths: Int32Array;
  readonly #queueMask: number;
  #queueHead = 0;
  #queueTail = 0;
  #wakeScheduled = false;

  /** See `UdpSocketOptions`. */
  static async open(options: UdpSocketOptions): Promise<PortableUdpSocket> {
    const queuePackets = options.receiveQueuePackets ?? DEFAULT_QUEUE_PACKETS;
    if (!Number.isInteger(Math.log2(queuePackets))) {
      throw new RangeError(`receiveQueuePackets must be a power of two, not ${queuePackets}`);
    }
    const { addresses } = options;
    if (!(addresses instanceof PortableAddressTable))
      throw new TypeError("addresses must come from this datapath's createAddressTable");
    return bindAnyFamily(options.host, async (host) => {
      const socket = await bind(host, options);
      return new PortableUdpSocket(socket, isIPv6(host), addresses, options, queuePackets);
    });
  }

  private constructor(
    socket: Socket,
    dualStack: boolean,
    addresses: PortableAddressTable,
    options: UdpSocketOptions,
    queuePackets: number,
  ) {
    this.#socket = socket;
    this.#dualStack = dualStack;
    this.#addresses = addresses;
    this.#onReadable = options.onReadable;
    this.#onWritable = options.onWritable;
    this.#queue = Array.from<Uint8Array | undefined>({ length: queuePackets }).fill(undefined);
    this.#queuePaths = new Int32Array(queuePackets);
    this.#queueMask = queuePackets - 1;
    const local = socket.address();
    this.address = local.address;
    this.port = local.port;
    // Linux doubles what it was asked for, for its records of each packet.
    const recorded = process.platform === "linux" ? 2 : 1;
    this.receiveBufferBytes = socket.getRecvBufferSize() / recorded;
    this.sendBufferBytes = socket.getSendBufferSize() / recorded;
    socket.on("message", this.#handleMessage);
    // ICMP errors and the like: loss.
    socket.on("error", this.#countError);
  }

  get writable(): boolean {
    return this.#writable && !this.#closed;
  }

  createReceiveBatch(slots?: number): PacketBatch {
    return new PacketBatch(slots);
  }

  receive(batch: PacketBatch): number {
    batch.count = 0;
    while (this.#queueHead !== this.#queueTail && !batch.full) {
      const at = this.#queueHead & this.#queueMask;
      const bytes = this.#queue[at];
      this.#queue[at] = undefined;
      this.#queueHead = (this.#queueHead + 1) | 0;
      if (bytes === undefined) continue;
      if (!batch.append(bytes, 0, bytes.length, this.#queuePaths[at])) {
        this.stats.receiveMalformed += 1;
        continue;
      }
      this.stats.packetsReceived += 1;
      this.stats.bytesReceived += bytes.length;
    }
    return batch.count;
  }

  send(batch: PacketBatch): number {
    const { stats } = this;
    const addresses = this.#addresses;
    // A queue that fills up within the batch keeps all of it: libuv holds on to its slots.
    const isBlocked = !this.writable;
    let sent = 0;
    for (let i = 0; i < batch.count; i += 1) {
      const path = batch.path[i];
      if (path < 0) continue;
      if (!addresses.has(path)) {
        stats.sendFailed += 1;
        continue;
      }
      if (isBlocked) {
        stats.sendOverflowed += 1;
        continue;
      }
      const length = batch.length[i];
      const host = this.#dualStack ? addresses.host6(path) : addresses.host(path);
      this.#socket.send(batch.buffer, batch.offset[i], length, addresses.port(path), host, this.#countError);
      // Not taken at once: the kernel's queue is full.
      if (this.#socket.getSendQueueCount() > 0) this.#awaitWritable();
      stats.packetsSent += 1;
      stats.bytesSent += length;
      sent += 1;
    }
    return sent;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#writableTimer);
    this.#socket.off("message", this.#handleMessage);
    this.#socket.close();
    this.#queue.fill(undefined);
    this.#queueHead = this.#queueTail;
  }

  readonly #handleMessage = (bytes: Uint8Array, remote: RemoteInfo): void => {
    const { stats } = this;
    if (((this.#queueTail - this.#queueHead) | 0) > this.#queueMask) {
      stats.receiveOverflowed += 1;
      return;
    }
    if (bytes.length === 0 || remote.port === 0) {
      stats.receiveMalformed += 1;
      return;
    }
    const path = this.#addresses.intern(remote.address, remote.port);
    if (path < 0) {
      stats.receiveOverflowed += 1;
      return;
    }
    const at = this.#queueTail & this.#queueMask;
    this.#queue[at] = bytes;
    this.#queuePaths[at] = path;
    this.#queueTail = (this.#queueTail + 1) | 0;
    this.#scheduleWake();
  };

  #scheduleWake(): void {
    if (this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    setImmediate(this.#wake);
  }

  readonly #wake = (): void => {
    this.#wakeScheduled = false;
    if (this.#closed || this.#queueHead === this.#queueTail) return;
    this.#onReadable();
    if (this.#queueHead !== this.#queueTail) this.#scheduleWake();
  };

  readonly #countError = (error: Error | null): void => {
    if (error !== null) this.stats.sendFailed += 1;
  };

  #awaitWritable(): void {
    this.#writable = false;
    if (this.#writableTimer === undefined) this.#writableTimer = setTimeout(this.#checkWritable, WRITABLE_CHECK_MS);
  }

  readonly #checkWritable = (): void => {
    this.#writableTimer = undefined;
    if (this.#closed) return;
    if (this.#socket.getSendQueueCount() > 0) {
      this.#awaitWritable();
      return;
    }
    this.#writable = true;
    this.#onWritable?.();
  };
}

async function bind(host: string, options: UdpSocketOptions): Promise<Socket> {
  const family = isIPv6(host) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: false,
    reusePort: options.reusePort === true,
    // Paths carry addresses, never names: answering at once saves node:dgram a turn per packet.
    lookup: (address, _options, callback) => callback(null, address, family),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port: options.port ?? 0, address: host, exclusive: true }, () => {
      socket.off("error", reject);
      resolve();
    });
  }).catch((error: unknown) => {
    socket.close();
    throw error;
  });
  const bufferBytes = options.bufferBytes ?? DEFAULT_BUFFER_BYTES;
  try {
    socket.setRecvBufferSize(bufferBytes);
    socket.setSendBufferSize(bufferBytes);
  } catch {
    // The system allows less than asked for; what it gave at first stays.
  }
  return socket;
}
