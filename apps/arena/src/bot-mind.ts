/** One bot's head: it sees what a player would see (its session's view) and wants what a player would want. */
import { arenaStatics } from "./map.ts";
import { clearLine, goalNear, goals, nextStep } from "./navigation.ts";
import { DASH_ENERGY, ORB_ENERGY, ORB_SPEED, RIFLE_RANGE } from "./rules.ts";
import { IDLE } from "./states.ts";
import type { Wish } from "./states.ts";

/** What a bot can see of a player. */
export interface SeenPlayer {
  readonly id: number;
  readonly x: number;
  readonly y: number;
  readonly health: number;
  readonly shielded: boolean;
}

export interface OwnPlayer extends SeenPlayer {
  readonly vx: number;
  readonly vy: number;
  readonly energy: number;
}

/** Frames between two thoughts. */
const THINK_FRAMES = 8;
const SIGHT = 26;

export class BotMind {
  /** 0: walks about and harms nobody. 1: as good as it gets. */
  skill: number;
  /** A goal of `goals` that is always on the way; -1: any. */
  rally = -1;
  readonly #wish = { ...IDLE };
  readonly #random: () => number;
  readonly #step = { x: 0, y: 0 };
  #frame: number;
  #goal = -1;
  #target = -1;
  #targetX = 0;
  #targetY = 0;
  #targetVx = 0;
  #targetVy = 0;
  #strafe = 1;
  #strafeFrames = 0;
  #burstFrames = 0;
  #aimError = 0;
  #stuckFrames = 0;
  #lastHealth = 100;

  constructor(skill: number, random: () => number) {
    this.skill = skill;
    this.#random = random;
    this.#frame = Math.floor(random() * THINK_FRAMES);
    this.#wish.aim = random() * Math.PI * 2;
  }

  /** The wish of this frame; the object is reused. */
  decide(own: OwnPlayer | undefined, others: Iterable<SeenPlayer>, dt: number): Wish {
    const wish = this.#wish;
    wish.dash = wish.mend = false;
    if (own === undefined || own.health === 0) {
      wish.up = wish.down = wish.left = wish.right = wish.fire = wish.orb = false;
      this.#goal = this.#target = -1;
      return wish;
    }
    this.#frame++;
    const thinks = this.#frame % THINK_FRAMES === 0;
    const target = this.#look(own, others, thinks, dt);
    if (target === undefined) this.#wander(own, thinks, dt);
    else this.#fight(own, target, thinks, dt);
    this.#lastHealth = own.health;
    return wish;
  }

  #look(own: OwnPlayer, others: Iterable<SeenPlayer>, thinks: boolean, dt: number): SeenPlayer | undefined {
    if (this.skill === 0) return undefined;
    let best: SeenPlayer | undefined;
    let bestAway = SIGHT;
    for (const other of others) {
      if (other.id === own.id || other.health === 0 || other.shielded) continue;
      if (!thinks) {
        if (other.id === this.#target) best = other;
        continue;
      }
      let away = Math.hypot(other.x - own.x, other.y - own.y);
      // Who is shot at is not dropped for somebody a little nearer.
      if (other.id === this.#target) away *= 0.7;
      if (away < bestAway && clearLine(own.x, own.y, other.x, other.y)) {
        best = other;
        bestAway = away;
      }
    }
    const id = best?.id ?? -1;
    if (best !== undefined) {
      const fresh = id !== this.#target;
      const blend = fresh ? 0 : 0.15;
      this.#targetVx += ((best.x - this.#targetX) / dt - this.#targetVx) * blend;
      this.#targetVy += ((best.y - this.#targetY) / dt - this.#targetVy) * blend;
      if (fresh) this.#targetVx = this.#targetVy = 0;
      this.#targetX = best.x;
      this.#targetY = best.y;
      if (fresh) this.#burstFrames = -20 - Math.floor(this.#random() * 25 * (1.4 - this.skill));
    }
    this.#target = id;
    return best;
  }

  #wander(own: OwnPlayer, thinks: boolean, dt: number): void {
    const wish = this.#wish;
    wish.fire = wish.orb = false;
    if (this.#goal < 0) this.#goal = this.rally >= 0 ? this.rally : Math.floor(this.#random() * goals.length);
    // Where shots came from is worth a look.
    if (own.health < this.#lastHealth && this.skill > 0) this.#goal = goalNear(own.x, own.y);
    if (Math.hypot(own.vx, own.vy) < 1) this.#stuckFrames++;
    else this.#stuckFrames = 0;
    if (!nextStep(own.x, own.y, this.#goal, this.#step) || this.#stuckFrames > 60) {
      this.#goal = Math.floor(this.#random() * goals.length);
      this.#stuckFrames = 0;
      return;
    }
    const wayX = this.#step.x - own.x;
    const wayY = this.#step.y - own.y;
    this.#walk(wayX, wayY);
    this.#turn(Math.atan2(wayY, wayX), 4 * dt);
    if (thinks && this.#random() < 0.02 && own.energy > 80) wish.dash = true;
    // Nobody in sight: time to lick one's wounds.
    if (thinks && own.health < 60) wish.mend = true;
  }

  #fight(own: OwnPlayer, target: SeenPlayer, thinks: boolean, dt: number): void {
    const wish = this.#wish;
    const toX = target.x - own.x;
    const toY = target.y - own.y;
    const away = Math.hypot(toX, toY);
    if (--this.#strafeFrames <= 0) {
      this.#strafe = this.#random() < 0.5 ? -1 : 1;
      this.#strafeFrames = 25 + Math.floor(this.#random() * 60);
    }
    const brave = own.health > 35 || target.health < own.health;
    const press = brave ? (away > 13 ? 1 : away < 6 ? -0.8 : 0.1) : -1;
    const wayX = (toX / away) * press - (toY / away) * this.#strafe;
    const wayY = (toY / away) * press + (toX / away) * this.#strafe;
    const angle = Math.atan2(wayY, wayX);
    if (thinks && arenaStatics.raycast(own.x, own.y, angle, 1.6) < 1.6) this.#strafe = -this.#strafe;
    this.#walk(wayX, wayY);

    if (thinks) this.#aimError = (this.#random() + this.#random() - 1) * 0.34 * (1.15 - this.skill);
    this.#turn(Math.atan2(toY, toX) + this.#aimError, (3 + this.skill * 7) * dt);
    const off = Math.abs(wrap(Math.atan2(toY, toX) - wish.aim));
    // Bursts with pauses, as fingers do.
    if (++this.#burstFrames > 40 + this.skill * 30) this.#burstFrames = -10 - Math.floor(this.#random() * 35);
    wish.fire = this.#burstFrames > 0 && off < 0.25 && away < RIFLE_RANGE;
    wish.orb = false;
    if (!thinks) return;
    if (own.energy > ORB_ENERGY + 20 && away > 4 && away < 18 && this.#random() < 0.12) {
      const flight = away / ORB_SPEED;
      const aimX = toX + this.#targetVx * flight;
      const aimY = toY + this.#targetVy * flight;
      wish.aim = wrap(Math.atan2(aimY, aimX) + this.#aimError * 0.5);
      wish.orb = true;
    }
    const hurt = own.health < this.#lastHealth;
    if (own.energy > DASH_ENERGY && this.#random() < (hurt ? 0.3 : 0.015) * this.skill) wish.dash = true;
  }

  #walk(x: number, y: number): void {
    const wish = this.#wish;
    const length = Math.hypot(x, y);
    const least = length * 0.38;
    wish.left = x < -least;
    wish.right = x > least;
    wish.up = y < -least;
    wish.down = y > least;
  }

  #turn(angle: number, most: number): void {
    const off = wrap(angle - this.#wish.aim);
    this.#wish.aim = wrap(this.#wish.aim + Math.max(-most, Math.min(most, off)));
  }
}

/** An angle in -PI..PI. */
function wrap(angle: number): number {
  return angle - Math.round(angle / (Math.PI * 2)) * Math.PI * 2;
}
