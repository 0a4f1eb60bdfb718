import type { BitWriter } from "@riposte/wire";
import { writeGolomb } from "./adaptive-code.ts";
import type { InterestGrid } from "./interest-grid.ts";
import { REACH_ALL, REACH_OWNER } from "./leaf-plan.ts";
import { RecordCodec } from "./record-codec.ts";
import { GapWriter, NO_TICK } from "./snapshot-format.ts";
import { PROMISED } from "./snapshot-candidates.ts";
import type { SnapshotCandidates } from "./snapshot-candidates.ts";
import type { AnyTable } from "./state-table.ts";
import type { TableView } from "./table-view.ts";

/**
 * One table's part in one client's snapshots: finds what the client should know, compares it with what it does know,
 * and writes the difference. A snapshot takes three calls: `collect` (what has changed, what it costs), `write`, and
 * `commit` (what the client will know when the snapshot arrives).
 */

/** What is relevant to a client. */
export interface Relevance {
  viewX: number;
  viewY: number;
  readonly radius: number;
  /** An entity is kept until it is this much further away than where it came in. */
  readonly leaveRadius: number;
  readonly grid: InterestGrid | undefined;
}

/** As in the baseline. */
const SAME = 1;
/** Differs from the baseline, or is not in it; not (yet) chosen for this snapshot. */
const CHANGED = 2;
const NEW = 3;
/** Chosen. */
const CHANGED_CHOSEN = 4;
const NEW_CHOSEN = 5;

export class TableStream {
  readonly table: AnyTable;
  readonly #codec: RecordCodec;
  readonly #gaps = new GapWriter();
  readonly #clientId: number;
  readonly #number: number;
  readonly #weight: number;
  /** What is relevant in this snapshot, by rising index, and the status of each by index. */
  readonly #relevant: Int32Array;
  #relevantCount = 0;
  readonly #status: Uint8Array;
  readonly #marks: Uint8Array;
  /** By index: id of the entity that is inside the client's interest, or -1; its claim on the budget. */
  readonly #inside: Int32Array;
  readonly #claims: Float64Array;
  /** By index: 1 once the entity inside has been sent, so the client may show it. */
  readonly #told: Uint8Array;
  /** By index and leaf: what `collect` measured. */
  readonly #changes: Int32Array;
  /** By place in the baseline's view: 1 when the client must forget it. */
  #leaving: Uint8Array = new Uint8Array(16);
  /** Of the row being looked at; a typed array holds it without allocating. */
  readonly #distance = new Float64Array(1);
  #leaves = 0;
  #stays = 0;

  constructor(table: AnyTable, number: number, clientId: number, tickRate: number) {
    this.table = table;
    this.#number = number;
    this.#clientId = clientId;
    this.#codec = new RecordCodec(table.definition, tickRate);
    this.#weight = "priority" in table.definition ? Number(table.definition.priority) : 1;
    this.#relevant = new Int32Array(table.capacity);
    this.#status = new Uint8Array(table.capacity);
    this.#changes = new Int32Array(table.capacity * this.#codec.leafCount);
    this.#marks = new Uint8Array(table.capacity);
    this.#inside = new Int32Array(table.capacity).fill(-1);
    this.#claims = new Float64Array(table.capacity);
    this.#told = new Uint8Array(table.capacity);
  }

  /** Compares the table with the view of the baseline and adds what could be sent to `candidates`. */
  collect(tick: number, base: TableView, relevance: Relevance, candidates: SnapshotCandidates): void {
    const { table } = this;
    const end = table.highWater;
    if (this.#leaving.length < base.count) this.#leaving = new Uint8Array(base.ids.length);
    this.#leaves = 0;
    this.#stays = 0;
    this.#codec.clearUsed();
    this.#relevantCount = 0;
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
      this.#relevant[this.#relevantCount++] = index;
      if (!known) this.#offerNew(index, relevance, candidates);
      else if (base.ids[entry] === id && base.owners[entry] === table.owners[index]) {
        this.#leaving[entry] = 0;
        this.#stays++;
        this.#offerChange(index, entry++, tick, base, relevance, candidates);
      } else {
        this.#leave(entry++);
        this.#offerNew(index, relevance, candidates);
      }
    }
    while (entry < base.count) this.#leave(entry++);
    if (useGrid) this.#marks.fill(0, 0, end);
  }

  /** A candidate was chosen for this snapshot. */
  choose(index: number): void {
    this.#status[index] = this.#status[index] === NEW ? NEW_CHOSEN : CHANGED_CHOSEN;
  }

  /** Takes back every choice. */
  unchoose(): void {
    for (let n = 0; n < this.#relevantCount; n++) {
      const index = this.#relevant[n];
      if (this.#status[index] === CHANGED_CHOSEN) this.#status[index] = CHANGED;
      else if (this.#status[index] === NEW_CHOSEN) this.#status[index] = NEW;
    }
  }

  /** Bits that say what stays, leaves and is left out, at most. */
  get overheadBits(): number {
    return 16 + this.#codec.used.length + Math.ceil((this.#stays + this.#leaves) * 1.5);
  }

  /** Writes what was chosen. */
  write(base: TableView, writer: BitWriter): void {
    let changed = 0;
    let added = 0;
    let left = 0;
    for (let n = 0; n < this.#relevantCount; n++) {
      const status = this.#status[this.#relevant[n]];
      if (status === CHANGED_CHOSEN) changed++;
      else if (status === NEW_CHOSEN) added++;
      else if (status === CHANGED) left++;
    }
    const any = changed + added + left + this.#leaves > 0;
    writer.bits(any ? 1 : 0, 1);
    if (!any) return;
    this.#codec.resetSizes();
    writer.bits(this.#leaves > 0 ? 1 : 0, 1);
    if (this.#leaves > 0) this.#writeLeaves(base, writer);
    writer.bits(added > 0 ? 1 : 0, 1);
    if (added > 0) this.#writeNew(added, writer);
    writer.bits(changed > 0 ? 1 : 0, 1);
    if (changed > 0) {
      this.#codec.writeUsed(writer);
      this.#writeChanges(base, writer);
    }
    writer.bits(left > 0 ? 1 : 0, 1);
    if (left > 0) this.#writeLeftOut(base, changed, writer);
  }

  /** Makes `view` what the client knows once it has this snapshot. */
  commit(tick: number, base: TableView, view: TableView): void {
    const { table } = this;
    view.count = 0;
    let entry = 0;
    for (let n = 0; n < this.#relevantCount; n++) {
      const index = this.#relevant[n];
      while (entry < base.count && base.indexAt(entry) < index) entry++;
      const status = this.#status[index];
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

  #leave(entry: number): void {
    this.#leaving[entry] = 1;
    this.#leaves++;
  }

  #offerChange(
    index: number,
    entry: number,
    tick: number,
    base: TableView,
    relevance: Relevance,
    candidates: SnapshotCandidates,
  ): void {
    const { words, wordCount } = this.table;
    const age = (tick - base.ticks[entry]) | 0;
    const reach = this.#reach(index);
    const cost = this.#codec.measure(
      words,
      index * wordCount,
      base.words,
      entry * wordCount,
      reach,
      age,
      this.#changes,
      index * this.#codec.leafCount,
    );
    if (cost === 0) {
      this.#status[index] = SAME;
      this.#claims[index] = 0;
      return;
    }
    this.#status[index] = CHANGED;
    this.#claim(index, relevance, 0);
    candidates.add(this.#number, index, cost, this.#claims);
  }

  #offerNew(index: number, relevance: Relevance, candidates: SnapshotCandidates): void {
    this.#status[index] = NEW;
    const cost = 20 + this.#codec.wholeCost(this.table.words, index * this.table.wordCount, this.#reach(index));
    // To a client that has it from a snapshot it has not acknowledged yet, a snapshot without it says that it is gone.
    this.#claim(index, relevance, this.#told[index] * PROMISED);
    candidates.add(this.#number, index, cost, this.#claims);
  }

  /** Grows with every snapshot that leaves the entity out, faster for what is near. The client's own always come first. */
  #claim(index: number, relevance: Relevance, bonus: number): void {
    if (this.table.owners[index] === this.#clientId) {
      this.#claims[index] = Infinity;
      return;
    }
    if (this.#claims[index] >= PROMISED) this.#claims[index] = 0;
    const scale = relevance.radius < Infinity ? relevance.radius / 4 : 16;
    this.#claims[index] += bonus + this.#weight / (1 + this.#distance[0] / scale);
  }

  /** Leaves the distance from the client's view in `#distance`. */
  #isRelevant(index: number, relevance: Relevance, useGrid: boolean): boolean {
    const { positionX, positionY, owners } = this.table;
    this.#distance[0] = 0;
    if (positionX === undefined || positionY === undefined || owners[index] === this.#clientId) return true;
    if (useGrid && this.#marks[index] === 0) return false;
    const x = positionX[index] - relevance.viewX;
    const y = positionY[index] - relevance.viewY;
    const distance = Math.sqrt(x * x + y * y);
    if (relevance.radius === Infinity) {
      // Seen from nowhere everything is equally far.
      this.#distance[0] = distance >= 0 ? distance : 0;
      return true;
    }
    this.#distance[0] = distance;
    const known = this.#inside[index] === this.table.idAt(index);
    return distance <= (known ? relevance.leaveRadius : relevance.radius);
  }

  #reach(index: number): 0 | 1 | 2 {
    return this.table.owners[index] === this.#clientId ? REACH_OWNER : REACH_ALL;
  }

  #writeLeaves(base: TableView, writer: BitWriter): void {
    this.#gaps.start(writer, base.count);
    for (let entry = 0; entry < base.count; entry++) if (this.#leaving[entry] === 1) this.#gaps.pick(entry);
    this.#gaps.end();
  }

  #writeNew(added: number, writer: BitWriter): void {
    const { table } = this;
    writeGolomb(writer, added - 1, 2);
    let next = 0;
    for (let n = 0; n < this.#relevantCount; n++) {
      const index = this.#relevant[n];
      if (this.#status[index] !== NEW_CHOSEN) continue;
      writeGolomb(writer, index - next, 1);
      next = index + 1;
      writer.bits(table.generations[index], 8);
      const mine = table.owners[index] === this.#clientId;
      writer.bits(mine ? 1 : 0, 1);
      if (!mine) writeGolomb(writer, table.owners[index] + 1, 3);
      this.#codec.writeWhole(table.words, index * table.wordCount, mine ? REACH_OWNER : REACH_ALL, writer);
    }
  }

  #writeChanges(base: TableView, writer: BitWriter): void {
    const { words, wordCount } = this.table;
    this.#gaps.start(writer, this.#stays);
    let position = 0;
    for (let entry = 0; entry < base.count; entry++) {
      if (this.#leaving[entry] === 1) continue;
      const index = base.indexAt(entry);
      if (this.#status[index] === CHANGED_CHOSEN) {
        this.#gaps.pick(position);
        this.#codec.writeMeasured(
          words,
          index * wordCount,
          base.words,
          entry * wordCount,
          this.#reach(index),
          this.#changes,
          index * this.#codec.leafCount,
          writer,
        );
      }
      position++;
    }
    this.#gaps.end();
  }

  /** Among what stays and was not sent: what has changed all the same. */
  #writeLeftOut(base: TableView, changed: number, writer: BitWriter): void {
    this.#gaps.start(writer, this.#stays - changed);
    let position = 0;
    for (let entry = 0; entry < base.count; entry++) {
      if (this.#leaving[entry] === 1) continue;
      const status = this.#status[base.indexAt(entry)];
      if (status === CHANGED_CHOSEN) continue;
      if (status === CHANGED) this.#gaps.pick(position);
      position++;
    }
    this.#gaps.end();
  }
}
