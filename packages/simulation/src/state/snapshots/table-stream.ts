import type { BitWriter } from "@riposte/wire";
import type { InterestGrid } from "./interest-grid.ts";
import { NO_TICK } from "./snapshot-format.ts";
import { PROMISED } from "./snapshot-candidates.ts";
import type { SnapshotCandidates } from "./snapshot-candidates.ts";
import type { AnyTable } from "../state-table.ts";
import type { PriorityRule } from "./priority-rule.ts";
import { CHANGED, CHANGED_CHOSEN, NEW, NEW_CHOSEN, SAME } from "./table-encoder.ts";
import type { TableEncoder, TableSelection } from "./table-encoder.ts";
import type { TableView } from "./table-view.ts";
import { VisibleRows } from "./visibility.ts";
import type { SightTurns, VisibilityTest } from "./visibility.ts";

/**
 * One table's part in one client's snapshots: finds what the client should know, compares it with what it does know,
 * and has its encoder write the difference. A snapshot takes three calls: `collect` (what has changed, what it costs),
 * `write`, and `commit` (what the client will know when the snapshot arrives). When there is no room for all that was
 * collected, `claim` says for each how much it should be in.
 */

/** What is relevant to a client. */
export interface Relevance {
  viewX: number;
  viewY: number;
  readonly radius: number;
  /** An entity is kept until it is this much further away than where it came in. */
  readonly leaveRadius: number;
  readonly grid: InterestGrid | undefined;
  /** What is near enough must also be seen. */
  readonly visibility: VisibilityTest | undefined;
  readonly turns: SightTurns;
  /** Who goes first beyond that. */
  readonly priority: PriorityRule | undefined;
}

export class TableStream {
  readonly table: AnyTable;
  readonly #encoder: TableEncoder;
  readonly #selection: TableSelection;
  readonly #clientId: number;
  readonly #number: number;
  readonly #weight: number;
  readonly #marks: Uint8Array;
  /** By index: id of the entity that is inside the client's interest, or -1; its claim on the budget. */
  readonly #inside: Int32Array;
  readonly #claims: Float64Array;
  /** By index: 1 once the entity inside has been sent, so the client may show it. */
  readonly #told: Uint8Array;
  #visible: VisibleRows | undefined;

  constructor(table: AnyTable, number: number, clientId: number, encoder: TableEncoder) {
    this.table = table;
    this.#number = number;
    this.#clientId = clientId;
    this.#encoder = encoder;
    this.#weight = "priority" in table.definition ? Number(table.definition.priority) : 1;
    this.#selection = {
      relevant: new Int32Array(table.capacity),
      relevantCount: 0,
      status: new Uint8Array(table.capacity),
      leaving: new Uint8Array(16),
      leaves: 0,
      stays: 0,
      changed: 0,
      added: 0,
      left: 0,
    };
    this.#marks = new Uint8Array(table.capacity);
    this.#inside = new Int32Array(table.capacity).fill(-1);
    this.#claims = new Float64Array(table.capacity);
    this.#told = new Uint8Array(table.capacity);
  }

  /** Compares the table with the view of the baseline and adds what could be sent to `candidates`. */
  collect(tick: number, base: TableView, older: TableView, relevance: Relevance, candidates: SnapshotCandidates): void {
    const { table } = this;
    const selection = this.#selection;
    const end = table.highWater;
    if (selection.leaving.length < base.count) selection.leaving = new Uint8Array(base.ids.length);
    selection.leaves = 0;
    selection.stays = 0;
    selection.relevantCount = 0;
    this.#encoder.start(tick, base, older);
    if (relevance.visibility !== undefined) (this.#visible ??= new VisibleRows(table, this.#number)).start(tick);
    const hasPosition = table.positionX !== undefined && table.positionY !== undefined;
    const useGrid = relevance.grid !== undefined && relevance.leaveRadius < Infinity && hasPosition;
    if (useGrid) relevance.grid?.mark(table, relevance.viewX, relevance.viewY, relevance.leaveRadius, this.#marks);
    let entry = 0;
    for (let index = 0; index < end; index++) {
      // Far away before and now: most rows of a large world.
      if (useGrid && this.#marks[index] === 0 && this.#inside[index] < 0 && table.owners[index] !== this.#clientId)
        continue;
      while (entry < base.count && base.indexAt(entry) < index) this.#leave(entry++);
      const known = entry < base.count && base.indexAt(entry) === index;
      const relevant = table.alive[index] === 1 && this.#isRelevant(index, relevance, useGrid);
      const id = table.idAt(index);
      if (!relevant) {
        this.#inside[index] = -1;
        if (known) this.#leave(entry++);
        continue;
      }
      if (this.#inside[index] !== id) {
        this.#inside[index] = id;
        this.#claims[index] = 0;
        this.#told[index] = 0;
      }
      selection.relevant[selection.relevantCount++] = index;
      if (!known) this.#offerNew(index, candidates);
      else if (base.ids[entry] === id && base.owners[entry] === table.owners[index]) {
        selection.leaving[entry] = 0;
        selection.stays++;
        this.#offerChange(index, entry++, candidates);
      } else {
        this.#leave(entry++);
        this.#offerNew(index, candidates);
      }
    }
    while (entry < base.count) this.#leave(entry++);
    if (useGrid) this.#marks.fill(0, 0, end);
  }

  /**
   * There is no room for everybody: raises the claim of a candidate, which grows with every snapshot that leaves the
   * entity out, faster for what is near, and leaves it in `claims[at]`. The client's own always come first.
   */
  claim(index: number, relevance: Relevance, claims: Float64Array, at: number): void {
    const { table } = this;
    if (table.owners[index] === this.#clientId) {
      claims[at] = this.#claims[index] = Infinity;
      return;
    }
    const { viewX, viewY, radius, priority } = relevance;
    const { positionX, positionY } = table;
    let divisor = 1;
    if (positionX !== undefined && positionY !== undefined) {
      const x = positionX[index] - viewX;
      const y = positionY[index] - viewY;
      const distance = Math.sqrt(x * x + y * y);
      // Seen from nowhere everything is equally far.
      if (distance >= 0) divisor += distance / (radius < Infinity ? radius / 4 : 16);
    }
    const factor = priority === undefined ? 1 : priority.factor(table, index);
    // To a client that has it from a snapshot it has not acknowledged yet, a snapshot without it says that it is gone.
    const promised = this.#selection.status[index] === NEW && this.#told[index] === 1;
    const before = this.#claims[index] >= PROMISED ? 0 : this.#claims[index];
    claims[at] = this.#claims[index] = before + (promised ? PROMISED : 0) + (this.#weight * factor) / divisor;
  }

  /** A candidate was chosen for this snapshot. */
  choose(index: number): void {
    const { status } = this.#selection;
    status[index] = status[index] === NEW ? NEW_CHOSEN : CHANGED_CHOSEN;
  }

  /** Whether the client sees a row at `tick`, or has seen it so lately that snapshots still tell of it. */
  sees(index: number, tick: number, { visibility }: Relevance): boolean {
    const { positionX, positionY, owners } = this.table;
    if (visibility === undefined || positionX === undefined || positionY === undefined) return true;
    if (owners[index] === this.#clientId) return true;
    return this.#visible?.lingers(index, tick, visibility) === true || visibility.sees(this.table, index);
  }

  /** Whether the client has been sent a row, and the snapshot of `tick`, from this view, will not say that it is gone. */
  keeps(index: number, tick: number, viewX: number, viewY: number, relevance: Relevance): boolean {
    if (this.#inside[index] !== this.table.idAt(index) || this.#told[index] === 0) return false;
    const { positionX, positionY } = this.table;
    if (positionX !== undefined && positionY !== undefined && relevance.leaveRadius < Infinity) {
      const x = positionX[index] - viewX;
      const y = positionY[index] - viewY;
      if (!(Math.sqrt(x * x + y * y) <= relevance.leaveRadius)) return false;
    }
    return this.sees(index, tick, relevance);
  }

  /** Takes back every choice. */
  unchoose(): void {
    const { relevant, relevantCount, status } = this.#selection;
    for (let n = 0; n < relevantCount; n++) {
      const index = relevant[n];
      if (status[index] === CHANGED_CHOSEN) status[index] = CHANGED;
      else if (status[index] === NEW_CHOSEN) status[index] = NEW;
    }
  }

  /** Bits that say what stays, leaves and is left out, at most. */
  get overheadBits(): number {
    return this.#encoder.overheadBits(this.#selection);
  }

  /** Writes what was chosen; `view` is the one that `commit` will fill. */
  write(base: TableView, view: TableView, writer: BitWriter): void {
    const selection = this.#selection;
    const { relevant, relevantCount, status } = selection;
    selection.changed = 0;
    selection.added = 0;
    selection.left = 0;
    for (let n = 0; n < relevantCount; n++) {
      const of = status[relevant[n]];
      if (of === CHANGED_CHOSEN) selection.changed++;
      else if (of === NEW_CHOSEN) selection.added++;
      else if (of === CHANGED) selection.left++;
    }
    this.#encoder.write(selection, base, view, writer);
  }

  /** Makes `view` what the client knows once it has this snapshot. */
  commit(tick: number, base: TableView, view: TableView): void {
    const { table } = this;
    const { relevant, relevantCount } = this.#selection;
    view.count = 0;
    let entry = 0;
    for (let n = 0; n < relevantCount; n++) {
      const index = relevant[n];
      while (entry < base.count && base.indexAt(entry) < index) entry++;
      const status = this.#selection.status[index];
      if (status === NEW) continue;
      if (status === CHANGED) {
        view.pushFrom(base, entry, NO_TICK);
        continue;
      }
      if (status !== SAME) this.#claims[index] = 0;
      this.#told[index] = 1;
      const owner = table.owners[index];
      const to = view.push(table.idAt(index), owner, owner === this.#clientId ? 1 : 0, tick);
      table.readWords(index, view.words, to * table.wordCount);
    }
  }

  /** Nothing will be made against this view any more, though it may still be the older one. */
  giveUp(view: TableView): void {
    this.#encoder.giveUp(view);
  }

  #leave(entry: number): void {
    this.#selection.leaving[entry] = 1;
    this.#selection.leaves++;
  }

  #offerChange(index: number, entry: number, candidates: SnapshotCandidates): void {
    const { status } = this.#selection;
    const cost = this.#encoder.changeCost(index, entry);
    if (cost === 0) {
      status[index] = SAME;
      this.#claims[index] = 0;
      return;
    }
    status[index] = CHANGED;
    candidates.add(this.#number, index, cost);
  }

  #offerNew(index: number, candidates: SnapshotCandidates): void {
    this.#selection.status[index] = NEW;
    candidates.add(this.#number, index, this.#encoder.newCost(index));
  }

  #isRelevant(index: number, relevance: Relevance, useGrid: boolean): boolean {
    const { positionX, positionY, owners } = this.table;
    if (positionX === undefined || positionY === undefined || owners[index] === this.#clientId) return true;
    if (relevance.radius === Infinity) return this.#isVisible(index, relevance);
    if (useGrid && this.#marks[index] === 0) return false;
    const x = positionX[index] - relevance.viewX;
    const y = positionY[index] - relevance.viewY;
    const distance = Math.sqrt(x * x + y * y);
    const known = this.#inside[index] === this.table.idAt(index);
    return distance <= (known ? relevance.leaveRadius : relevance.radius) && this.#isVisible(index, relevance);
  }

  #isVisible(index: number, { visibility, turns }: Relevance): boolean {
    return visibility === undefined || this.#visible?.isVisible(index, visibility, turns) === true;
  }
}
