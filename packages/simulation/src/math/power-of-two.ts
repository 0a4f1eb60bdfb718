/** Exact work on the exponent of a number. */

const bits = new DataView(new ArrayBuffer(8));

/** The whole number e with 2^e <= x < 2^(e + 1), for x above 0 and finite. */
export function exponentOf(x: number): number {
  bits.setFloat64(0, x);
  const exponent = bits.getInt32(0) >>> 20;
  return exponent === 0 ? exponentOf(x * TWO_TO_54) - 54 : exponent - 1023;
}

/** x * 2^n, rounded once, for x that is neither tiny nor huge and n from -1080 to 1080. */
export function timesPowerOfTwo(x: number, n: number): number {
  if (n > 1023) return x * TWO_TO_1023 * powerOfTwo(n - 1023);
  // The first product is exact.
  if (n < -1022) return x * powerOfTwo(n + 100) * TWO_TO_MINUS_100;
  return x * powerOfTwo(n);
}

/** 2^n for whole n from -1022 to 1023. */
export function powerOfTwo(n: number): number {
  bits.setInt32(0, (n + 1023) << 20);
  bits.setInt32(4, 0);
  return bits.getFloat64(0);
}

const TWO_TO_54 = 18014398509481984;
const TWO_TO_1023 = 8.98846567431158e307;
const TWO_TO_MINUS_100 = 7.888609052210118e-31;
