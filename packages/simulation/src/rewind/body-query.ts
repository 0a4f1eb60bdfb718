/**
 * Spheres and capsules against the past: moved along a line (a thrown thing, a wide shot), or where they are (a blow, a
 * blast). The parts that `RewindQuery` does for rays, for bodies.
 */
import { POSE_NUMBERS } from "./hitboxes/hitbox-set.ts";
import type { HitboxExtent } from "./hitboxes/hitbox-set.ts";
import { ConvexDistance } from "./hitboxes/convex-distance.ts";
import type { Vector3 } from "./hitboxes/vector.ts";
import type { HistoryGrid } from "./history/history-grid.ts";
import { NOBODY } from "./history/snapshot-history.ts";
import { EVERYBODY } from "./query-filter.ts";
import type { QueryFilter, Touches } from "./query-filter.ts";
import type { RewoundPoses } from "./rewound-poses.ts";

/** All points within `radius` of the segment from a to b: a sphere where they are the same. In world units. */
export interface Body {
  readonly ax: number;
  readonly ay: number;
  readonly az: number;
  readonly bx: number;
  readonly by: number;
  readonly bz: number;
  readonly radius: number;
}

export class BodyQuery {
  /** What the last `sweep` met: the entity's place and id, and the hitbox; -1 when it met nothing. */
  place = -1;
  id: number = NOBODY;
  hitbox = -1;
  /** Entities looked at closely since the beginning. */
  examined = 0;
  /** Hears of these, for a receipt. */
  touches: Touches | undefined;
  /** What the last `overlap` met, so many, the nearest first: places, ids, the nearest hitbox of each and its distance. */
  found = 0;
  places: Int32Array = new Int32Array(16);
  ids: Int32Array = new Int32Array(16);
  hitboxes: Int32Array = new Int32Array(16);
  /** From the body's own segment or middle to the hitbox: below its radius; 0 where they cross. */
  distances: Float64Array = new Float64Array(16);
  readonly #poses: RewoundPoses;
  readonly #grid: HistoryGrid;
  readonly #extent: HitboxExtent;
  readonly #convex = new ConvexDistance();
  readonly #a: Vector3 = { x: 0, y: 0, z: 0 };
  readonly #b: Vector3 = { x: 0, y: 0, z: 0 };
  readonly #along: Vector3 = { x: 0, y: 0, z: 0 };
  readonly #middle: Vector3 = { x: 0, y: 0, z: 0 };

  /** `extent`: what all hitboxes of an entity are in. */
  constructor(poses: RewoundPoses, grid: HistoryGrid, extent: HitboxExtent) {
    this.#poses = poses;
    this.#grid = grid;
    this.#extent = extent;
  }

  /**
   * How far the body gets along the unit vector (dx, dy, dz) before it touches a hitbox within `range`; 0 when it does from
   * the beginning, `Infinity` when it touches none. `place`, `id` and `hitbox` then say what.
   */
  sweep(body: Body, dx: number, dy: number, dz: number, range: number, filter: QueryFilter = EVERYBODY): number {
    const poses = this.#poses;
    const grid = this.#grid;
    const { pose } = poses;
    const { except, accept } = filter;
    this.place = this.hitbox = -1;
    this.id = NOBODY;
    let nearest = range;
    const { x, y, reach } = this.#beginWalk(body, dx, dy, range);
    while (grid.next(nearest + reach + this.#poses.slack)) {
      for (let e = grid.start; e < grid.end; e++) {
        const place = grid.list[e];
        if (place === except || !grid.isNew(place) || !poses.find(place)) continue;
        if (!this.#comesNear(pose.x - x, pose.y - y, dx, dy, nearest, reach + this.#extent.radius)) continue;
        this.#enterFrame(body, dx, dy, dz);
        if (this.touches !== undefined) this.touches.note(place, poses);
        const hitbox = this.#sweepPose(body.radius, nearest, filter.layers);
        if (hitbox < 0 || this.#distance > nearest) continue;
        // Of two at the same distance, the one with the lower place.
        if (this.#distance === nearest && this.place >= 0 && place > this.place) continue;
        if (accept !== undefined && !accept(place, pose.id)) continue;
        nearest = this.#distance;
        this.place = place;
        this.id = pose.id;
        this.hitbox = hitbox;
      }
    }
    return this.place < 0 ? Infinity : nearest;
  }

  /** How many entities the body touches: see `found`. */
  overlap(body: Body, filter: QueryFilter = EVERYBODY): number {
    const poses = this.#poses;
    const grid = this.#grid;
    const { pose } = poses;
    const { except, accept } = filter;
    this.found = 0;
    const { x, y, reach } = this.#beginWalk(body, 0, 0, 0);
    while (grid.next(Infinity)) {
      for (let e = grid.start; e < grid.end; e++) {
        const place = grid.list[e];
        if (place === except || !grid.isNew(place) || !poses.find(place)) continue;
        if (!this.#comesNear(pose.x - x, pose.y - y, 0, 0, 0, reach + this.#extent.radius)) continue;
        this.#enterFrame(body, 0, 0, 0);
        if (this.touches !== undefined) this.touches.note(place, poses);
        const hitbox = this.#nearestOfPose(filter.layers);
        if (hitbox < 0 || this.#distance > body.radius) continue;
        if (accept !== undefined && !accept(place, pose.id)) continue;
        this.#insert(place, pose.id, hitbox, this.#distance);
      }
    }
    return this.found;
  }

  /** Of the last hitbox found. */
  #distance = 0;

  /** Begins the grid's walk; returns the body's middle in the plan, and how far it reaches from there. */
  #beginWalk(body: Body, dx: number, dy: number, range: number): { x: number; y: number; reach: number } {
    const walk = this.#walk;
    walk.x = (body.ax + body.bx) / 2;
    walk.y = (body.ay + body.by) / 2;
    const alongX = (body.bx - body.ax) / 2;
    const alongY = (body.by - body.ay) / 2;
    walk.reach = body.radius + Math.sqrt(alongX * alongX + alongY * alongY);
    const { slack } = this.#poses;
    if (slack < Infinity) this.#grid.begin(walk.x, walk.y, dx, dy, range, walk.reach + slack);
    else this.#grid.beginAll();
    return walk;
  }

  readonly #walk = { x: 0, y: 0, reach: 0 };

  /** Whether what moves along (dx, dy) for `range` comes within `reach` of (x, y), in the plan. */
  #comesNear(x: number, y: number, dx: number, dy: number, range: number, reach: number): boolean {
    const flat = dx * dx + dy * dy;
    let t = flat > 1e-12 ? (x * dx + y * dy) / flat : 0;
    t = t < 0 ? 0 : t > range ? range : t;
    const offX = x - dx * t;
    const offY = y - dy * t;
    return offX * offX + offY * offY <= reach * reach;
  }

  /** The body and its way in the frame of the entity that was found. */
  #enterFrame(body: Body, dx: number, dy: number, dz: number): void {
    const poses = this.#poses;
    this.examined++;
    poses.stand();
    const { x, y, z } = poses.pose;
    poses.turnBack(body.ax - x, body.ay - y, body.az - z, this.#a);
    poses.turnBack(body.bx - x, body.by - y, body.bz - z, this.#b);
    poses.turnBack(dx, dy, dz, this.#along);
  }

  #sweepPose(radius: number, range: number, layers: number): number {
    const { hitboxes } = this.#poses.history;
    const a = this.#a;
    const b = this.#b;
    const along = this.#along;
    let hit = -1;
    this.#distance = range;
    for (let i = 0; i < hitboxes.count; i++) {
      if (!this.#counts(i, layers)) continue;
      const numbers = this.#poses.numbersOf(i);
      const at = i * POSE_NUMBERS;
      const distance = this.#convex.sweep(
        hitboxes,
        i,
        numbers,
        at,
        a.x,
        a.y,
        a.z,
        b.x,
        b.y,
        b.z,
        radius,
        along.x,
        along.y,
        along.z,
        this.#distance,
      );
      if (!(distance < this.#distance || (distance === this.#distance && hit < 0))) continue;
      this.#distance = distance;
      hit = i;
    }
    return hit;
  }

  #nearestOfPose(layers: number): number {
    const { hitboxes } = this.#poses.history;
    const a = this.#a;
    const b = this.#b;
    let nearest = -1;
    this.#distance = Infinity;
    for (let i = 0; i < hitboxes.count; i++) {
      if (!this.#counts(i, layers)) continue;
      const numbers = this.#poses.numbersOf(i);
      const at = i * POSE_NUMBERS;
      const distance = this.#convex.distance(hitboxes, i, numbers, at, a.x, a.y, a.z, b.x, b.y, b.z, 0);
      if (distance >= this.#distance) continue;
      this.#distance = distance;
      nearest = i;
    }
    return nearest;
  }

  #counts(i: number, layers: number): boolean {
    const { hitboxes } = this.#poses.history;
    if (((this.#poses.pose.disabled >>> i) & 1) === 1 || (hitboxes.layers[i] & layers) === 0) return false;
    this.#poses.middleOf(i, this.#middle);
    return true;
  }

  #insert(place: number, id: number, hitbox: number, distance: number): void {
    if (this.found === this.places.length) this.#grow();
    let at = this.found++;
    for (; at > 0 && this.#isBehind(at - 1, distance, place); at--) this.#move(at - 1, at);
    this.places[at] = place;
    this.ids[at] = id;
    this.hitboxes[at] = hitbox;
    this.distances[at] = distance;
  }

  /** Of two at the same distance, the lower place is first. */
  #isBehind(at: number, distance: number, place: number): boolean {
    return this.distances[at] > distance || (this.distances[at] === distance && this.places[at] > place);
  }

  #move(from: number, to: number): void {
    this.places[to] = this.places[from];
    this.ids[to] = this.ids[from];
    this.hitboxes[to] = this.hitboxes[from];
    this.distances[to] = this.distances[from];
  }

  #grow(): void {
    const size = this.places.length * 2;
    const grown = (old: Int32Array): Int32Array => {
      const larger = new Int32Array(size);
      larger.set(old);
      return larger;
    };
    this.places = grown(this.places);
    this.ids = grown(this.ids);
    this.hitboxes = grown(this.hitboxes);
    const distances = new Float64Array(size);
    distances.set(this.distances);
    this.distances = distances;
  }
}
