/** `sqrt`, which IEEE 754 rounds exactly in every engine, and `hypot`, which engines round as they like. */

/** The square root. ECMAScript leaves `Math.sqrt` open, IEEE 754 does not, and every engine uses its instruction. */
export function sqrt(x: number): number {
  return Math.sqrt(x);
}

/**
 * The length of (x, y) or (x, y, z), without overflow on the way. An infinite component makes it infinite, as in
 * `Math.hypot`, even beside NaN. Error below 1.3 units in the last place.
 */
export function hypot(x: number, y: number, z: number = 0): number {
  const square = x * x + y * y + z * z;
  if (square < LARGEST_SAFE && square > SMALLEST_SAFE) return Math.sqrt(square);
  const largest = Math.max(Math.abs(x), Math.abs(y), Math.abs(z));
  if (largest === 0) return 0;
  if (Math.abs(x) === Infinity || Math.abs(y) === Infinity || Math.abs(z) === Infinity) return Infinity;
  // NaN takes either way and stays NaN.
  const scale = largest > 1 ? SHRINK : GROW;
  const a = x * scale;
  const b = y * scale;
  const c = z * scale;
  return Math.sqrt(a * a + b * b + c * c) / scale;
}

const LARGEST_SAFE = 1e300;
const SMALLEST_SAFE = 1e-280;
/** 2^-600 and 2^600. */
const SHRINK = 2.409919865102884e-181;
const GROW = 4.149515568880993e180;
