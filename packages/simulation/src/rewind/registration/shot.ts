/** One shot as it is judged: numbers, and whoever answers for the game. */
import type { Fields, Row, RowIdentity } from "../../state/index.ts";
import type { HitRecord } from "./hit-validation.ts";
import type { Weapon } from "./weapon-kit.ts";

/** The numbers. All of it is in a shot's receipt. */
export interface Shot<W extends string = string> {
  weapon: Weapon<W>;
  angle: number;
  /** 0 where the targets have no heights. */
  pitch: number;
  lastAngle: number;
  lastPitch: number;
  /** Of the input that shoots, and the tick that is simulated. */
  tick: number;
  nowTick: number;
  tickMs: number;
  /** Where the shooter stood at `tick`, if that is known. */
  fromX: number;
  fromY: number;
  fromZ: number;
  isFromKnown: boolean;
  /** When the weapon may fire again (`-Infinity`: always), and what it has left (`Infinity`: it counts nothing). */
  readyAt: number;
  rounds: number;
  /** Whether a view stamp that was cut is refused. */
  refusesCutViews: boolean;
  /** Whether the client claims a target, and the place of its table among those that are shot at. */
  isClaimed: boolean;
  claimTarget: number;
  inPlane: boolean;
}

/** What the game says of the entity that the client claims. */
export interface ClaimedTarget {
  isShooter: boolean;
  isGone: boolean;
  isOwn: boolean;
  isFriend: boolean;
}

/** One of the tables that are shot at. */
export interface ShotTarget {
  readonly name: string;
  /** The layers of its hitboxes. */
  readonly layers: readonly string[];
}

/**
 * Answers for the game while a shot is judged, or, when its receipt is, from what is written there. `target`: the place of an
 * entity's table among those that are shot at.
 */
export interface ShotParty {
  /** Whether a validation of the shooter's budget is left, which is taken. */
  takeBudget(): boolean;
  drawSeed(): number;
  accepts(entity: Row<Fields>, target: number): boolean;
  isOwn(entity: RowIdentity, target: number): boolean;
  isFriend(entity: Row<Fields>, target: number): boolean;
  /** What a victim's rule says; `undefined`: the hit counts. */
  protection(hit: HitRecord, newsMs: number): string | undefined;
  claimedTarget(out: ClaimedTarget): void;
  /** Of an entity of the claimed table. */
  isClaimedEntity(entity: Row<Fields>): boolean;
  isClaimedHit(hit: HitRecord): boolean;
  /** Whether it is worth finding out why a claim is not so, which takes another ray. */
  takeClaimBudget(): boolean;
}
