/**
 * How far a sphere or a capsule is from a hitbox, for sweeps and overlaps. Both are a convex core (a point, a segment, a box,
 * a hull) with a radius around it; the distance of the cores is found by the algorithm of Gilbert, Johnson and Keerthi:
 * the point nearest to the origin in the difference of the two, by ever better simplices of at most four of its corners.
 *
 * Source: Ericson, "Real-Time Collision Detection", 2005, chapters 5.1 and 9.5.
 */
import { BOX, CAPSULE, HULL } from "./hitbox-set.ts";
import type { HitboxSet } from "./hitbox-set.ts";
import { rotate, rotateBack } from "./vector.ts";

const MAX_STEPS = 48;
const MAX_SWEEP_STEPS = 48;
/** Of the squared distance: no more is gained by another step. */
const EXACT = 1e-10;
/** World units: nearer than this is touching. */
const TOUCHING = 1e-6;

export class ConvexDistance {
  /** From the hitbox to the body, a unit vector; zeros when they overlap. Of the last `distance` or `sweep`. */
  readonly normal = { x: 0, y: 0, z: 0 };
  readonly #simplex = new Float64Array(12);
  /** A simplex of four corners, and the best of its faces. */
  readonly #whole = new Float64Array(12);
  readonly #kept = new Float64Array(12);
  readonly #nearest = { x: 0, y: 0, z: 0 };
  readonly #local = { x: 0, y: 0, z: 0 };
  readonly #far = { x: 0, y: 0, z: 0 };

  /**
   * From the capsule around the segment from (ax, ay, az) to (bx, by, bz), a sphere when they are the same, to hitbox `i` of
   * a set that is where `numbers[at...]` says. 0 when they touch or overlap.
   */
  distance(
    set: HitboxSet,
    i: number,
    numbers: Float64Array,
    at: number,
    ax: number,
    ay: number,
    az: number,
    bx: number,
    by: number,
    bz: number,
    radius: number,
  ): number {
    const v = this.#nearest;
    const { normal } = this;
    v.x = ax - numbers[at];
    v.y = ay - numbers[at + 1];
    v.z = az - numbers[at + 2];
    let count = 0;
    let squared = v.x * v.x + v.y * v.y + v.z * v.z;
    for (let step = 0; step < MAX_STEPS && squared > 0; step++) {
      // The corner of the difference that is farthest against v.
      this.#support(set, i, numbers, at, v.x, v.y, v.z);
      const atA = v.x * (bx - ax) + v.y * (by - ay) + v.z * (bz - az) >= 0;
      const wx = (atA ? ax : bx) - this.#far.x;
      const wy = (atA ? ay : by) - this.#far.y;
      const wz = (atA ? az : bz) - this.#far.z;
      if (step > 0 && squared - (v.x * wx + v.y * wy + v.z * wz) <= EXACT * squared) break;
      this.#simplex[count * 3] = wx;
      this.#simplex[count * 3 + 1] = wy;
      this.#simplex[count * 3 + 2] = wz;
      count = this.#reduce(count + 1);
      const next = v.x * v.x + v.y * v.y + v.z * v.z;
      if (count === 4 || next < 1e-18) {
        squared = 0;
        break;
      }
      if (step > 0 && next >= squared) break;
      squared = next;
    }
    const length = Math.sqrt(squared);
    const around = radius + set.radii[i];
    normal.x = normal.y = normal.z = 0;
    if (length > 0) {
      normal.x = v.x / length;
      normal.y = v.y / length;
      normal.z = v.z / length;
    }
    return length > around ? length - around : 0;
  }

  /**
   * How far the capsule gets along the unit vector (dx, dy, dz) before it touches the hitbox; 0 when it does from the
   * beginning, `Infinity` when it does not within `range`.
   */
  sweep(
    set: HitboxSet,
    i: number,
    numbers: Float64Array,
    at: number,
    ax: number,
    ay: number,
    az: number,
    bx: number,
    by: number,
    bz: number,
    radius: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
  ): number {
    let t = 0;
    for (let step = 0; step < MAX_SWEEP_STEPS; step++) {
      const x = dx * t;
      const y = dy * t;
      const z = dz * t;
      const gap = this.distance(set, i, numbers, at, ax + x, ay + y, az + z, bx + x, by + y, bz + z, radius);
      if (gap <= TOUCHING) return t;
      const { normal } = this;
      // Newton's method from the outside: the distance to a convex body is convex along a line.
      const approach = -(normal.x * dx + normal.y * dy + normal.z * dz);
      if (approach <= 1e-12) return Infinity;
      t += gap / approach;
      if (t > range) return Infinity;
    }
    return t;
  }

  /** The point of the hitbox's core that is farthest along (x, y, z), into `#far`. */
  #support(set: HitboxSet, i: number, n: Float64Array, at: number, x: number, y: number, z: number): void {
    const far = this.#far;
    const kind = set.kinds[i];
    far.x = n[at];
    far.y = n[at + 1];
    far.z = n[at + 2];
    if (kind === CAPSULE) {
      const along = (n[at + 3] - n[at]) * x + (n[at + 4] - n[at + 1]) * y + (n[at + 5] - n[at + 2]) * z;
      if (along <= 0) return;
      far.x = n[at + 3];
      far.y = n[at + 4];
      far.z = n[at + 5];
      return;
    }
    if (kind !== BOX && kind !== HULL) return;
    const local = this.#local;
    rotateBack(n[at + 3], n[at + 4], n[at + 5], n[at + 6], x, y, z, local);
    if (kind === BOX) {
      local.x = local.x > 0 ? set.halves[i * 3] : -set.halves[i * 3];
      local.y = local.y > 0 ? set.halves[i * 3 + 1] : -set.halves[i * 3 + 1];
      local.z = local.z > 0 ? set.halves[i * 3 + 2] : -set.halves[i * 3 + 2];
    } else {
      const corners = set.hulls[i]?.corners ?? NO_CORNERS;
      let best = 0;
      let most = -Infinity;
      for (let c = 0; c < corners.length; c += 3) {
        const along = corners[c] * local.x + corners[c + 1] * local.y + corners[c + 2] * local.z;
        if (along <= most) continue;
        most = along;
        best = c;
      }
      local.x = corners[best];
      local.y = corners[best + 1];
      local.z = corners[best + 2];
    }
    rotate(n[at + 3], n[at + 4], n[at + 5], n[at + 6], local.x, local.y, local.z, local);
    far.x += local.x;
    far.y += local.y;
    far.z += local.z;
  }

  /** Keeps of the simplex what its point nearest to the origin needs, which becomes `#nearest`; returns how many. */
  #reduce(count: number): number {
    if (count === 1) return this.#use1(0);
    if (count === 2) return this.#reduce2(0, 1);
    if (count === 3) return this.#reduce3(0, 1, 2);
    return this.#reduce4();
  }

  #use1(a: number): number {
    const s = this.#simplex;
    this.#setNearest(s[a * 3], s[a * 3 + 1], s[a * 3 + 2]);
    s.copyWithin(0, a * 3, a * 3 + 3);
    return 1;
  }

  #reduce2(a: number, b: number): number {
    const s = this.#simplex;
    const abx = s[b * 3] - s[a * 3];
    const aby = s[b * 3 + 1] - s[a * 3 + 1];
    const abz = s[b * 3 + 2] - s[a * 3 + 2];
    const length = abx * abx + aby * aby + abz * abz;
    const t = -(s[a * 3] * abx + s[a * 3 + 1] * aby + s[a * 3 + 2] * abz);
    if (t <= 0 || length === 0) return this.#use1(a);
    if (t >= length) return this.#use1(b);
    const part = t / length;
    this.#setNearest(s[a * 3] + abx * part, s[a * 3 + 1] + aby * part, s[a * 3 + 2] + abz * part);
    this.#keep(a, b, -1);
    return 2;
  }

  /** Ericson 5.1.5, of the origin. */
  #reduce3(a: number, b: number, c: number): number {
    const s = this.#simplex;
    const ax = s[a * 3];
    const ay = s[a * 3 + 1];
    const az = s[a * 3 + 2];
    const bx = s[b * 3];
    const by = s[b * 3 + 1];
    const bz = s[b * 3 + 2];
    const cx = s[c * 3];
    const cy = s[c * 3 + 1];
    const cz = s[c * 3 + 2];
    const abx = bx - ax;
    const aby = by - ay;
    const abz = bz - az;
    const acx = cx - ax;
    const acy = cy - ay;
    const acz = cz - az;
    const d1 = -(abx * ax + aby * ay + abz * az);
    const d2 = -(acx * ax + acy * ay + acz * az);
    if (d1 <= 0 && d2 <= 0) return this.#use1(a);
    const d3 = -(abx * bx + aby * by + abz * bz);
    const d4 = -(acx * bx + acy * by + acz * bz);
    if (d3 >= 0 && d4 <= d3) return this.#use1(b);
    const vc = d1 * d4 - d3 * d2;
    if (vc <= 0 && d1 >= 0 && d3 <= 0) return this.#reduce2(a, b);
    const d5 = -(abx * cx + aby * cy + abz * cz);
    const d6 = -(acx * cx + acy * cy + acz * cz);
    if (d6 >= 0 && d5 <= d6) return this.#use1(c);
    const vb = d5 * d2 - d1 * d6;
    if (vb <= 0 && d2 >= 0 && d6 <= 0) return this.#reduce2(a, c);
    const va = d3 * d6 - d5 * d4;
    if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) return this.#reduce2(b, c);
    const sum = va + vb + vc;
    const v = vb / sum;
    const w = vc / sum;
    this.#setNearest(ax + abx * v + acx * w, ay + aby * v + acy * w, az + abz * v + acz * w);
    this.#keep(a, b, c);
    return 3;
  }

  /** The face nearest to the origin of those that it is outside of; 4 when it is inside of all. */
  #reduce4(): number {
    const simplex = this.#simplex;
    const whole = this.#whole;
    const v = this.#nearest;
    whole.set(simplex);
    let best = Infinity;
    let count = 4;
    let x = 0;
    let y = 0;
    let z = 0;
    for (let face = 0; face < FACES.length; face++) {
      const [a, b, c, d] = FACES[face];
      if (!isOutside(whole, a, b, c, d)) continue;
      simplex.set(whole);
      const left = this.#reduce3(a, b, c);
      const squared = v.x * v.x + v.y * v.y + v.z * v.z;
      if (squared >= best) continue;
      best = squared;
      this.#kept.set(simplex);
      count = left;
      x = v.x;
      y = v.y;
      z = v.z;
    }
    simplex.set(this.#kept);
    this.#setNearest(x, y, z);
    return count;
  }

  /** Moves these corners to the front; a, b, c rise. */
  #keep(a: number, b: number, c: number): void {
    const s = this.#simplex;
    s.copyWithin(0, a * 3, a * 3 + 3);
    s.copyWithin(3, b * 3, b * 3 + 3);
    if (c >= 0) s.copyWithin(6, c * 3, c * 3 + 3);
  }

  #setNearest(x: number, y: number, z: number): void {
    this.#nearest.x = x;
    this.#nearest.y = y;
    this.#nearest.z = z;
  }
}

const NO_CORNERS = new Float64Array(3);
/** A face and the corner opposite. */
const FACES = [
  [0, 1, 2, 3],
  [0, 1, 3, 2],
  [0, 2, 3, 1],
  [1, 2, 3, 0],
] as const;

/** Whether the origin is on the other side of a face than the fourth corner; flat tetrahedra count as outside. */
function isOutside(s: Float64Array, a: number, b: number, c: number, d: number): boolean {
  const ux = s[b * 3] - s[a * 3];
  const uy = s[b * 3 + 1] - s[a * 3 + 1];
  const uz = s[b * 3 + 2] - s[a * 3 + 2];
  const vx = s[c * 3] - s[a * 3];
  const vy = s[c * 3 + 1] - s[a * 3 + 1];
  const vz = s[c * 3 + 2] - s[a * 3 + 2];
  const nx = uy * vz - uz * vy;
  const ny = uz * vx - ux * vz;
  const nz = ux * vy - uy * vx;
  const origin = -(nx * s[a * 3] + ny * s[a * 3 + 1] + nz * s[a * 3 + 2]);
  const fourth = nx * (s[d * 3] - s[a * 3]) + ny * (s[d * 3 + 1] - s[a * 3 + 1]) + nz * (s[d * 3 + 2] - s[a * 3 + 2]);
  return origin * fourth <= 0;
}
