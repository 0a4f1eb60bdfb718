import { ByteRing } from "./byte-ring.ts";

const INITIAL_RING_BYTES = 2048;
const INITIAL_RECORDS = 16;
const MAX_RECORDS = 4096;
/** An empty queue gives storage above this back. */
const KEPT_RING_BYTES = 64 * 1024;

/**
 * Unreliable messages of one channel waiting to be sent, first in first out: a byte ring and a ring
 * of records. At the limit the oldest are dropped, because in a game the newest is the one that
 * matters. Messages are stamped with the first `now` the connection sees after they were queued,
 * since `send` has no clock.
 */
export class UnreliableQueue {
  /** Messages waiting. */
  count: number;
  /** Fragments of the first message already sent. */
  sentFragments: number;
  /** Number of the first message on the wire and size of its fragments, given to it with its first fragment. */
  sequence: number;
  fragmentBytes: number;
  readonly #limitBytes: number;
  readonly #ring: ByteRing;
  #capacity: number;
  #first: number;
  #unstamped: number;
  #start: Float64Array;
  #length: Int32Array;
  /** Until it is stamped: how long it may wait. Then: when it is too old. */
  #expires: Float64Array;
  #low: number;
  #high: number;

  constructor(limitBytes: number) {
    this.count = 0;
    this.sentFragments = 0;
    this.sequence = 0;
    this.fragmentBytes = 0;
    this.#limitBytes = limitBytes;
    this.#ring = new ByteRing(INITIAL_RING_BYTES, limitBytes);
    this.#capacity = INITIAL_RECORDS;
    this.#first = 0;
    this.#unstamped = 0;
    this.#start = new Float64Array(INITIAL_RECORDS);
    this.#length = new Int32Array(INITIAL_RECORDS);
    this.#expires = new Float64Array(INITIAL_RECORDS);
    this.#low = 0;
    this.#high = 0;
  }

  get queuedBytes(): number {
    return this.#high - this.#low;
  }

  /** Of the first message. */
  get firstLength(): number {
    return this.#length[this.#first & (this.#capacity - 1)];
  }

  /**
   * Copies a message in, to be dropped when it has waited for `maxAgeMs`, and returns how many old ones had to go for
   * it. The caller keeps it within the limit.
   */
  push(buffer: Uint8Array, offset: number, length: number, maxAgeMs: number): number {
    let dropped = 0;
    while (this.count > 0 && (this.count === MAX_RECORDS || this.queuedBytes + length > this.#limitBytes)) {
      this.pop();
      dropped++;
    }
    if (this.count === this.#capacity) this.#grow();
    this.#ring.reserve(this.#low, this.#high, this.#high + length);
    if (length > 0) this.#ring.write(this.#high, buffer, offset, length);
    const slot = (this.#first + this.count) & (this.#capacity - 1);
    this.#start[slot] = this.#high;
    this.#length[slot] = length;
    this.#expires[slot] = maxAgeMs;
    this.#high += length;
    this.count++;
    this.#unstamped++;
    return dropped;
  }

  /** Tells the queue the time. */
  stamp(now: number): void {
    while (this.#unstamped > 0) {
      this.#expires[(this.#first + this.count - this.#unstamped) & (this.#capacity - 1)] += now;
      this.#unstamped--;
    }
  }

  /** Drops messages from the front that waited too long and are not begun; returns how many. */
  dropExpired(now: number): number {
    let dropped = 0;
    while (this.count > this.#unstamped && this.sentFragments === 0) {
      if (this.#expires[this.#first & (this.#capacity - 1)] >= now) break;
      this.pop();
      dropped++;
    }
    return dropped;
  }

  /** Copies `length` bytes of the first message from `from` on. */
  readFirst(from: number, length: number, target: Uint8Array, offset: number): void {
    if (length > 0) {
      this.#ring.read(this.#start[this.#first & (this.#capacity - 1)] + from, length, target, offset);
    }
  }

  pop(): void {
    this.#low += this.firstLength;
    this.#first = (this.#first + 1) & (MAX_RECORDS - 1);
    this.count--;
    if (this.#unstamped > this.count) this.#unstamped = this.count;
    this.sentFragments = 0;
    if (this.count === 0) this.#ring.shrink(KEPT_RING_BYTES);
  }

  /** Drops everything and frees the storage. */
  release(): void {
    while (this.count > 0) this.pop();
    this.#ring.shrink(0);
  }

  #grow(): void {
    const from = this.#capacity;
    const to = from * 2;
    const start = new Float64Array(to);
    const length = new Int32Array(to);
    const expires = new Float64Array(to);
    for (let i = 0; i < this.count; i++) {
      const source = (this.#first + i) & (from - 1);
      const target = (this.#first + i) & (to - 1);
      start[target] = this.#start[source];
      length[target] = this.#length[source];
      expires[target] = this.#expires[source];
    }
    this.#capacity = to;
    this.#start = start;
    this.#length = length;
    this.#expires = expires;
  }
}
