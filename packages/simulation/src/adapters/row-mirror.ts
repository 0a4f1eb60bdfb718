/**
 * Keeps a plain object for every row of a table: `{ id, owner, x, y, ... }`. For what wants objects: user interfaces, scene
 * graphs, JSON. Births, changes and deaths are told. Once made, an object is only changed.
 *
 * What has not changed costs no allocation. A number with a fraction that has changed costs what V8 takes to keep it in an
 * object (16 bytes); bytes and lists that have changed are copied anew.
 */
import type { Fields, StateTable, Values } from "../state/index.ts";
import { isNumberColumn } from "../state/fields/number-column.ts";
import type { NumberColumn } from "../state/fields/number-column.ts";

/** The values of a row by themselves. */
export type MirrorObject<F extends Fields> = Values<F> & { id: number; owner: number };

export interface RowMirrorOptions<F extends Fields> {
  readonly added?: (object: MirrorObject<F>) => void;
  /** Some field or the owner has another value than at the last `sync`. */
  readonly changed?: (object: MirrorObject<F>) => void;
  /** The object as it was last. */
  readonly removed?: (object: MirrorObject<F>) => void;
}

export class RowMirror<F extends Fields> {
  /** The objects by id of the entity, oldest first. */
  readonly objects: ReadonlyMap<number, MirrorObject<F>>;
  readonly #objects = new Map<number, MirrorObject<F>>();
  /** The same by index of the row. */
  readonly #byIndex: (MirrorObject<F> | undefined)[];
  readonly #table: StateTable<F>;
  readonly #options: RowMirrorOptions<F>;
  readonly #tracks: readonly Track[];
  /** Fields that are no numbers: texts, bytes, lists. */
  readonly #others: readonly string[];

  constructor(table: StateTable<F>, options: RowMirrorOptions<F> = {}) {
    this.objects = this.#objects;
    this.#table = table;
    this.#options = options;
    const columns: Readonly<Record<string, unknown>> = table.columns;
    const names = table.definition.entries.map((entry) => entry.name);
    this.#tracks = names.flatMap((name) => tracksOf(name, columns[name], table.capacity));
    this.#others = names.filter((name) => !this.#tracks.some((track) => track.name === name));
    this.#byIndex = Array.from({ length: table.capacity }, () => undefined);
  }

  get(id: number): MirrorObject<F> | undefined {
    return this.#objects.get(id);
  }

  /** Brings the objects up to date with the table. */
  sync(): void {
    const table = this.#table;
    const byIndex = this.#byIndex;
    for (let index = 0; index < byIndex.length; index++) {
      const object = byIndex[index];
      if (object === undefined || table.indexOf(object.id) === index) continue;
      byIndex[index] = undefined;
      this.#objects.delete(object.id);
      this.#options.removed?.(object);
    }
    for (let index = 0; index < table.highWater; index++) {
      if (table.alive[index] === 0) continue;
      const object = byIndex[index];
      if (object === undefined) this.#add(index);
      else if (this.#update(index, object)) this.#options.changed?.(object);
    }
  }

  #add(index: number): void {
    const table = this.#table;
    const object = { id: table.idAt(index), owner: table.owners[index], ...table.copyValues(index) };
    for (const { column, seen } of this.#tracks) seen[index] = column[index];
    this.#byIndex[index] = object;
    this.#objects.set(object.id, object);
    this.#options.added?.(object);
  }

  /** Returns whether anything was different. */
  #update(index: number, object: MirrorObject<F>): boolean {
    const table = this.#table;
    let changed = object.owner !== table.owners[index];
    if (changed) object.owner = table.owners[index];
    for (let i = 0; i < this.#tracks.length; i++) {
      const { name, part, column, seen } = this.#tracks[i];
      if (column[index] === seen[index]) continue;
      seen[index] = column[index];
      changed = true;
      const target = object as Record<string, unknown>;
      if (part === undefined) target[name] = table.valueAt(index, name);
      else (target[name] as Record<string, number>)[part] = column[index];
    }
    for (let i = 0; i < this.#others.length; i++)
      if (copyOther(table.rowAt(index), object, this.#others[i])) changed = true;
    return changed;
  }
}

/** A column of numbers, and what it held when it was copied last. */
interface Track {
  readonly name: string;
  /** Of a vector or quaternion. */
  readonly part: string | undefined;
  readonly column: NumberColumn;
  readonly seen: Float64Array;
}

function tracksOf(name: string, storage: unknown, capacity: number): Track[] {
  if (isNumberColumn(storage)) return [{ name, part: undefined, column: storage, seen: new Float64Array(capacity) }];
  if (typeof storage !== "object" || storage === null || !("x" in storage)) return [];
  return Object.entries(storage).flatMap(([part, column]) =>
    isNumberColumn(column) ? [{ name, part, column, seen: new Float64Array(capacity) }] : [],
  );
}

function copyOther(source: Readonly<Record<string, unknown>>, target: Record<string, unknown>, name: string): boolean {
  const value = source[name];
  if (typeof value !== "object" || value === null) {
    if (target[name] === value) return false;
    target[name] = value;
    return true;
  }
  if (sameItems(value, target[name])) return false;
  target[name] = value instanceof Uint8Array ? value.slice() : Array.from(value as Iterable<unknown>);
  return true;
}

/** Whether two lists or byte arrays hold the same simple values. */
function sameItems(a: object, b: unknown): boolean {
  const mine = a as Items;
  const its = b as Items;
  if (mine.length !== its.length) return false;
  for (let i = 0; i < mine.length; i++) if (mine.at(i) !== its.at(i)) return false;
  return true;
}

interface Items {
  readonly length: number;
  at(index: number): unknown;
}
