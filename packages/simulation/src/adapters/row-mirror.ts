/**
 * Keeps a plain object for every row of a table: `{ id, owner, x, y, ... }`. For what wants objects: user interfaces, scene
 * graphs, JSON. Births, changes and deaths are told. Once made, an object is only changed; numbers, booleans, names, texts
 * and vectors are copied without allocating, bytes and lists are made anew when they have changed.
 */
import type { Fields, Row, StateTable, Values } from "../state/index.ts";

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
  readonly #names: readonly string[];

  constructor(table: StateTable<F>, options: RowMirrorOptions<F> = {}) {
    this.objects = this.#objects;
    this.#table = table;
    this.#options = options;
    this.#names = table.definition.entries.map((entry) => entry.name);
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
      else if (readRow(table.rowAt(index), this.#names, object)) this.#options.changed?.(object);
    }
  }

  #add(index: number): void {
    const table = this.#table;
    const object = { id: table.idAt(index), owner: table.owners[index], ...table.copyValues(index) };
    this.#byIndex[index] = object;
    this.#objects.set(object.id, object);
    this.#options.added?.(object);
  }
}

/** Copies a row; returns whether anything was different. */
function readRow<F extends Fields>(row: Row<F>, names: readonly string[], object: MirrorObject<F>): boolean {
  const source: Readonly<Record<string, unknown>> = row;
  const target: Record<string, unknown> = object;
  let changed = object.owner !== row.owner;
  object.owner = row.owner;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const value = source[name];
    if (typeof value !== "object" || value === null) {
      if (target[name] === value) continue;
      target[name] = value;
    } else if (isPoint(value) && isPoint(target[name])) {
      if (!copyPoint(value, target[name])) continue;
    } else if (sameItems(value, target[name])) {
      continue;
    } else {
      target[name] = value instanceof Uint8Array ? value.slice() : Array.from(value as Iterable<unknown>);
    }
    changed = true;
  }
  return changed;
}

/** A vector or quaternion. */
interface Point {
  x: number;
  y: number;
  z?: number;
  w?: number;
}

function isPoint(value: unknown): value is Point {
  return typeof value === "object" && value !== null && "x" in value;
}

function copyPoint(from: Readonly<Point>, to: Point): boolean {
  if (from.x === to.x && from.y === to.y && from.z === to.z && from.w === to.w) return false;
  to.x = from.x;
  to.y = from.y;
  if (to.z !== undefined && from.z !== undefined) to.z = from.z;
  if (to.w !== undefined && from.w !== undefined) to.w = from.w;
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
