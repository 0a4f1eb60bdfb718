import { copyBytes } from "./byte-ring.ts";
import { FRAGMENT_BYTES, MAX_FRAGMENTS } from "./frames.ts";

/** Unfinished messages at once. */
const MAX_REASSEMBLIES = 64;
/** Finished buffers kept for reuse, and the largest storage kept in one. */
const MAX_SPARE = 4;
const KEPT_BYTES = 64 * 1024;
/** What an unfinished message costs besides its data; counted into the limit. */
const OVERHEAD_BYTES = 128;

/** One unfinished message. Fragments lie in the order in which they came, so memory follows what was received. */
class ReassemblyBuffer {
  sequence = 0;
  ordered = false;
  lastFragment = 0;
  startedAt = 0;
  have = 0;
  bytes = 0;
  /** Which arrival was the (short) last fragment, -1: none yet. */
  lastArrival = -1;
  lastLength = 0;
  inOrder = true;
  data: Uint8Array = new Uint8Array(0);
  /** Fragment of each arrival. */
  arrivals: Uint8Array = new Uint8Array(0);
  readonly seen: Int32Array = new Int32Array(MAX_FRAGMENTS / 32);

  start(ordered: boolean, sequence: number, lastFragment: number, now: number): void {
    this.sequence = sequence;
    this.ordered = ordered;
    this.lastFragment = lastFragment;
    this.startedAt = now;
    this.have = 0;
    this.bytes = 0;
    this.lastArrival = -1;
    this.lastLength = 0;
    this.inOrder = true;
    this.seen.fill(0);
  }

  /** What it holds in memory. */
  get cost(): number {
    return OVERHEAD_BYTES + this.data.length + this.arrivals.length;
  }

  has(fragment: number): boolean {
    return (this.seen[fragment >> 5] & (1 << (fragment & 31))) !== 0;
  }

  add(fragment: number, buffer: Uint8Array, offset: number, length: number): void {
    if (this.bytes + length > this.data.length) {
      const most = (this.lastFragment + 1) * FRAGMENT_BYTES;
      const larger = new Uint8Array(Math.min(Math.max(2 * this.data.length, this.bytes + length), most));
      larger.set(this.data.subarray(0, this.bytes));
      this.data = larger;
    }
    if (this.have === this.arrivals.length) {
      const larger = new Uint8Array(Math.max(8, 2 * this.have));
      larger.set(this.arrivals);
      this.arrivals = larger;
    }
    copyBytes(buffer, offset, length, this.data, this.bytes);
    if (fragment === this.lastFragment) {
      this.lastArrival = this.have;
      this.lastLength = length;
    }
    if (fragment !== this.have) this.inOrder = false;
    this.arrivals[this.have++] = fragment;
    this.seen[fragment >> 5] |= 1 << (fragment & 31);
    this.bytes += length;
  }

  /** Copies the fragments to where they belong. */
  assemble(target: Uint8Array): void {
    let at = 0;
    for (let i = 0; i < this.have; i++) {
      const length = i === this.lastArrival ? this.lastLength : FRAGMENT_BYTES;
      copyBytes(this.data, at, length, target, this.arrivals[i] * FRAGMENT_BYTES);
      at += length;
    }
  }
}

/**
 * Puts fragmented unreliable messages together again, under a hard limit of memory: the oldest
 * unfinished message goes first, and each has a timeout. A fragment never costs more than its own
 * bytes, twice at most while a buffer doubles, whatever it claims about its message.
 */
export class PacketFragmenter {
  /** The finished message, valid until the next `receive`. */
  message: Uint8Array;
  messageLength: number;
  /** Unfinished messages given up for room or time. */
  dropped: number;
  /** Memory held by unfinished messages. */
  usedBytes: number;
  readonly #limitBytes: number;
  readonly #timeoutMs: number;
  /** Oldest first. */
  readonly #pending: ReassemblyBuffer[];
  readonly #spare: ReassemblyBuffer[];
  #scratch: Uint8Array;

  constructor(limitBytes: number, timeoutMs: number) {
    this.message = EMPTY;
    this.messageLength = 0;
    this.dropped = 0;
    this.usedBytes = 0;
    this.#limitBytes = limitBytes;
    this.#timeoutMs = timeoutMs;
    this.#pending = [];
    this.#spare = [];
    this.#scratch = EMPTY;
  }

  /** Unfinished messages. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Takes one fragment, its shape checked by the frame reader; true when it completes a message. */
  receive(
    ordered: boolean,
    sequence: number,
    fragment: number,
    lastFragment: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    now: number,
  ): boolean {
    this.message = EMPTY;
    let index = this.#find(ordered, sequence);
    if (index < 0) {
      if (this.#pending.length === MAX_REASSEMBLIES) this.#drop(0);
      const started = this.#spare.pop() ?? new ReassemblyBuffer();
      started.start(ordered, sequence, lastFragment, now);
      this.usedBytes += started.cost;
      index = this.#pending.push(started) - 1;
    }
    const entry = this.#pending[index];
    // Another idea of its length than before, or seen already: only the first counts.
    if (entry.lastFragment !== lastFragment || entry.has(fragment)) return false;
    this.usedBytes -= entry.cost;
    entry.add(fragment, buffer, offset, length);
    this.usedBytes += entry.cost;
    if (entry.have === lastFragment + 1) {
      this.#finish(entry);
      this.#remove(this.#pending.indexOf(entry));
      return true;
    }
    while (this.usedBytes > this.#limitBytes) this.#drop(0);
    return false;
  }

  /** Ordered messages up to this number will not be delivered any more. */
  dropOrderedUpTo(sequence: number): void {
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      if (this.#pending[i].ordered && this.#pending[i].sequence <= sequence) this.#drop(i);
    }
  }

  handleTimeout(now: number): void {
    while (this.nextTimeout() <= now) this.#drop(0);
  }

  nextTimeout(): number {
    return this.#pending.length === 0 ? Infinity : this.#pending[0].startedAt + this.#timeoutMs;
  }

  /** Drops all unfinished messages and frees the memory. */
  clear(): void {
    while (this.#pending.length > 0) this.#drop(0);
    this.#spare.length = 0;
    this.#scratch = EMPTY;
    this.message = EMPTY;
  }

  #find(ordered: boolean, sequence: number): number {
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      if (this.#pending[i].sequence === sequence && this.#pending[i].ordered === ordered) return i;
    }
    return -1;
  }

  #finish(entry: ReassemblyBuffer): void {
    this.messageLength = entry.bytes;
    if (entry.inOrder) {
      this.message = entry.data;
      return;
    }
    const scratch = this.#scratch.length >= entry.bytes ? this.#scratch : new Uint8Array(entry.bytes);
    entry.assemble(scratch);
    this.message = scratch;
    this.#scratch = scratch.length <= KEPT_BYTES ? scratch : EMPTY;
  }

  #drop(index: number): void {
    this.dropped++;
    this.#remove(index);
  }

  #remove(index: number): void {
    const entry = this.#pending[index];
    this.usedBytes -= entry.cost;
    this.#pending.splice(index, 1);
    if (this.#spare.length < MAX_SPARE && entry.data.length <= KEPT_BYTES) this.#spare.push(entry);
  }
}

const EMPTY = new Uint8Array(0);
