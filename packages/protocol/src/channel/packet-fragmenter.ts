import { ReassemblyBuffer, mayBegin } from "./reassembly-buffer.ts";
import type { ReassemblyOwner } from "./reassembly-buffer.ts";
import { ReassemblyPool } from "./reassembly-pool.ts";

/** Unfinished messages at once. */
const MAX_REASSEMBLIES = 64;
/** Finished buffers kept for reuse, and the largest storage kept in one. */
const MAX_SPARE = 2;
const KEPT_BYTES = 8 * 1024;

/** One unfinished message, as `inspect` shows it. */
export interface Reassembly {
  readonly ordered: boolean;
  /** The message's number on the wire. */
  readonly sequence: number;
  readonly fragments: number;
  readonly totalFragments: number;
  /** Received so far. */
  readonly bytes: number;
  /** Held for it in memory. */
  readonly heldBytes: number;
  readonly startedAt: number;
}

/**
 * Puts fragmented unreliable messages together again, under a hard limit of memory of its own and
 * one that all connections share: the oldest unfinished message goes first, and each has a timeout.
 * A fragment never costs more than its own bytes, twice at most while a buffer doubles, whatever it
 * claims about its message. `MessageWriter` does the cutting.
 */
export class PacketFragmenter implements ReassemblyOwner {
  /** The finished message, valid until the next `receive`. */
  message: Uint8Array;
  messageLength: number;
  /** Unfinished messages given up for room or time. */
  dropped: number;
  /** Memory held by unfinished messages. */
  usedBytes: number;
  readonly #limitBytes: number;
  readonly #timeoutMs: number;
  readonly #pool: ReassemblyPool;
  /** Oldest first. */
  readonly #pending: ReassemblyBuffer[];
  readonly #spare: ReassemblyBuffer[];
  #scratch: Uint8Array;

  constructor(limitBytes: number, timeoutMs: number, pool: ReassemblyPool = new ReassemblyPool()) {
    this.message = EMPTY;
    this.messageLength = 0;
    this.dropped = 0;
    this.usedBytes = 0;
    this.#limitBytes = limitBytes;
    this.#timeoutMs = timeoutMs;
    this.#pool = pool;
    this.#pending = [];
    this.#spare = [];
    this.#scratch = EMPTY;
  }

  /** Unfinished messages. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** The unfinished messages, oldest first. Allocates: for people who look. */
  inspect(): Reassembly[] {
    return this.#pending.map(({ ordered, sequence, have, lastFragment, bytes, cost, startedAt }) => ({
      ordered,
      sequence,
      fragments: have,
      totalFragments: lastFragment + 1,
      bytes,
      heldBytes: cost,
      startedAt,
    }));
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
    const known = this.#find(ordered, sequence);
    // Another idea of its length than before, or seen already: only the first counts.
    const fits = known?.accepts(fragment, lastFragment, length) ?? mayBegin(fragment, lastFragment, length);
    if (!fits) return false;
    const entry = known ?? this.#start(ordered, sequence, lastFragment, now);
    const before = entry.cost;
    entry.add(fragment, buffer, offset, length);
    this.#charge(entry.cost - before);
    if (entry.complete) {
      this.#finish(entry);
      this.#remove(entry);
      return true;
    }
    while (this.usedBytes > this.#limitBytes) this.drop(this.#pending[0]);
    this.#pool.enforce();
    return false;
  }

  /** Gives an unfinished message up. */
  drop(entry: ReassemblyBuffer): void {
    this.dropped++;
    this.#remove(entry);
  }

  /** Ordered messages up to this number will not be delivered any more. */
  dropOrderedUpTo(sequence: number): void {
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      const entry = this.#pending[i];
      if (entry.ordered && entry.sequence <= sequence) this.drop(entry);
    }
  }

  handleTimeout(now: number): void {
    while (this.nextTimeout() <= now) this.drop(this.#pending[0]);
  }

  nextTimeout(): number {
    return this.#pending.length === 0 ? Infinity : this.#pending[0].startedAt + this.#timeoutMs;
  }

  /** Drops all unfinished messages and frees the memory. Returns how many there were. */
  clear(): number {
    const count = this.#pending.length;
    while (this.#pending.length > 0) this.drop(this.#pending[0]);
    this.#spare.length = 0;
    this.#scratch = EMPTY;
    this.message = EMPTY;
    return count;
  }

  #find(ordered: boolean, sequence: number): ReassemblyBuffer | undefined {
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      const entry = this.#pending[i];
      if (entry.sequence === sequence && entry.ordered === ordered) return entry;
    }
    return undefined;
  }

  #start(ordered: boolean, sequence: number, lastFragment: number, now: number): ReassemblyBuffer {
    if (this.#pending.length === MAX_REASSEMBLIES) this.drop(this.#pending[0]);
    const entry = this.#spare.pop() ?? new ReassemblyBuffer(this);
    entry.start(ordered, sequence, lastFragment, now);
    this.#pending.push(entry);
    this.#pool.add(entry);
    this.#charge(entry.cost);
    return entry;
  }

  #finish(entry: ReassemblyBuffer): void {
    this.messageLength = entry.bytes;
    const inOrder = entry.dataInOrder;
    if (inOrder !== undefined) {
      this.message = inOrder;
      return;
    }
    const scratch = this.#scratch.length >= entry.bytes ? this.#scratch : new Uint8Array(entry.bytes);
    entry.assemble(scratch);
    this.message = scratch;
    this.#scratch = scratch.length <= KEPT_BYTES ? scratch : EMPTY;
  }

  #remove(entry: ReassemblyBuffer): void {
    this.#charge(-entry.cost);
    this.#pool.remove(entry);
    this.#pending.splice(this.#pending.indexOf(entry), 1);
    if (this.#spare.length < MAX_SPARE && entry.storageBytes <= KEPT_BYTES) this.#spare.push(entry);
  }

  #charge(bytes: number): void {
    this.usedBytes += bytes;
    this.#pool.usedBytes += bytes;
  }
}

const EMPTY = new Uint8Array(0);
