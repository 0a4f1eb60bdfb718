/**
 * What a datapath offers: sockets that move whole batches of datagrams, and packet protection that
 * seals and opens a whole batch in one call. The portable form stands on node:dgram and
 * node:crypto; a native form goes behind the same interfaces.
 */
import type { AddressTable } from "./address-table.ts";
import type { PacketBatch } from "./packet-batch.ts";

export interface Datapath {
  readonly name: "portable" | "native";
  /** Binds a socket; rejects with the system's error (`code` "EADDRINUSE" and the like). */
  openUdpSocket(options: UdpSocketOptions): Promise<UdpSocket>;
  createPacketProtection(): PacketProtection;
}

export interface UdpSocketOptions {
  /** 0 takes a free port. Default 0. */
  readonly port?: number;
  /** An IPv4 or IPv6 address, "::" for both families. Default "::", or "0.0.0.0" where IPv6 is missing. */
  readonly host?: string | undefined;
  /** Names the remote addresses; may be shared by several sockets. */
  readonly addresses: AddressTable;
  /** Asked of the kernel for each direction, which may give less. Default 4 MiB. */
  readonly bufferBytes?: number;
  /** Datagrams held between two `receive` calls, a power of two; further ones are dropped and counted. Default 1,024. */
  readonly receiveQueuePackets?: number;
  /** Called once in each turn of the event loop in which datagrams wait; need not take them all at once. */
  readonly onReadable: () => void;
  /** Called when a full send queue has room again. */
  readonly onWritable?: (() => void) | undefined;
}

export interface UdpSocket {
  readonly address: string;
  readonly port: number;
  /** False while the kernel's send queue is full: batches sent meanwhile are dropped and counted. */
  readonly writable: boolean;
  /** Live counters. */
  readonly stats: UdpSocketStats;
  /** Empties `batch`, fills it with waiting datagrams and returns their count; what stays behind needs another call. */
  receive(batch: PacketBatch): number;
  /**
   * Sends every packet of the batch to the address of its path (a path of -1 is skipped) and returns how many the kernel
   * took. The batch may be reused at once, unless `writable` is false afterwards: then its bytes
   * are borrowed until `onWritable`.
   */
  send(batch: PacketBatch): number;
  close(): void;
}

export interface UdpSocketStats {
  packetsReceived: number;
  bytesReceived: number;
  packetsSent: number;
  bytesSent: number;
  /** Dropped because the receive queue was full. */
  receiveOverflowed: number;
  /** Dropped because the datagram was longer than a slot, or empty. */
  receiveMalformed: number;
  /** Dropped because the kernel's send queue was full. */
  sendOverflowed: number;
  /** Refused by the kernel (unreachable, ICMP and the like), or without an address: loss, never an exception. */
  sendFailed: number;
}

/** Keys by handle, and both directions for whole batches. */
export interface PacketProtection {
  /** ChaCha20-Poly1305 (RFC 8439) with netcode's nonce: four zero bytes, then the packet number little-endian. */
  addKey(key: Uint8Array, aadPrefix: Uint8Array): number;
  /** Wipes the key. The handle may be given out again. */
  releaseKey(handle: number): void;
  /** Keys held now. */
  readonly keyCount: number;
  /** Seals every packet with a key in place: `length` grows by the 16-byte tag, `key` becomes `NO_KEY`. */
  seal(batch: PacketBatch): void;
  /** Opens every packet with a key in place. Success sets `opened` and takes the tag off `length`; failure changes neither. */
  open(batch: PacketBatch): void;
}

/** Synchronous authenticated encryption, in place. */
export interface DatapathAead {
  /** Overwrites `buffer[offset, offset + length)` with ciphertext and writes the 16-byte tag behind it. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, buffer: Uint8Array, offset: number, length: number): void;
  /** `length` counts the tag. False when it does not authenticate. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): boolean;
}

/** The cryptography that protocol machines take by injection; has the shape of protocol's `Crypto`. */
export interface DatapathCrypto {
  readonly chacha20Poly1305: DatapathAead;
  readonly xchacha20Poly1305: DatapathAead;
  randomBytes(length: number): Uint8Array;
}
