import { isIPv4 } from "node:net";
import type { AddressTable, Datapath, PacketBatch, UdpSocket } from "@riposte/datapath";
import type { CarrierTraits } from "@riposte/protocol/channel";
import { formatAddress } from "@riposte/protocol/netcode";
import type { NetcodeAddress } from "@riposte/protocol/netcode";
import { udpTraits } from "./carrier-traits.ts";
import type { ClientLink } from "./client-link.ts";

/** A client needs few addresses: one per server of its token. */
const ADDRESSES = 64;
const BUFFER_BYTES = 1024 * 1024;
/** A client hears one server: what the kernel joined of its packets shares a slot. */
const RECEIVE_SLOTS = 16;

export interface UdpLinkOptions {
  readonly datapath: Datapath;
  /** The servers' addresses, in the token's order. */
  readonly servers: readonly NetcodeAddress[];
  readonly maxPacketBytes: number;
}

/** A UDP socket of a client's own. Its paths are the servers' addresses. */
export class UdpLink implements ClientLink {
  readonly name = "udp";
  onBatch: (batch: PacketBatch) => void = () => {};
  onWritable: () => void = () => {};
  onClose: () => void = () => {};
  readonly socket: UdpSocket;
  /** To each server of the token; -1: cannot be reached from here. */
  readonly serverPaths: readonly number[];
  readonly #addresses: AddressTable;
  readonly #maxPacketBytes: number;
  readonly #received: PacketBatch;

  private constructor(socket: UdpSocket, addresses: AddressTable, options: UdpLinkOptions) {
    this.socket = socket;
    this.#addresses = addresses;
    this.#maxPacketBytes = options.maxPacketBytes;
    this.#received = socket.createReceiveBatch(RECEIVE_SLOTS);
    const ipv4Only = isIPv4(socket.address);
    this.serverPaths = options.servers.map((address) => {
      const reachable = address.port !== 0 && (address.family === 4 || !ipv4Only);
      return reachable ? addresses.intern(formatAddress({ ...address, port: 0 }), address.port) : -1;
    });
  }

  /** Binds a free port. */
  static async open(options: UdpLinkOptions): Promise<UdpLink> {
    const { datapath, servers } = options;
    const addresses = datapath.createAddressTable(ADDRESSES);
    const opened: { link?: UdpLink } = {};
    const socket = await datapath.openUdpSocket({
      // Both families where the machine has them, which a token with IPv6 addresses asks for.
      host: servers.some((address) => address.family === 6) ? undefined : "0.0.0.0",
      addresses,
      bufferBytes: BUFFER_BYTES,
      onReadable: () => opened.link?.receive(),
      onWritable: () => opened.link?.onWritable(),
    });
    opened.link = new UdpLink(socket, addresses, options);
    return opened.link;
  }

  get writable(): boolean {
    return this.socket.writable;
  }

  traits(path: number): CarrierTraits {
    return udpTraits(this.#addresses.host(path), this.socket.capabilities, this.#maxPacketBytes);
  }

  retain(path: number): void {
    this.#addresses.retain(path);
  }

  release(path: number): void {
    this.#addresses.release(path);
  }

  /** Packets of other links have a path of -1. */
  transmit(batch: PacketBatch): void {
    this.socket.send(batch);
  }

  receive(): void {
    if (this.socket.receive(this.#received) > 0) this.onBatch(this.#received);
  }

  close(): void {
    this.socket.close();
  }
}
