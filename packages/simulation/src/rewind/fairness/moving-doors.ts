/**
 * Where the entities of a state that `blocks` really were, for exceptions in favour of victims: in the recorded ticks, and in
 * the one at hand. It borrows the query that shots are judged with, between two uses.
 */
import type { AnyWorldTable } from "../../game/world.ts";
import type { RowIdentity } from "../../state/index.ts";
import type { PoseReader } from "../pose-reader.ts";
import type { RewindQuery } from "../rewind-query.ts";
import { CommonTime } from "../rewound-poses.ts";
import { NOW } from "./cover-time.ts";
import type { MovingCover } from "./cover-time.ts";

/** Whose query is borrowed. */
export interface BorrowedSight {
  readonly query: RewindQuery;
  forgetView(): void;
}

export class MovingDoors implements MovingCover {
  readonly #table: AnyWorldTable;
  readonly #reader: PoseReader;
  readonly #sight: BorrowedSight;
  readonly #time = new CommonTime(0);
  readonly #filter: { readonly except: number; readonly layers: number; readonly accept: (place: number) => boolean };
  /** Of the line at hand; places are -1 for rows of other tables. */
  #isNow = false;
  #victim = -1;
  #shooter = -1;

  /** `reader`: of the table's rows. */
  constructor(table: AnyWorldTable, reader: PoseReader, sight: BorrowedSight) {
    this.#table = table;
    this.#reader = reader;
    this.#sight = sight;
    this.#filter = { except: -1, layers: -1, accept: (place) => this.#hides(place) };
  }

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
  ): boolean {
    const { query } = this.#sight;
    const { oldestTick, newestTick } = query.history;
    const isNow = tick === NOW;
    if (!isNow && !(tick >= oldestTick && tick <= newestTick)) return false;
    this.#isNow = isNow;
    this.#victim = this.#placeOf(victim);
    this.#shooter = this.#placeOf(shooter);
    this.#time.viewTick = isNow ? newestTick : tick;
    const { touches } = query;
    // A receipt's entities are those that the shooter saw.
    query.touches = undefined;
    query.look(this.#time);
    if (isNow) this.#addPresent(x, y, dx, dy, range);
    const met = query.raycast(x, y, z, dx, dy, dz, range, this.#filter);
    query.touches = touches;
    this.#sight.forgetView();
    return met < range;
  }

  /** Those near the line, where they are now: as many as a history has room for. */
  #addPresent(x: number, y: number, dx: number, dy: number, range: number): void {
    const { query } = this.#sight;
    const { history, hitboxes } = query;
    const { alive, highWater, positionX, positionY } = this.#table;
    if (positionX === undefined || positionY === undefined) return;
    const flat = dx * dx + dy * dy;
    for (let index = 0; index < highWater; index++) {
      if (alive[index] === 0) continue;
      const toX = positionX[index] - x;
      const toY = positionY[index] - y;
      const along = flat > 0 ? Math.min(range, Math.max(0, (toX * dx + toY * dy) / flat)) : 0;
      const offX = toX - dx * along;
      const offY = toY - dy * along;
      if (offX * offX + offY * offY > hitboxes.reach * hitboxes.reach) continue;
      this.#reader.write(history, index, false, true);
      query.meetLive(index);
    }
  }

  #hides(place: number): boolean {
    if (place === this.#victim || place === this.#shooter) return false;
    // What is in the newest recorded tick may have gone, or moved away, since.
    return !this.#isNow || this.#sight.query.history.liveEntryOf(place) >= 0;
  }

  #placeOf(row: RowIdentity): number {
    return row === this.#table.rowAt(row.index) ? row.index : -1;
  }
}
