/** Since when a wall is between a shooter and its victim, as both really stand: since when their eyes do not meet. */
import type { StaticGeometry } from "../../game/statics/static-geometry.ts";
import type { SnapshotHistory } from "../history/snapshot-history.ts";

export interface CoverScene {
  readonly history: SnapshotHistory;
  readonly statics: StaticGeometry;
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

/**
 * For how many ticks in a row, up to now, static geometry has hidden the entity `id` at `place` from `shooter`, who stands
 * still for this purpose: 0 when nothing does, at most `most`. `now`: where the entity is at the tick at hand, which the
 * history does not have yet.
 */
export function coverTicks(
  scene: CoverScene,
  shooter: Place,
  now: Place,
  place: number,
  id: number,
  most: number,
): number {
  const { words, floats, newestTick, oldestTick } = scene.history;
  if (most <= 0 || !isHidden(scene, shooter, now.x, now.y, now.z)) return 0;
  let ticks = 1;
  for (let tick = newestTick; tick >= oldestTick && ticks < most; tick--, ticks++) {
    const entry = scene.history.at(place, tick);
    if (words[entry] !== id) break;
    if (!isHidden(scene, shooter, floats[entry + 1], floats[entry + 2], floats[entry + 3])) break;
  }
  return ticks;
}

function isHidden({ statics, inPlane, eyeHeight }: CoverScene, from: Place, x: number, y: number, z: number): boolean {
  const byX = x - from.x;
  const byY = y - from.y;
  const byZ = inPlane ? 0 : z - from.z;
  const way = Math.sqrt(byX * byX + byY * byY + byZ * byZ);
  if (!(way > 0)) return false;
  const met = inPlane
    ? statics.raycastAlong(from.x, from.y, byX / way, byY / way, way)
    : statics.raycastInSpace(from.x, from.y, from.z + eyeHeight, byX / way, byY / way, byZ / way, way);
  return met < way;
}
