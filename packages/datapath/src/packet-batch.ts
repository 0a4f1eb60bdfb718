import { copyBytes } from "./copy-bytes.ts";

/** `key` of a packet that is sent or handed over as it is. */
export const NO_KEY: -1 = -1;

/** Ethernet's 1,500 bytes and room to spare; a longer datagram is dropped and counted. */
const SLOT_BYTES = 2048;
const DEFAULT_CAPACITY = 64;

/** One descriptor in all columns, and a byte that keeps the next batch's columns aligned. native/batch.h has the same. */
const DESCRIPTOR_BYTES = 8 + 6 * 4 + 4;

/**
 * Packet slots owned by JavaScript, and descriptors of the packets in them: the unit in which packets
 * are received, opened, sealed and sent.
 *
 * Slot `i` is `buffer[i * slotBytes, (i + 1) * slotBytes)`; a packet starts at `offset[i]`, an index
 * into `buffer`. Descriptors are columns over one `ArrayBuffer`, so that native code is handed two
 * pointers and a count for a whole batch. `append` puts packet `i` into slot `i`; received datagrams of
 * one peer may share a slot that the kernel joined them in, so there may be more descriptors than slots.
 */
export class PacketBatch {
  /** Descriptors there is room for. */
  readonly capacity: number;
  readonly slots: number;
  readonly slotBytes: number;
  readonly buffer: Uint8Array;
  /** Descriptors in use: `0 .. count - 1`. */
  count: number;

  /** Holds all columns below, in the order they are declared. */
  readonly descriptors: ArrayBuffer;
  /** Counter of the packet under its key, below 2^53. After `unprotect`: the truncated number of the header, or -1. */
  readonly packetNumber: Float64Array;
  readonly offset: Int32Array;
  /** To send: header and plaintext, without the tag. Received: the datagram; opening takes the tag off. */
  readonly length: Int32Array;
  /** The remote address, see `AddressTable`. */
  readonly path: Int32Array;
  /** Handle from `addKey`, or `NO_KEY`. */
  readonly key: Int32Array;
  /** Bytes before the ciphertext, counted from `offset`. */
  readonly headerLength: Int32Array;
  /** How many of the header bytes are associated data, behind the key's own prefix. */
  readonly aadLength: Int32Array;
  /** The two ECN bits; 0 when unknown. */
  readonly ecn: Uint8Array;
  /** 1 once opened under its key. */
  readonly opened: Uint8Array;
  /** 1 when the last `send` was told that the packet is too long for the path or for UDP. */
  readonly refused: Uint8Array;

  /** `capacity` is a power of two up to 65,536, 64 by default; `slots` defaults to it. */
  constructor(capacity: number = DEFAULT_CAPACITY, slotBytes: number = SLOT_BYTES, slots: number = capacity) {
    if (!Number.isInteger(Math.log2(capacity)) || capacity > 65_536)
      throw new RangeError(`capacity must be a power of two up to 65,536, not ${capacity}`);
    if (!Number.isInteger(slots) || slots < 1 || slots > capacity)
      throw new RangeError(`slots must be from 1 to ${capacity}, not ${slots}`);
    if (!Number.isInteger(slotBytes) || slotBytes < 64 || slotBytes > 65_536) {
      throw new RangeError(`slotBytes must be from 64 to 65,536, not ${slotBytes}`);
    }
    this.capacity = capacity;
    this.slots = slots;
    this.slotBytes = slotBytes;
    this.buffer = new Uint8Array(slots * slotBytes);
    this.count = 0;
    const descriptors = new ArrayBuffer(capacity * DESCRIPTOR_BYTES);
    this.descriptors = descriptors;
    this.packetNumber = new Float64Array(descriptors, 0, capacity);
    this.offset = new Int32Array(descriptors, capacity * 8, capacity);
    this.length = new Int32Array(descriptors, capacity * 12, capacity);
    this.path = new Int32Array(descriptors, capacity * 16, capacity);
    this.key = new Int32Array(descriptors, capacity * 20, capacity);
    this.headerLength = new Int32Array(descriptors, capacity * 24, capacity);
    this.aadLength = new Int32Array(descriptors, capacity * 28, capacity);
    this.ecn = new Uint8Array(descriptors, capacity * 32, capacity);
    this.opened = new Uint8Array(descriptors, capacity * 33, capacity);
    this.refused = new Uint8Array(descriptors, capacity * 34, capacity);
  }

  /** True when `append` has no slot left. */
  get full(): boolean {
    return this.count >= this.slots;
  }

  /** Copies a datagram into the next slot, without key; false when it is full or the datagram too long. */
  append(bytes: Uint8Array, offset: number, length: number, path: number, ecn = 0): boolean {
    const slot = this.count;
    if (slot >= this.slots || length > this.slotBytes) return false;
    const start = slot * this.slotBytes;
    const target = this.buffer;
    copyBytes(bytes, offset, length, target, start);
    this.offset[slot] = start;
    this.length[slot] = length;
    this.path[slot] = path;
    this.ecn[slot] = ecn;
    this.key[slot] = NO_KEY;
    this.headerLength[slot] = 0;
    this.aadLength[slot] = 0;
    this.opened[slot] = 0;
    this.refused[slot] = 0;
    this.count = slot + 1;
    return true;
  }
}
