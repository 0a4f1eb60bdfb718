/** The settled records of a whole run, tick by tick: what other runs of the same game are held against. */
import { StateTable } from "../state/index.ts";
import type { Fields } from "../state/index.ts";
import type { AnyWorldTable } from "../game/world.ts";

/** Where two runs are apart at first. */
export interface Difference {
  readonly tick: number;
  /** Name of the table. */
  readonly table: string;
  /** Id of the entity and seat of its owner (-1: nobody's), in the first run if it is there. */
  readonly entity: number;
  readonly owner: number;
  /** The first field that differs; "owner", or "(exists)" when only one of the runs has the entity. */
  readonly field: string;
  /** Its value in the first run, and in the other one. */
  readonly expected: unknown;
  readonly actual: unknown;
}

/** How entities of two runs belong together: by id, or by owner, in the order of their ids. */
export type Pairing = "id" | "owner";

interface LoggedRow {
  readonly id: number;
  readonly owner: number;
  readonly words: Int32Array;
  readonly offset: number;
}

export class StateLog {
  readonly #names: readonly string[];
  /** Of each tick, for each table: the number of rows; for each row: id, owner, record. */
  #ints = new Int32Array(1 << 16);
  #end = 0;
  readonly #starts: number[] = [];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Appends the state after the next tick; the first is tick 0. */
  record(tables: readonly AnyWorldTable[]): void {
    this.#starts.push(this.#end);
    for (const table of tables) {
      const { highWater, alive, owners, wordCount } = table;
      this.#reserve(1 + table.count * (wordCount + 2));
      const ints = this.#ints;
      ints[this.#end++] = table.count;
      for (let index = 0; index < highWater; index++) {
        if (alive[index] === 0) continue;
        ints[this.#end++] = table.idAt(index);
        ints[this.#end++] = owners[index];
        table.readWords(index, ints, this.#end);
        this.#end += wordCount;
      }
    }
  }

  /** A hash over every record of a tick: MurmurHash3 of its 32-bit words. */
  checksum(tick: number): number {
    const end = tick + 1 < this.#starts.length ? this.#starts[tick + 1] : this.#end;
    let hash = 0;
    for (let at = this.#starts[tick]; at < end; at++) {
      let word = Math.imul(this.#ints[at], 0xcc9e2d51);
      word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
      hash ^= word;
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  /** Where these tables differ from what was recorded at `tick`; `undefined` when they do not. */
  compare(tick: number, tables: readonly AnyWorldTable[], pairing: Pairing): Difference | undefined {
    let at = this.#starts[tick];
    for (let t = 0; t < tables.length; t++) {
      const table = tables[t];
      const expected: LoggedRow[] = [];
      for (let count = this.#ints[at++]; count > 0; count--) {
        expected.push({ id: this.#ints[at], owner: this.#ints[at + 1], words: this.#ints, offset: at + 2 });
        at += 2 + table.wordCount;
      }
      const actual = rowsOf(table);
      const found =
        pairing === "id"
          ? compareRows(table, keyById(expected), keyById(actual), pairing)
          : compareRows(table, keyByOwner(expected), keyByOwner(actual), pairing);
      if (found !== undefined) return { tick, table: this.#names[t], ...found };
    }
    return undefined;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#ints.length) return;
    if (this.#end + length > MAX_LOG_WORDS)
      throw new RangeError(`checkDeterminism: the states of ${this.#starts.length} ticks exceed 256 MiB; check fewer`);
    const ints = new Int32Array(Math.min(MAX_LOG_WORDS, Math.max(this.#ints.length * 2, this.#end + length)));
    ints.set(this.#ints);
    this.#ints = ints;
  }
}

const MAX_LOG_WORDS = 1 << 26;

function rowsOf(table: AnyWorldTable): LoggedRow[] {
  const rows: LoggedRow[] = [];
  for (const { id, owner, index } of table.all())
    rows.push({ id, owner, words: table.words, offset: index * table.wordCount });
  return rows;
}

function keyById(rows: readonly LoggedRow[]): Map<string, LoggedRow> {
  return new Map(rows.map((row) => [String(row.id), row]));
}

/** Rows of nobody are left out: nothing says which is which. */
function keyByOwner(rows: readonly LoggedRow[]): Map<string, LoggedRow> {
  const counts = new Map<number, number>();
  const keyed = new Map<string, LoggedRow>();
  for (const row of rows) {
    if (row.owner < 0) continue;
    const count = counts.get(row.owner) ?? 0;
    counts.set(row.owner, count + 1);
    keyed.set(`${row.owner} ${count}`, row);
  }
  return keyed;
}

type RowDifference = Omit<Difference, "tick" | "table">;

function compareRows(
  table: AnyWorldTable,
  expected: ReadonlyMap<string, LoggedRow>,
  actual: ReadonlyMap<string, LoggedRow>,
  pairing: Pairing,
): RowDifference | undefined {
  for (const [key, row] of expected) {
    const other = actual.get(key);
    if (other === undefined) return exists(row, true);
    if (row.owner !== other.owner)
      return { entity: row.id, owner: row.owner, field: "owner", expected: row.owner, actual: other.owner };
    for (const { name, field, word, wordCount } of table.definition.entries) {
      // Who joins in another order has another id.
      if (pairing === "owner" && field.kind === "entity") continue;
      for (let i = word; i < word + wordCount; i++) {
        if (row.words[row.offset + i] === other.words[other.offset + i]) continue;
        return { entity: row.id, owner: row.owner, field: name, ...values(table, name, row, other) };
      }
    }
  }
  for (const [key, row] of actual) if (!expected.has(key)) return exists(row, false);
  return undefined;
}

function exists(row: LoggedRow, expected: boolean): RowDifference {
  return { entity: row.id, owner: row.owner, field: "(exists)", expected, actual: !expected };
}

/** The field's values in two records. */
function values(
  table: AnyWorldTable,
  field: string,
  row: LoggedRow,
  other: LoggedRow,
): { expected: unknown; actual: unknown } {
  const reader = new StateTable<Fields>(table.definition, { capacity: 1 });
  reader.insert(0, -1);
  const read = (from: LoggedRow): unknown => {
    reader.writeWords(0, from.words, from.offset);
    return reader.copyValues(0)[field];
  };
  return { expected: read(row), actual: read(other) };
}
