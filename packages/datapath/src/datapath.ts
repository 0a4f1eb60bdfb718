/**
 * What a datapath offers: sockets that move whole batches of datagrams, and packet protection that
 * seals and opens a whole batch in one call. The portable form stands on node:dgram and node:crypto,
 * the native form on Linux's batched calls and OpenSSL's cached contexts.
 */
import type { CipherName } from "./ciphers.ts";
import type { PacketBatch } from "./packet-batch.ts";

export interface Datapath {
  readonly name: "portable" | "native";
  /** The faster safe cipher on this machine: AES-128-GCM where the processor computes AES, else ChaCha20-Poly1305. */
  readonly preferredCipher: CipherName;
  /** Names remote addresses for this datapath's sockets. `capacity` defaults to 32,768 paths. */
  createAddressTable(capacity?: number): AddressTable;
  /** Binds a socket; rejects with the system's error (`code` "EADDRINUSE" and the like). */
  openUdpSocket(options: UdpSocketOptions): Promise<UdpSocket>;
  createPacketProtection(): PacketProtection;
}

/**
 * Names remote addresses by small integers, paths, so that machines and descriptors carry one
 * number each.
 *
 * Bounded: when every path is taken, `intern` forgets the path that was used longest ago among
 * those nobody retains, so a flood from forged addresses cannot push out a connection. IPv4
 * addresses mapped into IPv6 count as the IPv4 address they stand for.
 */
export interface AddressTable {
  readonly capacity: number;
  /** Paths in use. */
  readonly size: number;
  /** Addresses forgotten for newer ones. */
  readonly recycled: number;
  /**
   * The path of an IP address (never a name) and port; -1 when the table is full of retained paths. A path that is first
   * named here is reached by whichever route there is; one that was first named by a packet from it
   * is answered from the address that its packets came to, where the socket can.
   */
  intern(host: string, port: number): number;
  /** Keeps the path's meaning until as many `release` calls. */
  retain(path: number): void;
  release(path: number): void;
  /** Host and port as one text: the same whenever this address has a path. */
  name(path: number): string;
  host(path: number): string;
  port(path: number): number;
  /** True for a path that stands for an address now. */
  has(path: number): boolean;
}

export interface UdpSocketOptions {
  /** 0 takes a free port. Default 0. */
  readonly port?: number;
  /** An IPv4 or IPv6 address, "::" for both families. Default "::", or "0.0.0.0" where IPv6 is missing. */
  readonly host?: string | undefined;
  /** Names the remote addresses; from this datapath's `createAddressTable`; may be shared by several sockets. */
  readonly addresses: AddressTable;
  /** Asked of the kernel for each direction, which may give less. Default 4 MiB. */
  readonly bufferBytes?: number;
  /** Several sockets may bind the port (`SO_REUSEPORT`); the kernel spreads peers over them. Default false. */
  readonly reusePort?: boolean;
  /**
   * Portable form: datagrams held between two `receive` calls, a power of two; further ones are dropped and counted. Default
   * 1,024. The native form leaves them in the kernel's buffer.
   */
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
  /** Live: what the kernel refuses while running turns false. */
  readonly capabilities: UdpSocketCapabilities;
  /** What the kernel gave of `bufferBytes`. */
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** Live counters. */
  readonly stats: UdpSocketStats;
  /**
   * A batch that suits this socket: with 64 KiB slots where the kernel joins datagrams (GRO), which is turned on by this
   * call. Other batches work as well, but lose joined datagrams that do not fit their slots. `slots` is how many
   * datagrams of different peers one `receive` takes, a power of two up to 1,024, 64 by default; memory is used once it is
   * written to.
   */
  createReceiveBatch(slots?: number): PacketBatch;
  /** Empties `batch`, fills it with waiting datagrams and returns their count; what stays behind needs another call. */
  receive(batch: PacketBatch): number;
  /**
   * Sends every packet of the batch to the address of its path (a path of -1 is skipped) and returns how many the kernel
   * took; `refused` names those that were too long. The batch may be reused at once, unless
   * `writable` is false afterwards: then its bytes are borrowed until `onWritable`, and what the kernel
   * did not take of it is sent first when there is room.
   */
  send(batch: PacketBatch): number;
  close(): void;
}

/** What a socket can do here. Never a reason for other code: only for other expectations. */
export interface UdpSocketCapabilities {
  /** Packets of one size to one peer leave as one message. */
  readonly gso: boolean;
  /** Datagrams of one peer come as one message. */
  readonly gro: boolean;
  /** The `ecn` column counts, both ways. */
  readonly ecn: boolean;
  /** Replies leave from the address that the peer's packets came to. */
  readonly localAddress: boolean;
  /** Packets are never fragmented, and `refused` tells of those that are too long: MTU probes make sense. */
  readonly dontFragment: boolean;
}

/** What comes counts once: as received, as overflowed or as malformed. So does what is to be sent. */
export interface UdpSocketStats {
  /** Handed over by `receive`. */
  readonly packetsReceived: number;
  readonly bytesReceived: number;
  readonly packetsSent: number;
  readonly bytesSent: number;
  /** Dropped because the receive queue (native: the kernel's) or the address table was full. */
  readonly receiveOverflowed: number;
  /** Dropped because the datagram was longer than a slot, or empty. */
  readonly receiveMalformed: number;
  /** Dropped because the kernel's send queue was full. */
  readonly sendOverflowed: number;
  /** Refused by the kernel (too long, unreachable, ICMP and the like), or without an address: loss, never an exception. */
  readonly sendFailed: number;
}

/** How a key is used, beyond what netcode needs. */
export interface KeyOptions {
  /** Default "chacha20-poly1305". */
  readonly cipher?: CipherName;
  /**
   * 12 bytes into which the packet number is XORed, big-endian (QUIC, RFC 9001 section 5.3). Default: netcode's nonce, four
   * zero bytes and the packet number little-endian.
   */
  readonly iv?: Uint8Array | undefined;
  /** Hides first byte and packet number (QUIC, RFC 9001 section 5.4); as long as the key. Default: nothing is hidden. */
  readonly headerProtectionKey?: Uint8Array | undefined;
}

/** Keys by handle, and both directions for whole batches. */
export interface PacketProtection {
  /** AES-256-GCM costs less here than ChaCha20-Poly1305: the processor has instructions for it. */
  readonly prefersAes: boolean;
  /** `aadPrefix`, at most 64 bytes, is associated data of every packet that is not in the packet. */
  addKey(key: Uint8Array, aadPrefix: Uint8Array, options?: KeyOptions): number;
  /** Wipes the key: no batch that is yet to be sealed may name it. The handle may be given out again. */
  releaseKey(handle: number): void;
  /** Keys held now. */
  readonly keyCount: number;
  /**
   * Seals every packet with a key in place: `length` grows by the 16-byte tag, `key` becomes `NO_KEY`. Where the key has
   * header protection, the header ends with the packet number, as long as the first byte says.
   */
  seal(batch: PacketBatch): void;
  /**
   * Takes header protection off every packet with a key, in place, before `open`. Beforehand `headerLength` counts the
   * bytes before the packet number; afterwards it and `aadLength` count that too, and `packetNumber`
   * is the number as the header has it, truncated: the caller completes it (RFC 9000 section A.3). It is -1 where
   * the packet is too short or the key has no header protection. Then `key` may change: another phase, same header key.
   */
  unprotect(batch: PacketBatch): void;
  /** Opens every packet with a key in place. Success sets `opened` and takes the tag off `length`; failure changes nothing. */
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
  readonly aes256Gcm: DatapathAead;
  randomBytes(length: number): Uint8Array;
}
