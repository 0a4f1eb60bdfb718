/**
 * Numbers that one thread publishes and others read: rows of doubles, each guarded by a counter that is odd while its row
 * is being written, so that a reader never sees half of it. And beside each row a few words that change by
 * themselves.
 */
const VERSION = 0;
const GENERATION = 1;
/** Reliable bytes of the connection that were acknowledged, modulo 2^32. */
export const RELEASED = 2;
/** The reader waits for `RELEASED` to move. */
export const WAITS = 3;
const WORDS = 16;
const READ_ATTEMPTS = 1000;

export function slotsMemory(slots: number, width: number): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * (WORDS * 4 + width * 8));
}

export class SharedSlots {
  readonly width: number;
  readonly #words: Int32Array;
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer, slots: number, width: number) {
    this.width = width;
    this.#words = new Int32Array(memory, 0, slots * WORDS);
    this.#values = new Float64Array(memory, slots * WORDS * 4, slots * width);
  }

  /** The row belongs to somebody else from now on. */
  open(slot: number, generation: number): void {
    Atomics.store(this.#words, slot * WORDS + GENERATION, generation);
    this.store(slot, RELEASED, 0);
    this.store(slot, WAITS, 0);
  }

  write(slot: number, values: Float64Array): void {
    const at = slot * WORDS + VERSION;
    Atomics.add(this.#words, at, 1);
    this.#values.set(values, slot * this.width);
    Atomics.add(this.#words, at, 1);
  }

  /** Copies a row out; false when it belongs to another generation, or its writer was stopped in the middle. */
  read(slot: number, generation: number, values: Float64Array): boolean {
    const at = slot * WORDS;
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const version = Atomics.load(this.#words, at + VERSION);
      if ((version & 1) !== 0) continue;
      for (let i = 0; i < this.width; i++) values[i] = this.#values[slot * this.width + i];
      const isOwn = Atomics.load(this.#words, at + GENERATION) === generation;
      if (Atomics.load(this.#words, at + VERSION) === version) return isOwn;
    }
    return false;
  }

  /** Changes whenever the row does. */
  version(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + VERSION);
  }

  generation(slot: number): number {
    return Atomics.load(this.#words, slot * WORDS + GENERATION);
  }

  load(slot: number, word: number): number {
    return Atomics.load(this.#words, slot * WORDS + word);
  }

  store(slot: number, word: number, value: number): void {
    Atomics.store(this.#words, slot * WORDS + word, value);
  }
}
