/** Islands and owners of the predicted rows of the last ticks, and whether `world.random` was drawn from. */
import type { HistoryBudget } from "../history-budget.ts";

export class IslandHistory {
  readonly #ringTicks: number;
  readonly #budget: HistoryBudget;
  readonly #ticks: Int32Array;
  readonly #counts: Int32Array;
  readonly #draws: Uint8Array;
  #rows = 0;
  /** Where in `islands` and `owners` a tick begins: `at(tick)`. */
  islands: Int32Array = new Int32Array(0);
  owners: Int32Array = new Int32Array(0);

  /** `ringTicks`: a power of two. */
  constructor(ringTicks: number, budget: HistoryBudget) {
    this.#ringTicks = ringTicks;
    this.#budget = budget;
    this.#ticks = new Int32Array(ringTicks).fill(-1);
    this.#counts = new Int32Array(ringTicks);
    this.#draws = new Uint8Array(ringTicks);
  }

  /** Makes room for so many rows of a tick; false when the budget has none. */
  open(tick: number, count: number): boolean {
    const slot = tick & (this.#ringTicks - 1);
    this.#ticks[slot] = -1;
    if (count > this.#rows && !this.#grow(count)) return false;
    this.#ticks[slot] = tick;
    this.#counts[slot] = count;
    return true;
  }

  has(tick: number, count: number): boolean {
    const slot = tick & (this.#ringTicks - 1);
    return this.#ticks[slot] === tick && this.#counts[slot] === count;
  }

  at(tick: number): number {
    return (tick & (this.#ringTicks - 1)) * this.#rows;
  }

  drewAt(tick: number): boolean {
    return this.#draws[tick & (this.#ringTicks - 1)] === 1;
  }

  noteDraw(tick: number, drew: boolean): void {
    this.#draws[tick & (this.#ringTicks - 1)] = drew ? 1 : 0;
  }

  clear(): void {
    this.#ticks.fill(-1);
  }

  /** What was kept is given up: it is there again some ticks later. */
  #grow(count: number): boolean {
    const rows = Math.max(count, this.#rows * 2, 8);
    if (!this.#budget.replace(this.#ringTicks * this.#rows * 8, this.#ringTicks * rows * 8)) return false;
    this.#rows = rows;
    this.islands = new Int32Array(this.#ringTicks * rows);
    this.owners = new Int32Array(this.#ringTicks * rows);
    this.#ticks.fill(-1);
    return true;
  }
}
