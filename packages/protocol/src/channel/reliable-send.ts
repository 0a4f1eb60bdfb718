import { varintLength } from "@riposte/wire";
import { RangeSet } from "../recovery/range-set.ts";
import { MAX_SENT_PACKETS } from "../recovery/sent-packets.ts";
import { ByteRing } from "./byte-ring.ts";

/** Window of a stream before the first MAX_STREAM_DATA. Both sides know it. */
export const INITIAL_STREAM_WINDOW_BYTES: number = 64 * 1024;

const INITIAL_RING_BYTES = 2048;
/** An empty queue gives storage above this back. */
const KEPT_RING_BYTES = 64 * 1024;
const MAX_MESSAGE_PREFIX_BYTES = 4;

/**
 * The sending half of a reliable stream: message after message, each behind its length as a
 * varint, in one run of bytes. Chunks are cut to what a packet has room for; a lost chunk is sent
 * again by itself. Bytes stay in the ring until acknowledged.
 */
export class ReliableSender {
  /** The peer takes bytes below this offset. */
  maxData: number;
  /** The chunk that `takeChunk` cut. */
  chunkOffset: number;
  chunkLength: number;
  /** The chunk had been sent before. */
  chunkIsRepeat: boolean;
  readonly #limitBytes: number;
  readonly #ring: ByteRing;
  readonly #acked: RangeSet;
  readonly #lost: RangeSet;
  /** Everything below is acknowledged. */
  #base: number;
  #next: number;
  #end: number;

  constructor(limitBytes: number) {
    this.maxData = INITIAL_STREAM_WINDOW_BYTES;
    this.chunkOffset = 0;
    this.chunkLength = 0;
    this.chunkIsRepeat = false;
    this.#limitBytes = limitBytes;
    this.#ring = new ByteRing(INITIAL_RING_BYTES, limitBytes);
    this.#acked = new RangeSet(2 * MAX_SENT_PACKETS);
    this.#lost = new RangeSet(2 * MAX_SENT_PACKETS);
    this.#base = 0;
    this.#next = 0;
    this.#end = 0;
  }

  /** Bytes accepted and not yet acknowledged. */
  get queuedBytes(): number {
    return this.#end - this.#base;
  }

  /** Something may be sent as far as the peer's window goes. */
  get hasData(): boolean {
    return this.#lost.count > 0 || (this.#next < this.#end && this.#next < this.maxData);
  }

  /** Offset of what `takeChunk` would cut. */
  get nextOffset(): number {
    return this.#lost.count > 0 ? this.#lost.start(0) : this.#next;
  }

  /** Copies a message into the queue; false when it does not fit now. */
  write(buffer: Uint8Array, offset: number, length: number): boolean {
    const prefix = varintLength(length);
    const end = this.#end + prefix + length;
    if (end - this.#base > this.#limitBytes + MAX_MESSAGE_PREFIX_BYTES) return false;
    if (!this.#ring.reserve(this.#base, this.#end, end)) return false;
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

  /** Cuts the next chunk of at most `room` bytes, what was lost first. False when there is nothing to send. */
  takeChunk(room: number): boolean {
    if (room <= 0) return false;
    if (this.#lost.count > 0) {
      this.chunkOffset = this.#lost.start(0);
      this.chunkLength = Math.min(this.#lost.end(0) - this.chunkOffset, room);
      this.chunkIsRepeat = true;
      this.#lost.remove(this.chunkOffset, this.chunkOffset + this.chunkLength);
      return true;
    }
    const end = Math.min(this.#end, this.maxData);
    if (this.#next >= end) return false;
    this.chunkOffset = this.#next;
    this.chunkLength = Math.min(end - this.#next, room);
    this.chunkIsRepeat = false;
    this.#next += this.chunkLength;
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
    this.#base = this.#end;
    this.#next = this.#end;
    this.#ring.shrink(0);
  }
}
