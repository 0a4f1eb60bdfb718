/**
 * Reads what BitWriter packs: values of 1 to 32 bits, least significant bit first.
 * A read past the window returns 0 and sets `failed`; wire data never makes it throw.
 */
export class BitReader {
  failed = false;
  #buffer: Uint8Array;
  /** Places in bits from the beginning of the buffer. */
  #bit: number;
  #startBit: number;
  #endBit: number;

  constructor(buffer: Uint8Array = new Uint8Array(0), start = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.#bit = this.#startBit = start * 8;
    this.#endBit = end * 8;
  }

  /** Reads from `buffer[start]` up to but not including `buffer[end]`. */
  reset(buffer: Uint8Array, start = 0, end: number = buffer.length): this {
    this.#buffer = buffer;
    this.failed = false;
    this.#bit = this.#startBit = start * 8;
    this.#endBit = end * 8;
    return this;
  }

  /** Bits read since `start`. */
  get bitOffset(): number {
    return this.#bit - this.#startBit;
  }

  get remainingBits(): number {
    return this.#endBit - this.#bit;
  }

  /** The next `count` bits as an unsigned integer; `count` from 0 to 32. */
  bits(count: number): number {
    const bit = this.#bit;
    if (bit + count > this.#endBit) {
      this.failed = true;
      return 0;
    }
    this.#bit = bit + count;
    const at = bit >>> 3;
    const shift = bit & 7;
    const buffer = this.#buffer;
    // Most values are small, and within one byte.
    if (shift + count <= 8) return count === 0 ? 0 : (buffer[at] >>> shift) & ((1 << count) - 1);
    if (shift + count <= 32 && at * 8 + 32 <= this.#endBit) {
      const word = buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24);
      return count === 32 ? word >>> 0 : (word >>> shift) & ((1 << count) - 1);
    }
    return this.#bitsByByte(at, shift, count);
  }

  #bitsByByte(first: number, shift: number, count: number): number {
    const buffer = this.#buffer;
    let at = first;
    let value = 0;
    let got = 0;
    if (shift !== 0) {
      value = buffer[at++] >>> shift;
      got = 8 - shift;
    }
    while (got < count) {
      value = got < 32 ? (value | (buffer[at] << got)) >>> 0 : value;
      got += 8;
      at++;
    }
    return count === 32 ? value >>> 0 : (value & ((1 << count) - 1)) >>> 0;
  }

  bool(): boolean {
    return this.bits(1) !== 0;
  }

  /** The counterpart of `BitWriter.grouped`; more than 32 bits of groups fails. */
  grouped(group: number): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += group) {
      const both = group < 32 ? this.bits(group + 1) : this.bits(1);
      const more = both & 1;
      const bits = group < 32 ? both >>> 1 : this.bits(group);
      if (shift > 0 && bits >>> (32 - shift) !== 0) break;
      value = (value | (bits << shift)) >>> 0;
      if (more === 0) return value;
    }
    this.failed = true;
    return 0;
  }

  /** Skips to the next whole byte and returns its offset in `buffer`. */
  finish(): number {
    this.#bit = (this.#bit + 7) & ~7;
    return this.#bit >>> 3;
  }
}
