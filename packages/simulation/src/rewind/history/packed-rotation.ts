/**
 * A rotation in 32 bits: which component is the largest (2 bits) and the other three in 10 bits each, about 0.1 degrees
 * fine. For histories: what is compared or sent is never rounded this way.
 */

import { atan2, sin } from "../../math/index.ts";

export interface Rotation {
  x: number;
  y: number;
  z: number;
  w: number;
}

const CENTRE = 511;
const ROUNDED = CENTRE + 0.5;
const STEP = Math.SQRT1_2 / CENTRE;

/** Of a unit quaternion. */
export function packRotation(x: number, y: number, z: number, w: number): number {
  const ax = Math.abs(x);
  const ay = Math.abs(y);
  const az = Math.abs(z);
  const aw = Math.abs(w);
  if (aw >= ax && aw >= ay && aw >= az) return pack(3, w, x, y, z);
  if (ax >= ay && ax >= az) return pack(0, x, y, z, w);
  return ay >= az ? pack(1, y, x, z, w) : pack(2, z, x, y, w);
}

/** The other three, with the largest one above 0. None is below -1/sqrt(2), so that cutting is rounding down. */
function pack(which: number, largest: number, a: number, b: number, c: number): number {
  const scale = largest < 0 ? -1 / STEP : 1 / STEP;
  return (
    which |
    (((a * scale + ROUNDED) & 1023) << 2) |
    (((b * scale + ROUNDED) & 1023) << 12) |
    ((c * scale + ROUNDED) << 22)
  );
}

export function unpackRotation(packed: number, out: Rotation): void {
  const a = (((packed >>> 2) & 1023) - CENTRE) * STEP;
  const b = (((packed >>> 12) & 1023) - CENTRE) * STEP;
  const c = ((packed >>> 22) - CENTRE) * STEP;
  const rest = 1 - a * a - b * b - c * c;
  const d = rest > 0 ? Math.sqrt(rest) : 0;
  const largest = packed & 3;
  out.x = largest === 0 ? d : a;
  out.y = largest === 0 ? a : largest === 1 ? d : b;
  out.z = largest <= 1 ? b : largest === 2 ? d : c;
  out.w = largest === 3 ? d : c;
}

/** Turns `a` towards `b`, the shorter way: a straight mix, made a rotation again, or, `spherical`, at a constant rate. */
export function mixRotations(a: Rotation, b: Readonly<Rotation>, fraction: number, spherical = false): void {
  const sign = a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w < 0 ? -1 : 1;
  let other = fraction * sign;
  let rest = 1 - fraction;
  if (spherical) {
    const angle = angleBetween(a, b, sign);
    const sine = sin(angle);
    if (sine > 1e-6) {
      rest = sin((1 - fraction) * angle) / sine;
      other = (sin(fraction * angle) / sine) * sign;
    }
  }
  const x = a.x * rest + b.x * other;
  const y = a.y * rest + b.y * other;
  const z = a.z * rest + b.z * other;
  const w = a.w * rest + b.w * other;
  const length = Math.sqrt(x * x + y * y + z * z + w * w);
  if (!(length > 1e-6)) return;
  a.x = x / length;
  a.y = y / length;
  a.z = z / length;
  a.w = w / length;
}

/** As points on the sphere, the second times `sign`: said by sum and difference, of which one is never small. */
function angleBetween(a: Readonly<Rotation>, b: Readonly<Rotation>, sign: number): number {
  const x = b.x * sign;
  const y = b.y * sign;
  const z = b.z * sign;
  const w = b.w * sign;
  const apart = (a.x - x) * (a.x - x) + (a.y - y) * (a.y - y) + (a.z - z) * (a.z - z) + (a.w - w) * (a.w - w);
  const together = (a.x + x) * (a.x + x) + (a.y + y) * (a.y + y) + (a.z + z) * (a.z + z) + (a.w + w) * (a.w + w);
  return 2 * atan2(Math.sqrt(apart), Math.sqrt(together));
}
