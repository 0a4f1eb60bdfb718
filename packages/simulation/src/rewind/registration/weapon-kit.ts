/** What weapons a game has, declared once for server and clients. */

/** A wish about whom a weapon does not hurt: it goes through them, is stopped by them without effect, or hits them. */
export type Passage = "pass" | "stop" | "hit";

interface CommonOptions {
  /** How far it reaches from the muzzle, in world units. */
  readonly range: number;
  /** Least time from one shot to the next, in ticks; or `intervalMs`, rounded up to ticks. Default 0: any rate. */
  readonly intervalTicks?: number;
  readonly intervalMs?: number;
  /** Rounds of a full magazine: `weaponFields` keeps how many are left. Default: it never runs out. */
  readonly magazine?: number;
  /** Name of a field of the state that pays instead: a whole number that weapons may share, which the game fills. */
  readonly ammunition?: string;
  /** What a shot costs of them. Default 1. */
  readonly roundsPerShot?: number;
  /**
   * Most radians between where the shooter looked in the tick before (`HitRequest.lastAngle`) and the shot. Default: any.
   */
  readonly maxTurn?: number;
  /** Where it leaves the shooter: forward, left and up of its position, turned by the angle of the shot. Default there. */
  readonly muzzle?: readonly [forward: number, left?: number, up?: number];
  /** Only hitboxes of these layers count. Default all. */
  readonly layers?: readonly string[];
  /** The shooter's other entities. The shooter itself is never hit. Default "pass". */
  readonly self?: Passage;
  /** Entities of the shooter's team, where the game says who that is. Default "pass". */
  readonly team?: Passage;
}

export type WeaponOptions = CommonOptions &
  (
    | { readonly kind: "ray" }
    | {
        /** Many rays at once. */
        readonly kind: "pellets";
        /** 1 to 64. */
        readonly pellets: number;
        /** Radians from the middle of the cone to its side, up to half a right angle. */
        readonly spread: number;
        /** "random": by the shot's seed; "even": always the same. Default "random". */
        readonly pattern?: "random" | "even";
      }
    | {
        /** A sphere that flies along the line at once. */
        readonly kind: "sweep";
        readonly radius: number;
      }
    | {
        /** Everybody whom a capsule from the muzzle to `range` touches, and whom no wall hides from the shooter. */
        readonly kind: "melee";
        readonly radius: number;
      }
  );

export interface WeaponsOptions<W extends string> {
  readonly tickRate: number;
  readonly weapons: Readonly<Record<W, WeaponOptions>>;
  /** Inputs that are older than this when they arrive are not judged any more. Default 250 ms. */
  readonly maxLateMs?: number;
  /** Whether a shot is judged whose view stamp was cut, at the bound that it was cut to. Default "judge". */
  readonly cutViews?: "judge" | "reject";
  /** Shots judged for one player. Default 60 a second, 30 at once. Explaining a claim that differs takes one more. */
  readonly validationsPerSec?: number;
  readonly validationBurst?: number;
}

export interface Weapon<W extends string = string> {
  readonly name: W;
  readonly kind: "ray" | "pellets" | "sweep" | "melee";
  readonly range: number;
  readonly intervalTicks: number;
  /** 0: it has none. */
  readonly magazine: number;
  /** Name of the field that pays for shots; "" when nothing does. */
  readonly ammunition: string;
  readonly roundsPerShot: number;
  readonly maxTurn: number;
  readonly muzzle: readonly [forward: number, left: number, up: number];
  readonly layers: readonly string[] | undefined;
  readonly self: Passage;
  readonly team: Passage;
  /** Rays; 1 unless `kind` is "pellets". */
  readonly pellets: number;
  readonly spread: number;
  readonly pattern: "random" | "even";
  /** Of "sweep" and "melee". */
  readonly radius: number;
}

export interface WeaponKit<W extends string = string> {
  readonly tickRate: number;
  readonly weapons: readonly Weapon<W>[];
  readonly maxLateTicks: number;
  readonly cutViews: "judge" | "reject";
  readonly validationsPerTick: number;
  readonly validationBurst: number;
}

/**
 * Declares weapons:
 *
 *     defineWeapons({ tickRate: 60, weapons: { rifle: { kind: "ray", range: 40, intervalMs: 100, magazine: 30 } } })
 *
 * Throws `RangeError` for numbers that cannot be.
 */
export function defineWeapons<const W extends string>(options: WeaponsOptions<W>): WeaponKit<W> {
  const { tickRate, maxLateMs = 250, cutViews = "judge", validationsPerSec = 60, validationBurst = 30 } = options;
  if (!(Number.isInteger(tickRate) && tickRate >= 1 && tickRate <= 1000))
    throw new RangeError(`tickRate must be an integer from 1 to 1000, got ${tickRate}`);
  within("maxLateMs", maxLateMs, 0, 1000);
  within("validationsPerSec", validationsPerSec, 0, 1e6);
  within("validationBurst", validationBurst, 1, 1e6);
  const entries = Object.entries(options.weapons) as [W, WeaponOptions][];
  if (entries.length === 0 || entries.length > MAX_WEAPONS)
    throw new RangeError(`1 to ${MAX_WEAPONS} weapons, got ${entries.length}`);
  return {
    tickRate,
    weapons: entries.map(([name, weapon]) => defineWeapon(name, weapon, tickRate)),
    maxLateTicks: Math.ceil((maxLateMs * tickRate) / 1000 - 1e-9),
    cutViews,
    validationsPerTick: validationsPerSec / tickRate,
    validationBurst,
  };
}

function defineWeapon<W extends string>(name: W, options: WeaponOptions, tickRate: number): Weapon<W> {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name))
    throw new RangeError(`weapons: "${name}" must be a name such as "rifle", of letters and digits`);
  const { kind, range, intervalMs = 0, magazine = 0, roundsPerShot = 1, maxTurn = Infinity } = options;
  const { intervalTicks = Math.ceil((intervalMs * tickRate) / 1000 - 1e-9), self = "pass", team = "pass" } = options;
  const [forward, left = 0, up = 0] = options.muzzle ?? [0];
  within(`${name}: range`, range, Number.MIN_VALUE, 1e6);
  whole(`${name}: intervalTicks`, intervalTicks, 0, 2 ** 24);
  whole(`${name}: magazine`, magazine, 0, 65_535);
  whole(`${name}: roundsPerShot`, roundsPerShot, 1, 65_535);
  if (!(maxTurn >= 0)) throw new RangeError(`${name}: maxTurn must not be negative, got ${maxTurn}`);
  for (const offset of [forward, left, up]) within(`${name}: muzzle`, offset, -1000, 1000);
  const pellets = options.kind === "pellets" ? options.pellets : 1;
  const spread = options.kind === "pellets" ? options.spread : 0;
  whole(`${name}: pellets`, pellets, 1, MAX_PELLETS);
  within(`${name}: spread`, spread, 0, Math.PI / 4);
  const radius = options.kind === "sweep" || options.kind === "melee" ? options.radius : 0;
  if (kind === "sweep" || kind === "melee") within(`${name}: radius`, radius, Number.MIN_VALUE, 1000);
  return {
    name,
    kind,
    range,
    intervalTicks,
    magazine: options.ammunition === undefined ? magazine : 0,
    ammunition: options.ammunition ?? (magazine > 0 ? weaponFieldNames.rounds(name) : ""),
    roundsPerShot,
    maxTurn,
    muzzle: [forward, left, up],
    layers: options.layers,
    self,
    team,
    pellets,
    spread,
    pattern: options.kind === "pellets" ? (options.pattern ?? "random") : "even",
    radius,
  };
}

/** What the fields of `weaponFields` are called. */
export const weaponFieldNames: { rounds(weapon: string): string; readyAt(weapon: string): string } = {
  rounds: (weapon) => `${weapon}Rounds`,
  readyAt: (weapon) => `${weapon}FiresAt`,
};

export const MAX_PELLETS = 64;
const MAX_WEAPONS = 64;

function within(what: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw new RangeError(`${what} must be ${min} to ${max}, got ${value}`);
}

function whole(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value)) throw new RangeError(`${what} must be a whole number, got ${value}`);
  within(what, value, min, max);
}
