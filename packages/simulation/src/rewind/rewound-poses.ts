/**
 * Where the entities of one state stood when one player's screen drew them: each is mixed from two entries of its history,
 * as the client mixed the two updates that it had. One object, pointed at one view after the other; nothing is allocated.
 */
import { cos, sin } from "../math/index.ts";
import { createCurvePoints, drawnAt } from "../prediction/interpolation/curve.ts";
import type { CurvePoints } from "../prediction/interpolation/curve.ts";
import { isCurvedMode } from "../prediction/interpolation/interpolation-mode.ts";
import { POSE_NUMBERS } from "./hitboxes/hitbox-set.ts";
import { rotateBack } from "./hitboxes/vector.ts";
import type { Vector3 } from "./hitboxes/vector.ts";
import { mixRotations } from "./history/packed-rotation.ts";
import type { Rotation } from "./history/packed-rotation.ts";
import { NOBODY } from "./history/snapshot-history.ts";
import type { SnapshotHistory } from "./history/snapshot-history.ts";
import { SlidingTurn } from "./sliding-turn.ts";
import { createDrawnPicture } from "./view-resolver.ts";
import type { DrawnPicture } from "./view-resolver.ts";

/** At which moments of the past the entities of a state are looked at. */
export interface RewindView {
  /** The tick around which the entities are drawn; -1: now. */
  readonly viewTick: number;
  /** Tick of the newest news in it, where that is older: what is drawn was carried on from there. Default `viewTick`. */
  readonly newsTick?: number;
  /** Whether entities are drawn between places where they were: not when some are extrapolated, or drawn along curves. */
  readonly isWithin: boolean;
  /** Where they are not: how far outside of everywhere they were they may be drawn, in units. Default Infinity. */
  readonly outside?: number;
  /**
   * Which two ticks were mixed for an entity, and in what share; false when it was not there. What it does not set of the
   * picture is as `createDrawnPicture` has it: a straight mix.
   */
  resolve(id: number, out: DrawnPicture): boolean;
  readonly fading?: FadingDifferences | undefined;
}

/** Differences that were still fading from the picture when it was drawn, because news had come late: the oldest first. */
export interface FadingDifferences {
  readonly count: number;
  /** Those that are farther are not faded, but shown at once. */
  readonly snapDistance: number;
  /** How much of difference `i` is left. */
  weightOf(i: number): number;
  /** As `resolve`: how the entity was drawn before the news, or would have been drawn with them. */
  resolveFading(i: number, isBefore: boolean, id: number, out: DrawnPicture): boolean;
  /** Where the entity was drawn, and what its rotation slid by, if that is known without all this: from a receipt. */
  placeOf?(id: number, out: Vector3, turn: SlidingTurn): void;
}

/** Everybody at one moment. */
export class CommonTime implements RewindView {
  viewTick: number;
  readonly isWithin = true;

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

export class RewoundPoses {
  readonly history: SnapshotHistory;
  readonly pose: RewoundPose = new RewoundPose();
  /** How far outside of their boxes entities may stand. */
  slack = 0;
  /** What the entity that was found last was turned by, besides. */
  readonly sliding: SlidingTurn = new SlidingTurn();
  readonly #upright: boolean;
  #view: RewindView = new CommonTime(0);
  readonly #picture: DrawnPicture = createDrawnPicture();
  readonly #points: CurvePoints = createCurvePoints();
  readonly #mixed: Float64Array;
  /** The entries that are mixed, and in what share. */
  #first = 0;
  #last = 0;
  #fraction = 0;
  /** The same for poses of hitboxes, which are not carried on beyond the last one. */
  #bounded = 0;
  readonly #turn: Rotation = { x: 0, y: 0, z: 0, w: 1 };
  readonly #drawnTurn: Rotation = { x: 0, y: 0, z: 0, w: 1 };
  readonly #otherTurn: Rotation = { x: 0, y: 0, z: 0, w: 1 };
  readonly #offset: Vector3 = { x: 0, y: 0, z: 0 };

  constructor(history: SnapshotHistory) {
    this.history = history;
    this.#upright = history.rotation === "angle";
    this.#mixed = new Float64Array(history.hitboxes.count * POSE_NUMBERS);
  }

  get view(): RewindView {
    return this.#view;
  }

  /** Points it at what was seen. */
  look(view: RewindView): void {
    this.#view = view;
    this.slack = view.isWithin ? 0 : (view.outside ?? Infinity);
    const picture = this.#picture;
    picture.mode = "linear";
    picture.beyondTicks = 0;
    picture.earlierTick = picture.earliestTick = -1;
  }

  /** Whom the view shows at a place, and its position, into `pose`; false when nobody was seen there. */
  find(place: number): boolean {
    const { history } = this;
    const { words } = history;
    const { oldestTick, newestTick } = history;
    const view = Math.floor(this.#view.viewTick);
    // Without a view it is now.
    const start = view < 0 || view > newestTick ? newestTick : view < oldestTick ? oldestTick : view;
    const end = start - SEARCHED_TICKS < oldestTick ? oldestTick : start - SEARCHED_TICKS;
    this.sliding.clear();
    const live = history.liveCount === 0 ? -1 : history.liveEntryOf(place);
    if (live >= 0) return this.#take(live, live, words[live], 0);
    let last = NOBODY;
    // Who has just gone may still be drawn.
    for (let tick = start; tick >= end; tick--) {
      const id = words[history.at(place, tick)];
      if (id === last || id === NOBODY) continue;
      last = id;
      if (!this.#view.resolve(id, this.#picture)) continue;
      const { fading } = this.#view;
      return fading === undefined ? this.#mix(place, id) : this.#slide(place, id, fading);
    }
    return false;
  }

  /** The position with what is left of its differences, and the rotation's. */
  #slide(place: number, id: number, fading: FadingDifferences): boolean {
    const { pose, history, sliding } = this;
    const picture = this.#picture;
    if (fading.placeOf !== undefined) {
      if (!this.#mix(place, id)) return false;
      fading.placeOf(id, pose, sliding);
      return true;
    }
    const limit = fading.snapDistance * fading.snapDistance;
    let x = 0;
    let y = 0;
    let z = 0;
    for (let i = 0; i < fading.count; i++) {
      const weight = fading.weightOf(i);
      if (weight === 0 || !fading.resolveFading(i, true, id, picture) || !(picture.beyondTicks > 0)) continue;
      if (!this.#mix(place, id)) continue;
      const last = this.#last;
      const drawnX = pose.x;
      const drawnY = pose.y;
      const drawnZ = pose.z;
      const drawnAngle = this.#mixTurn(this.#drawnTurn);
      if (!fading.resolveFading(i, false, id, picture) || !this.#mix(place, id)) continue;
      x += (drawnX - pose.x) * weight;
      y += (drawnY - pose.y) * weight;
      z += (drawnZ - pose.z) * weight;
      const angle = this.#mixTurn(this.#turn);
      if (this.#upright) sliding.addAngle(drawnAngle, angle, weight);
      else sliding.addTurn(this.#drawnTurn, this.#turn, weight);
      // All that was fading at that moment: what is too far is shown at once.
      if (x * x + y * y <= limit * weight * weight && !history.jumped(last, this.#last)) continue;
      x = y = z = 0;
      sliding.clear();
    }
    if (!this.#view.resolve(id, picture) || !this.#mix(place, id)) return false;
    // However many a client claims.
    if (x * x + y * y + z * z > limit) {
      sliding.clear();
      return true;
    }
    const [pathX, pathY, pathZ] = history.paths;
    if (pathX !== "step") pose.x += x;
    if (pathY !== "step") pose.y += y;
    if (pathZ !== "step") pose.z += z;
    return true;
  }

  #mix(place: number, id: number): boolean {
    const { history } = this;
    const { words, oldestTick, newestTick } = history;
    const { fromTick, toTick } = this.#picture;
    const to = history.at(place, toTick < oldestTick ? oldestTick : toTick > newestTick ? newestTick : toTick);
    let from = history.at(place, fromTick < oldestTick ? oldestTick : fromTick > newestTick ? newestTick : fromTick);
    // What was removed between the two was drawn where it was last.
    const last = words[to] === id ? to : from;
    if (words[last] !== id) return false;
    if (words[from] !== id) from = last;
    let { fraction } = this.#picture;
    const jumped = history.jumped(from, last);
    if (jumped) fraction = fraction < 1 ? 0 : 1;
    this.#take(from, last, id, fraction);
    if (history.bends && !jumped) this.#bend(place, from, last, fraction);
    return true;
  }

  /** The coordinates that are not drawn on a straight line, as `RecordBlend` draws them. */
  #bend(place: number, from: number, to: number, fraction: number): void {
    const { history, pose } = this;
    const { floats, paths } = history;
    const { mode, fromTick, toTick, earlierTick, earliestTick, beyondTicks } = this.#picture;
    const isCurved = isCurvedMode(mode);
    const earlier = isCurved ? this.#entryOf(place, earlierTick, from) : -1;
    const earliest = earlier < 0 ? -1 : this.#entryOf(place, earliestTick, earlier);
    const points = this.#points;
    points.spanTicks = toTick - fromTick;
    points.earlierTicks = earlier < 0 ? 0 : fromTick - earlierTick;
    points.earliestTicks = earliest < 0 ? 0 : earlierTick - earliestTick;
    for (let axis = 0; axis < 3; axis++) {
      const path = paths[axis];
      const at = axis + 1;
      if (path === "line" || (path !== "step" && !isCurved)) continue;
      points.from = floats[from + at];
      points.to = floats[to + at];
      points.isTold = path === "told";
      if (points.isTold) {
        points.leaving = history.speedAt(from, axis) * (1 / history.tickRate);
        points.arriving = history.speedAt(to, axis) * (1 / history.tickRate);
      } else {
        points.earlier = earlier < 0 ? 0 : floats[earlier + at];
        points.earliest = earliest < 0 ? 0 : floats[earliest + at];
      }
      const steps = fraction < 1 ? points.from : points.to;
      const value = path === "step" ? steps : drawnAt(points, fraction, beyondTicks);
      if (axis === 0) pose.x = value;
      else if (axis === 1) pose.y = value;
      else pose.z = value;
    }
  }

  /** The entry of a tick from which the entity went straight on to `next`; -1 when that is not known. */
  #entryOf(place: number, tick: number, next: number): number {
    const { history } = this;
    if (tick < history.oldestTick) return -1;
    const entry = history.at(place, tick);
    return history.words[entry] === history.words[next] && !history.jumped(entry, next) ? entry : -1;
  }

  #take(from: number, to: number, id: number, fraction: number): boolean {
    const { pose } = this;
    const { floats } = this.history;
    this.#first = from;
    this.#last = to;
    this.#fraction = fraction;
    this.#bounded = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
    pose.id = id;
    pose.x = floats[from + 1] + (floats[to + 1] - floats[from + 1]) * fraction;
    pose.y = floats[from + 2] + (floats[to + 2] - floats[from + 2]) * fraction;
    pose.z = floats[from + 3] + (floats[to + 3] - floats[from + 3]) * fraction;
    return true;
  }

  /**
   * For a receipt: which entries of the place at hand `find` looked at, into `out`: those of the picture's two ticks, and of the
   * two earlier ones (-1: none). True when it is looked at as it is now: then the first is all there is.
   */
  entriesOf(place: number, out: Int32Array): boolean {
    const { history } = this;
    const { oldestTick, newestTick } = history;
    const live = history.liveCount === 0 ? -1 : history.liveEntryOf(place);
    const { fromTick, toTick, earlierTick, earliestTick } = this.#picture;
    const entryAt = (tick: number): number => history.at(place, Math.min(Math.max(tick, oldestTick), newestTick));
    out[0] = live >= 0 ? live : entryAt(fromTick);
    out[1] = live >= 0 ? -1 : entryAt(toTick);
    out[2] = live >= 0 || earlierTick < oldestTick ? -1 : entryAt(earlierTick);
    out[3] = live >= 0 || earliestTick < oldestTick ? -1 : entryAt(earliestTick);
    return live >= 0;
  }

  /** How the entity that was found last was drawn. */
  get picture(): Readonly<DrawnPicture> {
    return this.#picture;
  }

  /** After `find`: the rotation, too, and what can be hit. */
  stand(): void {
    const { history, pose } = this;
    // A whole number is drawn as it was at the first of the two, until the second.
    pose.disabled = history.disabledAt(this.#fraction < 1 ? this.#first : this.#last);
    pose.angle = this.#mixTurn(pose.turn);
    const { sliding } = this;
    if (this.#upright) {
      pose.angle += sliding.angle;
      pose.cos = cos(pose.angle);
      pose.sin = sin(pose.angle);
    } else if (sliding.isAny) sliding.apply(pose.turn);
  }

  /** The rotation of the mix at hand, without what slides: an angle, or into `out`. */
  #mixTurn(out: Rotation): number {
    const { history } = this;
    const { floats } = history;
    const from = this.#first;
    const to = this.#last;
    const fraction = this.#fraction;
    if (this.#upright) {
      const turn = floats[to + 4] - floats[from + 4];
      return floats[from + 4] + (turn - Math.floor(turn / TURN + 0.5) * TURN) * fraction;
    }
    history.rotationAt(from, out);
    history.rotationAt(to, this.#otherTurn);
    mixRotations(out, this.#otherTurn, fraction, this.#picture.mode !== "linear" || fraction > 1);
    return 0;
  }

  /** After `stand`: a direction of the world in the entity's frame. */
  turnBack(x: number, y: number, z: number, out: Vector3): void {
    const { pose } = this;
    if (this.#upright) {
      out.x = pose.cos * x + pose.sin * y;
      out.y = pose.cos * y - pose.sin * x;
      out.z = z;
    } else rotateBack(pose.turn.x, pose.turn.y, pose.turn.z, pose.turn.w, x, y, z, out);
  }

  /** After `middleOf`: where hitbox `i` is in the entity's frame, numbers from `i * POSE_NUMBERS` on, as `HitboxSet.rest` has them. */
  numbersOf(i: number): Float64Array {
    const { hitboxes } = this.history;
    if (hitboxes.pose === "fixed") return hitboxes.rest;
    if (hitboxes.pose === "palette") this.#copyFrame(i);
    else this.#mixPoses(i);
    return this.#mixed;
  }

  /** Of the frame that was drawn: a whole number, as above. */
  #copyFrame(i: number): void {
    const { history } = this;
    const { palette, rest } = history.hitboxes;
    const at = i * POSE_NUMBERS;
    const from = history.frameAt(this.#fraction < 1 ? this.#first : this.#last) * rest.length + at;
    for (let k = 0; k < POSE_NUMBERS; k++) this.#mixed[at + k] = palette[from + k];
  }

  /** After `middleOf`, which has left the offset. */
  #mixPoses(i: number): void {
    const { history } = this;
    const { hitboxes } = history;
    const turn = this.#turn;
    history.turnAt(this.#first, i, turn);
    history.turnAt(this.#last, i, this.#otherTurn);
    mixRotations(turn, this.#otherTurn, this.#bounded);
    const { x, y, z } = this.#offset;
    hitboxes.posed(i, x, y, z, turn.x, turn.y, turn.z, turn.w, this.#mixed, i * POSE_NUMBERS);
  }

  /** After `stand`: the middle of hitbox `i` in the entity's frame. */
  middleOf(i: number, out: Vector3): void {
    const { history } = this;
    const { hitboxes } = history;
    const { middles } = hitboxes;
    out.x = middles[i * 3];
    out.y = middles[i * 3 + 1];
    out.z = middles[i * 3 + 2];
    if (hitboxes.pose === "posed") {
      const offset = this.#offset;
      history.mixOffsets(this.#first, this.#last, this.#bounded, i, offset);
      out.x += offset.x;
      out.y += offset.y;
      out.z += offset.z;
    }
  }
}

/** So many ticks ago somebody may have gone and still be drawn. */
const SEARCHED_TICKS = 16;
const TURN = 2 * Math.PI;
