/**
 * What a client predicted for its own entities of one table, tick by tick: what the server's word
 * is compared with. A ring of ticks; in each tick, the settled records of the predicted rows by
 * rising index. It grows with the number of predicted rows as far as the budget allows, and never shrinks; rows that
 * find no room are not kept.
 */
import type { AnyTable } from "../state/index.ts";
import type { HistoryBudget } from "./history-budget.ts";

export class StateHistory {
  readonly ringTicks: number;
  readonly #wordCount: number;
  /** Words of an entry: the id and the record. */
  readonly #stride: number;
  /** For each tick of the ring: the tick, and how many entries it has. */
  readonly #heads: Int32Array;
  readonly #budget: HistoryBudget | undefined;
  #rows = 2;
  /** Rows that the budget had no room for. */
  #refusedRows = Infinity;
  #words: Int32Array;

  /** `ringTicks`: a power of two. Room for two rows is taken whatever the budget. */
  constructor(wordCount: number, ringTicks: number, budget?: HistoryBudget) {
    this.#budget = budget;
    if (budget !== undefined) budget.usedBytes += ringTicks * this.#rows * (wordCount + 1) * 4;
    this.ringTicks = ringTicks;
    this.#wordCount = wordCount;
    this.#stride = wordCount + 1;
    this.#heads = new Int32Array(ringTicks * 2).fill(-1);
    this.#words = new Int32Array(ringTicks * this.#rows * this.#stride);
  }

  /** The records; offsets from `offsetOf` and `offsetAt` point into it. A `record` may replace it. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Keeps the simulated rows of `table`, which are settled, as the state after `tick`. */
  record(tick: number, table: AnyTable): void {
    const at = tick & (this.ringTicks - 1);
    const { highWater, simulated } = table;
    let count = 0;
    for (let index = 0; index < highWater; index++) {
      if (simulated[index] === 0) continue;
      if (count === this.#rows && !this.#grow(table.capacity)) break;
      this.#keep(at * this.#rows + count, table, index);
      count++;
    }
    this.#heads[2 * at] = tick;
    this.#heads[2 * at + 1] = count;
  }

  /** Replaces the record at `place` of a tick by that of the row at `index`. */
  rewrite(tick: number, place: number, table: AnyTable, index: number): void {
    this.#keep((tick & (this.ringTicks - 1)) * this.#rows + place, table, index);
  }

  has(tick: number): boolean {
    return tick >= 0 && this.#heads[2 * (tick & (this.ringTicks - 1))] === tick;
  }

  /** Rows kept of a tick that it `has`. */
  count(tick: number): number {
    return this.#heads[2 * (tick & (this.ringTicks - 1)) + 1];
  }

  idAt(tick: number, place: number): number {
    return this.#words[((tick & (this.ringTicks - 1)) * this.#rows + place) * this.#stride];
  }

  /** Where in `words` the record at `place` of a tick is. */
  offsetAt(tick: number, place: number): number {
    return ((tick & (this.ringTicks - 1)) * this.#rows + place) * this.#stride + 1;
  }

  /** Where in `words` the record of an entity after `tick` is; -1 when it is not kept. */
  offsetOf(tick: number, id: number): number {
    if (!this.has(tick)) return -1;
    const count = this.count(tick);
    for (let place = 0; place < count; place++) if (this.idAt(tick, place) === id) return this.offsetAt(tick, place);
    return -1;
  }

  clear(): void {
    this.#heads.fill(-1);
  }

  #keep(entry: number, table: AnyTable, index: number): void {
    const wordCount = this.#wordCount;
    const from = table.words;
    const words = this.#words;
    let to = entry * this.#stride;
    words[to++] = table.idAt(index);
    const end = (index + 1) * wordCount;
    for (let at = index * wordCount; at < end; at++) words[to++] = from[at];
  }

  /** False when there is no room. */
  #grow(capacity: number): boolean {
    const old = this.#rows;
    const rows = Math.min(old * 2, Math.max(capacity, old + 1));
    if (rows >= this.#refusedRows) return false;
    const rowBytes = this.ringTicks * this.#stride * 4;
    if (this.#budget?.replace(old * rowBytes, rows * rowBytes) === false) {
      this.#refusedRows = rows;
      return false;
    }
    const length = old * this.#stride;
    const words = new Int32Array(this.ringTicks * rows * this.#stride);
    for (let at = 0; at < this.ringTicks; at++)
      words.set(this.#words.subarray(at * length, at * length + length), at * rows * this.#stride);
    this.#rows = rows;
    this.#words = words;
    return true;
  }
}
