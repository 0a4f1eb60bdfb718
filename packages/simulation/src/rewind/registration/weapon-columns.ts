/** When the weapons of a table's rows may fire again, and what they have left: the columns of `weaponFields`. */
import { MAX_TICK } from "./weapon-fields.ts";
import { weaponFieldNames } from "./weapon-kit.ts";
import type { Weapon } from "./weapon-kit.ts";

export class WeaponColumns {
  /** By weapon. */
  readonly #readyAt: ReadonlyMap<string, Int32Array>;
  readonly #rounds: ReadonlyMap<string, Int32Array>;

  /** Throws `TypeError` when the table's state lacks fields that the weapons need. */
  constructor(weapons: readonly Weapon[], table: { readonly columns: object }) {
    this.#readyAt = columnsOf(table, weapons, ({ name, intervalTicks }) =>
      intervalTicks > 0 ? weaponFieldNames.readyAt(name) : "",
    );
    this.#rounds = columnsOf(table, weapons, ({ ammunition }) => ammunition);
  }

  /** Full, and it waits for nothing. */
  reset(index: number, weapon: Weapon): void {
    const readyAt = this.#readyAt.get(weapon.name);
    if (readyAt !== undefined) readyAt[index] = 0;
    this.reload(index, weapon);
  }

  /** Nothing for weapons without a magazine of their own. */
  reload(index: number, { name, magazine }: Weapon): void {
    const rounds = magazine > 0 ? this.#rounds.get(name) : undefined;
    if (rounds !== undefined) rounds[index] = magazine;
  }

  /** The first tick in which it may fire again; `-Infinity` when it always may. */
  readyAt(index: number, { name }: Weapon): number {
    return this.#readyAt.get(name)?.[index] ?? -Infinity;
  }

  /** What is left; `Infinity` when nothing counts it. */
  rounds(index: number, { name }: Weapon): number {
    return this.#rounds.get(name)?.[index] ?? Infinity;
  }

  pay(index: number, { name, intervalTicks, roundsPerShot }: Weapon, tick: number): void {
    const readyAt = this.#readyAt.get(name);
    if (readyAt !== undefined) readyAt[index] = Math.min(tick + intervalTicks, MAX_TICK);
    const rounds = this.#rounds.get(name);
    if (rounds !== undefined) rounds[index] -= roundsPerShot;
  }
}

function columnsOf(
  table: { readonly columns: object },
  weapons: readonly Weapon[],
  fieldOf: (weapon: Weapon) => string,
): ReadonlyMap<string, Int32Array> {
  const columns = new Map<string, Int32Array>();
  for (const weapon of weapons) {
    const field = fieldOf(weapon);
    if (field === "") continue;
    const column: unknown = Reflect.get(table.columns, field);
    if (!(column instanceof Int32Array))
      throw new TypeError(
        `${weapon.name}: the state has no whole number "${field}": spread weaponFields into defineState`,
      );
    columns.set(weapon.name, column);
  }
  return columns;
}
