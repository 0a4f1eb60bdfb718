/**
 * The reference controller: what walks, jumps, dashes and is knocked about, the same on server and client. Pure and
 * without state of its own: everything that lasts is in the body. It uses +, -, *, /, sqrt and the library's own sin
 * and cos, so the same step has the same bits in every engine.
 *
 * A body is a circle or a lying capsule in the plan. In a game with heights it is as tall as `height`, upright like a
 * cylinder, and shapes have flat tops: there are no slopes, stairs are boxes.
 */
import type { MovablePoint, StaticGeometry } from "../../game/statics/static-geometry.ts";
import { cos, sin } from "../../math/index.ts";
import type { MovementBody, MovementWish } from "./movement-body.ts";
import { movementRules } from "./movement-options.ts";
import type { MovementOptions, MovementRules } from "./movement-options.ts";

/** A knockback slower than this is over. */
const LEAST_KNOCK = 0.05;

export class MovementPredictor {
  readonly rules: MovementRules;
  readonly #place: MovablePoint = { x: 0, y: 0 };
  /** Own velocity and knockback while a step is computed; behind them, what they were before a step up was tried. */
  readonly #motion: Float64Array = new Float64Array(8);
  readonly #axis: Float64Array = new Float64Array(2);
  #knockDt = 0;
  #knockShare = 0;

  /** Throws `RangeError` as `movementRules` does. */
  constructor(options: MovementOptions = {}) {
    this.rules = movementRules(options);
  }

  /**
   * Moves a body by one tick of `dt` seconds. Throws `RangeError` for a `dt` that is not above 0 and `TypeError` for a
   * body without `z` and `vz` when the rules have heights. A wish that is no number is none.
   */
  step(body: MovementBody, wish: MovementWish, dt: number, statics: StaticGeometry): void {
    if (!(dt > 0)) throw new RangeError(`dt must be above 0, got ${dt}`);
    const { rules } = this;
    const grounded = rules.height === 0 || this.isGrounded(body, statics);
    let wayX = wish.moveX;
    let wayY = wish.moveY;
    const squared = wayX * wayX + wayY * wayY;
    if (squared > 1) {
      const length = Math.sqrt(squared);
      wayX /= length;
      wayY /= length;
    }
    if (!(squared >= 0)) wayX = wayY = 0;
    if (rules.length > 0) this.#turn(body, wish.aim, statics);
    else if (body.aim !== undefined) body.aim = wish.aim;

    const motion = this.#motion;
    motion[0] = body.vx;
    motion[1] = body.vy;
    if (rules.dashSpeed === 0 || !this.#dash(body, wish, wayX, wayY)) {
      const rate = grounded ? rules.acceleration : rules.airAcceleration;
      const drag = grounded ? rules.friction : rules.airFriction;
      this.#accelerate(wayX * rules.maxSpeed, wayY * rules.maxSpeed, (squared > 0 ? rate : drag) * dt);
    }
    this.#fadeKnock(body, dt);

    const place = this.#place;
    place.x = body.x;
    place.y = body.y;
    if (rules.height === 0) this.#slide(dt, statics, -Infinity, Infinity);
    else this.#stepInSpace(body, wish.jump, grounded, dt, statics);
    body.x = place.x;
    body.y = place.y;
    body.vx = motion[0];
    body.vy = motion[1];
    if (body.knockX !== undefined) {
      body.knockX = motion[2];
      body.knockY = motion[3];
    }
  }

  /** Hits a body: its velocity changes by this much at once, and it is carried on while that decays. */
  knock(body: MovementBody, x: number, y: number, z = 0): void {
    if (body.knockX === undefined || body.knockY === undefined) {
      body.vx += x;
      body.vy += y;
    } else {
      body.knockX += x;
      body.knockY += y;
    }
    if (body.vz !== undefined) body.vz += z;
  }

  /** Whether a body stands on something. Always, in a game without heights. */
  isGrounded(body: MovementBody, statics: StaticGeometry): boolean {
    const { height, radius, skin } = this.rules;
    if (height === 0) return true;
    const { z, vz } = body;
    if (z === undefined || vz === undefined) throw new TypeError("a body needs z and vz when the rules have a height");
    return vz <= 0 && z - statics.groundBelow(body.x, body.y, radius, z + skin) <= skin;
  }

  /** Whether the velocity is a dash's. Starts one that is wished for and possible, and ends the one that is over. */
  #dash(body: MovementBody, wish: MovementWish, wayX: number, wayY: number): boolean {
    const { dashSpeed, dashTicks, dashCooldownTicks, maxSpeed } = this.rules;
    const motion = this.#motion;
    let left = body.dash ?? 0;
    let wait = body.dashWait ?? 0;
    if (wait > 0) wait--;
    const counts = dashCooldownTicks > 0;
    if (wish.dash && left === 0 && body.dash !== undefined && !(counts && wait > 0)) {
      left = dashTicks;
      wait = dashCooldownTicks;
      // Standing still one dashes where one looks.
      const length = Math.sqrt(wayX * wayX + wayY * wayY);
      motion[0] = (length > 0 ? wayX / length : cos(wish.aim)) * dashSpeed;
      motion[1] = (length > 0 ? wayY / length : sin(wish.aim)) * dashSpeed;
    }
    if (counts && body.dashWait !== undefined) body.dashWait = wait;
    if (left === 0) return false;
    body.dash = left - 1;
    if (left > 1) return true;
    const speed = Math.sqrt(motion[0] * motion[0] + motion[1] * motion[1]);
    if (speed > maxSpeed) {
      motion[0] *= maxSpeed / speed;
      motion[1] *= maxSpeed / speed;
    }
    return true;
  }

  /** Brings the own velocity nearer to a goal, by at most `most`. */
  #accelerate(goalX: number, goalY: number, most: number): void {
    const motion = this.#motion;
    const offX = goalX - motion[0];
    const offY = goalY - motion[1];
    const off = Math.sqrt(offX * offX + offY * offY);
    if (off === 0) return;
    const share = off <= most ? 1 : most / off;
    motion[0] += offX * share;
    motion[1] += offY * share;
  }

  #fadeKnock(body: MovementBody, dt: number): void {
    const motion = this.#motion;
    const knockX = body.knockX ?? 0;
    const knockY = body.knockY ?? 0;
    motion[2] = motion[3] = 0;
    if (knockX === 0 && knockY === 0) return;
    if (knockX * knockX + knockY * knockY < LEAST_KNOCK * LEAST_KNOCK) return;
    if (dt !== this.#knockDt) {
      this.#knockDt = dt;
      // About half in knockbackSec.
      this.#knockShare = 1 / (1 + (Math.LN2 * dt) / this.rules.knockbackSec);
    }
    motion[2] = knockX * this.#knockShare;
    motion[3] = knockY * this.#knockShare;
  }

  /** Moves `#place` by the velocities; what a wall takes of them is gone. */
  #slide(dt: number, statics: StaticGeometry, low: number, high: number): void {
    const { radius, skin } = this.rules;
    const place = this.#place;
    const motion = this.#motion;
    const axis = this.#axis;
    const fromX = place.x;
    const fromY = place.y;
    const wholeX = motion[0] + motion[2];
    const wholeY = motion[1] + motion[3];
    if (!statics.moveCapsule(place, radius + skin, axis[0], axis[1], wholeX * dt, wholeY * dt, low, high)) return;
    const lostX = wholeX - (place.x - fromX) / dt;
    const lostY = wholeY - (place.y - fromY) / dt;
    const lost = Math.sqrt(lostX * lostX + lostY * lostY);
    if (lost < 1e-9) return;
    for (let i = 0; i < 4; i += 2) {
      const into = (motion[i] * lostX + motion[i + 1] * lostY) / lost;
      if (into <= 0) continue;
      motion[i] -= (lostX / lost) * into;
      motion[i + 1] -= (lostY / lost) * into;
    }
  }

  /** Turns a capsule to `aim`, making room for it; where there is none it keeps its direction. */
  #turn(body: MovementBody, aim: number, statics: StaticGeometry): void {
    const { radius, length, height, skin, stepHeight } = this.rules;
    if (body.aim === undefined) throw new TypeError("a body needs aim when the rules have a length");
    const axis = this.#axis;
    const low = height === 0 ? -Infinity : (body.z ?? 0) + stepHeight;
    const high = height === 0 ? Infinity : (body.z ?? 0) + height;
    axis[0] = (cos(aim) * length) / 2;
    axis[1] = (sin(aim) * length) / 2;
    if (aim === body.aim) return;
    const place = this.#place;
    place.x = body.x;
    place.y = body.y;
    if (statics.pushOutCapsule(place, radius + skin, axis[0], axis[1], low, high)) {
      const byX = place.x - body.x;
      const byY = place.y - body.y;
      const fits =
        byX * byX + byY * byY < radius * radius &&
        !statics.overlapsCapsule(place.x, place.y, radius + skin, axis[0], axis[1], low, high);
      if (!fits) {
        axis[0] = (cos(body.aim) * length) / 2;
        axis[1] = (sin(body.aim) * length) / 2;
        return;
      }
      body.x = place.x;
      body.y = place.y;
    }
    body.aim = aim;
  }

  #stepInSpace(body: MovementBody, jump: boolean, grounded: boolean, dt: number, statics: StaticGeometry): void {
    const { radius, height, skin, stepHeight, jumpSpeed, gravity, maxFallSpeed } = this.rules;
    const place = this.#place;
    let z = body.z ?? 0;
    let vz = body.vz ?? 0;
    let stands = grounded;
    if (jump && stands && jumpSpeed > 0) {
      vz = jumpSpeed;
      stands = false;
    }
    if (stands) {
      this.#motion.copyWithin(4, 0, 4);
      this.#slide(dt, statics, z + Math.max(stepHeight, skin), z + height);
      let ground = statics.groundBelow(place.x, place.y, radius, z + Math.max(stepHeight, skin));
      if (ground > z + skin && statics.overlaps(place.x, place.y, radius, ground + skin, ground + height)) {
        // No headroom on that step: it is a wall.
        place.x = body.x;
        place.y = body.y;
        this.#motion.copyWithin(0, 4, 8);
        this.#slide(dt, statics, z + skin, z + height);
        ground = statics.groundBelow(place.x, place.y, radius, z + skin);
      }
      if (ground >= z - stepHeight - skin) {
        body.z = ground;
        body.vz = 0;
        return;
      }
    } else {
      this.#slide(dt, statics, z + skin, z + height);
    }
    vz = Math.max(vz - gravity * dt, -maxFallSpeed);
    const from = z;
    z += vz * dt;
    if (vz > 0) {
      const ceiling = statics.ceilingAbove(place.x, place.y, radius, from + height - skin) - height;
      if (z > ceiling) {
        z = Math.max(from, ceiling);
        vz = 0;
      }
    } else {
      const ground = statics.groundBelow(place.x, place.y, radius, from + skin);
      if (z <= ground) {
        z = ground;
        vz = 0;
      }
    }
    body.z = z;
    body.vz = vz;
  }
}
