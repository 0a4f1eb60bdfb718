/**
 * Deadlines of a fixed set of small integers, with the earliest at hand: a binary heap over typed
 * arrays. Setting and clearing cost O(log n), looking costs nothing.
 */
export class Deadlines {
  readonly #at: Float64Array;
  readonly #heap: Int32Array;
  readonly #slot: Int32Array;
  #count = 0;

  /** Ids run from 0 to `capacity - 1`. */
  constructor(capacity: number) {
    this.#at = new Float64Array(capacity).fill(Infinity);
    this.#heap = new Int32Array(capacity);
    this.#slot = new Int32Array(capacity).fill(-1);
  }

  /** The earliest deadline, or `Infinity`. */
  get earliest(): number {
    return this.#count === 0 ? Infinity : this.#at[this.#heap[0]];
  }

  /** The id that is due by `now` first, or -1. It stays until it is set anew or cleared. */
  due(now: number): number {
    if (this.#count === 0) return -1;
    const id = this.#heap[0];
    return this.#at[id] <= now ? id : -1;
  }

  /** The deadline of `id`, or `Infinity`. */
  of(id: number): number {
    return this.#at[id];
  }

  /** `Infinity` clears. */
  set(id: number, at: number): void {
    if (!(at < Infinity)) {
      this.clear(id);
      return;
    }
    const before = this.#at[id];
    this.#at[id] = at;
    let slot = this.#slot[id];
    if (slot < 0) {
      slot = this.#count++;
      this.#place(id, slot);
      this.#up(slot);
    } else if (at < before) this.#up(slot);
    else this.#down(slot);
  }

  /** Sets only when `at` is earlier than what stands. */
  advance(id: number, at: number): void {
    if (at < this.#at[id]) this.set(id, at);
  }

  clear(id: number): void {
    const slot = this.#slot[id];
    this.#at[id] = Infinity;
    if (slot < 0) return;
    this.#slot[id] = -1;
    const last = this.#heap[--this.#count];
    if (last === id) return;
    this.#place(last, slot);
    this.#up(slot);
    this.#down(this.#slot[last]);
  }

  #place(id: number, slot: number): void {
    this.#heap[slot] = id;
    this.#slot[id] = slot;
  }

  #up(from: number): void {
    let slot = from;
    const id = this.#heap[slot];
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      const other = this.#heap[parent];
      if (this.#at[other] <= this.#at[id]) break;
      this.#place(other, slot);
      slot = parent;
    }
    this.#place(id, slot);
  }

  #down(from: number): void {
    let slot = from;
    const id = this.#heap[slot];
    for (;;) {
      let child = slot * 2 + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#at[this.#heap[child + 1]] < this.#at[this.#heap[child]]) child++;
      const other = this.#heap[child];
      if (this.#at[other] >= this.#at[id]) break;
      this.#place(other, slot);
      slot = child;
    }
    this.#place(id, slot);
  }
}
