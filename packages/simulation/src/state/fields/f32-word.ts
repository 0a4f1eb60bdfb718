/** Single-precision numbers as the 32-bit words that records hold. */

const FLOAT: Float32Array = new Float32Array(1);
const BITS: Int32Array = new Int32Array(FLOAT.buffer);

/** The word of the nearest single-precision number; every NaN becomes 0. */
export function f32Word(value: number): number {
  FLOAT[0] = value === value ? value : 0;
  return BITS[0];
}

/** The number of a word; a NaN pattern off the wire gives 0. */
export function f32Value(word: number): number {
  BITS[0] = word;
  const value = FLOAT[0];
  return value === value ? value : 0;
}

/** Whether the word is not one of NaN's patterns. */
export function isF32Number(word: number): boolean {
  return (word & 0x7f800000) !== 0x7f800000 || (word & 0x007fffff) === 0;
}
