/**
 * How high a player who claims positions can be: what it stood on last, and how high one is at most so long after
 * leaving that. It may have landed and jumped again between two claims where there was time to fall to some ground.
 */
import type { StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { MovementRules } from "./movement-options.ts";

/** Stairs rise by no more than this for each unit of way. */
const STEEPEST = 1;
/** Places looked at between two claims. */
const MAX_SAMPLES = 24;
/** How long it may take until a client is knocked, and how long that takes to show. */
const KNOCKING_SEC = 1;
/** How long one may fall deeper than one rose. */
const FALLING_SEC = 2;

export class ClaimFlight {
  readonly #rules: MovementRules;
  readonly #statics: StaticGeometry;
  readonly #tolerance: number;
  /** Speed upwards that one can have got from being knocked, on top of a jump's, and until when that is so. */
  #boost = 0;
  #boostUntilSec = 0;
  /** The ground stood on last, or the highest from where the present flight can have begun. */
  #support = 0;
  /** The highest from where it can have jumped again since, if it has landed between two claims, and how long ago. */
  #secondSupport = -Infinity;
  #secondSec = 0;
  #lastX = 0;
  #lastY = 0;
  #lastZ = 0;
  #lastGround = 0;
  #flies = false;
  /** Since the first claim from the air. */
  #airSec = 0;
  /** How much earlier than that claim the flight can have begun. */
  #earlierSec = 0;
  /** The flight began by being put into the air: without a jump. */
  #wasPlaced = false;
  /** No claim since it was put there: it is not known when it began to fall. */
  #isFresh = false;
  /** Of the claim that is being judged. */
  #ground = 0;
  #lands = false;
  #begin = 0;

  constructor(rules: MovementRules, statics: StaticGeometry, tolerance: number) {
    this.#rules = rules;
    this.#statics = statics;
    this.#tolerance = tolerance;
  }

  /** The player is knocked upwards. It counts until the flight from that is over. */
  boost(speedUp: number, nowSec: number): void {
    this.#boost += speedUp;
    const { gravity } = this.#rules;
    this.#boostUntilSec = nowSec + KNOCKING_SEC + (gravity > 0 ? (2 * this.#rising()) / gravity : 0);
  }

  /** Forgets what a player was knocked upwards by, when it must have come down. */
  fadeBoost(nowSec: number): void {
    if (this.#boost === 0 || nowSec <= this.#boostUntilSec) return;
    if (!this.#flies || nowSec > this.#boostUntilSec + FALLING_SEC) this.#boost = 0;
  }

  /** The player was put there, perhaps into the air. */
  place(x: number, y: number, z: number): void {
    this.#ground = this.#groundUnder(x, y, z);
    this.#flies = false;
    this.#airSec = 0;
    this.#secondSupport = -Infinity;
    this.#begin = z;
    this.accept(x, y, z, 0);
    this.#wasPlaced = this.#isFresh = this.#flies;
  }

  /** The greatest height at (x, y) so long after the place before, `far` from there. */
  highest(x: number, y: number, z: number, far: number, elapsedSec: number): number {
    const { stepHeight } = this.#rules;
    this.#ground = this.#groundUnder(x, y, z);
    const under = this.#flies ? this.#groundBetween(x, y, far) : this.#lastGround;
    this.#lands = !this.#flies || this.#lastZ - this.#drop(elapsedSec) <= under;
    const rising = this.#rising();
    let highest = -Infinity;
    if (this.#flies) {
      const first = this.#wasPlaced
        ? this.#ballistic(this.#support, this.#boost, this.#isFresh ? 0 : this.#airSec + elapsedSec)
        : this.#ballistic(this.#support, rising, this.#airSec + elapsedSec);
      const second = this.#ballistic(this.#secondSupport, rising, this.#secondSec + elapsedSec);
      highest = Math.max(first, second);
    }
    if (!this.#lands) return highest;
    this.#begin = this.#flies ? under + stepHeight : this.#lastZ + stepHeight + STEEPEST * far;
    return Math.max(highest, this.#ballistic(this.#begin, rising, 0));
  }

  /** What it can have fallen or risen between two claims. */
  swing(elapsedSec: number): number {
    return this.#ballistic(0, this.#rising(), 0) + this.#drop(elapsedSec);
  }

  /** The claim that `highest` was asked about is taken. */
  accept(x: number, y: number, z: number, elapsedSec: number): void {
    const stands = z - this.#ground <= this.#rules.skin + 2 * this.#tolerance;
    if (stands) {
      this.#flies = false;
      this.#airSec = this.#earlierSec = 0;
      this.#wasPlaced = this.#isFresh = false;
      this.#secondSupport = -Infinity;
    } else if (!this.#flies) {
      this.#flies = true;
      this.#earlierSec = elapsedSec;
      this.#support = this.#begin;
    } else {
      if (this.#isFresh) this.#earlierSec = elapsedSec;
      else this.#airSec += elapsedSec;
      this.#isFresh = false;
      this.#secondSec += elapsedSec;
      if (this.#lands) {
        this.#secondSupport = Math.max(this.#secondSupport, this.#begin);
        this.#secondSec = 0;
      }
    }
    this.#lastX = x;
    this.#lastY = y;
    this.#lastZ = z;
    this.#lastGround = this.#ground;
  }

  /** How fast upwards a flight can begin. */
  #rising(): number {
    return this.#rules.jumpSpeed + this.#boost;
  }

  /** The height of one who left a support at this speed upwards, at the latest moment. */
  #ballistic(support: number, rising: number, airSec: number): number {
    const { gravity } = this.#rules;
    if (gravity === 0) return support;
    const falling = Math.max(0, airSec - rising / gravity);
    return support + (rising * rising) / (2 * gravity) - (gravity * falling * falling) / 2;
  }

  #drop(elapsedSec: number): number {
    const { gravity, maxFallSpeed } = this.#rules;
    return elapsedSec * Math.min(maxFallSpeed, gravity * (this.#airSec + this.#earlierSec + elapsedSec));
  }

  /** The highest ground it may have touched on the way from the place before, wherever exactly that went. */
  #groundBetween(x: number, y: number, far: number): number {
    const { radius, stepHeight } = this.#rules;
    const parts = Math.min(MAX_SAMPLES, Math.ceil(far / radius));
    let ground = this.#lastGround;
    for (let i = 1; i <= parts; i++) {
      const atX = this.#lastX + ((x - this.#lastX) * i) / parts;
      const atY = this.#lastY + ((y - this.#lastY) * i) / parts;
      ground = Math.max(ground, this.#statics.groundBelow(atX, atY, 2 * radius, this.#lastZ + stepHeight));
    }
    return ground;
  }

  #groundUnder(x: number, y: number, z: number): number {
    const { radius, skin } = this.#rules;
    return this.#statics.groundBelow(x, y, radius, z + skin + this.#tolerance);
  }
}
