import { decodeUtf8 } from "./utf8.ts";

/**
 * Reads little-endian numbers, varints and byte runs from a window of a buffer.
 *
 * Wire data never makes it throw: a read past the window returns zero (or an empty run), moves
 * nothing and sets `failed`, which stays set until `reset`. So a decoder reads straight through
 * and looks at `failed` once, at the end.
 */
export class ByteReader {
  buffer: Uint8Array;
  /** Where the next read starts, as an index into `buffer`. */
  offset: number;
  /** One past the last readable byte, as an index into `buffer`. */
  end: number;
  /** Set by the first read that went past `end`, or met malformed text. */
  failed: boolean;
  #view: DataView;

  constructor(buffer: Uint8Array = EMPTY, offset = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
    this.failed = false;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  /** Points the reader at another window and clears `failed`. */
  reset(buffer: Uint8Array, offset = 0, end: number = buffer.length): this {
    if (buffer !== this.buffer) {
      this.buffer = buffer;
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
    this.offset = offset;
    this.end = end;
    this.failed = false;
    return this;
  }

  /** Bytes left in the window. */
  get remaining(): number {
    return this.end - this.offset;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.buffer[at];
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at, true);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, true);
  }

  /** A 64-bit unsigned integer; fails when it is above `Number.MAX_SAFE_INTEGER`. */
  u64(): number {
    const at = this.#take(8);
    if (at < 0) return 0;
    const high = this.#view.getUint32(at + 4, true);
    if (high > 0x1fffff) return this.#fail();
    return high * 0x1_0000_0000 + this.#view.getUint32(at, true);
  }

  u16be(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at, false);
  }

  u32be(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, false);
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  i16(): number {
    return (this.u16() << 16) >> 16;
  }

  i32(): number {
    return this.u32() | 0;
  }

  f32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getFloat32(at, true);
  }

  f64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : this.#view.getFloat64(at, true);
  }

  /** QUIC's variable-length integer (RFC 9000 section 16); fails above `Number.MAX_SAFE_INTEGER`. */
  varint(): number {
    if (this.offset >= this.end) return this.#fail();
    const first = this.buffer[this.offset];
    const length = 1 << (first >> 6);
    const at = this.#take(length);
    if (at < 0) return 0;
    if (length === 1) return first;
    if (length === 2) return this.#view.getUint16(at, false) & 0x3fff;
    if (length === 4) return this.#view.getUint32(at, false) & 0x3fffffff;
    const high = this.#view.getUint32(at, false) & 0x3fffffff;
    if (high > 0x1fffff) return this.#fail();
    return high * 0x1_0000_0000 + this.#view.getUint32(at + 4, false);
  }

  /** An unsigned LEB128 integer; fails above `Number.MAX_SAFE_INTEGER`. */
  leb128(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      if (this.failed) return 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.#fail();
      scale *= 128;
    }
    return this.#fail();
  }

  /** Copies `length` bytes into `target` at `targetOffset`. */
  bytes(target: Uint8Array, targetOffset: number, length: number): void {
    if (length > target.length - targetOffset) {
      this.#fail();
      return;
    }
    const at = this.#take(length);
    if (at < 0) return;
    for (let i = 0; i < length; i++) target[targetOffset + i] = this.buffer[at + i]!;
  }

  /** The next `length` bytes as a view of the same memory: valid only as long as the buffer is. */
  view(length: number): Uint8Array {
    const at = this.#take(length);
    return at < 0 ? EMPTY : this.buffer.subarray(at, at + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** UTF-8 text behind a varint byte count of at most `maxBytes`; malformed UTF-8 fails. */
  string(maxBytes = 65_535): string {
    const length = this.varint();
    if (length > maxBytes) this.#fail();
    const at = this.failed ? -1 : this.#take(length);
    if (at < 0) return "";
    const text = decodeUtf8(this.buffer, at, at + length);
    if (text === undefined) {
      this.#fail();
      return "";
    }
    return text;
  }

  #take(length: number): number {
    const at = this.offset;
    if (!(length >= 0 && length <= this.end - at)) {
      this.failed = true;
      return -1;
    }
    this.offset = at + length;
    return at;
  }

  #fail(): 0 {
    this.failed = true;
    return 0;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
