import { copyBytes } from "@riposte/wire";
import { MAX_FRAGMENTS, MAX_UNRELIABLE_BYTES } from "./frames.ts";

/** What an unfinished message costs besides its data; counted into the limits. */
const OVERHEAD_BYTES = 160;

/** Whoever holds unfinished messages and can give one up. */
export interface ReassemblyOwner {
  drop(buffer: ReassemblyBuffer): void;
}

/** One unfinished message. Fragments lie in the order in which they came, so memory follows what was received. */
export class ReassemblyBuffer {
  readonly owner: ReassemblyOwner;
  sequence = 0;
  ordered = false;
  lastFragment = 0;
  startedAt = 0;
  /** Fragments that are here, and their bytes. */
  have = 0;
  bytes = 0;
  /** Neighbours in the `ReassemblyPool`, by age. */
  older: ReassemblyBuffer | undefined = undefined;
  newer: ReassemblyBuffer | undefined = undefined;
  /** Of all fragments but the last; -1 until one of them came. */
  #fragmentBytes = -1;
  /** Which arrival was the (perhaps shorter) last fragment, -1: none yet. */
  #lastArrival = -1;
  #lastLength = 0;
  #inOrder = true;
  #data: Uint8Array = new Uint8Array(0);
  /** Fragment of each arrival. */
  #arrivals: Uint8Array = new Uint8Array(0);
  readonly #seen: Int32Array = new Int32Array(MAX_FRAGMENTS / 32);

  constructor(owner: ReassemblyOwner) {
    this.owner = owner;
  }

  start(ordered: boolean, sequence: number, lastFragment: number, now: number): void {
    this.sequence = sequence;
    this.ordered = ordered;
    this.lastFragment = lastFragment;
    this.startedAt = now;
    this.have = 0;
    this.bytes = 0;
    this.#fragmentBytes = -1;
    this.#lastArrival = -1;
    this.#lastLength = 0;
    this.#inOrder = true;
    this.#seen.fill(0);
  }

  /** What it holds in memory. */
  get cost(): number {
    return OVERHEAD_BYTES + this.#data.length + this.#arrivals.length;
  }

  /** Storage for fragments. */
  get storageBytes(): number {
    return this.#data.length;
  }

  get complete(): boolean {
    return this.have === this.lastFragment + 1;
  }

  /** Whether a fragment is new and agrees with those before it about count and sizes. */
  accepts(fragment: number, lastFragment: number, length: number): boolean {
    if (lastFragment !== this.lastFragment || (this.#seen[fragment >> 5] & (1 << (fragment & 31))) !== 0) return false;
    const size = this.#fragmentBytes;
    if (fragment === lastFragment) return size < 0 || length <= size;
    if (size >= 0) return length === size;
    return length >= this.#lastLength && mayBegin(fragment, lastFragment, length);
  }

  add(fragment: number, buffer: Uint8Array, offset: number, length: number): void {
    const last = fragment === this.lastFragment;
    if (!last) this.#fragmentBytes = length;
    if (this.bytes + length > this.#data.length) {
      const most = this.lastFragment * (last ? Math.max(this.#fragmentBytes, length) : length) + length;
      const larger = new Uint8Array(Math.min(Math.max(2 * this.#data.length, this.bytes + length), most));
      larger.set(this.#data.subarray(0, this.bytes));
      this.#data = larger;
    }
    if (this.have === this.#arrivals.length) {
      const larger = new Uint8Array(Math.max(8, 2 * this.have));
      larger.set(this.#arrivals);
      this.#arrivals = larger;
    }
    copyBytes(buffer, offset, length, this.#data, this.bytes);
    if (last) {
      this.#lastArrival = this.have;
      this.#lastLength = length;
    }
    if (fragment !== this.have) this.#inOrder = false;
    this.#arrivals[this.have++] = fragment;
    this.#seen[fragment >> 5] |= 1 << (fragment & 31);
    this.bytes += length;
  }

  /** The fragments where they lie, if that is in order. */
  get dataInOrder(): Uint8Array | undefined {
    return this.#inOrder ? this.#data : undefined;
  }

  /** Copies the fragments to where they belong. */
  assemble(target: Uint8Array): void {
    let at = 0;
    for (let i = 0; i < this.have; i++) {
      const length = i === this.#lastArrival ? this.#lastLength : this.#fragmentBytes;
      copyBytes(this.#data, at, length, target, this.#arrivals[i] * this.#fragmentBytes);
      at += length;
    }
  }
}

/** Whether a fragment may be the first to come of a message: all of its size make no more than a message may have. */
export function mayBegin(fragment: number, lastFragment: number, length: number): boolean {
  return fragment === lastFragment || lastFragment * length < MAX_UNRELIABLE_BYTES;
}
