/** What leads from a client to its server: a UDP socket, or a carrier that somebody else opened, such as a WebSocket. */
import { PacketBatch } from "@riposte/datapath";
import type { CarrierTraits } from "@riposte/protocol/channel";

/** One way to the server; its paths are counted from 0. */
export interface ClientLink {
  readonly name: string;
  /** False while it takes no more. */
  readonly writable: boolean;
  /** Set by the transport. Batches are borrowed until return. */
  onBatch: (batch: PacketBatch) => void;
  onWritable: () => void;
  onClose: () => void;
  traits(path: number): CarrierTraits;
  retain(path: number): void;
  release(path: number): void;
  /** Sends what has a path of its own; others have -1. */
  transmit(batch: PacketBatch): void;
  close(): void;
}

/** A carrier of whole datagrams to one peer, opened by somebody else. */
export interface DatagramCarrier {
  readonly traits: CarrierTraits;
  /** False while it takes no more. */
  readonly writable: boolean;
  /** The bytes are borrowed until return. */
  send(buffer: Uint8Array, offset: number, length: number): void;
  close(): void;
  /** Set by the transport. */
  onDatagram: (bytes: Uint8Array) => void;
  onWritable: () => void;
  onClose: (code: number) => void;
}

/** A `DatagramCarrier` as a link: its one path is 0. */
export class CarrierLink implements ClientLink {
  onBatch: (batch: PacketBatch) => void = () => {};
  onWritable: () => void = () => {};
  onClose: () => void = () => {};
  readonly #carrier: DatagramCarrier;
  readonly #received = new PacketBatch(1);

  constructor(carrier: DatagramCarrier) {
    this.#carrier = carrier;
    carrier.onDatagram = (bytes) => {
      this.#received.count = 0;
      if (this.#received.append(bytes, 0, bytes.length, 0)) this.onBatch(this.#received);
    };
    carrier.onWritable = () => this.onWritable();
    carrier.onClose = () => this.onClose();
  }

  get name(): string {
    return this.#carrier.traits.name;
  }

  get writable(): boolean {
    return this.#carrier.writable;
  }

  traits(): CarrierTraits {
    return this.#carrier.traits;
  }

  retain(): void {
    // There is one path, and it means the same for ever.
  }

  release(): void {
    // See retain.
  }

  transmit(batch: PacketBatch): void {
    for (let i = 0; i < batch.count; i++) {
      if (batch.path[i] === 0) this.#carrier.send(batch.buffer, batch.offset[i], batch.length[i]);
    }
  }

  close(): void {
    this.#carrier.close();
  }
}
