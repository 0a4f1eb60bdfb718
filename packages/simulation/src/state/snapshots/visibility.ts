import type { AnyTable } from "../state-table.ts";

/** Decides what a client may know of beyond the radius of its interest, say by line of sight. */
export interface VisibilityTest {
  /** Whether the client sees the row now. Asked for rows near enough that the client does not own. */
  sees(table: AnyTable, index: number): boolean;
  /** Ticks that a row stays known after it was seen last: nothing flickers at a corner. */
  readonly lingerTicks: number;
  /** Most tests for one snapshot; further rows have their turn in the next ones, and until then stay as they were. */
  readonly maxTests: number;
}

/**
 * Whose turn it is to be tested, in one client's snapshots: the rows of all tables go round, each snapshot from where the
 * one before had no tests left.
 */
export class SightTurns {
  #left = 0;
  #ranOut = false;
  /** Place of the table and index of the row that this snapshot's tests begin with, and the next one's. */
  #table = 0;
  #row = 0;
  #nextTable = 0;
  #nextRow = 0;

  /** Starts a snapshot, in which tables come in their order, and rows by rising index. */
  start(maxTests: number): void {
    this.#left = maxTests;
    this.#ranOut = false;
    this.#table = this.#nextTable;
    this.#row = this.#nextRow;
    this.#nextTable = 0;
    this.#nextRow = 0;
  }

  /** Takes a test for a row, if it is its turn. */
  take(table: number, row: number): boolean {
    if (this.#ranOut || table < this.#table || (table === this.#table && row < this.#row)) return false;
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    this.#ranOut = true;
    this.#nextTable = table;
    this.#nextRow = row;
    return false;
  }
}

/** Of one client and table: when each row was seen last. A row that has not been tested yet is hidden. */
export class VisibleRows {
  readonly #table: AnyTable;
  readonly #number: number;
  /** By index: id of the entity that was seen, and when. */
  readonly #ids: Int32Array;
  readonly #seenAt: Float64Array;
  #tick = 0;

  /** `number`: the table's place among the client's tables. */
  constructor(table: AnyTable, number: number) {
    this.#table = table;
    this.#number = number;
    this.#ids = new Int32Array(table.capacity).fill(-1);
    this.#seenAt = new Float64Array(table.capacity);
  }

  /** Starts a snapshot, in which rows come by rising index. */
  start(tick: number): void {
    this.#tick = tick;
  }

  isVisible(index: number, test: VisibilityTest, turns: SightTurns): boolean {
    if (turns.take(this.#number, index) && test.sees(this.#table, index)) {
      this.#ids[index] = this.#table.idAt(index);
      this.#seenAt[index] = this.#tick;
      return true;
    }
    return this.lingers(index, this.#tick, test);
  }

  /** Whether the row was seen so lately that it is still known at `tick`. */
  lingers(index: number, tick: number, test: VisibilityTest): boolean {
    return this.#ids[index] === this.#table.idAt(index) && tick - this.#seenAt[index] <= test.lingerTicks;
  }
}
