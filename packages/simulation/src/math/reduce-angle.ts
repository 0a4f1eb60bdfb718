/**
 * Takes whole quarter turns off an angle, exactly enough that what is left has all its bits even where
 * almost nothing is left. Angles up to half a million quarter turns by Cody and Waite's method with three
 * pieces of pi/2 (as fdlibm's e_rem_pio2.c), larger ones with whole numbers of 1,216 bits (Payne and Hanek's idea): slow,
 * allocating, right for every finite number.
 */

/** What `reduceAngle` left: the remainder in [-pi/4, pi/4] and what that number lacks. Valid until its next call. */
export const remainder: Float64Array = new Float64Array(2);

/** Returns the quarter, 0 to 3, and writes `remainder`: NaN for infinities and NaN. */
export function reduceAngle(x: number): number {
  if (!(x < MEDIUM && x > -MEDIUM)) return reduceLarge(x);
  const quarters = Math.floor(x * QUARTERS_PER_RADIAN + 0.5);
  // Exact: PIECE_1 and PIECE_2 have 33 bits, `quarters` has 20.
  const first = x - quarters * PIECE_1;
  let take = quarters * PIECE_2;
  let rest = first - take;
  take = quarters * PIECE_2_TAIL - (first - rest - take);
  let result = rest - take;
  if (result < CANCELLED && result > -CANCELLED) {
    // So near to 0 the subtraction of the second piece was exact.
    const second = rest;
    take = quarters * PIECE_3;
    rest = second - take;
    take = quarters * PIECE_3_TAIL - (second - rest - take);
    result = rest - take;
  }
  remainder[0] = result;
  remainder[1] = rest - result - take;
  return quarters & 3;
}

function reduceLarge(x: number): number {
  if (!(x - x === 0)) {
    remainder.fill(NaN);
    return 0;
  }
  // |x| is mantissa * 2^exponent: a whole number of at most 53 bits, and an exponent from -33 to 971.
  let mantissa = Math.abs(x);
  let exponent = 0;
  for (; mantissa >= LIMIT_OF_WHOLE; exponent++) mantissa /= 2;
  for (; mantissa % 1 !== 0; exponent--) mantissa *= 2;
  const product = BigInt(mantissa) * QUARTERS_PER_RADIAN_BITS;
  // Quarter turns are product * 2^(exponent - FRACTION_BITS): the whole ones modulo 4, and the fraction to 128 bits.
  const fixed = product >> BigInt(FRACTION_BITS - exponent - PRECISION);
  let quarters = Number((fixed >> BigInt(PRECISION)) & 3n);
  let fraction = BigInt.asIntN(PRECISION, fixed);
  if (fraction < 0n) quarters++;
  if (x < 0) {
    fraction = -fraction;
    quarters = -quarters;
  }
  // The remainder in radians: fraction * pi/2, as a number and its tail. 256 bits hold the product.
  const radians = fraction * HALF_PI_BITS;
  const head = Number(radians);
  remainder[0] = head * SCALE;
  remainder[1] = Number(radians - BigInt(head)) * SCALE;
  return quarters & 3;
}

/** 2^19 quarter turns. */
const MEDIUM = 823549;
const QUARTERS_PER_RADIAN = 0.6366197723675814;
/** pi/2 in pieces of 33 bits; each tail is what all the pieces up to its own lack. */
const PIECE_1 = 1.5707963267341256;
const PIECE_2 = 6.077100506303966e-11;
const PIECE_2_TAIL = 2.0222662487959506e-21;
const PIECE_3 = 2.0222662487111665e-21;
const PIECE_3_TAIL = 8.4784276603689e-32;
/** 2^-20. */
const CANCELLED = 9.5367431640625e-7;
/** 2^53. */
const LIMIT_OF_WHOLE = 9007199254740992;
/** Bits of a quarter turn that are kept of a large angle. */
const PRECISION = 128;
const FRACTION_BITS = 1216;
/** 2/pi * 2^1216, rounded down. */
const QUARTERS_PER_RADIAN_BITS = BigInt(
  "0x" +
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424d" +
    "d2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639" +
    "835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f46" +
    "3f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6bab",
);
/** pi/2 * 2^127, rounded down. */
const HALF_PI_BITS = 0xc90fdaa22168c234c4c6628b80dc1cd1n;
/** 2^-255: undoes both. */
const SCALE = 1.727233711018889e-77;
