/**
 * Packs values of 1 to 32 bits, least significant bit first, into a window of a caller's buffer.
 *
 * Running out of room sets `failed` and writes nothing more; `mark` and `rewind` take back what
 * did not fit. `finish` pads the last byte with zero bits.
 */
export class BitWriter {
  buffer: Uint8Array;
  start: number;
  end: number;
  failed: boolean;
  #bit: number;

  constructor(buffer: Uint8Array = new Uint8Array(0), start = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.failed = false;
    this.#bit = 0;
  }

  reset(buffer: Uint8Array, start = 0, end: number = buffer.length): this {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.failed = false;
    this.#bit = 0;
    return this;
  }

  /** Bits written since `start`. */
  get bitLength(): number {
    return this.#bit;
  }

  /** Bits still free. */
  get remainingBits(): number {
    return (this.end - this.start) * 8 - this.#bit;
  }

  /** Takes back everything from bit `position` (an earlier `bitLength`) on and clears `failed`. */
  rewind(position: number): void {
    this.#bit = position;
    this.failed = false;
  }

  /** The low `count` bits of `value`; `count` from 0 to 32. */
  bits(value: number, count: number): void {
    const bit = this.#bit;
    if (count > (this.end - this.start) * 8 - bit) {
      this.failed = true;
      return;
    }
    this.#bit = bit + count;
    let at = this.start + (bit >>> 3);
    const shift = bit & 7;
    let rest = count === 32 ? value >>> 0 : (value & ((1 << count) - 1)) >>> 0;
    if (shift !== 0) {
      const kept = this.buffer[at] & ((1 << shift) - 1);
      this.buffer[at] = kept | (rest << shift);
      const taken = 8 - shift;
      if (count <= taken) return;
      rest >>>= taken;
      count -= taken;
      at++;
    }
    while (count > 0) {
      this.buffer[at++] = rest;
      rest >>>= 8;
      count -= 8;
    }
  }

  bool(value: boolean): void {
    this.bits(value ? 1 : 0, 1);
  }

  /** An unsigned integer in groups of `group` bits, each behind a "more" bit: small values are cheap. */
  grouped(value: number, group: number): void {
    let rest = value >>> 0;
    for (;;) {
      const more = group < 32 && rest >>> group !== 0;
      this.bits(more ? 1 : 0, 1);
      this.bits(rest, group);
      if (!more) return;
      rest >>>= group;
    }
  }

  /** Pads to a whole byte with zeros and returns the offset in `buffer` behind what was written. */
  finish(): number {
    const pad = -this.#bit & 7;
    if (pad !== 0) this.bits(0, pad);
    return this.start + (this.#bit >>> 3);
  }
}
