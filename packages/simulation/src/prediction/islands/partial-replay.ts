/**
 * Replays only what a correction can have changed, for a game that says which rows may influence each other.
 *
 * A row is *wrong* after a tick when its corrected record differs from the one that was predicted. In the next tick only
 * rows can become different that are in an island with a wrong one, in the corrected world or in the predicted one. So
 * these are stepped, and all others take the record that was predicted. When no row is wrong any more, the rest of the
 * prediction stands as it is.
 */
import type { States, World } from "../../game/world.ts";
import type { AnyWorldTable } from "../../game/world.ts";
import type { HistoryBudget } from "../history-budget.ts";
import type { StateHistory } from "../state-history.ts";
import { IslandHistory } from "./island-history.ts";
import { IslandSet } from "./island-set.ts";
import type { IslandFinder } from "./island-set.ts";

export interface IslandStats {
  /** Corrections that replayed islands, and those that replayed everything because rows had come or gone. */
  partialReplays: number;
  fullReplays: number;
  /** Rows that were stepped in partial replays, and those that were not. */
  steppedRows: number;
  sparedRows: number;
  /** Ticks that needed no replay at all since nothing was wrong any more. */
  sparedTicks: number;
}

export interface IslandTable {
  readonly table: AnyWorldTable;
  readonly history: StateHistory;
}

export class PartialReplay {
  readonly stats: IslandStats = { partialReplays: 0, fullReplays: 0, steppedRows: 0, sparedRows: 0, sparedTicks: 0 };
  readonly #find: IslandFinder;
  readonly #world: World<States>;
  readonly #tables: readonly IslandTable[];
  readonly #set: IslandSet;
  readonly #history: IslandHistory;
  /** By number of the row: index in its table, whether it is wrong, is stepped, and its island of this tick. */
  #indices = new Int32Array(16);
  #wrong = new Uint8Array(16);
  #stepped = new Uint8Array(16);
  #islands = new Int32Array(16);
  /** By number of an island: whether one of its rows is wrong. */
  #touched = new Uint8Array(16);
  /** By table: number of its first row; then of all rows. */
  readonly #firsts: Int32Array;

  constructor(
    find: IslandFinder,
    world: World<States>,
    tables: readonly IslandTable[],
    ringTicks: number,
    budget: HistoryBudget,
  ) {
    this.#find = find;
    this.#world = world;
    this.#tables = tables;
    this.#set = new IslandSet(tables.map(({ table }) => table));
    this.#history = new IslandHistory(ringTicks, budget);
    this.#firsts = new Int32Array(tables.length + 1);
  }

  clear(): void {
    this.#history.clear();
  }

  /** Keeps the islands after `tick`, which has just been simulated. */
  record(tick: number): void {
    const drew = this.#world.random.isDrawn;
    this.#number();
    this.#find(this.#world, this.#set);
    const { count } = this.#set;
    if (!this.#history.open(tick, count)) return;
    this.#history.noteDraw(tick, drew);
    const at = this.#history.at(tick);
    const { islands, owners } = this.#history;
    for (let i = 0; i < count; i++) islands[at + i] = this.#set.find(i);
    for (let t = 0; t < this.#tables.length; t++)
      for (let i = this.#firsts[t]; i < this.#firsts[t + 1]; i++)
        owners[at + i] = this.#tables[t].table.owners[this.#indices[i]];
  }

  /**
   * The tables hold the corrected state after `tick`, the histories what was predicted up to `predictedTick`. Goes on to
   * `stop` at most with `simulate`, which runs the game's step for the simulated rows. Returns the tick that the tables and
   * the histories are at then; -1 when nothing was done because rows have come or gone.
   */
  run(tick: number, predictedTick: number, stop: number, simulate: (tick: number) => void): number {
    this.#number();
    if (stop < tick || !this.#fits(tick, predictedTick)) {
      this.stats.fullReplays++;
      return -1;
    }
    this.stats.partialReplays++;
    this.#world.tick = tick;
    this.#stepped.fill(1);
    let wrong = this.#compare(tick);
    for (let now = tick; ;) {
      if (wrong === 0) {
        this.stats.sparedTicks += stop - now;
        this.#restore(stop, false);
        return stop;
      }
      this.#link(now);
      if (now === stop) return stop;
      this.#choose(this.#history.drewAt(now + 1));
      simulate(++now);
      const isWhole = this.#settle();
      const drew = this.#world.random.isDrawn;
      this.#restore(now, true);
      if (!isWhole) {
        for (let t = 0; t < this.#tables.length; t++) this.#tables[t].history.record(now, this.#tables[t].table);
        this.record(now);
        this.#history.noteDraw(now, drew);
        return now;
      }
      this.#history.noteDraw(now, drew);
      wrong = this.#compare(now);
    }
  }

  #number(): void {
    const set = this.#set;
    set.begin();
    if (set.count > this.#indices.length) {
      this.#indices = new Int32Array(set.count * 2);
      this.#wrong = new Uint8Array(set.count * 2);
      this.#stepped = new Uint8Array(set.count * 2);
      this.#islands = new Int32Array(set.count * 2);
      this.#touched = new Uint8Array(set.count * 2);
    }
    let count = 0;
    for (let t = 0; t < this.#tables.length; t++) {
      const { simulated, highWater } = this.#tables[t].table;
      this.#firsts[t] = count;
      for (let index = 0; index < highWater; index++) if (simulated[index] === 1) this.#indices[count++] = index;
    }
    this.#firsts[this.#tables.length] = count;
  }

  /** Whether the rows have been the same in all ticks. */
  #fits(tick: number, predictedTick: number): boolean {
    for (let past = tick; past <= predictedTick; past++) {
      if (!this.#history.has(past, this.#set.count)) return false;
      for (let t = 0; t < this.#tables.length; t++) {
        const { table, history } = this.#tables[t];
        const first = this.#firsts[t];
        const count = this.#firsts[t + 1] - first;
        if (!history.has(past) || history.count(past) !== count) return false;
        for (let place = 0; place < count; place++)
          if (history.idAt(past, place) !== table.idAt(this.#indices[first + place])) return false;
      }
    }
    return true;
  }

  /** Finds which of the stepped rows are wrong, and makes the history right. Returns how many. */
  #compare(tick: number): number {
    const { owners } = this.#history;
    const at = this.#history.at(tick);
    let wrong = 0;
    for (let t = 0; t < this.#tables.length; t++) {
      const { table, history } = this.#tables[t];
      const first = this.#firsts[t];
      for (let i = first; i < this.#firsts[t + 1]; i++) {
        this.#wrong[i] = 0;
        if (this.#stepped[i] === 0) continue;
        const index = this.#indices[i];
        if (owners[at + i] === table.owners[index] && isKept(table, index, history, tick, i - first)) continue;
        this.#wrong[i] = 1;
        wrong++;
        owners[at + i] = table.owners[index];
        history.rewrite(tick, i - first, table, index);
      }
    }
    return wrong;
  }

  /** Finds the islands of the corrected world, which are kept, joined with those of the predicted one. */
  #link(tick: number): void {
    const set = this.#set;
    set.begin();
    this.#find(this.#world, set);
    const { islands } = this.#history;
    const at = this.#history.at(tick);
    for (let i = 0; i < set.count; i++) this.#islands[i] = set.find(i);
    for (let i = 0; i < set.count; i++) {
      set.union(i, islands[at + i]);
      islands[at + i] = this.#islands[i];
    }
  }

  /** What is in an island with a wrong row is stepped, or all of it. */
  #choose(all: boolean): void {
    const set = this.#set;
    this.#touched.fill(0, 0, set.count);
    for (let i = 0; i < set.count; i++) if (this.#wrong[i] === 1) this.#touched[set.find(i)] = 1;
    for (let t = 0; t < this.#tables.length; t++) {
      const { simulated } = this.#tables[t].table;
      for (let i = this.#firsts[t]; i < this.#firsts[t + 1]; i++) {
        const stepped = all ? 1 : this.#touched[set.find(i)];
        this.#stepped[i] = stepped;
        simulated[this.#indices[i]] = stepped;
        if (stepped === 1) this.stats.steppedRows++;
        else this.stats.sparedRows++;
      }
    }
  }

  /** Settles what was stepped; false when a row of it is gone. */
  #settle(): boolean {
    let isWhole = true;
    for (let t = 0; t < this.#tables.length; t++) {
      const { table } = this.#tables[t];
      table.settle();
      for (let i = this.#firsts[t]; i < this.#firsts[t + 1]; i++)
        if (this.#stepped[i] === 1 && table.simulated[this.#indices[i]] === 0) isWhole = false;
    }
    return isWhole;
  }

  /** Gives rows the record that was predicted for a tick: all of them, or those that were not stepped. */
  #restore(tick: number, onlySpared: boolean): void {
    const { owners } = this.#history;
    const at = this.#history.at(tick);
    for (let t = 0; t < this.#tables.length; t++) {
      const { table, history } = this.#tables[t];
      const first = this.#firsts[t];
      for (let i = first; i < this.#firsts[t + 1]; i++) {
        if (onlySpared && this.#stepped[i] === 1) continue;
        const index = this.#indices[i];
        table.simulated[index] = 1;
        table.owners[index] = owners[at + i];
        if (!isKept(table, index, history, tick, i - first))
          table.writeWords(index, history.words, history.offsetAt(tick, i - first));
      }
    }
  }
}

/** Whether a row is as the history has it. */
function isKept(table: AnyWorldTable, index: number, history: StateHistory, tick: number, place: number): boolean {
  const { words, wordCount } = table;
  const kept = history.words;
  const from = index * wordCount;
  const at = history.offsetAt(tick, place);
  for (let i = 0; i < wordCount; i++) if (words[from + i] !== kept[at + i]) return false;
  return true;
}
