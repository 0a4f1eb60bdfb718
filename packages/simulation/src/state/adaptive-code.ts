import { powerOfTwo } from "../math/power-of-two.ts";
import type { BitSink, BitSource } from "./snapshots/bit-stream.ts";

/**
 * Variable-length codes. Small whole numbers take few bits: an exponential Golomb code of order k spends k + 1 bits
 * below 2^k and two more for every doubling. `AdaptiveSizes` learns k, per context, from the numbers coded before
 * in the same message, on both sides alike, so nothing about it is sent.
 */

const POWERS: Float64Array = Float64Array.from({ length: 65 }, (_, i) => powerOfTwo(i));

/** What is larger teaches no more than this. */
const MAX_LEARNED = 0xffffff;

/** Most doublings of a gap; 2^17 covers every table. */
const MAX_GAP_PREFIX = 17;

/** Numbers of both signs as whole numbers: 0, -1, 1, -2, 2 and so on. 32 bits. */
export function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

export function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

/** Writes `value` (0 to 2^17) in an exponential Golomb code of order `order`. */
export function writeGolomb(writer: BitSink, value: number, order: number): void {
  let prefix = 0;
  let rest = value;
  let bits = order;
  while (rest >= POWERS[bits]) {
    rest -= POWERS[bits++];
    prefix++;
  }
  writer.bits(POWERS[prefix] - 1, prefix + 1);
  writer.bits(rest, bits);
}

/** Fails the reader on a code that `writeGolomb` would not write. */
export function readGolomb(reader: BitSource, order: number): number {
  let value = 0;
  let bits = order;
  while (reader.bits(1) === 1) {
    value += POWERS[bits++];
    if (bits > order + MAX_GAP_PREFIX) {
      reader.failed = true;
      return 0;
    }
  }
  return value + reader.bits(bits);
}

/** One running mean per context. */
export class AdaptiveSizes {
  /** 16 times the mean of the numbers seen so far, the older the less weight. */
  readonly #means: Int32Array;
  readonly #initial: Int32Array;

  /** `typical[context]` is the number expected first. */
  constructor(typical: readonly number[]) {
    this.#initial = Int32Array.from(typical, (value) => Math.min(value, MAX_LEARNED) * 16);
    this.#means = this.#initial.slice();
  }

  /** Forgets what was learned. Both sides do it at the same places. */
  reset(): void {
    this.#means.set(this.#initial);
  }

  /** Writes `value` (below 2^31), or `raw` in `rawBits` bits (at most 30) when that is no longer. */
  write(writer: BitSink, context: number, value: number, raw: number, rawBits: number): void {
    const means = this.#means;
    const mean = means[context];
    let bits = orderOf(mean, rawBits);
    let prefix = 0;
    let rest = value;
    while (bits < rawBits && rest >= 1 << bits) {
      rest -= 1 << bits++;
      prefix++;
    }
    if (bits === rawBits) {
      writer.bits((1 << prefix) - 1, prefix);
      writer.bits(raw, rawBits);
    } else if (prefix + 1 + bits <= 30) {
      writer.bits(((1 << prefix) - 1) | (rest << (prefix + 1)), prefix + 1 + bits);
    } else {
      writer.bits((1 << prefix) - 1, prefix + 1);
      writer.bits(rest, bits);
    }
    means[context] = mean + ((Math.min(value, MAX_LEARNED) * 16 - mean) >> 2);
  }

  /** The value, or -1: then the raw bits follow, and the caller says by `learn` what the value was. */
  read(reader: BitSource, context: number, rawBits: number): number {
    let bits = orderOf(this.#means[context], rawBits);
    let value = 0;
    while (bits < rawBits && reader.bits(1) === 1) value += 1 << bits++;
    if (bits === rawBits) return -1;
    value += reader.bits(bits);
    this.learn(context, value);
    return value;
  }

  learn(context: number, value: number): void {
    const mean = this.#means[context];
    this.#means[context] = mean + ((Math.min(value, MAX_LEARNED) * 16 - mean) >> 2);
  }
}

/** Order of the code for numbers around `mean` (times 16): about the logarithm of three quarters of it. */
function orderOf(mean: number, rawBits: number): number {
  const order = 31 - Math.clz32(((mean * 3) >> 6) | 1);
  return order < rawBits ? order : rawBits - 1;
}
