/** A place or a direction; without a third number it is in the plane. */
export type Vector = readonly [x: number, y: number, z?: number];

/** Three numbers that a function fills in. */
export interface Vector3 {
  x: number;
  y: number;
  z: number;
}

/** Turns (x, y, z) by a unit quaternion. */
export function rotate(
  qx: number,
  qy: number,
  qz: number,
  qw: number,
  x: number,
  y: number,
  z: number,
  out: Vector3,
): void {
  const cx = 2 * (qy * z - qz * y);
  const cy = 2 * (qz * x - qx * z);
  const cz = 2 * (qx * y - qy * x);
  out.x = x + qw * cx + qy * cz - qz * cy;
  out.y = y + qw * cy + qz * cx - qx * cz;
  out.z = z + qw * cz + qx * cy - qy * cx;
}

/** Turns it back. */
export function rotateBack(
  qx: number,
  qy: number,
  qz: number,
  qw: number,
  x: number,
  y: number,
  z: number,
  out: Vector3,
): void {
  rotate(-qx, -qy, -qz, qw, x, y, z, out);
}
