/**
 * Queries against one state's history: every entity stands where one player's screen drew it, at a moment of its own. No
 * world is changed: rewinding is reading. One object for each state, pointed at one view after the other; nothing is
 * allocated.
 */
import { POSE_NUMBERS } from "./hitboxes/hitbox-set.ts";
import type { HitboxSet } from "./hitboxes/hitbox-set.ts";
import { rayHitbox } from "./hitboxes/ray-shapes.ts";
import type { Vector3 } from "./hitboxes/vector.ts";
import { BodyQuery } from "./body-query.ts";
import { HistoryGrid } from "./history/history-grid.ts";
import { BOX_NUMBERS } from "./history/swept-bounds.ts";
import { NOBODY } from "./history/snapshot-history.ts";
import type { SnapshotHistory } from "./history/snapshot-history.ts";
import { RaySpread } from "./ray-spread.ts";
import { EVERYBODY } from "./query-filter.ts";
import type { QueryFilter, Touches } from "./query-filter.ts";
import { RewoundPoses } from "./rewound-poses.ts";
import type { RewindView, RewoundPose } from "./rewound-poses.ts";

export class RewindQuery {
  readonly history: SnapshotHistory;
  readonly hitboxes: HitboxSet;
  readonly grid: HistoryGrid;
  /** What the last ray or sweep met: the entity's place and id, and the hitbox; -1 when it met nothing. */
  place = -1;
  id: number = NOBODY;
  hitbox = -1;
  /** What each ray of the last `raycastAll` met, as `place`, `id` and `hitbox`. */
  metPlaces: Int32Array = new Int32Array(16);
  metIds: Int32Array = new Int32Array(16);
  metHitboxes: Int32Array = new Int32Array(16);
  /** Entities looked at closely since the beginning. */
  examined = 0;
  /** Hears of these, for a receipt. */
  touches: Touches | undefined;
  /** Of spheres and capsules, moving and not. */
  readonly bodies: BodyQuery;
  readonly #poses: RewoundPoses;
  /** What all hitboxes of an entity are in: a cylinder around its position, or, where entities tumble, a sphere's. */
  readonly #around: number;
  readonly #low: number;
  readonly #high: number;
  readonly #spread = new RaySpread();
  #entered = -1;
  readonly #from: Vector3 = { x: 0, y: 0, z: 0 };
  readonly #middle: Vector3 = { x: 0, y: 0, z: 0 };
  readonly #along: Vector3 = { x: 0, y: 0, z: 0 };

  constructor(history: SnapshotHistory) {
    this.history = history;
    this.hitboxes = history.hitboxes;
    this.#poses = new RewoundPoses(history);
    const { extent, reach } = history.hitboxes;
    const upright = history.rotation === "angle";
    this.#around = upright ? extent.radius : reach;
    this.#low = upright ? extent.low : -reach;
    this.#high = upright ? extent.high : reach;
    this.grid = new HistoryGrid(history.bounds, this.#around, () => history.usedPlaces);
    this.bodies = new BodyQuery(this.#poses, this.grid, { radius: this.#around, low: this.#low, high: this.#high });
  }

  /** Where the entity stood that was looked at last. */
  get pose(): RewoundPose {
    return this.#poses.pose;
  }

  /** Points it at what was seen. */
  look(view: RewindView): void {
    this.#poses.look(view);
    this.history.clearLive();
    this.grid.forgetMoved();
  }

  /** After `SnapshotHistory.setLive`, until the next `look`: the place is met where it is now. */
  meetLive(place: number): void {
    this.grid.meetAlways(place);
  }

  /**
   * How far a ray from (x, y, z) along the unit vector (dx, dy, dz) gets before it meets an entity within `range`;
   * `Infinity` when it meets none. `place`, `id` and `hitbox` then say what: of two that it meets at the same distance, the
   * one with the lower place.
   */
  raycast(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    filter: QueryFilter = EVERYBODY,
  ): number {
    const { grid } = this;
    const poses = this.#poses;
    const { pose } = poses;
    const { except, layers, accept } = filter;
    const { boxes } = this.history.bounds;
    const { slack } = poses;
    const margin = this.#around + slack;
    const below = slack - this.#low;
    const above = slack + this.#high;
    const flat = dx * dx + dy * dy;
    const around = this.#around * this.#around * flat;
    const inverseX = 1 / dx;
    const inverseY = 1 / dy;
    const inverseZ = 1 / dz;
    // How far a point is on the right of the ray in the plan: of a box, its corners farthest to the right and to the left.
    const beside = x * dy - y * dx;
    const right = beside - margin * Math.sqrt(flat);
    const left = beside + margin * Math.sqrt(flat);
    const rightX = dy > 0 ? 3 : 0;
    const leftX = dy > 0 ? 0 : 3;
    const rightY = dx > 0 ? 1 : 4;
    const leftY = dx > 0 ? 4 : 1;
    let nearest = range;
    this.#forget();
    if (slack < Infinity) grid.begin(x, y, dx, dy, range, slack);
    else grid.beginAll();
    while (grid.next(nearest + slack)) {
      const { list, end } = grid;
      for (let e = grid.start; e < end; e++) {
        const place = list[e];
        const at = place * BOX_NUMBERS;
        // The swept box first: most are beside the ray.
        if (boxes[at + rightX] * dy - boxes[at + rightY] * dx < right) continue;
        if (boxes[at + leftX] * dy - boxes[at + leftY] * dx > left) continue;
        if (place === except || !grid.isNew(place)) continue;
        const ax = (boxes[at] - margin - x) * inverseX;
        const bx = (boxes[at + 3] + margin - x) * inverseX;
        const ay = (boxes[at + 1] - margin - y) * inverseY;
        const by = (boxes[at + 4] + margin - y) * inverseY;
        const az = (boxes[at + 2] - below - z) * inverseZ;
        const bz = (boxes[at + 5] + above - z) * inverseZ;
        // Of 0 / 0 nothing is known: such a comparison rules nothing out.
        let enter = 0;
        let leave = nearest;
        if (ax < bx) {
          if (ax > enter) enter = ax;
          if (bx < leave) leave = bx;
        } else {
          if (bx > enter) enter = bx;
          if (ax < leave) leave = ax;
        }
        if (ay < by) {
          if (ay > enter) enter = ay;
          if (by < leave) leave = by;
        } else {
          if (by > enter) enter = by;
          if (ay < leave) leave = ay;
        }
        if (az < bz) {
          if (az > enter) enter = az;
          if (bz < leave) leave = bz;
        } else {
          if (bz > enter) enter = bz;
          if (az < leave) leave = az;
        }
        if (enter > leave || !poses.find(place)) continue;
        // Then the cylinder around all hitboxes, where it stood: in the plan, and in height.
        const toX = pose.x - x;
        const toY = pose.y - y;
        const cross = toX * dy - toY * dx;
        const root = around - cross * cross;
        if (root < 0) continue;
        if (flat > 1e-9) {
          const half = Math.sqrt(root);
          const middle = toX * dx + toY * dy;
          const first = (middle - half) / flat;
          const last = (middle + half) / flat;
          if (last < 0 || first > nearest) continue;
          const a = z - pose.z + dz * (first > 0 ? first : 0);
          const b = z - pose.z + dz * (last < nearest ? last : nearest);
          if ((a < this.#low && b < this.#low) || (a > this.#high && b > this.#high)) continue;
        }
        poses.stand();
        this.examined++;
        if (this.touches !== undefined) this.touches.note(place, poses);
        const distance = this.#rayPose(x, y, z, dx, dy, dz, nearest, layers);
        if (!(distance < nearest || (distance === nearest && (this.place < 0 || place < this.place)))) continue;
        if (accept !== undefined && !accept(place, pose.id)) continue;
        nearest = distance;
        this.hitbox = this.#entered;
        this.place = place;
        this.id = pose.id;
      }
    }
    return this.place < 0 ? Infinity : nearest;
  }

  /**
   * Many rays from one point in one query, a shotgun's: unit directions, three numbers each. `reached[i]` says how far ray i
   * gets: its range on entry, shortened by whom it meets first, who is then in `metPlaces`, `metIds` and `metHitboxes` (-1:
   * nobody). Entities that no ray can meet are looked at once for all.
   */
  raycastAll(
    x: number,
    y: number,
    z: number,
    directions: Float64Array,
    reached: Float64Array,
    filter: QueryFilter = EVERYBODY,
  ): void {
    const count = reached.length;
    if (this.metPlaces.length < count) {
      this.metPlaces = new Int32Array(count);
      this.metIds = new Int32Array(count);
      this.metHitboxes = new Int32Array(count);
    }
    this.metPlaces.fill(-1);
    this.metIds.fill(NOBODY);
    this.metHitboxes.fill(-1);
    if (!this.#spread.measure(directions, reached)) return;
    const { grid } = this;
    const poses = this.#poses;
    const { pose } = poses;
    const { except, layers, accept } = filter;
    const spread = this.#spread;
    const { reach } = this.hitboxes;
    const { slack } = poses;
    if (slack < Infinity) grid.begin(x, y, spread.x, spread.y, spread.length, spread.width + slack);
    else grid.beginAll();
    while (grid.next(spread.length + slack)) {
      for (let e = grid.start; e < grid.end; e++) {
        const place = grid.list[e];
        if (place === except || !grid.isNew(place) || !poses.find(place)) continue;
        if (!spread.meets(pose.x - x, pose.y - y, pose.z - z, reach)) continue;
        poses.stand();
        this.examined++;
        if (this.touches !== undefined) this.touches.note(place, poses);
        for (let i = 0; i < count; i++) {
          const at = i * 3;
          const dx = directions[at];
          const dy = directions[at + 1];
          const dz = directions[at + 2];
          const distance = this.#rayPose(x, y, z, dx, dy, dz, reached[i], layers);
          const met = this.metPlaces[i];
          if (!(distance < reached[i] || (distance === reached[i] && (met < 0 || place < met)))) continue;
          if (accept !== undefined && !accept(place, pose.id)) break;
          reached[i] = distance;
          this.metPlaces[i] = place;
          this.metIds[i] = pose.id;
          this.metHitboxes[i] = this.#entered;
        }
      }
    }
  }

  /** Where the entity at a place stood, into `pose`; false when nobody was seen there. */
  locate(place: number): boolean {
    if (place >= this.history.usedPlaces || this.history.newestTick < 0 || !this.#poses.find(place)) return false;
    this.#poses.stand();
    return true;
  }

  #forget(): void {
    this.place = this.hitbox = -1;
    this.id = NOBODY;
  }

  /** Whether a ray of the entity's frame comes near hitbox `i` at all: most of an entity's hitboxes are missed. */
  #isNear(i: number, from: Vector3, along: Vector3): boolean {
    // Frames of a palette are cheap to have, and their middles are not.
    if (this.hitboxes.pose === "palette") return true;
    const middle = this.#middle;
    this.#poses.middleOf(i, middle);
    const x = middle.x - from.x;
    const y = middle.y - from.y;
    const z = middle.z - from.z;
    const distance = x * along.x + y * along.y + z * along.z;
    const size = this.hitboxes.sizes[i];
    return x * x + y * y + z * z - distance * distance <= size * size;
  }

  /** The ray against the hitboxes of `pose`; leaves in `#entered` which one it enters first. */
  #rayPose(x: number, y: number, z: number, dx: number, dy: number, dz: number, range: number, layers: number): number {
    const { hitboxes } = this;
    const poses = this.#poses;
    const { pose } = poses;
    const from = this.#from;
    const along = this.#along;
    poses.turnBack(x - pose.x, y - pose.y, z - pose.z, from);
    poses.turnBack(dx, dy, dz, along);
    let nearest = Infinity;
    for (let i = 0; i < hitboxes.count; i++) {
      if (((pose.disabled >>> i) & 1) === 1 || (hitboxes.layers[i] & layers) === 0) continue;
      if (!this.#isNear(i, from, along)) continue;
      const numbers = poses.numbersOf(i);
      const at = i * POSE_NUMBERS;
      const distance = rayHitbox(hitboxes, i, numbers, at, from.x, from.y, from.z, along.x, along.y, along.z);
      if (!(distance < nearest && distance <= range)) continue;
      nearest = distance;
      this.#entered = i;
    }
    return nearest;
  }
}
