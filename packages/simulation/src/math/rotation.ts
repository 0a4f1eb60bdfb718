/** Sums of rotations. Angles are in radians, quaternions of length 1 but for rounding. */

interface Turn {
  x: number;
  y: number;
  z: number;
  w: number;
}

/** `a` after `b`; `out` may be either. */
export function multiplyTurns(a: Readonly<Turn>, b: Readonly<Turn>, out: Turn): void {
  const x = a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y;
  const y = a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x;
  const z = a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w;
  const w = a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z;
  out.x = x;
  out.y = y;
  out.z = z;
  out.w = w;
}

/** The same angle, from -pi to pi. */
export function wrapAngle(angle: number): number {
  const turn = angle / TURN;
  return (turn - Math.floor(turn + 0.5)) * TURN;
}

const TURN = 2 * Math.PI;
