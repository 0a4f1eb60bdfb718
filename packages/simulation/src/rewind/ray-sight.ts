/**
 * The ray cast that `RewoundSight` (server) and `DrawnSight` (client) share: they differ only in
 * where an entity was seen. One object per table, pointed at one shooter after the other.
 */
import type { Fields, Hitbox, Row, RowIdentity, StateTable } from "../state/index.ts";
import { rayCircle } from "../game/statics/rays.ts";
import type { StaticGeometry } from "../game/statics/static-geometry.ts";
import { cos, sin } from "../math/index.ts";
import type { RayHit, SeenBy, SeenPose } from "./seen-by.ts";

export abstract class RaySight<F extends Fields> implements SeenBy<F> {
  viewTick = -1;
  protected readonly table: StateTable<F>;
  /** The row whose owner looks. */
  protected shooter: RowIdentity | undefined;
  readonly #hitbox: Hitbox;
  readonly #statics: StaticGeometry;
  readonly #pose: SeenPose = { x: 0, y: 0, angle: 0 };
  readonly #hit: { entity: Row<F>; distance: number; x: number; y: number };

  constructor(table: StateTable<F>, hitbox: Hitbox, statics: StaticGeometry) {
    this.table = table;
    this.#hitbox = hitbox;
    this.#statics = statics;
    this.#hit = { entity: table.rowAt(0), distance: 0, x: 0, y: 0 };
  }

  /** Points the sight at what the owner of `row` saw. */
  seenBy(row: RowIdentity): SeenBy<F> {
    this.shooter = row;
    this.prepare(row);
    return this;
  }

  raycast(
    x: number,
    y: number,
    angle: number,
    range: number,
    accept?: (entity: Row<F>) => boolean,
  ): RayHit<F> | undefined {
    const dx = cos(angle);
    const dy = sin(angle);
    const wall = this.#statics.raycastAlong(x, y, dx, dy, range);
    let nearest = wall < range ? wall : range;
    let found = -1;
    const { table } = this;
    const pose = this.#pose;
    for (let index = 0; index < table.highWater; index++) {
      if (table.alive[index] === 0 || this.#isShooter(index) || !this.locate(index, pose)) continue;
      const distance = this.#rayEntity(x, y, dx, dy, pose);
      if (!(distance <= nearest)) continue;
      if (accept !== undefined && !accept(table.rowAt(index))) continue;
      nearest = distance;
      found = index;
    }
    if (found < 0) return undefined;
    const hit = this.#hit;
    hit.entity = table.rowAt(found);
    hit.distance = nearest;
    hit.x = x + dx * nearest;
    hit.y = y + dy * nearest;
    return hit;
  }

  poseOf(target: RowIdentity, pose: SeenPose): boolean {
    return this.table.alive[target.index] === 1 && this.locate(target.index, pose);
  }

  /** Gets ready to locate entities for the owner of `row`. */
  protected abstract prepare(row: RowIdentity): void;

  /** Where the live entity at `index` was seen; false when it was not there. */
  protected abstract locate(index: number, pose: SeenPose): boolean;

  #isShooter(index: number): boolean {
    const shooter = this.shooter;
    // A row of another table may have the same index: only the very row is left out.
    return shooter !== undefined && shooter.index === index && shooter === this.table.rowAt(index);
  }

  #rayEntity(x: number, y: number, dx: number, dy: number, pose: SeenPose): number {
    const hitbox = this.#hitbox;
    if (hitbox.shape === "circle") return rayCircle(x, y, dx, dy, pose.x, pose.y, hitbox.radius);
    const halfX = (cos(pose.angle) * hitbox.length) / 2;
    const halfY = (sin(pose.angle) * hitbox.length) / 2;
    return rayCapsule(x, y, dx, dy, pose.x - halfX, pose.y - halfY, pose.x + halfX, pose.y + halfY, hitbox.radius);
  }
}

/** Distance along a unit ray to a capsule from (ax, ay) to (bx, by); 0 from inside, `Infinity` when it misses. */
export function rayCapsule(
  x: number,
  y: number,
  dx: number,
  dy: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  radius: number,
): number {
  let nearest = Math.min(rayCircle(x, y, dx, dy, ax, ay, radius), rayCircle(x, y, dx, dy, bx, by, radius));
  const alongX = bx - ax;
  const alongY = by - ay;
  const length = Math.sqrt(alongX * alongX + alongY * alongY);
  if (length === 0) return nearest;
  // In the capsule's own frame its middle is a box of `length` by twice the radius.
  const ux = alongX / length;
  const uy = alongY / length;
  const localX = (x - ax) * ux + (y - ay) * uy;
  const localY = (y - ay) * ux - (x - ax) * uy;
  const localDx = dx * ux + dy * uy;
  const localDy = dy * ux - dx * uy;
  if (localX >= 0 && localX <= length && Math.abs(localY) <= radius) return 0;
  if (localDy !== 0) {
    const distance = ((localY > 0 ? radius : -radius) - localY) / localDy;
    const at = localX + localDx * distance;
    if (distance >= 0 && at >= 0 && at <= length && distance < nearest) nearest = distance;
  }
  return nearest;
}
