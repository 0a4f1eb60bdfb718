/**
 * The functions of `@riposte/simulation/math` with whole numbers of any length: what their errors are measured against.
 * A result is value * 2^-BITS as a `bigint`, times 2^scale; good to at least 180 bits. Slow and simple.
 */

/** A number as value * 2^exponent. */
export interface Exact {
  readonly value: bigint;
  readonly exponent: number;
}

const BITS = 256;
const ONE = 1n << 256n;
/** Enough for the largest angles. */
const LONG = 1400;

/** How far `result` is from the truth, in units in the last place of the number nearest to the truth. */
export function errorInUlps(result: number, truth: Exact): number {
  const { mantissa, exponent } = split(result);
  const low = Math.min(exponent, truth.exponent);
  const mine = mantissa << BigInt(exponent - low);
  const its = truth.value << BigInt(truth.exponent - low);
  const size = bitLength(its) + low;
  const ulp = Math.max(size - 53, -1074);
  const difference = mine > its ? mine - its : its - mine;
  // To 2^-40 of a unit.
  return Number((difference << 40n) >> BigInt(Math.max(0, ulp - low))) / 2 ** 40;
}

export function exactSin(x: number): Exact {
  const { quarters, rest } = reduce(x);
  const value = quarters % 2n === 0n ? sinSeries(rest) : cosSeries(rest);
  return { value: quarters < 2n ? value : -value, exponent: -BITS };
}

export function exactCos(x: number): Exact {
  const { quarters, rest } = reduce(x);
  const value = quarters % 2n === 0n ? cosSeries(rest) : sinSeries(rest);
  return { value: quarters === 0n || quarters === 3n ? value : -value, exponent: -BITS };
}

export function exactTan(x: number): Exact {
  return { value: (exactSin(x).value << 256n) / exactCos(x).value, exponent: -BITS };
}

export function exactAtan(x: number): Exact {
  return { value: arcTangent(toFixed(x), ONE), exponent: -BITS };
}

export function exactAtan2(y: number, x: number): Exact {
  const low = Math.min(split(x).exponent, split(y).exponent);
  const whole = (n: number): bigint => split(n).mantissa << BigInt(split(n).exponent - low);
  const right = whole(x);
  const up = whole(y);
  if (right > 0n) return { value: arcTangent(up, right), exponent: -BITS };
  const pi = up < 0n ? -PI : PI;
  return { value: right === 0n ? pi / 2n : arcTangent(up, right) + pi, exponent: -BITS };
}

export function exactAsin(x: number): Exact {
  const fixed = toFixed(x);
  return { value: arcTangent(fixed, root(ONE * ONE - fixed * fixed)), exponent: -BITS };
}

export function exactAcos(x: number): Exact {
  const fixed = toFixed(x);
  const value = fixed === 0n ? PI / 2n : arcTangent(root(ONE * ONE - fixed * fixed), fixed);
  return { value: fixed < 0n ? value + PI : value, exponent: -BITS };
}

export function exactExp(x: number): Exact {
  return exponential(toFixed(x));
}

export function exactLog(x: number): Exact {
  return { value: logarithm(x), exponent: -BITS };
}

export function exactPow(x: number, y: number): Exact {
  const { mantissa, exponent } = split(y);
  const product = logarithm(x) * mantissa;
  return exponential(exponent < 0 ? product >> BigInt(-exponent) : product << BigInt(exponent));
}

export function exactHypot(x: number, y: number): Exact {
  const low = Math.min(split(x).exponent, split(y).exponent);
  const whole = (n: number): bigint => split(n).mantissa << BigInt(split(n).exponent - low);
  const square = whole(x) ** 2n + whole(y) ** 2n;
  return { value: root(square << 512n), exponent: low - BITS };
}

/** The number as mantissa * 2^exponent. */
function split(x: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const word = view.getBigUint64(0);
  const biased = Number((word >> 52n) & 0x7ffn);
  const fraction = word & 0xfffffffffffffn;
  const magnitude = biased === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: word >> 63n === 1n ? -magnitude : magnitude, exponent: Math.max(biased, 1) - 1075 };
}

function toFixed(x: number, bits = BITS): bigint {
  const { mantissa, exponent } = split(x);
  const shift = BigInt(exponent + bits);
  return shift >= 0n ? mantissa << shift : mantissa >> -shift;
}

function reduce(x: number): { quarters: bigint; rest: bigint } {
  const fixed = toFixed(x, LONG);
  const quarter = LONG_PI / 2n;
  let quarters = fixed / quarter;
  let rest = fixed - quarters * quarter;
  if (rest > quarter / 2n) {
    quarters++;
    rest -= quarter;
  } else if (rest < -quarter / 2n) {
    quarters--;
    rest += quarter;
  }
  return { quarters: BigInt.asUintN(2, quarters), rest: rest >> BigInt(LONG - BITS) };
}

function sinSeries(x: bigint): bigint {
  const square = (x * x) >> 256n;
  let term = x;
  let sum = x;
  for (let n = 2n; term !== 0n && term !== -1n; n += 2n) sum += term = -((term * square) >> 256n) / (n * (n + 1n));
  return sum;
}

function cosSeries(x: bigint): bigint {
  const square = (x * x) >> 256n;
  let term = ONE;
  let sum = ONE;
  for (let n = 1n; term !== 0n && term !== -1n; n += 2n) sum += term = -((term * square) >> 256n) / (n * (n + 1n));
  return sum;
}

/** Of y / x, between -pi/2 and pi/2. */
function arcTangent(y: bigint, x: bigint): bigint {
  const isNegative = y < 0n !== x < 0n;
  const up = y < 0n ? -y : y;
  const right = x < 0n ? -x : x;
  let angle = up <= right ? smallArcTangent((up << 256n) / right) : PI / 2n - smallArcTangent((right << 256n) / up);
  if (isNegative) angle = -angle;
  return angle;
}

/** Of a number from 0 to 1: halved three times, then the series. */
function smallArcTangent(x: bigint): bigint {
  let t = x;
  for (let i = 0; i < 3; i++) t = (t << 256n) / (ONE + root(ONE * ONE + t * t));
  const square = (t * t) >> 256n;
  let power = t;
  let sum = 0n;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += n % 4n === 1n ? power / n : -power / n;
    power = (power * square) >> 256n;
  }
  return sum << 3n;
}

function exponential(x: bigint): Exact {
  const twos = (x + LN2 / 2n) / LN2 - (x + LN2 / 2n < 0n ? 1n : 0n);
  const rest = x - twos * LN2;
  let term = ONE;
  let sum = ONE;
  for (let n = 1n; term !== 0n && term !== -1n; n++) sum += term = ((term * rest) >> 256n) / n;
  return { value: sum, exponent: Number(twos) - BITS };
}

function logarithm(x: number): bigint {
  const { mantissa, exponent } = split(x);
  let length = bitLength(mantissa);
  let fixed = mantissa << BigInt(BITS + 1 - length);
  if (fixed > (ONE * 3n) / 2n) {
    fixed >>= 1n;
    length++;
  }
  return inverseTangent(((fixed - ONE) << 256n) / (fixed + ONE)) * 2n + BigInt(exponent + length - 1) * LN2;
}

/** The hyperbolic one. */
function inverseTangent(x: bigint): bigint {
  const square = (x * x) >> 256n;
  let power = x;
  let sum = 0n;
  for (let n = 1n; power !== 0n && power !== -1n; n += 2n) {
    sum += power / n;
    power = (power * square) >> 256n;
  }
  return sum;
}

/** The whole square root. */
function root(square: bigint): bigint {
  if (square < 2n) return square;
  let guess = 1n << BigInt((bitLength(square) >> 1) + 1);
  for (;;) {
    const next = (guess + square / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

function bitLength(x: bigint): number {
  return (x < 0n ? -x : x).toString(2).length;
}

/** Machin: pi = 16 atan(1/5) - 4 atan(1/239). */
function machin(bits: number): bigint {
  const inverse = (n: bigint): bigint => {
    let power = (1n << BigInt(bits + 16)) / n;
    let sum = 0n;
    for (let k = 1n; power !== 0n; k += 2n) {
      sum += k % 4n === 1n ? power / k : -power / k;
      power /= n * n;
    }
    return sum;
  };
  return (16n * inverse(5n) - 4n * inverse(239n)) >> 16n;
}

const LONG_PI = machin(LONG);
const PI = LONG_PI >> BigInt(LONG - BITS);
const LN2 = 2n * inverseTangent(ONE / 3n);
