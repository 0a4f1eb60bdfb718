/**
 * Where a player looks from: the centre of what it is sent. It follows one entity of the player's, moves on to another
 * of the same table when that one is gone, and stays where it was while there is none.
 *
 * Which table is the game's to say (`interest.eye`); by default it is that of the first entity with a position
 * that the player ever owned, which is what `join` spawned.
 */
import type { RowIdentity } from "../state/index.ts";
import type { AnyWorldTable } from "./world.ts";

export class InterestEye {
  /** NaN until the player has had an entity to look from. */
  x: number = Number.NaN;
  y: number = Number.NaN;
  readonly #tables: readonly AnyWorldTable[];
  readonly #seat: number;
  #table: AnyWorldTable | undefined;
  #entity = -1;

  /** `tables`: all of the world; `table`: the one that is looked from, if the game says so. */
  constructor(tables: readonly AnyWorldTable[], seat: number, table: AnyWorldTable | undefined) {
    this.#tables = tables;
    this.#seat = seat;
    this.#table = table;
  }

  /** Whether the player has ever had a place to look from. */
  get isSomewhere(): boolean {
    return this.x === this.x && this.y === this.y;
  }

  /** The entity that is looked from; undefined while there is none. */
  get row(): RowIdentity | undefined {
    const index = this.#table?.indexOf(this.#entity) ?? -1;
    return index < 0 || this.#table?.owners[index] !== this.#seat ? undefined : this.#table.rowAt(index);
  }

  /** Takes the place where the entity is now. */
  update(): void {
    this.#table ??= this.#tables.find((table) => table.positionX !== undefined && firstOf(table, this.#seat) >= 0);
    const table = this.#table;
    if (table?.positionX === undefined || table.positionY === undefined) return;
    let index = table.indexOf(this.#entity);
    if (index < 0 || table.owners[index] !== this.#seat) {
      index = firstOf(table, this.#seat);
      if (index < 0) return;
      this.#entity = table.idAt(index);
    }
    this.x = table.positionX[index];
    this.y = table.positionY[index];
  }

  /** Whether (x, y) is within `radius`; false while there is nothing to look from. */
  reaches(x: number, y: number, radius: number): boolean {
    const dx = x - this.x;
    const dy = y - this.y;
    return dx * dx + dy * dy <= radius * radius;
  }
}

/** Index of the first row of this owner, or -1. */
function firstOf(table: AnyWorldTable, owner: number): number {
  for (let index = 0; index < table.highWater; index++)
    if (table.alive[index] === 1 && table.owners[index] === owner) return index;
  return -1;
}
