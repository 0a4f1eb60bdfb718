/**
 * `sin`, `cos` and `tan` with the same bits in every engine: nothing but additions, multiplications and
 * divisions, which IEEE 754 rounds in one way only.
 *
 * Coefficients and the order of operations are those of fdlibm (k_sin.c, k_cos.c):
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc.
 * business. Permission to use, copy, modify, and distribute this software is freely granted, provided that this
 * notice is preserved.
 */
import { reduceAngle, remainder } from "./reduce-angle.ts";

/** Radians. Error below 0.9 units in the last place for every finite angle; NaN for infinities and NaN. */
export function sin(x: number): number {
  if (x < EIGHTH_TURN && x > -EIGHTH_TURN) return sinOfSmall(x, 0);
  switch (reduceAngle(x)) {
    case 0:
      return sinOfSmall(remainder[0], remainder[1]);
    case 1:
      return cosOfSmall(remainder[0], remainder[1]);
    case 2:
      return -sinOfSmall(remainder[0], remainder[1]);
    default:
      return -cosOfSmall(remainder[0], remainder[1]);
  }
}

/** Radians. Error below 0.9 units in the last place for every finite angle; NaN for infinities and NaN. */
export function cos(x: number): number {
  if (x < EIGHTH_TURN && x > -EIGHTH_TURN) return cosOfSmall(x, 0);
  switch (reduceAngle(x)) {
    case 0:
      return cosOfSmall(remainder[0], remainder[1]);
    case 1:
      return -sinOfSmall(remainder[0], remainder[1]);
    case 2:
      return -cosOfSmall(remainder[0], remainder[1]);
    default:
      return sinOfSmall(remainder[0], remainder[1]);
  }
}

/** Radians. Error below 3 units in the last place for every finite angle; NaN for infinities and NaN. */
export function tan(x: number): number {
  if (x < EIGHTH_TURN && x > -EIGHTH_TURN) return sinOfSmall(x, 0) / cosOfSmall(x, 0);
  const quarter = reduceAngle(x);
  const sine = sinOfSmall(remainder[0], remainder[1]);
  const cosine = cosOfSmall(remainder[0], remainder[1]);
  return quarter === 0 || quarter === 2 ? sine / cosine : -cosine / sine;
}

/** Of x + tail, where |x| is at most an eighth of a turn. */
function sinOfSmall(x: number, tail: number): number {
  if (x < TINY_SINE && x > -TINY_SINE) return x;
  const z = x * x;
  const v = z * x;
  const r = S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)));
  return x - (z * (0.5 * tail - v * r) - tail - v * S1);
}

/** Of x + tail, where |x| is at most an eighth of a turn. */
function cosOfSmall(x: number, tail: number): number {
  const z = x * x;
  const r = z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6)))));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z * r - x * tail));
}

const EIGHTH_TURN = 0.7853981633974483;
/** sin(x) is x below 2^-26; keeps the sign of -0, and numbers near 0 from losing theirs. */
const TINY_SINE = 1.4901161193847656e-8;
const S1 = -0.16666666666666632;
const S2 = 0.00833333333332249;
const S3 = -0.0001984126982985795;
const S4 = 0.0000027557313707070068;
const S5 = -2.5050760253406863e-8;
const S6 = 1.58969099521155e-10;
const C1 = 0.0416666666666666;
const C2 = -0.001388888888887411;
const C3 = 0.00002480158728947673;
const C4 = -2.7557314351390663e-7;
const C5 = 2.087572321298175e-9;
const C6 = -1.1359647557788195e-11;
