/**
 * What one player sees, for the line `world.players.seenBy(player).raycast(...)` in a game's step.
 *
 * On a client that is what was drawn when the player pressed the button; on the server it is the
 * past, rewound to the same picture. Rewinding is reading: no world is changed. Only targets are
 * rewound; the shooter stands where the server has it at the tick of the input.
 */
import type { Fields, Row, RowIdentity } from "../state/index.ts";
import type { Body } from "./body-query.ts";

/** What a query met. Borrowed: valid until the next query of the same table. */
export interface SeenHit<F extends Fields> {
  readonly entity: Row<F>;
  /** Its id. */
  readonly id: number;
  /** Whether the entity has gone since it was seen: then `entity` is nobody's row, or already somebody else's. */
  readonly isGone: boolean;
  /** Which of its hitboxes, by name, and what a hit there counts. */
  readonly hitbox: string;
  readonly multiplier: number;
  /** How far along the ray, or how far the body moved; of an overlap, from the middle of the body to the hitbox. */
  readonly distance: number;
  /** Where a ray met it; where the middle of a body was then. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Where an entity was seen. */
export interface SeenPose {
  x: number;
  y: number;
  z?: number;
  /** Radians about z; 0 for states that are turned by a quaternion or not at all. */
  angle: number;
}

export interface SeenOptions<F extends Fields> {
  /** Whom it may meet at all (not the dead, not the own team); asked only about those that it meets. Default everybody. */
  readonly accept?: (entity: Row<F>) => boolean;
  /** Only hitboxes of these layers count. Default all. */
  readonly layers?: readonly string[];
  /** Whether it also meets those who have gone since (`isGone`); `accept` is not asked about them. Default false. */
  readonly gone?: boolean;
  /**
   * Server: everybody is looked at so much nearer to the present than the player saw them: 0 as it was drawn, 1 now; between
   * the two at one moment for all. For what flies on after the shot: see `ProjectileRewind`. Default 0.
   */
  readonly towardsNow?: number;
  /**
   * Server: so many ticks after the picture, before `towardsNow`: for what has to fly through the past. While an input is
   * judged late, now is then so many ticks after the input's. Default 0.
   */
  readonly laterTicks?: number;
  /** Whether it passes through static geometry and what `blocks`. Default false. */
  readonly throughWalls?: boolean;
  /** Whether it is in the plane, as `raycast`: walls stop it whatever their heights, and there is no floor. Default false. */
  readonly inPlane?: boolean;
}

export interface SeenBy<F extends Fields> {
  /** The fractional tick that the targets are looked at; -1 where that is simply now. */
  readonly viewTick: number;
  /**
   * The first entity of the table that a ray from (x, y) at `angle` (radians) meets within `range`, in the plane, other than
   * the player itself. Static geometry and states that `blocks` stop it. The last argument is `SeenOptions`, or its
   * `accept` alone.
   */
  raycast(
    x: number,
    y: number,
    angle: number,
    range: number,
    options?: SeenOptions<F> | ((entity: Row<F>) => boolean),
  ): SeenHit<F> | undefined;
  /** `raycast` in space: (dx, dy, dz) is a unit direction. */
  performRaycast(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    options?: SeenOptions<F>,
  ): SeenHit<F> | undefined;
  /**
   * Many rays from one point in one query, as a shotgun's: unit directions, three numbers each. For each ray what it met, in
   * a list that is valid until the next such query.
   */
  performRaycasts(
    x: number,
    y: number,
    z: number,
    directions: Float64Array,
    range: number,
    options?: SeenOptions<F>,
  ): readonly (SeenHit<F> | undefined)[];
  /** The first entity that a body touches which moves along the unit direction (dx, dy, dz). Its middle stops at walls. */
  performSweep(
    body: Body,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    options?: SeenOptions<F>,
  ): SeenHit<F> | undefined;
  /** Everybody whom a body touches where it is, the nearest first: a blow, a blast. Walls between do not matter. */
  performOverlap(body: Body, options?: SeenOptions<F>): readonly SeenHit<F>[];
  /** Writes where `target` was seen into `pose`; false when it was not there then. */
  poseOf(target: RowIdentity, pose: SeenPose): boolean;
  /**
   * Server: writes where a row of the table really was after `tick` into `pose`, but for the angle; false when that is not
   * known (any more). Not rewound for anybody: where the shooter of a late input stood.
   */
  stoodAt(row: RowIdentity, tick: number, pose: SeenPose): boolean;
}
