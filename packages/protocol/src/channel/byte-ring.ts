/**
 * A byte ring addressed by absolute position: byte `p` of a stream lives at `p` modulo capacity.
 * The caller keeps the window [low, high) that it uses no longer than the capacity, and asks for
 * more by `reserve`; storage doubles up to a limit.
 */
export class ByteRing {
  bytes: Uint8Array;
  readonly #initialBytes: number;
  readonly #maxBytes: number;

  /** Storage is allocated at the first `reserve`. Sizes are rounded up to powers of two. */
  constructor(initialBytes: number, maxBytes: number) {
    this.bytes = EMPTY;
    this.#initialBytes = powerOfTwo(initialBytes);
    this.#maxBytes = powerOfTwo(maxBytes);
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
    copyBytes(source, offset, first, this.bytes, index);
    if (first < length) copyBytes(source, offset + first, length - first, this.bytes, 0);
  }

  /** Copies [at, at + length) to `target[offset, ...)`. */
  read(at: number, length: number, target: Uint8Array, offset: number): void {
    const index = this.indexOf(at);
    const first = Math.min(length, this.bytes.length - index);
    copyBytes(this.bytes, index, first, target, offset);
    if (first < length) copyBytes(this.bytes, 0, length - first, target, offset + first);
  }

  /** Where position `at` lies in `bytes`. */
  indexOf(at: number): number {
    return at & (this.bytes.length - 1); // right above 2^31 too: `&` takes its operands modulo 2^32
  }

  /** Gives storage above `keepBytes` back. Only when the window is empty. */
  shrink(keepBytes: number): void {
    if (this.bytes.length > keepBytes) this.bytes = EMPTY;
  }
}

/** Copies without making a view where that can be avoided; below about 32 bytes the loop is faster. */
export function copyBytes(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): void {
  if (length > 32 && from === 0 && length === source.length) target.set(source, at);
  else if (length > 32) target.set(source.subarray(from, from + length), at);
  else for (let i = 0; i < length; i++) target[at + i] = source[from + i];
}

function powerOfTwo(value: number): number {
  let size = 1;
  while (size < value) size *= 2;
  return size;
}

const EMPTY = new Uint8Array(0);
