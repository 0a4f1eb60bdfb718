/**
 * `atan`, `atan2`, `asin` and `acos` with the same bits in every engine.
 *
 * Coefficients and the order of operations of `atan` and `atan2` are those of fdlibm (s_atan.c, e_atan2.c):
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc.
 * business. Permission to use, copy, modify, and distribute this software is freely granted, provided that this
 * notice is preserved.
 */

/** Radians, -pi/2 to pi/2. Error below 0.9 units in the last place. */
export function atan(x: number): number {
  const magnitude = x < 0 ? -x : x;
  if (!(magnitude < INFINITE_SLOPE)) {
    if (magnitude !== magnitude) return NaN;
    return x < 0 ? -HALF_PI : HALF_PI;
  }
  if (magnitude < 0.4375) return magnitude < TINY ? x : x - correction(x);
  const angle = atanOfLarge(magnitude);
  return x < 0 ? -angle : angle;
}

/**
 * The direction of (x, y) in radians, -pi to pi; 0 and -0 are told apart as in `Math.atan2`. Error below 1.6 units in
 * the last place.
 */
export function atan2(y: number, x: number): number {
  if (x !== x || y !== y) return NaN;
  const isLeft = x < 0 || (x === 0 && 1 / x < 0);
  const isBelow = y < 0 || (y === 0 && 1 / y < 0);
  const angle = isLeft ? leftAngle(y, x) : rightAngle(y, x);
  return isBelow ? -angle : angle;
}

/** Radians, -pi/2 to pi/2; NaN outside of -1 to 1. Error below 2.5 units in the last place. */
export function asin(x: number): number {
  return atan2(x, Math.sqrt((1 - x) * (1 + x)));
}

/** Radians, 0 to pi; NaN outside of -1 to 1. Error below 2.5 units in the last place. */
export function acos(x: number): number {
  return atan2(Math.sqrt((1 - x) * (1 + x)), x);
}

/** Of |y| and x >= 0. */
function rightAngle(y: number, x: number): number {
  if (y === 0) return 0;
  if (y - y !== 0) return x === Infinity ? QUARTER_PI : HALF_PI;
  return Math.abs(atan(y / x));
}

/** Of |y| and x <= 0. */
function leftAngle(y: number, x: number): number {
  if (y === 0) return Math.PI;
  if (y - y !== 0) return x === -Infinity ? THREE_QUARTER_PI : HALF_PI;
  return Math.PI - (Math.abs(atan(y / x)) - PI_TAIL);
}

/** Of numbers from 7/16 up: the arc tangent of a near number that is known, and of what is left. */
function atanOfLarge(x: number): number {
  if (x < 0.6875) {
    const rest = (2 * x - 1) / (2 + x);
    return ATAN_HALF - (correction(rest) - ATAN_HALF_TAIL - rest);
  }
  if (x < 1.1875) {
    const rest = (x - 1) / (x + 1);
    return QUARTER_PI - (correction(rest) - QUARTER_PI_TAIL - rest);
  }
  if (x < 2.4375) {
    const rest = (x - 1.5) / (1 + 1.5 * x);
    return ATAN_THREE_HALVES - (correction(rest) - ATAN_THREE_HALVES_TAIL - rest);
  }
  const rest = -1 / x;
  return HALF_PI - (correction(rest) - HALF_PI_TAIL - rest);
}

/** x - atan(x) for |x| below 7/16. */
function correction(x: number): number {
  const z = x * x;
  const w = z * z;
  const odd = z * (A0 + w * (A2 + w * (A4 + w * (A6 + w * (A8 + w * A10)))));
  const even = w * (A1 + w * (A3 + w * (A5 + w * (A7 + w * A9))));
  return x * (odd + even);
}

/** 2^66: no number above it has an arc tangent that differs from pi/2. */
const INFINITE_SLOPE = 73786976294838206464;
/** 2^-27: below it atan(x) is x. */
const TINY = 7.450580596923828e-9;
const PI_TAIL = 1.2246467991473532e-16;
const HALF_PI = 1.5707963267948966;
const HALF_PI_TAIL = 6.123233995736766e-17;
const THREE_QUARTER_PI = 2.356194490192345;
const QUARTER_PI = 0.7853981633974483;
const QUARTER_PI_TAIL = 3.061616997868383e-17;
const ATAN_HALF = 0.4636476090008061;
const ATAN_HALF_TAIL = 2.2698777452961687e-17;
const ATAN_THREE_HALVES = 0.982793723247329;
const ATAN_THREE_HALVES_TAIL = 1.3903311031230998e-17;
const A0 = 0.3333333333333293;
const A1 = -0.19999999999876483;
const A2 = 0.14285714272503466;
const A3 = -0.11111110405462356;
const A4 = 0.09090887133436507;
const A5 = -0.0769187620504483;
const A6 = 0.06661073137387531;
const A7 = -0.058335701337905735;
const A8 = 0.049768779946159324;
const A9 = -0.036531572744216916;
const A10 = 0.016285820115365782;
