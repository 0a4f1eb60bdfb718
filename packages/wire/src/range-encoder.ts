import type { BitWriter } from "./bit-writer.ts";
import { learn, reverse, shareOf } from "./bit-model.ts";

/**
 * An adaptive binary range coder: an answer that its model expects takes a fraction of a bit. What it writes goes to a
 * `BitWriter` and must be the last thing there: the end is left to the zeros that a reader sees behind it.
 *
 * The interval `[low, high]` has 31 bits. An answer takes its share of it, 1 the lower part; whenever the topmost 8
 * bits of both ends are the same they are written and shifted out. Running out of room sets the writer's `failed`.
 */
export class RangeEncoder {
  #writer: BitWriter | undefined;
  #low = 0;
  #high = 0x7fffffff;

  start(writer: BitWriter): this {
    this.#writer = writer;
    this.#low = 0;
    this.#high = 0x7fffffff;
    return this;
  }

  /** An answer, 0 or 1, to the question that `models[at]` knows; it learns from it. */
  bit(models: Int32Array, at: number, answer: number): void {
    const model = models[at];
    const middle = this.#low + shareOf(this.#high - this.#low, model);
    if (answer === 1) this.#high = middle;
    else this.#low = middle + 1;
    models[at] = learn(model, answer);
    if ((this.#low ^ this.#high) >>> 23 === 0) this.#shift();
  }

  /** The low `count` (0 to 32) bits of `value`, least significant first, each as likely as not. */
  bits(value: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const middle = this.#low + ((this.#high - this.#low) >>> 1);
      if (((value >>> i) & 1) === 1) this.#high = middle;
      else this.#low = middle + 1;
      if ((this.#low ^ this.#high) >>> 23 === 0) this.#shift();
    }
  }

  /** Writes as few bits as name the interval, given zeros behind them. */
  finish(): void {
    let bits = 0;
    let value = 0;
    // The shortest number that is at least `low` and, with zeros behind it, at most `high`.
    for (; bits <= 31; bits++) {
      const unit = 2 ** (31 - bits);
      value = Math.ceil(this.#low / unit);
      if (value * unit <= this.#high) break;
    }
    // Bits of the stream come topmost first, eight to a write.
    let left = bits;
    while (left > 0) {
      const count = Math.min(8, left);
      left -= count;
      const part = Math.floor(value / 2 ** left) & ((1 << count) - 1);
      this.#writer?.bits(reverse(part << (8 - count)), count);
    }
  }

  #shift(): void {
    do {
      this.#writer?.bits(reverse(this.#high >>> 23), 8);
      this.#low = (this.#low << 8) & 0x7fffffff;
      this.#high = ((this.#high << 8) & 0x7fffffff) | 0xff;
    } while ((this.#low ^ this.#high) >>> 23 === 0);
  }
}
