/** What a body can do: the numbers of the movement controller and of the checks on those who claim to have used it. */

/** World units and seconds: metres, if a game says so. */
export interface MovementOptions {
  /** Half the thickness of the body. Default 0.5. */
  readonly radius?: number;
  /** From one end's centre to the other's, along `aim`: a capsule that lies in the plan, such as a car. Default 0: a circle. */
  readonly length?: number;
  /** Above 0 the game has heights: bodies this tall, with `z` (of the feet) and `vz`. Default 0: everything is in the plan. */
  readonly height?: number;
  /** Distance kept from walls, so that rounding puts nobody into one: no less than a coordinate's step. Default 0.01. */
  readonly skin?: number;

  /** Of walking. Default 6. */
  readonly maxSpeed?: number;
  /** Towards the wished velocity, on the ground. Default 60. */
  readonly acceleration?: number;
  /** Towards standing, without a wish, on the ground. Default 40. */
  readonly friction?: number;
  /** `acceleration` in the air. Default 15. */
  readonly airAcceleration?: number;
  /** `friction` in the air. Default 0. */
  readonly airFriction?: number;

  /** Default 20. */
  readonly gravity?: number;
  /** Upwards at the start of a jump: it rises by jumpSpeed^2 / (2 gravity). Default 7; 0: nobody jumps. */
  readonly jumpSpeed?: number;
  /** What is no higher is walked up and down without jumping. Default 0.4. */
  readonly stepHeight?: number;
  /** Default 50. */
  readonly maxFallSpeed?: number;

  /** Default 0: nobody dashes. */
  readonly dashSpeed?: number;
  /** How long a dash lasts, the tick it starts in and the one it ends in included. Default 10. */
  readonly dashTicks?: number;
  /** Ticks from one dash's start to the next one's, counted in the body's `dashWait`. Default 0: whoever asks for a dash decides. */
  readonly dashCooldownTicks?: number;

  /** In this time a knockback falls to half. Default 0.15 s. */
  readonly knockbackSec?: number;
}

export type MovementRules = Required<MovementOptions>;

const DEFAULTS: MovementRules = {
  radius: 0.5,
  length: 0,
  height: 0,
  skin: 0.01,
  maxSpeed: 6,
  acceleration: 60,
  friction: 40,
  airAcceleration: 15,
  airFriction: 0,
  gravity: 20,
  jumpSpeed: 7,
  stepHeight: 0.4,
  maxFallSpeed: 50,
  dashSpeed: 0,
  dashTicks: 10,
  dashCooldownTicks: 0,
  knockbackSec: 0.15,
};

/** With the defaults. Throws `RangeError` for a number that is negative or not finite, or a radius or time of 0. */
export function movementRules(options: MovementOptions = {}): MovementRules {
  const rules: MovementRules = { ...DEFAULTS, ...options };
  for (const [name, value] of Object.entries(rules)) {
    if (!(Number.isFinite(value) && value >= 0)) throw new RangeError(`${name} must not be negative, got ${value}`);
  }
  for (const name of ["radius", "maxSpeed", "knockbackSec", "maxFallSpeed"] as const)
    if (rules[name] === 0) throw new RangeError(`${name} must be above 0`);
  for (const name of ["dashTicks", "dashCooldownTicks"] as const)
    if (!Number.isInteger(rules[name])) throw new RangeError(`${name} must be whole, got ${rules[name]}`);
  return Object.freeze(rules);
}
