/**
 * A convex body, from its corners: the planes of its faces for rays, its corners for distances. Built once, when hitboxes
 * are declared, by trying every plane through three corners: fine for the 4 to 64 that a hitbox has.
 */
import { hypot } from "../../math/index.ts";
import type { Vector } from "./vector.ts";

const MAX_CORNERS = 64;
/** Corners nearer to a plane than this share of the body's size are in it. */
const FLAT = 1e-7;

export class ConvexHull {
  /** Three numbers for each corner. */
  readonly corners: Float64Array;
  /** Four numbers for each face: the normal outwards, and its distance from the origin. */
  readonly planes: Float64Array;
  /** Of the farthest corner from the origin. */
  readonly reach: number;

  /** Throws `RangeError` for too few or too many points, and for points in one plane. */
  constructor(points: readonly Vector[]) {
    if (points.length < 4 || points.length > MAX_CORNERS)
      throw new RangeError(`hull: ${points.length} points; 4 to ${MAX_CORNERS} can be`);
    const corners = points.map(([x, y, z = 0]) => ({ x, y, z }));
    if (!corners.every(({ x, y, z }) => Number.isFinite(x + y + z)))
      throw new RangeError("hull: a point is not a place");
    this.corners = Float64Array.from(corners.flatMap(({ x, y, z }) => [x, y, z]));
    this.reach = Math.max(...corners.map(({ x, y, z }) => hypot(x, y, z)));
    const planes: number[][] = [];
    for (let a = 0; a < corners.length; a++)
      for (let b = a + 1; b < corners.length; b++)
        for (let c = b + 1; c < corners.length; c++) {
          const plane = this.#planeThrough(corners[a], corners[b], corners[c]);
          if (plane !== undefined && !planes.some((other) => isSame(plane, other))) planes.push(plane);
        }
    if (planes.length < 4) throw new RangeError("hull: its points are in one plane");
    this.planes = Float64Array.from(planes.flat());
  }

  /** The plane, outwards, when all corners are on one side of it. */
  #planeThrough(a: Point, b: Point, c: Point): number[] | undefined {
    const ux = b.x - a.x;
    const uy = b.y - a.y;
    const uz = b.z - a.z;
    const vx = c.x - a.x;
    const vy = c.y - a.y;
    const vz = c.z - a.z;
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    const length = hypot(nx, ny, nz);
    if (length <= FLAT * hypot(ux, uy, uz) * hypot(vx, vy, vz)) return undefined;
    const slack = FLAT * (this.reach + 1);
    let above = false;
    let below = false;
    for (let i = 0; i < this.corners.length; i += 3) {
      const off =
        ((this.corners[i] - a.x) * nx + (this.corners[i + 1] - a.y) * ny + (this.corners[i + 2] - a.z) * nz) / length;
      if (off > slack) above = true;
      if (off < -slack) below = true;
    }
    if (above === below) return undefined;
    const sign = above ? -1 / length : 1 / length;
    return [nx * sign, ny * sign, nz * sign, (a.x * nx + a.y * ny + a.z * nz) * sign];
  }
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] > 1 - 1e-9;
}
