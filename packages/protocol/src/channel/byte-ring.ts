import { ByteCopier } from "@riposte/wire";

/**
 * A byte ring addressed by absolute position: byte `p` of a stream lives at `p` modulo capacity.
 * The caller keeps the window [low, high) that it uses no longer than the capacity, and asks for
 * more by `reserve`; storage doubles up to a limit.
 */
export class ByteRing {
  bytes: Uint8Array;
  readonly #initialBytes: number;
  readonly #maxBytes: number;
  readonly #into: ByteCopier;
  readonly #outOf: ByteCopier;

  /** Storage is allocated at the first `reserve`. Sizes are rounded up to powers of two. */
  constructor(initialBytes: number, maxBytes: number) {
    this.bytes = EMPTY;
    this.#initialBytes = powerOfTwo(initialBytes);
    this.#maxBytes = powerOfTwo(maxBytes);
    this.#into = new ByteCopier();
    this.#outOf = new ByteCopier();
  }

  /** Makes [low, high) fit, keeping what [low, used) holds. False when that is above the limit. */
  reserve(low: number, used: number, high: number): boolean {
    const needed = high - low;
    if (needed <= this.bytes.length) return true;
    if (needed > this.#maxBytes) return false;
    const from = this.bytes;
    const to = new Uint8Array(Math.max(this.#initialBytes, powerOfTwo(needed)));
    for (let at = low; at < used;) {
      const source = at & (from.length - 1);
      const target = at & (to.length - 1);
      const length = Math.min(used - at, from.length - source, to.length - target);
      to.set(from.subarray(source, source + length), target);
      at += length;
    }
    this.bytes = to;
    return true;
  }

  /** Copies `source[offset, offset + length)` to position `at`. */
  write(at: number, source: Uint8Array, offset: number, length: number): void {
    const index = this.indexOf(at);
    const first = Math.min(length, this.bytes.length - index);
    this.#into.copy(source, offset, first, this.bytes, index);
    if (first < length) this.#into.copy(source, offset + first, length - first, this.bytes, 0);
  }

  /** Writes one byte at position `at`. */
  put(at: number, byte: number): void {
    this.bytes[this.indexOf(at)] = byte;
  }

  /** Copies [at, at + length) to `target[offset, ...)`. */
  read(at: number, length: number, target: Uint8Array, offset: number): void {
    const index = this.indexOf(at);
    const first = Math.min(length, this.bytes.length - index);
    this.#outOf.copy(this.bytes, index, first, target, offset);
    if (first < length) this.#outOf.copy(this.bytes, 0, length - first, target, offset + first);
  }

  /** Where position `at` lies in `bytes`. */
  indexOf(at: number): number {
    return at & (this.bytes.length - 1); // right above 2^31 too: `&` takes its operands modulo 2^32
  }

  /** Gives storage above `keepBytes` back. Only when the window is empty. */
  shrink(keepBytes: number): void {
    if (this.bytes.length <= keepBytes) return;
    this.bytes = EMPTY;
    this.#into.forget();
    this.#outOf.forget();
  }
}

function powerOfTwo(value: number): number {
  let size = 1;
  while (size < value) size *= 2;
  return size;
}

const EMPTY = new Uint8Array(0);
