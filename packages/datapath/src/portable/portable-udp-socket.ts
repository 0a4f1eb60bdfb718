import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import type { AddressTable } from "../address-table.ts";
import type { UdpSocket, UdpSocketOptions, UdpSocketStats } from "../datapath.ts";
import type { PacketBatch } from "../packet-batch.ts";

const DEFAULT_BUFFER_BYTES = 4 * 1024 * 1024;
const DEFAULT_QUEUE_PACKETS = 1024;
/** While a send queue is full, how often to look whether it has drained: libuv says so only per packet. */
const WRITABLE_CHECK_MS = 1;
const UNCONNECTED_FAMILY_ERRORS = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EPROTONOSUPPORT"]);

/**
 * Batches over node:dgram.
 *
 * libuv reads at most 32 datagrams per turn of the event loop and node:dgram raises one event for
 * each; the event only puts the buffer into a bounded ring. One immediate later in the same turn
 * tells the driver, which drains the ring into its batch. So however fast datagrams come, timers
 * run between every 32 of them.
 */
export class PortableUdpSocket implements UdpSocket {
  readonly stats: UdpSocketStats = {
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    receiveOverflowed: 0,
    receiveMalformed: 0,
    sendOverflowed: 0,
    sendFailed: 0,
  };
  readonly address: string;
  readonly port: number;

  readonly #socket: Socket;
  readonly #dualStack: boolean;
  readonly #addresses: AddressTable;
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
    let host = options.host ?? "::";
    if (isIP(host) === 0) host = (await lookup(host)).address;
    try {
      return new PortableUdpSocket(await bind(host, options), host, options, queuePackets);
    } catch (error) {
      if (options.host !== undefined || !UNCONNECTED_FAMILY_ERRORS.has(errorCode(error))) throw error;
      return new PortableUdpSocket(await bind("0.0.0.0", options), "0.0.0.0", options, queuePackets);
    }
  }

  private constructor(socket: Socket, host: string, options: UdpSocketOptions, queuePackets: number) {
    this.#socket = socket;
    this.#dualStack = isIPv6(host);
    this.#addresses = options.addresses;
    this.#onReadable = options.onReadable;
    this.#onWritable = options.onWritable;
    this.#queue = Array.from<Uint8Array | undefined>({ length: queuePackets }).fill(undefined);
    this.#queuePaths = new Int32Array(queuePackets);
    this.#queueMask = queuePackets - 1;
    const local = socket.address();
    this.address = local.address;
    this.port = local.port;
    socket.on("message", this.#handleMessage);
    // ICMP errors and the like: loss.
    socket.on("error", this.#countError);
  }

  get writable(): boolean {
    return this.#writable && !this.#closed;
  }

  receive(batch: PacketBatch): number {
    batch.count = 0;
    while (this.#queueHead !== this.#queueTail && !batch.full) {
      const at = this.#queueHead & this.#queueMask;
      const bytes = this.#queue[at];
      this.#queue[at] = undefined;
      this.#queueHead = (this.#queueHead + 1) | 0;
      if (bytes === undefined) continue;
      if (!batch.append(bytes, 0, bytes.length, this.#queuePaths[at])) this.stats.receiveMalformed += 1;
    }
    return batch.count;
  }

  send(batch: PacketBatch): number {
    const { stats } = this;
    const addresses = this.#addresses;
    let sent = 0;
    for (let i = 0; i < batch.count; i += 1) {
      const path = batch.path[i];
      if (path < 0) continue;
      if (!addresses.has(path)) {
        stats.sendFailed += 1;
        continue;
      }
      if (!this.#writable || this.#closed) {
        stats.sendOverflowed += 1;
        continue;
      }
      const length = batch.length[i];
      const host = this.#dualStack ? addresses.host6(path) : addresses.host(path);
      this.#socket.send(batch.buffer, batch.offset[i], length, addresses.port(path), host, this.#countError);
      // Not taken at once: the kernel's queue is full, and libuv holds on to the slot.
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
    stats.packetsReceived += 1;
    stats.bytesReceived += bytes.length;
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
  const socket = createSocket({
    type: isIPv6(host) ? "udp6" : "udp4",
    ipv6Only: false,
    // Paths carry addresses, never names: answering at once saves node:dgram a turn per packet.
    lookup: (address, _options, callback) => callback(null, address, isIPv6(address) ? 6 : 4),
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

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
