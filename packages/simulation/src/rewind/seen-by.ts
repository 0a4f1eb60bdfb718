/**
 * What one player sees, for the line `world.players.seenBy(player).raycast(...)` in a game's step.
 *
 * On a client that is what was drawn when the player pressed the button; on the server it is the
 * past, rewound to the same picture. Rewinding is reading: no world is changed. Only targets are
 * rewound; the shooter stands where the server has it at the tick of the input.
 */
import type { Fields, Row, RowIdentity } from "../state/index.ts";

/** What a ray met. Borrowed: valid until the next ray of the same table. */
export interface RayHit<F extends Fields> {
  readonly entity: Row<F>;
  readonly distance: number;
  /** Where the ray met it. */
  readonly x: number;
  readonly y: number;
}

/** Where an entity was seen. */
export interface SeenPose {
  x: number;
  y: number;
  angle: number;
}

export interface SeenBy<F extends Fields> {
  /** The fractional tick that the targets are looked at; -1 where that is simply now. */
  readonly viewTick: number;
  /**
   * The first entity of the table that a ray from (x, y) at `angle` (radians) meets within `range`,
   * other than the player itself. Static geometry stops the ray. `accept` says whom the ray may
   * hit at all (not the dead, not the own team); it is asked only for those the ray meets.
   */
  raycast(
    x: number,
    y: number,
    angle: number,
    range: number,
    accept?: (entity: Row<F>) => boolean,
  ): RayHit<F> | undefined;
  /** Writes where `target` was seen into `pose`; false when it was not there then. */
  poseOf(target: RowIdentity, pose: SeenPose): boolean;
}
