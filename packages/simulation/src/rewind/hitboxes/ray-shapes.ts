/**
 * Rays against hitboxes: the distance along a unit ray to where it enters, 0 from inside, `Infinity` when it misses. Shapes
 * are given as `HitboxSet` keeps them, the ray in the same frame.
 */
import { BOX, CAPSULE, SPHERE } from "./hitbox-set.ts";
import type { HitboxSet } from "./hitbox-set.ts";
import { rotateBack } from "./vector.ts";

function raySphere(
  x: number,
  y: number,
  z: number,
  dx: number,
  dy: number,
  dz: number,
  cx: number,
  cy: number,
  cz: number,
  radius: number,
): number {
  const toX = cx - x;
  const toY = cy - y;
  const toZ = cz - z;
  const off = toX * toX + toY * toY + toZ * toZ - radius * radius;
  if (off <= 0) return 0;
  const along = toX * dx + toY * dy + toZ * dz;
  if (along < 0) return Infinity;
  const root = along * along - off;
  return root < 0 ? Infinity : along - Math.sqrt(root);
}

/** A capsule from a to b. */
function rayCapsule(
  x: number,
  y: number,
  z: number,
  dx: number,
  dy: number,
  dz: number,
  ax: number,
  ay: number,
  az: number,
  bx: number,
  by: number,
  bz: number,
  radius: number,
): number {
  const ux = bx - ax;
  const uy = by - ay;
  const uz = bz - az;
  const fromX = x - ax;
  const fromY = y - ay;
  const fromZ = z - az;
  const uu = ux * ux + uy * uy + uz * uz;
  if (uu < SHORT) return raySphere(x, y, z, dx, dy, dz, ax, ay, az, radius);
  const ud = ux * dx + uy * dy + uz * dz;
  const uf = ux * fromX + uy * fromY + uz * fromZ;
  const df = dx * fromX + dy * fromY + dz * fromZ;
  const ff = fromX * fromX + fromY * fromY + fromZ * fromZ;
  // Against the endless cylinder around the segment: a t^2 + 2 b t + c = 0, all times uu.
  const a = uu - ud * ud;
  const b = uu * df - uf * ud;
  const c = uu * (ff - radius * radius) - uf * uf;
  if (c <= 0 && uf >= 0 && uf <= uu) return 0;
  if (a > 1e-12 * uu) {
    const root = b * b - a * c;
    if (root < 0) return Infinity;
    const t = (-b - Math.sqrt(root)) / a;
    const along = uf + t * ud;
    if (along > 0 && along < uu && t >= 0) return t;
    // It enters beside the cylinder: through the round end on that side, or not at all.
    if (along <= 0) return raySphere(x, y, z, dx, dy, dz, ax, ay, az, radius);
    if (along >= uu) return raySphere(x, y, z, dx, dy, dz, bx, by, bz, radius);
  }
  // Along the segment, or out of it: only the round ends are left.
  return Math.min(
    raySphere(x, y, z, dx, dy, dz, ax, ay, az, radius),
    raySphere(x, y, z, dx, dy, dz, bx, by, bz, radius),
  );
}

/** Against hitbox `i` of a set that is where `numbers[at...]` says. */
export function rayHitbox(
  set: HitboxSet,
  i: number,
  numbers: Float64Array,
  at: number,
  x: number,
  y: number,
  z: number,
  dx: number,
  dy: number,
  dz: number,
): number {
  const kind = set.kinds[i];
  if (kind === SPHERE)
    return raySphere(x, y, z, dx, dy, dz, numbers[at], numbers[at + 1], numbers[at + 2], set.radii[i]);
  if (kind === CAPSULE)
    return rayCapsule(
      x,
      y,
      z,
      dx,
      dy,
      dz,
      numbers[at],
      numbers[at + 1],
      numbers[at + 2],
      numbers[at + 3],
      numbers[at + 4],
      numbers[at + 5],
      set.radii[i],
    );
  const qx = numbers[at + 3];
  const qy = numbers[at + 4];
  const qz = numbers[at + 5];
  const qw = numbers[at + 6];
  rotateBack(qx, qy, qz, qw, x - numbers[at], y - numbers[at + 1], z - numbers[at + 2], origin);
  rotateBack(qx, qy, qz, qw, dx, dy, dz, direction);
  if (kind === BOX) return rayCentredBox(set.halves, i * 3);
  return rayPlanes(set.hulls[i]?.planes ?? NO_PLANES);
}

const origin = { x: 0, y: 0, z: 0 };
const direction = { x: 0, y: 0, z: 0 };
/** Squared: a capsule whose ends are nearer is a sphere. */
const SHORT = 1e-18;
const NO_PLANES = new Float64Array(0);

/** Of the local ray. */
function rayCentredBox(halves: Float64Array, at: number): number {
  enter = 0;
  leave = Infinity;
  if (!slab(origin.x, direction.x, halves[at])) return Infinity;
  if (!slab(origin.y, direction.y, halves[at + 1])) return Infinity;
  return slab(origin.z, direction.z, halves[at + 2]) ? enter : Infinity;
}

let enter = 0;
let leave = Infinity;

function slab(from: number, by: number, half: number): boolean {
  if (by === 0) return from >= -half && from <= half;
  const a = (-half - from) / by;
  const b = (half - from) / by;
  if (a < b) {
    if (a > enter) enter = a;
    if (b < leave) leave = b;
  } else {
    if (b > enter) enter = b;
    if (a < leave) leave = a;
  }
  return enter <= leave;
}

function rayPlanes(planes: Float64Array): number {
  let first = 0;
  let last = Infinity;
  for (let i = 0; i < planes.length; i += 4) {
    const off = planes[i] * origin.x + planes[i + 1] * origin.y + planes[i + 2] * origin.z - planes[i + 3];
    const approach = planes[i] * direction.x + planes[i + 1] * direction.y + planes[i + 2] * direction.z;
    if (approach === 0) {
      if (off > 0) return Infinity;
      continue;
    }
    const t = -off / approach;
    if (approach < 0) first = Math.max(first, t);
    else last = Math.min(last, t);
    if (first > last) return Infinity;
  }
  return planes.length === 0 ? Infinity : first;
}
