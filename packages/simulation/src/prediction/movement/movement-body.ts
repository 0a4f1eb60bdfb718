/** What the movement controller reads and writes. A table's row with fields of these names is one. */

export interface MovementBody {
  x: number;
  y: number;
  vx: number;
  vy: number;
  /** Height of the feet, in games with heights. */
  z?: number;
  vz?: number;
  /** Where it looks, in radians; a capsule lies along it. */
  aim?: number;
  /** Ticks left of a dash. Without it nobody dashes. */
  dash?: number;
  /** Ticks until the next dash may start, when the rules have a cooldown. */
  dashWait?: number;
  /** Velocity from being knocked back, on top of the own one. Without these a knock changes the own velocity. */
  knockX?: number;
  knockY?: number;
}

/** What a player wants in one tick. */
export interface MovementWish {
  /** Direction along x and y, from -1 to 1; longer than 1 together is taken as 1. */
  readonly moveX: number;
  readonly moveY: number;
  readonly jump: boolean;
  readonly dash: boolean;
  /** Radians. */
  readonly aim: number;
}
