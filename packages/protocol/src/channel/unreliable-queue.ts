import { varintLength } from "@riposte/wire";
import { ByteRing } from "./byte-ring.ts";
import { FRAME_DATAGRAM, FRAME_ORDERED, MESSAGE_LENGTH } from "./frames.ts";

const INITIAL_RING_BYTES = 2048;
const INITIAL_RECORDS = 16;
const MAX_RECORDS = 4096;
/** An empty queue gives storage above this back. */
const KEPT_RING_BYTES = 64 * 1024;
/** By a varint's length. */
const VARINT_TOP_BITS = [0, 0, 0x40, 0, 0x80, 0, 0, 0, 0xc0];
/** Type, number and length before a message, at their longest. */
const MAX_HEAD_BYTES = 2 + 8 + 4;

/**
 * Unreliable messages of one channel waiting to be sent, first in first out: a ring of bytes and a
 * ring of records. Each lies there as the frame it will be, head and all, so that a run of them is
 * copied into a packet at once. At the limit the oldest are dropped, because in a game the newest is
 * the one that matters. Messages are stamped with the first `now` the connection sees after they
 * were queued, since `send` has no clock.
 */
export class UnreliableQueue {
  /** Messages waiting. */
  count: number;
  /** Fragments of the first message already sent, and their size. */
  sentFragments: number;
  fragmentBytes: number;
  readonly #ordered: boolean;
  readonly #limitBytes: number;
  readonly #ring: ByteRing;
  #capacity: number;
  #first: number;
  #unstamped: number;
  /** Of each message: its length, without the head of its frame. */
  #length: Int32Array;
  /** Until it is stamped: how long it may wait. Then: when it is too old. */
  #expires: Float64Array;
  /** Where the first frame starts, and the last one ends. */
  #low: number;
  #high: number;
  /** On the wire, of the first message and of the next that comes, if the channel is ordered. */
  #firstNumber: number;
  #nextNumber: number;

  /** `ordered`: messages are numbered. The limit counts heads too. */
  constructor(ordered: boolean, limitBytes: number) {
    this.count = 0;
    this.sentFragments = 0;
    this.fragmentBytes = 0;
    this.#ordered = ordered;
    this.#limitBytes = limitBytes;
    this.#ring = new ByteRing(INITIAL_RING_BYTES, limitBytes + MAX_HEAD_BYTES);
    this.#capacity = INITIAL_RECORDS;
    this.#first = 0;
    this.#unstamped = 0;
    this.#length = new Int32Array(INITIAL_RECORDS);
    this.#expires = new Float64Array(INITIAL_RECORDS);
    this.#low = 0;
    this.#high = 0;
    this.#firstNumber = 0;
    this.#nextNumber = 0;
  }

  /** With the heads of their frames. */
  get queuedBytes(): number {
    return this.#high - this.#low;
  }

  /** Of the first message, without its head. */
  get firstLength(): number {
    return this.#length[this.#slot(0)];
  }

  /** Of the first message's frame. */
  get firstFrameBytes(): number {
    const length = this.firstLength;
    return this.#headBytesOf(this.#firstNumber, length) + length;
  }

  /** Number of the first message, if the channel is ordered. */
  get firstNumber(): number {
    return this.#firstNumber;
  }

  /**
   * Copies a message in, to be dropped when it has waited for `maxAgeMs`, and returns how many old ones had to go for
   * it. The caller keeps it within the limit.
   */
  push(buffer: Uint8Array, offset: number, length: number, maxAgeMs: number): number {
    const headBytes = this.#headBytesOf(this.#nextNumber, length);
    const bytes = headBytes + length;
    let dropped = 0;
    while (this.count > 0 && (this.count === MAX_RECORDS || this.queuedBytes + bytes > this.#limitBytes)) {
      this.pop();
      dropped++;
    }
    if (this.count === this.#capacity) this.#grow();
    this.#ring.reserve(this.#low, this.#high, this.#high + bytes);
    this.#writeHead(length);
    if (length > 0) this.#ring.write(this.#high + headBytes, buffer, offset, length);
    const slot = this.#slot(this.count);
    this.#length[slot] = length;
    this.#expires[slot] = maxAgeMs;
    if (this.#ordered) this.#nextNumber++;
    this.#high += bytes;
    this.count++;
    this.#unstamped++;
    return dropped;
  }

  /** Tells the queue the time. */
  stamp(now: number): void {
    while (this.#unstamped > 0) {
      this.#expires[this.#slot(this.count - this.#unstamped)] += now;
      this.#unstamped--;
    }
  }

  /** Drops messages from the front that waited too long and are not begun; returns how many. */
  dropExpired(now: number): number {
    let dropped = 0;
    while (this.count > this.#unstamped && this.sentFragments === 0 && this.#expires[this.#slot(0)] < now) {
      this.pop();
      dropped++;
    }
    return dropped;
  }

  /**
   * Moves frames from the front into `target`, `most` of them at most, as many as `room` has room for, and none from the
   * first on that has waited too long; returns their bytes.
   */
  takeFrames(most: number, room: number, target: Uint8Array, offset: number, now: number): number {
    let taken = 0;
    let bytes = 0;
    while (taken < most && taken < this.count) {
      const slot = this.#slot(taken);
      if (this.#expires[slot] < now) break;
      const length = this.#length[slot];
      const frame = this.#headBytesOf(this.#firstNumber + taken, length) + length;
      if (bytes + frame > room) break;
      bytes += frame;
      taken++;
    }
    if (taken === 0) return 0;
    this.#ring.read(this.#low, bytes, target, offset);
    this.#drop(taken, bytes);
    return bytes;
  }

  /** Copies `length` bytes of the first message from `from` on. */
  readFirst(from: number, length: number, target: Uint8Array, offset: number): void {
    const headBytes = this.#headBytesOf(this.#firstNumber, this.firstLength);
    if (length > 0) this.#ring.read(this.#low + headBytes + from, length, target, offset);
  }

  pop(): void {
    this.#drop(1, this.firstFrameBytes);
  }

  /** Drops everything and frees the storage. */
  release(): void {
    while (this.count > 0) this.pop();
    this.#ring.shrink(0);
  }

  #slot(index: number): number {
    return (this.#first + index) & (this.#capacity - 1);
  }

  #drop(count: number, bytes: number): void {
    this.#low += bytes;
    this.#first = (this.#first + count) & (MAX_RECORDS - 1);
    this.count -= count;
    if (this.#ordered) this.#firstNumber += count;
    if (this.#unstamped > this.count) this.#unstamped = this.count;
    this.sentFragments = 0;
    if (this.count === 0) this.#ring.shrink(KEPT_RING_BYTES);
  }

  /** Of a frame: its type, the number of an ordered message, the length. */
  #headBytesOf(number: number, length: number): number {
    return varintLength(length) + (this.#ordered ? 2 + varintLength(number) : 1);
  }

  #writeHead(length: number): void {
    const ring = this.#ring;
    const at = this.#high;
    if (!this.#ordered) {
      ring.put(at, FRAME_DATAGRAM | MESSAGE_LENGTH);
      this.#writeVarint(at + 1, length);
      return;
    }
    ring.put(at, 0x40);
    ring.put(at + 1, FRAME_ORDERED | MESSAGE_LENGTH);
    this.#writeVarint(at + 2, this.#nextNumber);
    this.#writeVarint(at + 2 + varintLength(this.#nextNumber), length);
  }

  /** QUIC's, most significant byte first, its length in the two top bits. */
  #writeVarint(at: number, value: number): void {
    const ring = this.#ring;
    const length = varintLength(value);
    let rest = value;
    for (let i = length - 1; i > 0; i--) {
      ring.put(at + i, rest & 255);
      rest = Math.floor(rest / 256);
    }
    ring.put(at, rest | VARINT_TOP_BITS[length]);
  }

  #grow(): void {
    const from = this.#capacity;
    const to = from * 2;
    const length = new Int32Array(to);
    const expires = new Float64Array(to);
    for (let i = 0; i < this.count; i++) {
      const source = (this.#first + i) & (from - 1);
      const target = (this.#first + i) & (to - 1);
      length[target] = this.#length[source];
      expires[target] = this.#expires[source];
    }
    this.#capacity = to;
    this.#length = length;
    this.#expires = expires;
  }
}
