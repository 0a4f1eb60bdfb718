import { varintLength } from "@riposte/wire";
import { RangeSet } from "../recovery/range-set.ts";
import { MAX_SENT_PACKETS } from "../recovery/sent-packets.ts";
import { ByteRing } from "./byte-ring.ts";

const INITIAL_RING_BYTES = 2048;
/** An empty queue gives storage above this back. */
const KEPT_RING_BYTES = 64 * 1024;
/** A message larger than this is sent while no other stream is in the middle of one. */
const LARGE_MESSAGE_BYTES = 64 * 1024;

/**
 * The sending half of one reliable stream: message after message, each behind its length as a
 * varint, in one run of bytes. Chunks are cut to what a packet has room for; a lost chunk is sent
 * again by itself. Bytes stay in the ring until acknowledged.
 */
export class ReliableSender {
  readonly id: number;
  /** The chunk that `takeChunk` cut. */
  chunkOffset: number;
  chunkLength: number;
  /** The chunk had been sent before. */
  chunkIsRepeat: boolean;
  readonly #ring: ByteRing;
  readonly #acked: RangeSet;
  readonly #lost: RangeSet;
  /** Where large messages that are not sent to their end start and end, oldest first. */
  readonly #large: number[];
  /** Everything below is acknowledged. */
  #base: number;
  #next: number;
  #end: number;

  constructor(id: number, limitBytes: number) {
    this.id = id;
    this.chunkOffset = 0;
    this.chunkLength = 0;
    this.chunkIsRepeat = false;
    this.#ring = new ByteRing(INITIAL_RING_BYTES, limitBytes);
    this.#acked = new RangeSet(2 * MAX_SENT_PACKETS);
    this.#lost = new RangeSet(2 * MAX_SENT_PACKETS);
    this.#large = [];
    this.#base = 0;
    this.#next = 0;
    this.#end = 0;
  }

  /** Bytes accepted and not yet acknowledged. */
  get queuedBytes(): number {
    return this.#end - this.#base;
  }

  /** Bytes that were never sent. */
  get unsentBytes(): number {
    return this.#end - this.#next;
  }

  get hasLost(): boolean {
    return this.#lost.count > 0;
  }

  /** What goes next, but for repetitions, belongs to a large message. */
  get isInLarge(): boolean {
    return this.#large.length > 0 && this.#next >= this.#large[0];
  }

  /** Offset of what `takeChunk` would cut. */
  get nextOffset(): number {
    return this.#lost.count > 0 ? this.#lost.start(0) : this.#next;
  }

  /** Copies a message into the queue; false when there is no storage for it. */
  write(buffer: Uint8Array, offset: number, length: number): boolean {
    const prefix = varintLength(length);
    const end = this.#end + prefix + length;
    if (!this.#ring.reserve(this.#base, this.#end, end)) return false;
    if (length > LARGE_MESSAGE_BYTES) this.#large.push(this.#end, end);
    for (let i = prefix - 1; i >= 0; i--) {
      // QUIC's varint, most significant byte first, its length in the two top bits.
      const byte = (length >>> (8 * (prefix - 1 - i))) & 0xff;
      const tag = i > 0 || prefix === 1 ? 0 : prefix === 2 ? 0x40 : 0x80;
      this.#ring.bytes[this.#ring.indexOf(this.#end + i)] = byte | tag;
    }
    this.#ring.write(this.#end + prefix, buffer, offset, length);
    this.#end = end;
    return true;
  }

  /** Cuts what was lost, else at most `credit` new bytes, into a chunk of at most `room`. False when there is nothing. */
  takeChunk(room: number, credit: number): boolean {
    if (this.#lost.count > 0) {
      this.chunkOffset = this.#lost.start(0);
      this.chunkLength = Math.min(this.#lost.end(0) - this.chunkOffset, room);
      this.chunkIsRepeat = true;
      this.#lost.remove(this.chunkOffset, this.chunkOffset + this.chunkLength);
      return true;
    }
    const length = Math.min(this.#nextBoundary() - this.#next, room, credit);
    if (length <= 0) return false;
    this.chunkOffset = this.#next;
    this.chunkLength = length;
    this.chunkIsRepeat = false;
    this.#next += length;
    if (this.#large.length > 0 && this.#next >= this.#large[1]) this.#large.splice(0, 2);
    return true;
  }

  /** Copies the chunk just cut. */
  readChunk(target: Uint8Array, offset: number): void {
    this.#ring.read(this.chunkOffset, this.chunkLength, target, offset);
  }

  onChunkAcked(offset: number, length: number): void {
    const end = offset + length;
    if (end <= this.#base) return;
    if (this.#lost.count > 0) this.#lost.remove(offset, end);
    if (offset <= this.#base) this.#base = end;
    else this.#acked.insert(offset, end);
    while (this.#acked.count > 0 && this.#acked.start(0) <= this.#base) {
      if (this.#acked.end(0) > this.#base) this.#base = this.#acked.end(0);
      this.#acked.removeFirst();
    }
    if (this.#base === this.#end) this.#ring.shrink(KEPT_RING_BYTES);
  }

  /** Queues the unacknowledged parts of a chunk to be sent again. True when there were any. */
  onChunkLost(offset: number, length: number): boolean {
    let start = Math.max(offset, this.#base);
    const end = offset + length;
    let queued = false;
    for (let i = 0; i < this.#acked.count && start < end; i++) {
      if (this.#acked.end(i) <= start) continue;
      if (this.#acked.start(i) >= end) break;
      if (this.#acked.start(i) > start) {
        this.#lost.insert(start, this.#acked.start(i));
        queued = true;
      }
      start = this.#acked.end(i);
    }
    if (start >= end) return queued;
    this.#lost.insert(start, end);
    return true;
  }

  /** Forgets everything and frees the storage. */
  release(): void {
    this.#acked.clear();
    this.#lost.clear();
    this.#large.length = 0;
    this.#base = this.#end;
    this.#next = this.#end;
    this.#ring.shrink(0);
  }

  /** Up to where new bytes may go in one chunk: a large message starts with a chunk of its own. */
  #nextBoundary(): number {
    return this.#large.length > 0 && this.#next < this.#large[0] ? this.#large[0] : this.#end;
  }
}
