/**
 * `exp`, `log` and `pow` with the same bits in every engine.
 *
 * Coefficients and the order of operations are those of fdlibm (e_exp.c, e_log.c, e_pow.c):
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc.
 * business. Permission to use, copy, modify, and distribute this software is freely granted, provided that this
 * notice is preserved.
 */

import { exponentOf, timesPowerOfTwo } from "./power-of-two.ts";

/** e to the power of x. Error below 1 unit in the last place. */
export function exp(x: number): number {
  if (x !== x) return NaN;
  if (x > LARGEST_EXPONENT) return Infinity;
  if (x < SMALLEST_EXPONENT) return 0;
  const twos = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - twos * LN2_HIGH;
  const low = twos * LN2_LOW;
  const rest = high - low;
  const c = expKernel(rest);
  return timesPowerOfTwo(1 - (low - (rest * c) / (2 - c) - high), twos);
}

/** The natural logarithm; -Infinity for 0, NaN below. Error below 1 unit in the last place. */
export function log(x: number): number {
  if (x <= 0) return x === 0 ? -Infinity : NaN;
  if (!(x < Infinity)) return x;
  let exponent = exponentOf(x);
  let mantissa = timesPowerOfTwo(x, -exponent);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const f = mantissa - 1;
  if (f === 0) return exponent * LN2_HIGH + exponent * LN2_LOW;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (LG2 + w * (LG4 + w * LG6));
  const odd = z * (LG1 + w * (LG3 + w * (LG5 + w * LG7)));
  const half = 0.5 * f * f;
  return exponent * LN2_HIGH - (half - (s * (half + even + odd) + exponent * LN2_LOW) - f);
}

/** x to the power of y; NaN, zeros and infinities as in `Math.pow`. Error below 1 unit in the last place. */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (x !== x || y !== y) return NaN;
  const magnitude = Math.abs(x);
  const isWhole = Math.floor(y) === y;
  if (y - y !== 0 || magnitude === 0 || magnitude === Infinity) return powOfExtremes(x, y);
  if (x < 0 && !isWhole) return NaN;
  const result = powOfPositive(magnitude, y);
  return x < 0 && y % 2 !== 0 ? -result : result;
}

/** Where x is 0 or infinite or y is infinite. */
function powOfExtremes(x: number, y: number): number {
  const magnitude = Math.abs(x);
  if (y === Infinity || y === -Infinity) {
    if (magnitude === 1) return NaN;
    return magnitude > 1 === y > 0 ? Infinity : 0;
  }
  const result = (magnitude === 0) === y > 0 ? 0 : Infinity;
  const isNegative = x < 0 || (x === 0 && 1 / x < 0);
  return isNegative && (y % 2 === 1 || y % 2 === -1) ? -result : result;
}

/** For finite x above 0 and finite y: 2^(y * log2 x), where each number is kept as a short one and what it lacks. */
function powOfPositive(x: number, y: number): number {
  if (x === 1) return 1;
  if (y > HUGE_POWER || y < -HUGE_POWER) return x > 1 === y > 0 ? Infinity : 0;

  // x = m * 2^exponent with m near 1 or near 1.5.
  let exponent = exponentOf(x);
  let m = timesPowerOfTwo(x, -exponent);
  let near = 1;
  let log2Near = 0;
  let log2NearTail = 0;
  if (m >= SQRT_3) {
    m /= 2;
    exponent++;
  } else if (m >= SQRT_THREE_HALVES) {
    near = 1.5;
    log2Near = LOG2_THREE_HALVES;
    log2NearTail = LOG2_THREE_HALVES_TAIL;
  }

  // s = (m - near) / (m + near); log(m / near) = 2 s + 2/3 s^3 + ...
  const difference = m - near;
  const inverse = 1 / (m + near);
  const s = difference * inverse;
  const sHead = Math.fround(s);
  const sumHead = Math.fround(m + near);
  const sumTail = m - (sumHead - near);
  const sTail = inverse * (difference - sHead * sumHead - sHead * sumTail);
  const z = s * s;
  const squared = sHead * sHead;
  const series = z * z * (L1 + z * (L2 + z * (L3 + z * (L4 + z * (L5 + z * L6))))) + sTail * (sHead + s);
  const factorHead = Math.fround(3 + squared + series);
  const factorTail = series - (factorHead - 3 - squared);
  const productHead = sHead * factorHead;
  const productTail = sTail * factorHead + factorTail * s;
  const logHead = Math.fround(productHead + productTail);
  const logTail = productTail - (logHead - productHead);

  // log2 x = log2Head + log2Tail.
  const scaledHead = TWO_THIRDS_PER_LN2_HEAD * logHead;
  const scaledTail = TWO_THIRDS_PER_LN2_TAIL * logHead + logTail * TWO_THIRDS_PER_LN2 + log2NearTail;
  const log2Head = Math.fround(scaledHead + scaledTail + log2Near + exponent);
  const log2Tail = scaledTail - (log2Head - exponent - log2Near - scaledHead);

  const yHead = Math.fround(y);
  const powerTail = (y - yHead) * log2Head + y * log2Tail;
  const powerHead = yHead * log2Head;
  const power = powerHead + powerTail;
  if (power > 1025) return Infinity;
  if (power < -1078) return 0;
  return exp2(powerHead, powerTail, Math.floor(power + 0.5));
}

/** 2^(head + tail), which is within a half of the whole number `twos`. */
function exp2(head: number, tail: number, twos: number): number {
  const rest = head - twos;
  const short = Math.fround(rest + tail);
  const high = short * LN2_HEAD;
  const low = (tail - (short - rest)) * Math.LN2 + short * LN2_TAIL;
  const z = high + low;
  const lost = low - (z - high);
  const c = expKernel(z);
  return timesPowerOfTwo(1 - ((z * c) / (c - 2) - (lost + z * lost) - z), twos);
}

/** For |x| up to ln(2)/2: c with e^x = 1 + x + x c / (2 - c). */
function expKernel(x: number): number {
  const t = x * x;
  return x - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))));
}

const LARGEST_EXPONENT = 709.782712893384;
const SMALLEST_EXPONENT = -745.1332191019411;
/** The first 33 bits of ln 2, and the rest. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const P1 = 0.16666666666666602;
const P2 = -0.0027777777777015593;
const P3 = 0.00006613756321437934;
const P4 = -0.0000016533902205465252;
const P5 = 4.1381367970572385e-8;
const LG1 = 0.6666666666666735;
const LG2 = 0.3999999999940942;
const LG3 = 0.2857142874366239;
const LG4 = 0.22222198432149784;
const LG5 = 0.1818357216161805;
const LG6 = 0.15313837699209373;
const LG7 = 0.14798198605116586;
/** Beyond it even the neighbours of 1 overflow or vanish. */
const HUGE_POWER = 1e20;
const SQRT_THREE_HALVES = 1.224744871391589;
const SQRT_3 = 1.7320508075688772;
const LOG2_THREE_HALVES = 0.5849624872207642;
const LOG2_THREE_HALVES_TAIL = 1.350039202129749e-8;
const L1 = 0.5999999999999946;
const L2 = 0.4285714285785502;
const L3 = 0.33333332981837743;
const L4 = 0.272728123808534;
const L5 = 0.23066074577556175;
const L6 = 0.20697501780033842;
/** 2 / (3 ln 2): whole, its first 24 bits, and the rest. */
const TWO_THIRDS_PER_LN2 = 0.9617966939259756;
const TWO_THIRDS_PER_LN2_HEAD = 0.9617967009544373;
const TWO_THIRDS_PER_LN2_TAIL = -7.028461650952758e-9;
const LN2_HEAD = 0.6931471824645996;
const LN2_TAIL = -1.904654299957768e-9;
