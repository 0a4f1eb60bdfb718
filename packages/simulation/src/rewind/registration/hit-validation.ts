/** The verdict on one shot: what it met, what counts, and every reason against it. */
import type { Fields, Row } from "../../state/index.ts";
import type { SeenHit } from "../seen-by.ts";

/**
 * Why a shot did not take place, or why (part of) it does not count.
 *
 * - It did not take place ("rejected"): `fireRate`, `ammunition` (none left), `angle` (turned too fast), `tooLate` (its input
 *   came too late, or nobody knows where the shooter was), `timestamp` (its view stamp was cut, and such are not judged),
 *   `budget` (too many shots of this player in this second).
 * - What it met does not count: `self`, `team`, `protected` (a victim's rule), `gone` (it has gone since it was seen).
 * - Why a miss missed: `blocked` (a wall or a door was first), and, of the entity that the client claims, `range`.
 */
export const HIT_REASONS = [
  "fireRate",
  "ammunition",
  "angle",
  "tooLate",
  "timestamp",
  "budget",
  "self",
  "team",
  "protected",
  "gone",
  "blocked",
  "range",
] as const;

export type HitReason = (typeof HIT_REASONS)[number];

export type HitOutcome = "hit" | "miss" | "rejected";

/** What a shot met. Borrowed as the verdict is. */
export interface RegisteredHit<F extends Fields = Fields, N extends string = string> extends SeenHit<F> {
  /** The state of whom it met, as the game calls it. */
  readonly table: N;
  /** Which ray of the shot; 0 unless it has pellets. */
  readonly pellet: number;
  /** Why it does not count; `undefined`: it does. */
  readonly reason: HitReason | undefined;
  /** With "protected": what the victim's rule says. */
  readonly protection: string | undefined;
}

/** Borrowed: valid until the next shot of the same `HitRegistration`. `H`: what it may meet. */
export interface HitValidation<F extends Fields = Fields, W extends string = string, H = RegisteredHit<F>> {
  readonly weapon: W;
  /** "hit": somebody was hit that counts. "miss": the shot was fired, and nobody was. "rejected": it was not fired. */
  readonly outcome: HitOutcome;
  /** Every reason, in the order of `HIT_REASONS`. None for a clean hit; a plain miss has none either. */
  readonly reasons: readonly HitReason[];
  /** The first hit that counts. */
  readonly hit: H | undefined;
  /** All that was met: by pellet, or the nearest first. */
  readonly hits: readonly H[];
  /** What the client said, against this. */
  readonly claim: "none" | "agrees" | "differs";
  /** The tick of the input, the tick around which the targets were seen (-1: now), and how long that is ago. */
  readonly tick: number;
  readonly viewTick: number;
  readonly rewindMs: number;
  /** Whether the view stamp was cut to what can be. */
  readonly isViewCut: boolean;
  /** Where it left, and the unit direction of its middle. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly dx: number;
  readonly dy: number;
  readonly dz: number;
  /** How far its first ray got: to what it met, to the wall, or its range. 0 when it was not fired. */
  readonly distance: number;
  /** Of the spread. */
  readonly seed: number;
}

/** Bits of the reasons that keep a shot from taking place. */
export function reasonBit(reason: HitReason): number {
  return 1 << HIT_REASONS.indexOf(reason);
}

const lists = new Map<number, readonly HitReason[]>();

/** The reasons of some bits, the same list every time. */
export function reasonsOf(bits: number): readonly HitReason[] {
  let list = lists.get(bits);
  if (list === undefined) lists.set(bits, (list = HIT_REASONS.filter((_, i) => ((bits >>> i) & 1) === 1)));
  return list;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The records that are reused. */
export type VerdictRecord<W extends string = string> = Mutable<HitValidation<Fields, W, HitRecord>>;

export type HitRecord = Mutable<RegisteredHit> & {
  /** The place of its table among those that are shot at. */
  target: number;
};

export function createHitRecord(entity: Row<Fields>): HitRecord {
  return {
    entity,
    table: "",
    target: 0,
    id: -1,
    isGone: false,
    hitbox: "",
    multiplier: 1,
    distance: 0,
    x: 0,
    y: 0,
    z: 0,
    pellet: 0,
    reason: undefined,
    protection: undefined,
  };
}

export function createVerdict<W extends string>(weapon: W): VerdictRecord<W> {
  return {
    weapon,
    outcome: "rejected",
    reasons: [],
    hit: undefined,
    hits: [],
    claim: "none",
    tick: -1,
    viewTick: -1,
    rewindMs: 0,
    isViewCut: false,
    x: 0,
    y: 0,
    z: 0,
    dx: 1,
    dy: 0,
    dz: 0,
    distance: 0,
    seed: 0,
  };
}
