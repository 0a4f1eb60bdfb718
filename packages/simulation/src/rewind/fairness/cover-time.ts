/** Since when something is between a shooter and its victim, as all really stand: since when their eyes do not meet. */
import type { StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { RowIdentity } from "../../state/index.ts";
import type { SnapshotHistory } from "../history/snapshot-history.ts";

/** What hides and moves: the entities of a state that `blocks`. */
export interface MovingCover {
  /**
   * Whether one of them, other than these two rows, was on the line after `tick`, or, with `NOW`, is. What is not known any
   * more was not.
   */
  isInWay(
    tick: number,
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    victim: RowIdentity,
    shooter: RowIdentity,
  ): boolean;
}

export interface CoverScene {
  /** Of the victim's state. */
  readonly history: SnapshotHistory;
  readonly statics: StaticGeometry;
  readonly blockers: readonly MovingCover[];
  /** Whether heights do not count. */
  readonly inPlane: boolean;
  /** Of eyes above an entity's place. */
  readonly eyeHeight: number;
}

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** The tick at hand, which no history has yet. */
export const NOW = -1;

/**
 * For how many ticks in a row, up to now, static geometry or what `blocks` has hidden `victim` from `shooter`, who stands
 * still at `from` for this purpose: 0 when nothing does, at most `most`. `to`: where the victim is now.
 */
export function coverTicks(
  scene: CoverScene,
  shooter: RowIdentity,
  from: Place,
  victim: RowIdentity,
  to: Place,
  most: number,
): number {
  const { words, floats, newestTick, oldestTick } = scene.history;
  if (most <= 0 || !isHidden(scene, shooter, from, victim, NOW, to.x, to.y, to.z)) return 0;
  let ticks = 1;
  for (let tick = newestTick; tick >= oldestTick && ticks < most; tick--, ticks++) {
    const entry = scene.history.at(victim.index, tick);
    if (words[entry] !== victim.id) break;
    const x = floats[entry + 1];
    const y = floats[entry + 2];
    if (!isHidden(scene, shooter, from, victim, tick, x, y, floats[entry + 3])) break;
  }
  return ticks;
}

function isHidden(
  { statics, blockers, inPlane, eyeHeight }: CoverScene,
  shooter: RowIdentity,
  from: Place,
  victim: RowIdentity,
  tick: number,
  x: number,
  y: number,
  z: number,
): boolean {
  const byX = x - from.x;
  const byY = y - from.y;
  const byZ = inPlane ? 0 : z - from.z;
  const way = Math.sqrt(byX * byX + byY * byY + byZ * byZ);
  if (!(way > 0)) return false;
  const dx = byX / way;
  const dy = byY / way;
  const dz = byZ / way;
  const eye = inPlane ? 0 : from.z + eyeHeight;
  const met = inPlane
    ? statics.raycastAlong(from.x, from.y, dx, dy, way)
    : statics.raycastInSpace(from.x, from.y, eye, dx, dy, dz, way);
  if (met < way) return true;
  for (let i = 0; i < blockers.length; i++)
    if (blockers[i].isInWay(tick, from.x, from.y, eye, dx, dy, dz, way, victim, shooter)) return true;
  return false;
}
