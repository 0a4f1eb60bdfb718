/** The hits that queries answer with: the same objects each time, written anew. */
import type { Fields, Row, StateTable } from "../state/index.ts";
import type { HitboxSet } from "./hitboxes/hitbox-set.ts";
import type { SeenHit } from "./seen-by.ts";

type MutableHit<F extends Fields> = { -readonly [Key in keyof SeenHit<F>]: SeenHit<F>[Key] };

export class SeenHits<F extends Fields> {
  readonly #table: StateTable<F>;
  readonly #hitboxes: HitboxSet;
  readonly #hits: MutableHit<F>[] = [];

  constructor(table: StateTable<F>, hitboxes: HitboxSet) {
    this.#table = table;
    this.#hitboxes = hitboxes;
  }

  /** The hit `i` of a query: whom it met, in which hitbox, how far away, and where. */
  fill(
    i: number,
    place: number,
    id: number,
    hitbox: number,
    distance: number,
    x: number,
    y: number,
    z: number,
  ): SeenHit<F> {
    const table = this.#table;
    const entity: Row<F> = table.rowAt(place);
    const hit = (this.#hits[i] ??= { entity, id, isGone: false, hitbox: "", multiplier: 1, distance, x, y, z });
    hit.entity = entity;
    hit.id = id;
    hit.isGone = table.alive[place] === 0 || table.idAt(place) !== id;
    hit.hitbox = this.#hitboxes.names[hitbox];
    hit.multiplier = this.#hitboxes.multipliers[hitbox];
    hit.distance = distance;
    hit.x = x;
    hit.y = y;
    hit.z = z;
    return hit;
  }
}
