/**
 * What an adaptive range coder knows of one kind of yes-or-no question: how probable a 1 is, and from how many answers
 * it knows. A model is one entry of an `Int32Array`, `probability (16 bits) << 8 | answers seen`, so that many of them
 * are copied and forgotten at once.
 */

/** Both answers equally probable, nothing seen. */
export const NEW_MODEL: number = 0x8000 << 8;

/** A model learns from its n-th answer with weight 1 / (n + 1.5), and never less than with this many answers seen. */
const LONGEST_MEMORY = 60;

const WEIGHTS: Int32Array = Int32Array.from({ length: LONGEST_MEMORY + 1 }, (_, n) => Math.floor(32768 / (n + 1.5)));

/** The model after one more answer, 0 or 1. */
export function learn(model: number, answer: number): number {
  const seen = model & 0xff;
  const probability = model >>> 8;
  const moved = probability + ((((answer << 16) - answer - probability) * WEIGHTS[seen]) >> 15);
  return (moved << 8) | (seen < LONGEST_MEMORY ? seen + 1 : seen);
}

/** The part of an interval of `range` (below 2^31) that belongs to a 1: at least 0 and below `range`. */
export function shareOf(range: number, model: number): number {
  // 15 bits of probability, never certain either way.
  const probability = Math.min(Math.max(model >>> 9, 8), 32760);
  return (range >>> 15) * probability + (((range & 0x7fff) * probability) >>> 15);
}

/** A byte with its bits in the other order: a `BitWriter` takes the least significant first, the stream the topmost. */
export function reverse(byte: number): number {
  let value = ((byte & 0x55) << 1) | ((byte >>> 1) & 0x55);
  value = ((value & 0x33) << 2) | ((value >>> 2) & 0x33);
  return ((value & 0x0f) << 4) | (value >>> 4);
}
