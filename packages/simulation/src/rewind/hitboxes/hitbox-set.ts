/**
 * What of an entity can be hit: a few shapes, each with a name, a multiplier and a layer, placed around the entity's
 * position and turned with it. Games in the plane leave out every z: then a sphere is a circle, a capsule and a box are
 * what they are in the plane, and rays stay in it.
 *
 * Shapes are kept as plain numbers in the entity's own frame (`POSE_NUMBERS` each), which can be mixed between two moments:
 *
 *     sphere   its centre
 *     capsule  the two ends of its segment
 *     box      its centre and its rotation (x, y, z, w)
 *     hull     its origin and its rotation
 */
import { hypot } from "../../math/index.ts";
import type { Vector } from "./vector.ts";
import { rotate } from "./vector.ts";
import { ConvexHull } from "./convex-hull.ts";

/** A shape and what a hit on it counts. Lengths in world units, x and y in the plan, z up. */
export type HitboxOptions = (SphereOptions | CapsuleOptions | BoxOptions | HullOptions) & {
  /** What a hit here counts, times. Default 1. */
  readonly multiplier?: number;
  /** Queries may be limited to layers: a name of the game's own. Default "body". */
  readonly layer?: string;
};

export interface SphereOptions {
  readonly shape: "sphere";
  readonly radius: number;
  /** Its centre. Default the entity's position. */
  readonly at?: Vector;
}

/** All points within `radius` of the segment between two points. */
export interface CapsuleOptions {
  readonly shape: "capsule";
  readonly radius: number;
  readonly from: Vector;
  readonly to: Vector;
}

export interface BoxOptions {
  readonly shape: "box";
  /** Half its size along each of its axes; in the plane the third may be left out. */
  readonly half: Vector;
  readonly at?: Vector;
  /** Its rotation in the entity's frame, a unit quaternion (x, y, z, w). Default none. */
  readonly turn?: readonly [x: number, y: number, z: number, w: number];
}

/** The smallest convex body around the points: 4 to 64 that are not in one plane. */
export interface HullOptions {
  readonly shape: "hull";
  readonly points: readonly Vector[];
}

/** How an entity's hitboxes stand. */
export interface HitboxPoseOptions {
  /**
   * - "fixed": always the same around the entity. The default.
   * - "palette": in one of `palette`'s poses, an animation's frames; each tick says in which.
   * - "posed": each tick says where every one of them is: an offset and a rotation from its declared place, which costs
   *   10 bytes a hitbox and tick.
   */
  readonly pose?: "fixed" | "palette" | "posed";
  /** For "palette": for each frame an offset and a rotation for each hitbox, in their order. At most 4,096. */
  readonly palette?: readonly (readonly HitboxPose[])[];
  /** What no part of any hitbox ever leaves. Needed for "posed"; else it is computed. */
  readonly extent?: HitboxExtent;
}

/** An upright cylinder around the entity's position: a radius in the plan, and heights from below to above the position. */
export interface HitboxExtent {
  readonly radius: number;
  readonly low: number;
  readonly high: number;
}

/** Where a hitbox is, against where it was declared: turned about its own centre, then moved. */
export interface HitboxPose {
  readonly offset: Vector;
  readonly turn?: readonly [x: number, y: number, z: number, w: number];
}

export const SPHERE = 0;
export const CAPSULE = 1;
export const BOX = 2;
export const HULL = 3;

/** Numbers that say where one hitbox is. */
export const POSE_NUMBERS = 7;
const MAX_HITBOXES = 16;
export const MAX_PALETTE = 4096;
/** A "posed" hitbox is moved by at most this, in steps of 1/1024. */
export const MAX_OFFSET = 31.9;

export class HitboxSet {
  /** As they were declared. */
  readonly declared: Readonly<Record<string, HitboxOptions>>;
  readonly poses: HitboxPoseOptions;
  readonly names: readonly string[];
  readonly multipliers: Float64Array;
  /** One bit each, in `layerNames`' order. */
  readonly layers: Int32Array;
  readonly layerNames: readonly string[];
  readonly kinds: Uint8Array;
  /** Of spheres and capsules. */
  readonly radii: Float64Array;
  /** Half sizes of boxes, three for each hitbox. */
  readonly halves: Float64Array;
  readonly hulls: readonly (ConvexHull | undefined)[];
  /** Where each is when it is "fixed". */
  readonly rest: Float64Array;
  readonly pose: "fixed" | "palette" | "posed";
  /** Of a "palette": frame after frame as `rest`. */
  readonly palette: Float64Array;
  readonly frames: number;
  /** Everything is in here while the entity is upright, */
  readonly extent: HitboxExtent;
  /** and within this distance of its position however it is turned. */
  readonly reach: number;
  /** Of each hitbox: the middle of where it is declared, and how far it reaches around that. */
  readonly middles: Float64Array;
  readonly sizes: Float64Array;

  /** As `defineHitboxes`. */
  constructor(hitboxes: Readonly<Record<string, HitboxOptions>>, options: HitboxPoseOptions = {}) {
    this.declared = hitboxes;
    this.poses = options;
    const all = Object.entries(hitboxes);
    if (all.length === 0 || all.length > MAX_HITBOXES)
      throw new RangeError(`hitboxes: ${all.length} of them; 1 to ${MAX_HITBOXES} can be`);
    this.names = all.map(([name]) => name);
    this.layerNames = [...new Set(all.map(([, { layer = "body" }]) => layer))];
    this.layers = Int32Array.from(all, ([, { layer = "body" }]) => 1 << this.layerNames.indexOf(layer));
    this.multipliers = Float64Array.from(all, ([name, { multiplier = 1 }]) => finite(multiplier, name, "multiplier"));
    this.kinds = Uint8Array.from(all, ([, { shape }]) => KINDS[shape]);
    this.radii = Float64Array.from(all, ([name, box]) => ("radius" in box ? positive(box.radius, name, "radius") : 0));
    this.halves = new Float64Array(all.length * 3);
    this.hulls = all.map(([, box]) => (box.shape === "hull" ? new ConvexHull(box.points) : undefined));
    this.rest = new Float64Array(all.length * POSE_NUMBERS);
    all.forEach(([name, box], i) => this.#place(i, name, box));
    this.middles = Float64Array.from({ length: all.length * 3 }, (_, k) => this.#middleOf(Math.floor(k / 3), k % 3));
    this.pose = options.pose ?? "fixed";
    const frames = options.palette ?? [];
    if ((this.pose === "palette") !== frames.length > 0)
      throw new RangeError(`hitboxes: a palette is given with pose: "palette", and only then`);
    if (frames.length > MAX_PALETTE) throw new RangeError(`hitboxes: ${frames.length} frames; at most ${MAX_PALETTE}`);
    this.frames = frames.length;
    this.palette = new Float64Array(frames.length * this.rest.length);
    frames.forEach((frame, f) => this.#addFrame(f, frame));
    this.sizes = Float64Array.from(all, (_, i) => this.#sizeOf(i));
    this.extent = options.extent ?? this.#computeExtent();
    const { radius, low, high } = this.extent;
    if (!(radius > 0 && radius < Infinity && low <= high && high - low < Infinity))
      throw new RangeError(`hitboxes: the extent must be a radius above 0 and two heights`);
    this.reach = hypot(radius, Math.max(Math.abs(low), Math.abs(high)));
  }

  get count(): number {
    return this.names.length;
  }

  /** The bits of some layers; all of them for `undefined`. Throws `RangeError` for a name that no hitbox has. */
  layerMask(layers: readonly string[] | undefined): number {
    if (layers === undefined) return -1;
    let mask = 0;
    for (const layer of layers) {
      const bit = this.layerNames.indexOf(layer);
      if (bit < 0) throw new RangeError(`there is no hitbox in a layer "${layer}"`);
      mask |= 1 << bit;
    }
    return mask;
  }

  /** Writes where hitbox `i` is when it is moved by an offset and turned by a unit quaternion, to `out[at...]`. */
  posed(
    i: number,
    x: number,
    y: number,
    z: number,
    qx: number,
    qy: number,
    qz: number,
    qw: number,
    out: Float64Array,
    at: number,
  ): void {
    const { rest, kinds } = this;
    const from = i * POSE_NUMBERS;
    const kind = kinds[i];
    if (kind === CAPSULE) {
      const midX = this.middles[i * 3];
      const midY = this.middles[i * 3 + 1];
      const midZ = this.middles[i * 3 + 2];
      rotate(qx, qy, qz, qw, rest[from + 3] - midX, rest[from + 4] - midY, rest[from + 5] - midZ, turned);
      out[at] = midX + x - turned.x;
      out[at + 1] = midY + y - turned.y;
      out[at + 2] = midZ + z - turned.z;
      out[at + 3] = midX + x + turned.x;
      out[at + 4] = midY + y + turned.y;
      out[at + 5] = midZ + z + turned.z;
      return;
    }
    out[at] = rest[from] + x;
    out[at + 1] = rest[from + 1] + y;
    out[at + 2] = rest[from + 2] + z;
    if (kind === SPHERE) return;
    const [rx, ry, rz, rw] = rest.subarray(from + 3, from + 7);
    out[at + 3] = qw * rx + qx * rw + qy * rz - qz * ry;
    out[at + 4] = qw * ry - qx * rz + qy * rw + qz * rx;
    out[at + 5] = qw * rz + qx * ry - qy * rx + qz * rw;
    out[at + 6] = qw * rw - qx * rx - qy * ry - qz * rz;
  }

  #place(i: number, name: string, box: HitboxOptions): void {
    const { rest } = this;
    const to = i * POSE_NUMBERS;
    const set = (at: number, [x, y, z = 0]: Vector): void => {
      rest[to + at] = finite(x, name, "x");
      rest[to + at + 1] = finite(y, name, "y");
      rest[to + at + 2] = finite(z, name, "z");
    };
    if (box.shape === "capsule") {
      set(0, box.from);
      set(3, box.to);
    } else {
      set(0, box.shape === "hull" ? [0, 0, 0] : (box.at ?? [0, 0, 0]));
      rest[to + 6] = 1;
    }
    if (box.shape !== "box") return;
    // In the plane it has some height, so that rays of the plane are within it.
    const [halfX, halfY, halfZ = 1] = box.half;
    [halfX, halfY, halfZ].forEach((half, axis) => (this.halves[i * 3 + axis] = positive(half, name, "half")));
    const [x, y, z, w] = box.turn ?? [0, 0, 0, 1];
    const length = Math.sqrt(x * x + y * y + z * z + w * w);
    if (!(length > 0.5 && length < 2)) throw new RangeError(`hitbox "${name}": turn must be a unit quaternion`);
    rest.set([x / length, y / length, z / length, w / length], to + 3);
  }

  #addFrame(f: number, frame: readonly HitboxPose[]): void {
    if (frame.length !== this.count)
      throw new RangeError(`hitboxes: frame ${f} of the palette has ${frame.length} poses for ${this.count} hitboxes`);
    frame.forEach(({ offset: [x, y, z = 0], turn = [0, 0, 0, 1] }, i) => {
      this.posed(i, x, y, z, ...turn, this.palette, f * this.rest.length + i * POSE_NUMBERS);
    });
  }

  #middleOf(i: number, axis: number): number {
    const at = i * POSE_NUMBERS + axis;
    return this.kinds[i] === CAPSULE ? (this.rest[at] + this.rest[at + 3]) / 2 : this.rest[at];
  }

  #sizeOf(i: number): number {
    const { rest, radii, halves } = this;
    const at = i * POSE_NUMBERS;
    if (this.kinds[i] === SPHERE) return radii[i];
    if (this.kinds[i] === CAPSULE)
      return radii[i] + hypot(rest[at + 3] - rest[at], rest[at + 4] - rest[at + 1], rest[at + 5] - rest[at + 2]) / 2;
    return this.hulls[i]?.reach ?? hypot(halves[i * 3], halves[i * 3 + 1], halves[i * 3 + 2]);
  }

  #computeExtent(): HitboxExtent {
    if (this.pose === "posed") throw new RangeError(`hitboxes: pose: "posed" needs an extent`);
    const extent = { radius: 0, low: Infinity, high: -Infinity };
    if (this.frames === 0) this.#extend(extent, this.rest, 0);
    for (let f = 0; f < this.frames; f++) this.#extend(extent, this.palette, f * this.rest.length);
    return extent;
  }

  #extend(extent: { -readonly [K in keyof HitboxExtent]: number }, numbers: Float64Array, from: number): void {
    for (let i = 0; i < this.count; i++) {
      const at = from + i * POSE_NUMBERS;
      const isCapsule = this.kinds[i] === CAPSULE;
      const size = isCapsule ? this.radii[i] : this.sizes[i];
      for (let end = at; end <= (isCapsule ? at + 3 : at); end += 3) {
        extent.radius = Math.max(extent.radius, hypot(numbers[end], numbers[end + 1]) + size);
        extent.low = Math.min(extent.low, numbers[end + 2] - size);
        extent.high = Math.max(extent.high, numbers[end + 2] + size);
      }
    }
  }
}

/**
 * Declares what can be hit of a state's entities:
 *
 *     defineHitboxes({
 *       head: { shape: "sphere", radius: 0.15, at: [0, 0, 1.65], multiplier: 4 },
 *       body: { shape: "capsule", radius: 0.3, from: [0, 0, 0.4], to: [0, 0, 1.4] },
 *     })
 *
 * Throws `RangeError` for sizes that cannot be, for none or more than 16, and for a palette that does not fit.
 */
export function defineHitboxes(
  hitboxes: Readonly<Record<string, HitboxOptions>>,
  options: HitboxPoseOptions = {},
): HitboxSet {
  return new HitboxSet(hitboxes, options);
}

const KINDS = { sphere: SPHERE, capsule: CAPSULE, box: BOX, hull: HULL } as const;
const turned = { x: 0, y: 0, z: 0 };

function positive(value: number, name: string, what: string): number {
  if (!(value > 0 && value < Infinity)) throw new RangeError(`hitbox "${name}": ${what} ${value} must be above 0`);
  return value;
}

function finite(value: number, name: string, what: string): number {
  if (!Number.isFinite(value)) throw new RangeError(`hitbox "${name}": ${what} ${value} must be a number`);
  return value;
}
