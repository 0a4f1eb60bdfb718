import type { BitReader } from "./bit-reader.ts";
import { learn, reverse, shareOf } from "./bit-model.ts";

/** What a coder may read beyond the end: zeros that the encoder did not write. */
const MAX_BITS_BEYOND = 31;

/**
 * Reads what `RangeEncoder` writes, from where a `BitReader` stands to its end. Whatever the bytes are, every question
 * gets an answer; reading further than an encoder would have written sets `failed`.
 */
export class RangeDecoder {
  failed = false;
  #reader: BitReader | undefined;
  #low = 0;
  #high = 0x7fffffff;
  #code = 0;
  #beyond = 0;

  start(reader: BitReader): this {
    this.#reader = reader;
    this.failed = false;
    this.#low = 0;
    this.#high = 0x7fffffff;
    this.#code = 0;
    this.#beyond = 0;
    for (let i = 0; i < 31; i++) this.#code = (this.#code << 1) | this.#next();
    return this;
  }

  /** The answer, 0 or 1, to the question that `models[at]` knows; it learns from it. */
  bit(models: Int32Array, at: number): number {
    const model = models[at];
    const middle = this.#low + shareOf(this.#high - this.#low, model);
    const answer = this.#code <= middle ? 1 : 0;
    if (answer === 1) this.#high = middle;
    else this.#low = middle + 1;
    models[at] = learn(model, answer);
    if ((this.#low ^ this.#high) >>> 23 === 0) this.#shift();
    return answer;
  }

  /** The counterpart of `RangeEncoder.bits`; `count` from 0 to 32. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const middle = this.#low + ((this.#high - this.#low) >>> 1);
      const one = this.#code <= middle;
      if (one) this.#high = middle;
      else this.#low = middle + 1;
      if (one) value |= 1 << i;
      if ((this.#low ^ this.#high) >>> 23 === 0) this.#shift();
    }
    return value >>> 0;
  }

  /** Whether everything has been read: less than a byte of the reader is left, and that is zeros. */
  finish(): boolean {
    const reader = this.#reader;
    if (reader === undefined || this.failed) return false;
    const left = reader.remainingBits;
    return left < 8 && reader.bits(left) === 0;
  }

  /** Plain bits that may still come, at most: what is unread, what is read but not decoded, and zeros. */
  get remainingBits(): number {
    return (this.#reader?.remainingBits ?? 0) + 31 + MAX_BITS_BEYOND - this.#beyond;
  }

  #next(): number {
    const reader = this.#reader;
    if (reader !== undefined && reader.remainingBits > 0) return reader.bits(1);
    if (++this.#beyond > MAX_BITS_BEYOND) this.failed = true;
    return 0;
  }

  #shift(): void {
    do {
      let code = this.#code;
      const reader = this.#reader;
      if (reader !== undefined && reader.remainingBits >= 8) {
        code = (code << 8) | reverse(reader.bits(8));
      } else for (let i = 0; i < 8; i++) code = (code << 1) | this.#next();
      this.#code = code & 0x7fffffff;
      this.#low = (this.#low << 8) & 0x7fffffff;
      this.#high = ((this.#high << 8) & 0x7fffffff) | 0xff;
    } while ((this.#low ^ this.#high) >>> 23 === 0);
  }
}
