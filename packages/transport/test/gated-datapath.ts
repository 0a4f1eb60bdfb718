/** A datapath over the real one whose sockets have a full send queue when the test says so. */
import { openDatapath } from "@riposte/datapath";
import type { Datapath, PacketBatch, UdpSocket, UdpSocketOptions } from "@riposte/datapath";

export class Gate {
  /** Batches given to `send` while it is shut. */
  sends = 0;
  /** How often anybody asked whether there is room. */
  asked = 0;
  #shut = false;
  #socket: UdpSocket | undefined;
  #onWritable: () => void = () => {};
  #held: PacketBatch | undefined;

  /** From now on the kernel takes nothing. */
  shut(): void {
    this.#shut = true;
    this.sends = 0;
    this.asked = 0;
  }

  /** There is room: what was kept leaves first. */
  open(): void {
    this.#shut = false;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    this.#socket?.send(held);
    this.#onWritable();
  }

  datapath(): Datapath {
    const real = openDatapath();
    return {
      name: real.name,
      preferredCipher: real.preferredCipher,
      createAddressTable: (capacity) => real.createAddressTable(capacity),
      createPacketProtection: () => real.createPacketProtection(),
      openUdpSocket: (options) => this.#open(real, options),
    };
  }

  async #open(real: Datapath, options: UdpSocketOptions): Promise<UdpSocket> {
    const socket = await real.openUdpSocket(options);
    this.#socket = socket;
    this.#onWritable = () => options.onWritable?.();
    const isWritable = (): boolean => {
      this.asked += 1;
      return this.#held === undefined && socket.writable;
    };
    return {
      address: socket.address,
      port: socket.port,
      capabilities: socket.capabilities,
      receiveBufferBytes: socket.receiveBufferBytes,
      sendBufferBytes: socket.sendBufferBytes,
      stats: socket.stats,
      get writable() {
        return isWritable();
      },
      createReceiveBatch: (slots) => socket.createReceiveBatch(slots),
      receive: (batch) => socket.receive(batch),
      send: (batch) => this.#send(socket, batch),
      close: () => socket.close(),
    };
  }

  #send(socket: UdpSocket, batch: PacketBatch): number {
    if (!this.#shut) return socket.send(batch);
    this.sends += 1;
    this.#held ??= batch;
    return 0;
  }
}
