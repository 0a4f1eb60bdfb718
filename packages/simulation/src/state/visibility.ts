import type { AnyTable } from "./state-table.ts";

/** Decides what a client may know of beyond the radius of its interest, say by line of sight. */
export interface VisibilityTest {
  /** Whether the client sees the row now. Asked for rows near enough that the client does not own. */
  sees(table: AnyTable, index: number): boolean;
  /** Ticks that a row stays known after it was seen last: nothing flickers at a corner. */
  readonly lingerTicks: number;
  /** Most tests for one snapshot; further rows have their turn in the next ones, and until then stay as they were. */
  readonly maxTests: number;
}

/** Of one client and table: when each row was seen last. A row that has not been tested yet is hidden. */
export class VisibleRows {
  readonly #table: AnyTable;
  /** By index: id of the entity that was seen, and when. */
  readonly #ids: Int32Array;
  readonly #seenAt: Float64Array;
  /** The rows from here on are tested in this snapshot, as far as tests are left. */
  #cursor = 0;
  #next = 0;
  #tick = 0;

  constructor(table: AnyTable) {
    this.#table = table;
    this.#ids = new Int32Array(table.capacity).fill(-1);
    this.#seenAt = new Float64Array(table.capacity);
  }

  /** Starts a snapshot, in which rows come by rising index. */
  start(tick: number): void {
    this.#cursor = this.#next;
    this.#next = 0;
    this.#tick = tick;
  }

  /** `testsLeft[0]` are the tests that this snapshot has left. */
  isVisible(index: number, test: VisibilityTest, testsLeft: Int32Array): boolean {
    const id = this.#table.idAt(index);
    const known = this.#ids[index] === id;
    if (index >= this.#cursor && this.#next === 0) {
      if (testsLeft[0] > 0) {
        testsLeft[0]--;
        if (test.sees(this.#table, index)) {
          this.#ids[index] = id;
          this.#seenAt[index] = this.#tick;
          return true;
        }
      } else this.#next = index;
    }
    return known && this.#tick - this.#seenAt[index] <= test.lingerTicks;
  }
}
