import { copyBytes } from "./byte-copier.ts";
import { encodeUtf8, utf8Length } from "./utf8.ts";

/**
 * Writes little-endian numbers, varints and byte runs into a window of a caller's buffer.
 *
 * Running out of room does not throw: the write is left out and `failed` is set, so a sender
 * tries to write a frame and takes it back with `rewind` when it did not fit. A value that the
 * format cannot hold at all is the caller's mistake and throws `RangeError`.
 */
export class ByteWriter {
  buffer: Uint8Array;
  /** Where the window starts. */
  start: number;
  /** Where the next write goes, as an index into `buffer`. */
  offset: number;
  /** One past the last writable byte, as an index into `buffer`. */
  end: number;
  /** Set by the first write that did not fit. */
  failed: boolean;
  #view: DataView;

  constructor(buffer: Uint8Array = EMPTY, offset = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.start = offset;
    this.offset = offset;
    this.end = end;
    this.failed = false;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  /** Points the writer at another window and clears `failed`. */
  reset(buffer: Uint8Array, offset = 0, end: number = buffer.length): this {
    if (buffer !== this.buffer) {
      this.buffer = buffer;
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
    this.start = offset;
    this.offset = offset;
    this.end = end;
    this.failed = false;
    return this;
  }

  /** Takes back everything from `offset` on and clears `failed`. */
  rewind(offset: number): void {
    this.offset = offset;
    this.failed = false;
  }

  /** Bytes written since `start`. */
  get length(): number {
    return this.offset - this.start;
  }

  /** Bytes still free. */
  get remaining(): number {
    return this.end - this.offset;
  }

  /** What was written, as a view of the same memory. */
  written(): Uint8Array {
    return this.buffer.subarray(this.start, this.offset);
  }

  u8(value: number): void {
    const at = this.#take(1);
    if (at >= 0) this.buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.#take(2);
    if (at >= 0) this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#take(4);
    if (at >= 0) this.#view.setUint32(at, value, true);
  }

  /** A safe non-negative integer in 8 bytes. */
  u64(value: number): void {
    if (!(Number.isSafeInteger(value) && value >= 0)) throw notAnUnsigned(value);
    const at = this.#take(8);
    if (at < 0) return;
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
  }

  u16be(value: number): void {
    const at = this.#take(2);
    if (at >= 0) this.#view.setUint16(at, value, false);
  }

  u32be(value: number): void {
    const at = this.#take(4);
    if (at >= 0) this.#view.setUint32(at, value, false);
  }

  i8(value: number): void {
    this.u8(value);
  }

  i16(value: number): void {
    this.u16(value);
  }

  i32(value: number): void {
    this.u32(value);
  }

  /** NaN, whose bits are the engine's, is always written as 0x7fc00000. */
  f32(value: number): void {
    const at = this.#take(4);
    if (at < 0) return;
    if (value === value) this.#view.setFloat32(at, value, true);
    else this.#view.setUint32(at, 0x7fc00000, true);
  }

  /** NaN is always written as 0x7ff8000000000000. */
  f64(value: number): void {
    const at = this.#take(8);
    if (at < 0) return;
    if (value === value) return this.#view.setFloat64(at, value, true);
    this.#view.setUint32(at, 0, true);
    this.#view.setUint32(at + 4, 0x7ff80000, true);
  }

  /** QUIC's variable-length integer (RFC 9000 section 16) in its shortest form. */
  varint(value: number): void {
    const length = varintLength(value);
    const at = this.#take(length);
    if (at < 0) return;
    if (length === 1) this.buffer[at] = value;
    else if (length === 2) this.#view.setUint16(at, 0x4000 | value, false);
    else if (length === 4) this.#view.setUint32(at, (0x80000000 | value) >>> 0, false);
    else {
      this.#view.setUint32(at, (0xc0000000 | Math.floor(value / 0x1_0000_0000)) >>> 0, false);
      this.#view.setUint32(at + 4, value >>> 0, false);
    }
  }

  /** An unsigned LEB128 integer. */
  leb128(value: number): void {
    if (!(Number.isSafeInteger(value) && value >= 0)) throw notAnUnsigned(value);
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length++;
    let at = this.#take(length);
    if (at < 0) return;
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[at] = rest;
  }

  /** Copies `source[from, to)`. */
  bytes(source: Uint8Array, from = 0, to: number = source.length): void {
    const length = to - from;
    const at = this.#take(length);
    if (at < 0) return;
    if (length > 64) copyBytes(source, from, length, this.buffer, at);
    else for (let i = 0; i < length; i++) this.buffer[at + i] = source[from + i]!;
  }

  /** `length` zero bytes. */
  zeros(length: number): void {
    const at = this.#take(length);
    if (at >= 0) this.buffer.fill(0, at, at + length);
  }

  /** UTF-8 text behind a varint byte count. A lone surrogate is written as U+FFFD. */
  string(text: string): void {
    const bytes = utf8Length(text);
    const before = this.offset;
    this.varint(bytes);
    const at = this.failed ? -1 : this.#take(bytes);
    if (at < 0) this.offset = before;
    else encodeUtf8(text, this.buffer, at);
  }

  #take(length: number): number {
    const at = this.offset;
    if (length > this.end - at) {
      this.failed = true;
      return -1;
    }
    this.offset = at + length;
    return at;
  }
}

/** Bytes that `value` takes as a QUIC varint: 1, 2, 4 or 8. */
export function varintLength(value: number): 1 | 2 | 4 | 8 {
  if (!(Number.isSafeInteger(value) && value >= 0)) throw notAnUnsigned(value);
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x40000000 ? 4 : 8;
}

function notAnUnsigned(value: number): RangeError {
  return new RangeError(`expected an integer from 0 to 2^53 - 1, got ${value}`);
}

const EMPTY: Uint8Array = new Uint8Array(0);
