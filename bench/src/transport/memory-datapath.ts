import { NO_KEY, PacketBatch, openDatapath } from "@riposte/datapath";
import type { Datapath, PacketProtection, UdpSocket, UdpSocketCapabilities, UdpSocketOptions } from "@riposte/datapath";

const QUEUE_PACKETS = 1024;
const SLOT_BYTES = 2048;
const TAG_BYTES = 16;
const HOST = "127.0.0.1";

/** A datapath within one process: sockets that copy into each other, and a cipher that only makes room for its tag. */
export function memoryDatapath(): Datapath {
  const sockets = new Map<number, MemorySocket>();
  return {
    name: "portable",
    preferredCipher: "chacha20-poly1305",
    createAddressTable: (capacity) => openDatapath().createAddressTable(capacity),
    openUdpSocket: async (options) => await Promise.resolve(new MemorySocket(sockets, options)),
    createPacketProtection: () => new NoProtection(),
  };
}

class MemorySocket implements UdpSocket {
  readonly address = HOST;
  readonly port: number;
  readonly writable = true;
  readonly receiveBufferBytes: number = QUEUE_PACKETS * SLOT_BYTES;
  readonly sendBufferBytes: number = QUEUE_PACKETS * SLOT_BYTES;
  readonly capabilities: UdpSocketCapabilities = {
    gso: false,
    gro: false,
    ecn: false,
    localAddress: false,
    dontFragment: false,
  };
  readonly stats = {
    packetsReceived: 0,
    bytesReceived: 0,
    packetsSent: 0,
    bytesSent: 0,
    receiveOverflowed: 0,
    receiveMalformed: 0,
    sendOverflowed: 0,
    sendFailed: 0,
  };
  readonly #sockets: Map<number, MemorySocket>;
  readonly #options: UdpSocketOptions;
  readonly #bytes: Uint8Array = new Uint8Array(QUEUE_PACKETS * SLOT_BYTES);
  readonly #lengths: Int32Array = new Int32Array(QUEUE_PACKETS);
  readonly #paths: Int32Array = new Int32Array(QUEUE_PACKETS);
  #head = 0;
  #tail = 0;
  #wakeScheduled = false;
  #lastPort = -1;
  #lastPath = -1;

  constructor(sockets: Map<number, MemorySocket>, options: UdpSocketOptions) {
    this.#sockets = sockets;
    this.#options = options;
    this.port = 40_000 + sockets.size;
    sockets.set(this.port, this);
  }

  createReceiveBatch(): PacketBatch {
    return new PacketBatch();
  }

  receive(batch: PacketBatch): number {
    batch.count = 0;
    while (this.#head !== this.#tail && !batch.full) {
      const at = this.#head++ & (QUEUE_PACKETS - 1);
      batch.append(this.#bytes, at * SLOT_BYTES, this.#lengths[at], this.#paths[at]);
    }
    this.stats.packetsReceived += batch.count;
    return batch.count;
  }

  send(batch: PacketBatch): number {
    for (let i = 0; i < batch.count; i++) {
      if (batch.path[i] < 0) continue;
      const { offset, length } = batch;
      this.stats.packetsSent++;
      this.#sockets
        .get(this.#options.addresses.port(batch.path[i]))
        ?.push(batch.buffer, offset[i], length[i], this.port);
    }
    return batch.count;
  }

  push(buffer: Uint8Array, offset: number, length: number, port: number): void {
    if (this.#tail - this.#head === QUEUE_PACKETS) {
      this.stats.receiveOverflowed++;
      return;
    }
    if (port !== this.#lastPort) {
      this.#lastPort = port;
      this.#lastPath = this.#options.addresses.intern(HOST, port);
    }
    const at = this.#tail++ & (QUEUE_PACKETS - 1);
    Buffer.prototype.copy.call(buffer, this.#bytes, at * SLOT_BYTES, offset, offset + length);
    this.#lengths[at] = length;
    this.#paths[at] = this.#lastPath;
    this.#scheduleWake();
  }

  close(): void {
    this.#sockets.delete(this.port);
  }

  #scheduleWake(): void {
    if (this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    setImmediate(this.#wake);
  }

  readonly #wake = (): void => {
    this.#wakeScheduled = false;
    this.#options.onReadable();
    if (this.#head !== this.#tail) this.#scheduleWake();
  };
}

class NoProtection implements PacketProtection {
  readonly prefersAes = false;
  #keys = 0;

  get keyCount(): number {
    return this.#keys;
  }

  addKey(): number {
    return this.#keys++;
  }

  releaseKey(): void {}

  seal(batch: PacketBatch): void {
    for (let i = 0; i < batch.count; i++) {
      if (batch.key[i] === NO_KEY) continue;
      batch.length[i] += TAG_BYTES;
      batch.key[i] = NO_KEY;
    }
  }

  unprotect(): void {}

  open(batch: PacketBatch): void {
    for (let i = 0; i < batch.count; i++) {
      if (batch.key[i] === NO_KEY) continue;
      batch.length[i] -= TAG_BYTES;
      batch.opened[i] = 1;
    }
  }
}
