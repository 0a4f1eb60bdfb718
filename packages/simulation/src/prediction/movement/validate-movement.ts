/**
 * Whether a body can have gone from one place to another: fast enough, around the walls, and up. The one check of a
 * claimed movement, pure: what has been granted and saved up comes in as an allowance.
 *
 * It never accuses who obeyed the rules. Where it cannot tell it believes: it knows the least way around the walls,
 * not the one taken, and takes shapes that one may have jumped over or crept under for no walls.
 */
import type { MovablePoint, StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { MovementRules } from "./movement-options.ts";

/** Nothing, too fast, so far that it is no walking, through a wall or in one, or too high. */
export type MovementFault = "none" | "speed" | "teleport" | "clipping" | "flying";

export interface MovementPlace {
  readonly x: number;
  readonly y: number;
  /** Height of the feet, in games with heights. */
  readonly z?: number;
}

/** What was possible since the place before. */
export interface MovementAllowance {
  /** Longest way in the plan, in world units. */
  readonly distance: number;
  /** Greatest height of the feet now. Not looked at in games without heights. */
  readonly highest: number;
  /** What one can have fallen below the lower of the two places in between, or risen above the higher one. */
  readonly swing: number;
  /** Rounding of places, in world units. */
  readonly tolerance: number;
}

/** What `validateMovement` finds. The caller owns it. */
export interface MovementFinding {
  fault: MovementFault;
  /** By how much it was too far, too high or too deep, in world units. */
  excess: number;
  /** Where the body may be put instead: as far along as was possible. The claimed place when there is no fault. */
  x: number;
  y: number;
  z: number;
}

/** More than this many times the allowance, and a body's length, is no walking. */
const TELEPORT_FACTOR = 3;

/** An empty finding, to be filled again and again. */
export function movementFinding(): MovementFinding {
  return { fault: "none", excess: 0, x: 0, y: 0, z: 0 };
}

export function validateMovement(
  from: MovementPlace,
  to: MovementPlace,
  allowance: MovementAllowance,
  rules: MovementRules,
  statics: StaticGeometry,
  out: MovementFinding,
): MovementFinding {
  const { distance, highest, tolerance } = allowance;
  const fromZ = from.z ?? 0;
  const toZ = to.z ?? 0;
  const byX = to.x - from.x;
  const byY = to.y - from.y;
  const far = Math.sqrt(byX * byX + byY * byY);
  out.fault = "none";
  out.excess = 0;
  if (far > distance) {
    out.excess = far - distance;
    out.fault = out.excess > TELEPORT_FACTOR * distance + 2 * rules.radius ? "teleport" : "speed";
  } else if (rules.height > 0 && toZ > highest + tolerance) {
    out.excess = toZ - highest;
    out.fault = "flying";
  } else if (isInside(to.x, to.y, toZ, tolerance, rules, statics)) {
    out.excess = tolerance;
    out.fault = "clipping";
  } else if (!hasWay(from, to, far, allowance, rules, statics)) {
    out.excess = far;
    out.fault = "clipping";
  }
  out.x = to.x;
  out.y = to.y;
  out.z = toZ;
  if (out.fault !== "none") putBack(out, from.x, from.y, fromZ, toZ, far, allowance, rules, statics);
  return out;
}

function isInside(
  x: number,
  y: number,
  z: number,
  tolerance: number,
  rules: MovementRules,
  statics: StaticGeometry,
): boolean {
  const { radius, height, skin } = rules;
  if (height === 0) return statics.overlaps(x, y, radius - tolerance);
  if (z < statics.floor - tolerance - skin) return true;
  const margin = tolerance + skin;
  return statics.overlaps(x, y, radius - tolerance, z + margin, z + height - margin);
}

/** Whether the place can have been reached around the walls within the distance. */
function hasWay(
  from: MovementPlace,
  to: MovementPlace,
  far: number,
  { distance, swing, tolerance }: MovementAllowance,
  rules: MovementRules,
  statics: StaticGeometry,
): boolean {
  if (far === 0) return true;
  const radius = rules.radius - tolerance;
  // Only what nobody can have gone over or under.
  const low = rules.height === 0 ? -Infinity : Math.max(from.z ?? 0, to.z ?? 0) + swing + rules.stepHeight;
  const high = rules.height === 0 ? Infinity : Math.min(from.z ?? 0, to.z ?? 0) - swing + rules.height;
  return statics.shortestWay(from.x, from.y, to.x, to.y, radius, distance + tolerance, low, high) < Infinity;
}

/** Lets a body go straight towards what was claimed as far as was possible, along the walls. */
function putBack(
  out: MovementFinding,
  fromX: number,
  fromY: number,
  fromZ: number,
  toZ: number,
  far: number,
  { distance, highest }: MovementAllowance,
  { radius, skin, height, stepHeight }: MovementRules,
  statics: StaticGeometry,
): void {
  const share = far > 0 ? Math.min(1, Math.max(0, distance) / far) : 0;
  const byX = (out.x - fromX) * share;
  const byY = (out.y - fromY) * share;
  const point: MovablePoint = out;
  point.x = fromX;
  point.y = fromY;
  if (height === 0) {
    statics.moveCircle(point, radius + skin, byX, byY);
    return;
  }
  statics.moveCircle(point, radius + skin, byX, byY, fromZ + stepHeight, fromZ + height);
  // Not in the ground it came over, nor higher than it can be.
  const ground = statics.groundBelow(point.x, point.y, radius, fromZ + stepHeight);
  out.z = Math.max(ground, Math.min(toZ, highest, fromZ + stepHeight));
}
