import { varintLength } from "@riposte/wire";
import { ByteRing } from "./byte-ring.ts";
import { FRAME_DATAGRAM, FRAME_ORDERED, MESSAGE_LENGTH } from "./frames.ts";

const INITIAL_RING_BYTES = 2048;
const INITIAL_RECORDS = 16;
const MAX_RECORDS = 4096;
/** An empty queue gives storage above this back. */
const KEPT_RING_BYTES = 64 * 1024;
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
  readonly #head: Uint8Array;
  #capacity: number;
  #first: number;
  #unstamped: number;
  /** Of each message: where its frame starts, how long its head is, and the message behind it. */
  #start: Float64Array;
  #headBytes: Uint8Array;
  #length: Int32Array;
  /** Number of an ordered message on the wire. */
  #number: Float64Array;
  /** Until it is stamped: how long it may wait. Then: when it is too old. */
  #expires: Float64Array;
  #low: number;
  #high: number;
  #nextNumber: number;

  /** `ordered`: messages are numbered. The limit counts heads too. */
  constructor(ordered: boolean, limitBytes: number) {
    this.count = 0;
    this.sentFragments = 0;
    this.fragmentBytes = 0;
    this.#ordered = ordered;
    this.#limitBytes = limitBytes;
    this.#ring = new ByteRing(INITIAL_RING_BYTES, limitBytes + MAX_HEAD_BYTES);
    this.#head = new Uint8Array(MAX_HEAD_BYTES);
    this.#capacity = INITIAL_RECORDS;
    this.#first = 0;
    this.#unstamped = 0;
    this.#start = new Float64Array(INITIAL_RECORDS);
    this.#headBytes = new Uint8Array(INITIAL_RECORDS);
    this.#length = new Int32Array(INITIAL_RECORDS);
    this.#number = new Float64Array(INITIAL_RECORDS);
    this.#expires = new Float64Array(INITIAL_RECORDS);
    this.#low = 0;
    this.#high = 0;
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
    const slot = this.#slot(0);
    return this.#headBytes[slot] + this.#length[slot];
  }

  /** Number of the first message, if the channel is ordered. */
  get firstNumber(): number {
    return this.#number[this.#slot(0)];
  }

  /**
   * Copies a message in, to be dropped when it has waited for `maxAgeMs`, and returns how many old ones had to go for
   * it. The caller keeps it within the limit.
   */
  push(buffer: Uint8Array, offset: number, length: number, maxAgeMs: number): number {
    const headBytes = this.#writeHead(length);
    const bytes = headBytes + length;
    let dropped = 0;
    while (this.count > 0 && (this.count === MAX_RECORDS || this.queuedBytes + bytes > this.#limitBytes)) {
      this.pop();
      dropped++;
    }
    if (this.count === this.#capacity) this.#grow();
    this.#ring.reserve(this.#low, this.#high, this.#high + bytes);
    this.#ring.write(this.#high, this.#head, 0, headBytes);
    if (length > 0) this.#ring.write(this.#high + headBytes, buffer, offset, length);
    const slot = this.#slot(this.count);
    this.#start[slot] = this.#high;
    this.#headBytes[slot] = headBytes;
    this.#length[slot] = length;
    this.#number[slot] = this.#nextNumber;
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

  /** Moves frames from the front into `target`, `most` of them at most and as many as `room` has room for; returns their bytes. */
  takeFrames(most: number, room: number, target: Uint8Array, offset: number): number {
    let taken = 0;
    let bytes = 0;
    while (taken < most && taken < this.count) {
      const slot = this.#slot(taken);
      const frame = this.#headBytes[slot] + this.#length[slot];
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
    const slot = this.#slot(0);
    if (length > 0) this.#ring.read(this.#start[slot] + this.#headBytes[slot] + from, length, target, offset);
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
    if (this.#unstamped > this.count) this.#unstamped = this.count;
    this.sentFragments = 0;
    if (this.count === 0) this.#ring.shrink(KEPT_RING_BYTES);
  }

  /** The head of the next message's frame; returns its length. */
  #writeHead(length: number): number {
    const head = this.#head;
    if (!this.#ordered) {
      head[0] = FRAME_DATAGRAM | MESSAGE_LENGTH;
      return 1 + writeVarint(head, 1, length);
    }
    head[0] = 0x40;
    head[1] = FRAME_ORDERED | MESSAGE_LENGTH;
    const at = 2 + writeVarint(head, 2, this.#nextNumber);
    return at + writeVarint(head, at, length);
  }

  #grow(): void {
    const from = this.#capacity;
    const to = from * 2;
    const start = new Float64Array(to);
    const headBytes = new Uint8Array(to);
    const length = new Int32Array(to);
    const number = new Float64Array(to);
    const expires = new Float64Array(to);
    for (let i = 0; i < this.count; i++) {
      const source = (this.#first + i) & (from - 1);
      const target = (this.#first + i) & (to - 1);
      start[target] = this.#start[source];
      headBytes[target] = this.#headBytes[source];
      length[target] = this.#length[source];
      number[target] = this.#number[source];
      expires[target] = this.#expires[source];
    }
    this.#capacity = to;
    this.#start = start;
    this.#headBytes = headBytes;
    this.#length = length;
    this.#number = number;
    this.#expires = expires;
  }
}

/** QUIC's varint, most significant byte first, its length in the two top bits. Returns its length. */
function writeVarint(target: Uint8Array, at: number, value: number): number {
  const length = varintLength(value);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    target[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  target[at] |= length === 1 ? 0 : length === 2 ? 0x40 : length === 4 ? 0x80 : 0xc0;
  return length;
}
