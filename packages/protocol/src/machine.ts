/**
 * The contract between a protocol state machine and the driver that owns its sockets and timers.
 *
 * One wake-up goes one way: the driver receives a batch of datagrams, `classify` names key and
 * packet number for each, the batch is opened in place, `receive` takes each, `pollTransmit` is
 * called until it has nothing to send, the batch is sealed and sent, events are polled, one timer
 * is set. Every `now` is monotonic milliseconds. The records are reused for every packet: whoever
 * wants to keep something copies it.
 */

/** `key` of a packet that is not opened or sealed by the driver. */
export const NO_KEY: -1 = -1;

/** One received datagram. The driver fills the first group, `classify` the second, opening the third. */
export interface ReceivedPacket {
  buffer: Uint8Array;
  /** The datagram is `buffer[offset, offset + length)`; after opening, `length` no longer counts the tag. */
  offset: number;
  length: number;
  /** Names the remote address (or the WebSocket) the datagram came from; given out by the driver. */
  path: number;
  /** The two ECN bits, 0 when unknown. */
  ecn: number;

  /** Key handle to open it with, or `NO_KEY`: the machine handles it itself. */
  key: number;
  packetNumber: number;
  /** Bytes before the ciphertext, counted from `offset`. */
  headerLength: number;
  /** How many of the header bytes are associated data (after the key's own prefix). */
  aadLength: number;

  /** True once the driver opened it under `key`. A packet with a key that stays false is forged: drop and count. */
  opened: boolean;
}

/** One datagram to send. The driver sets `buffer`, `offset` and `capacity`; the machine the rest. */
export interface TransmitSlot {
  buffer: Uint8Array;
  offset: number;
  /** Largest datagram the slot holds, tag included. */
  capacity: number;

  /** Header and plaintext written, without the tag. */
  length: number;
  path: number;
  ecn: number;
  /** Key handle to seal it with, or `NO_KEY`: the datagram goes as it is. */
  key: number;
  packetNumber: number;
  headerLength: number;
  aadLength: number;
}

/** A record for packets in `buffer`, to be filled for one after the other. */
export function createReceivedPacket(buffer: Uint8Array = new Uint8Array(0)): ReceivedPacket {
  return { ...createRecord(buffer), opened: false };
}

/** A slot of the whole of `buffer`, to be written again and again. */
export function createTransmitSlot(buffer: Uint8Array): TransmitSlot {
  return { ...createRecord(buffer), capacity: buffer.length };
}

function createRecord(buffer: Uint8Array): Omit<TransmitSlot, "capacity"> {
  return {
    buffer,
    offset: 0,
    length: 0,
    path: 0,
    ecn: 0,
    key: NO_KEY,
    packetNumber: 0,
    headerLength: 0,
    aadLength: 0,
  };
}

/** Reads no clock, opens no socket, draws no randomness that was not given to it. */
export interface Machine<Event> {
  /** Names key and packet number of a datagram before the batch is opened. */
  classify(packet: ReceivedPacket): void;
  /** One datagram, opened if it named a key. Borrowed until return. */
  receive(packet: ReceivedPacket, now: number): void;
  /** Calling early or twice is harmless. */
  handleTimeout(now: number): void;
  /** Writes one datagram into the slot; false when there is nothing to send. */
  pollTransmit(slot: TransmitSlot, now: number): boolean;
  pollEvent(): Event | undefined;
  /** When `handleTimeout` is next due, or `Infinity`. */
  nextTimeout(): number;
}

/** Keys that the driver seals and opens with, named by handle. A key carries the associated data that is not in the packet. */
export interface KeyStore {
  /** AES-256-GCM costs less here than ChaCha20-Poly1305. */
  readonly prefersAes: boolean;
  /**
   * 32 bytes, for ChaCha20-Poly1305 (RFC 8439) or, where the store prefers it, AES-256-GCM; with netcode's nonce: four
   * zero bytes, then the packet number little-endian.
   */
  addKey(key: Uint8Array, aadPrefix: Uint8Array, options?: KeyOptions): number;
  /** Wipes the key. The handle may be given out again. */
  releaseKey(handle: number): void;
}

export interface KeyOptions {
  /** Default "chacha20-poly1305". */
  readonly cipher?: "chacha20-poly1305" | "aes-256-gcm";
}

/** Synchronous authenticated encryption for handshake packets, connect tokens and tests. In place. */
export interface Aead {
  /** Overwrites `buffer[offset, offset + length)` with ciphertext and writes the 16-byte tag behind it. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, buffer: Uint8Array, offset: number, length: number): void;
  /** `length` counts the tag. False, with the buffer's content undefined, when it does not authenticate. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): boolean;
}

/** The cryptography a machine needs, injected by the driver. */
export interface Crypto {
  /** 12-byte nonce, RFC 8439. */
  readonly chacha20Poly1305: Aead;
  /** 24-byte nonce, draft-irtf-cfrg-xchacha-03. */
  readonly xchacha20Poly1305: Aead;
  /** 12-byte nonce, NIST SP 800-38D; only where the processor has instructions for it. */
  readonly aes256Gcm?: Aead;
  randomBytes(length: number): Uint8Array;
}
