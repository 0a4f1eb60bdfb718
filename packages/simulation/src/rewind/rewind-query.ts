/**
 * Queries against one state's history: every entity stands where one player's screen drew it, at a moment of its own. No
 * world is changed: rewinding is reading. One object for each state, pointed at one view after the other; nothing is
 * allocated.
 */
import { cos, sin } from "../math/index.ts";
import { BOX, POSE_NUMBERS } from "./hitboxes/hitbox-set.ts";
import type { HitboxSet } from "./hitboxes/hitbox-set.ts";
import { copyRotation, mixRotations } from "./history/packed-rotation.ts";
import type { Rotation } from "./history/packed-rotation.ts";
import { rayHitbox } from "./hitboxes/ray-shapes.ts";
import { rotateBack } from "./hitboxes/vector.ts";
import type { Vector3 } from "./hitboxes/vector.ts";
import { HistoryGrid } from "./history/history-grid.ts";
import { BOX_NUMBERS } from "./history/swept-bounds.ts";
import { NOBODY } from "./history/snapshot-history.ts";
import type { SnapshotHistory } from "./history/snapshot-history.ts";
import { createDrawnPicture } from "./view-resolver.ts";
import type { DrawnPicture } from "./view-resolver.ts";

/** At which moments of the past the entities of a state are looked at. */
export interface RewindView {
  /** The tick around which the entities are drawn. */
  readonly viewTick: number;
  /** No entity is drawn farther than this from everywhere it was in the history: 0 unless something is extrapolated. */
  readonly beyond: number;
  /** Which two ticks were mixed for an entity, and in what share; false when it was not there. */
  resolve(id: number, out: DrawnPicture): boolean;
}

/** Everybody at one moment. */
export class CommonTime implements RewindView {
  viewTick: number;
  readonly beyond = 0;

  constructor(tick: number) {
    this.viewTick = tick;
  }

  resolve(_id: number, out: DrawnPicture): boolean {
    out.fromTick = Math.floor(this.viewTick);
    out.toTick = Math.ceil(this.viewTick);
    out.fraction = this.viewTick - out.fromTick;
    return true;
  }
}

/** Where an entity stood. */
export class RewoundPose {
  id: number = NOBODY;
  x = 0;
  y = 0;
  z = 0;
  /** The rotation: about z in histories with "angle", in radians, with its cosine and sine; else a quaternion. */
  angle = 0;
  cos = 1;
  sin = 0;
  readonly turn: Rotation = { x: 0, y: 0, z: 0, w: 1 };
  /** Bit i: hitbox i cannot be hit. */
  disabled = 0;
}

export class RewindQuery {
  readonly history: SnapshotHistory;
  readonly hitboxes: HitboxSet;
  readonly grid: HistoryGrid;
  /** What the last ray met: the entity's place and id, and the hitbox; -1 when it met nothing. */
  place = -1;
  id: number = NOBODY;
  hitbox = -1;
  /** Entities looked at closely since the beginning. */
  examined = 0;
  readonly pose: RewoundPose = new RewoundPose();
  #view: RewindView = new CommonTime(0);
  readonly #picture: DrawnPicture = createDrawnPicture();
  /** An upright cylinder that all hitboxes are in. */
  readonly #upright: boolean;
  readonly #around: number;
  readonly #low: number;
  readonly #high: number;
  readonly #mixed: Float64Array;
  /** The entries that are mixed, in what share, and the hitbox that the last ray entered. */
  #first = 0;
  #last = 0;
  #fraction = 0;
  #entered = -1;
  readonly #turn: Rotation = { x: 0, y: 0, z: 0, w: 1 };
  readonly #otherTurn: Rotation = { x: 0, y: 0, z: 0, w: 1 };
  readonly #offset: Vector3 = { x: 0, y: 0, z: 0 };
  readonly #from: Vector3 = { x: 0, y: 0, z: 0 };
  readonly #along: Vector3 = { x: 0, y: 0, z: 0 };

  constructor(history: SnapshotHistory) {
    this.history = history;
    this.hitboxes = history.hitboxes;
    const { extent, reach } = history.hitboxes;
    this.#upright = history.rotation === "angle";
    this.#around = this.#upright ? extent.radius : reach;
    this.#low = this.#upright ? extent.low : -reach;
    this.#high = this.#upright ? extent.high : reach;
    this.grid = new HistoryGrid(history.bounds, this.#around, () => history.usedPlaces);
    this.#mixed = new Float64Array(history.hitboxes.count * POSE_NUMBERS);
  }

  /** Points it at what was seen. */
  look(view: RewindView): void {
    this.#view = view;
  }

  /**
   * How far a ray from (x, y, z) along the unit vector (dx, dy, dz) gets before it meets an entity within `range`;
   * `Infinity` when it meets none. `place`, `id` and `hitbox` then say what. `except`: the place of an entity that it
   * passes through, -1 for none. `layers`: bits of the layers that count. `accept` is asked for those that it meets.
   */
  raycast(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    except = -1,
    layers = -1,
    accept?: (place: number, id: number) => boolean,
  ): number {
    const { grid, pose } = this;
    const { boxes } = this.history.bounds;
    const { beyond } = this.#view;
    const margin = this.#around + beyond;
    const below = beyond - this.#low;
    const above = beyond + this.#high;
    const flat = dx * dx + dy * dy;
    const around = this.#around * this.#around * flat;
    const inverseX = 1 / dx;
    const inverseY = 1 / dy;
    const inverseZ = 1 / dz;
    let nearest = range;
    this.place = this.hitbox = -1;
    this.id = NOBODY;
    grid.begin(x, y, dx, dy, range, beyond);
    while (grid.next(nearest)) {
      for (let e = grid.start; e < grid.end; e++) {
        const place = grid.placeAt(e);
        if (place === except || !grid.isNew(place)) continue;
        // The swept box first: most are missed.
        const at = place * BOX_NUMBERS;
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
        if (enter > leave || !this.#find(place)) continue;
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
        this.#stand();
        this.examined++;
        const distance = this.#rayPose(x, y, z, dx, dy, dz, nearest, layers);
        if (!(distance < nearest || (distance === nearest && this.place < 0))) continue;
        if (accept !== undefined && !accept(place, pose.id)) continue;
        nearest = distance;
        this.hitbox = this.#entered;
        this.place = place;
        this.id = pose.id;
      }
    }
    return this.place < 0 ? Infinity : nearest;
  }

  /** Where the entity at a place stood, into `pose`; false when nobody was seen there. */
  locate(place: number): boolean {
    if (place >= this.history.usedPlaces || this.history.newestTick < 0 || !this.#find(place)) return false;
    this.#stand();
    return true;
  }

  /** Whom the view shows at a place, and where: id, entry and position of `pose`. What else it needs is left in `#turn`... */
  #find(place: number): boolean {
    const { history, pose } = this;
    const { words } = history;
    const { oldestTick, newestTick } = history;
    const view = Math.floor(this.#view.viewTick);
    const start = view < oldestTick ? oldestTick : view > newestTick ? newestTick : view;
    const end = start - SEARCHED_TICKS < oldestTick ? oldestTick : start - SEARCHED_TICKS;
    let last = NOBODY;
    // Who has just gone may still be drawn.
    for (let tick = start; tick >= end; tick--) {
      const id = words[history.at(place, tick)];
      if (id === last || id === NOBODY) continue;
      last = id;
      if (!this.#view.resolve(id, this.#picture)) continue;
      pose.id = id;
      return this.#mixPosition(place, id);
    }
    return false;
  }

  #mixPosition(place: number, id: number): boolean {
    const { history, pose } = this;
    const { words, floats, oldestTick, newestTick } = history;
    const { fromTick, toTick } = this.#picture;
    const to = history.at(place, toTick < oldestTick ? oldestTick : toTick > newestTick ? newestTick : toTick);
    let from = history.at(place, fromTick < oldestTick ? oldestTick : fromTick > newestTick ? newestTick : fromTick);
    // What was removed between the two was drawn where it was last.
    const last = words[to] === id ? to : from;
    if (words[last] !== id) return false;
    if (words[from] !== id) from = last;
    let { fraction } = this.#picture;
    if (((words[from + 5] ^ words[last + 5]) & 0xf) !== 0) fraction = fraction < 1 ? 0 : 1;
    this.#first = from;
    this.#last = last;
    this.#fraction = fraction;
    pose.x = floats[from + 1] + (floats[last + 1] - floats[from + 1]) * fraction;
    pose.y = floats[from + 2] + (floats[last + 2] - floats[from + 2]) * fraction;
    pose.z = floats[from + 3] + (floats[last + 3] - floats[from + 3]) * fraction;
    return true;
  }

  /** After `#find`: the rotation, too, and what can be hit. */
  #stand(): void {
    const { history, pose } = this;
    const { floats } = history;
    const from = this.#first;
    const to = this.#last;
    const fraction = this.#fraction;
    // What may be hit is as at the nearer of the two.
    pose.disabled = history.disabledAt(fraction < 0.5 ? from : to);
    if (this.#upright) {
      const turn = floats[to + 4] - floats[from + 4];
      pose.angle = floats[from + 4] + (turn - Math.floor(turn / TURN + 0.5) * TURN) * fraction;
      pose.cos = cos(pose.angle);
      pose.sin = sin(pose.angle);
      return;
    }
    history.rotationAt(from, pose.turn);
    history.rotationAt(to, this.#otherTurn);
    mixRotations(pose.turn, this.#otherTurn, fraction);
  }

  /** Into the entity's frame. */
  #turnBack(x: number, y: number, z: number, out: Vector3): void {
    const { pose } = this;
    if (this.#upright) {
      out.x = pose.cos * x + pose.sin * y;
      out.y = pose.cos * y - pose.sin * x;
      out.z = z;
    } else rotateBack(pose.turn.x, pose.turn.y, pose.turn.z, pose.turn.w, x, y, z, out);
  }

  /** Where hitbox `i` is in the entity's frame: numbers from `i * POSE_NUMBERS` on, as `HitboxSet.rest` has them. */
  #numbersOf(i: number): Float64Array {
    const { hitboxes } = this;
    if (hitboxes.pose === "fixed") return hitboxes.rest;
    if (hitboxes.pose === "palette") this.#mixFrames(i);
    else this.#mixPoses(i);
    return this.#mixed;
  }

  rayOne(x: number, y: number, z: number, dx: number, dy: number, dz: number, range: number): number {
    return this.#rayPose(x, y, z, dx, dy, dz, range, -1);
  }

  #mixFrames(i: number): void {
    const { history, hitboxes } = this;
    const { palette, rest } = hitboxes;
    const at = i * POSE_NUMBERS;
    const a = history.frameAt(this.#first) * rest.length + at;
    const b = history.frameAt(this.#last) * rest.length + at;
    const mixed = this.#mixed;
    const fraction = this.#fraction;
    const mixes = hitboxes.kinds[i] < BOX ? POSE_NUMBERS : 3;
    for (let k = 0; k < mixes; k++) mixed[at + k] = palette[a + k] + (palette[b + k] - palette[a + k]) * fraction;
    if (mixes === POSE_NUMBERS) return;
    copyRotation(palette, a + 3, this.#turn);
    copyRotation(palette, b + 3, this.#otherTurn);
    mixRotations(this.#turn, this.#otherTurn, fraction);
    mixed[at + 3] = this.#turn.x;
    mixed[at + 4] = this.#turn.y;
    mixed[at + 5] = this.#turn.z;
    mixed[at + 6] = this.#turn.w;
  }

  /** After `#isNear`, which has left the offset. */
  #mixPoses(i: number): void {
    const { history, hitboxes } = this;
    const turn = this.#turn;
    history.turnAt(this.#first, i, turn);
    history.turnAt(this.#last, i, this.#otherTurn);
    mixRotations(turn, this.#otherTurn, this.#fraction);
    const { x, y, z } = this.#offset;
    hitboxes.posed(i, x, y, z, turn.x, turn.y, turn.z, turn.w, this.#mixed, i * POSE_NUMBERS);
  }

  /** Whether a ray of the entity's frame comes near hitbox `i` at all. */
  #isNear(i: number, from: Vector3, along: Vector3): boolean {
    const { hitboxes, history } = this;
    if (hitboxes.pose === "palette") return true;
    const { middles, sizes } = hitboxes;
    let x = middles[i * 3];
    let y = middles[i * 3 + 1];
    let z = middles[i * 3 + 2];
    if (hitboxes.pose === "posed") {
      const offset = this.#offset;
      history.mixOffsets(this.#first, this.#last, this.#fraction, i, offset);
      x += offset.x;
      y += offset.y;
      z += offset.z;
    }
    x -= from.x;
    y -= from.y;
    z -= from.z;
    const middle = x * along.x + y * along.y + z * along.z;
    return x * x + y * y + z * z - middle * middle <= sizes[i] * sizes[i];
  }

  /** The ray against the hitboxes of `pose`; leaves in `#entered` which one it enters first. */
  #rayPose(x: number, y: number, z: number, dx: number, dy: number, dz: number, range: number, layers: number): number {
    const { pose, hitboxes } = this;
    const from = this.#from;
    const along = this.#along;
    this.#turnBack(x - pose.x, y - pose.y, z - pose.z, from);
    this.#turnBack(dx, dy, dz, along);
    let nearest = Infinity;
    for (let i = 0; i < hitboxes.count; i++) {
      if (((pose.disabled >>> i) & 1) === 1 || (hitboxes.layers[i] & layers) === 0) continue;
      if (!this.#isNear(i, from, along)) continue;
      const numbers = this.#numbersOf(i);
      const at = i * POSE_NUMBERS;
      const distance = rayHitbox(hitboxes, i, numbers, at, from.x, from.y, from.z, along.x, along.y, along.z);
      if (!(distance < nearest && distance <= range)) continue;
      nearest = distance;
      this.#entered = i;
    }
    return nearest;
  }
}

/** So many ticks ago somebody may have gone and still be drawn. */
const SEARCHED_TICKS = 16;
const TURN = 2 * Math.PI;
