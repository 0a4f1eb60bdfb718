import type { BitWriter } from "@riposte/wire";
import { writeGolomb } from "../adaptive-code.ts";
import { REACH_ALL, REACH_OWNER } from "../fields/leaf-plan.ts";
import type { Reach } from "../fields/leaf-plan.ts";
import type { SharedRecords } from "./shared-records.ts";
import { GapWriter, writeIdentity } from "./snapshot-format.ts";
import type { AnyTable } from "../state-table.ts";
import { CHANGED, CHANGED_CHOSEN, NEW_CHOSEN } from "./table-encoder.ts";
import type { TableEncoder, TableSelection } from "./table-encoder.ts";
import type { TableView } from "./table-view.ts";

/** A table's part of shared snapshots: its records are encoded once for all clients that need the same. */
export class SharedEncoder implements TableEncoder {
  readonly #table: AnyTable;
  readonly #clientId: number;
  readonly #records: SharedRecords;
  readonly #gaps = new GapWriter();
  /** By index: place of its record, or -1. */
  readonly #places: Int32Array;
  #base: TableView;
  #tick = 0;

  constructor(table: AnyTable, clientId: number, records: SharedRecords, nothing: TableView) {
    this.#table = table;
    this.#clientId = clientId;
    this.#records = records;
    this.#places = new Int32Array(table.capacity);
    this.#base = nothing;
  }

  start(tick: number, base: TableView): void {
    this.#tick = tick;
    this.#base = base;
    this.#records.start(tick);
  }

  giveUp(): void {
    // Nothing is kept with a view.
  }

  changeCost(index: number, entry: number): number {
    const { words, wordCount } = this.#table;
    const base = this.#base;
    const reach = this.#reach(index);
    if (this.#records.codec.equal(words, index * wordCount, base.words, entry * wordCount, reach)) return 0;
    const place = this.#records.find(index, base.words, entry * wordCount, this.#tick - base.ticks[entry], reach);
    this.#places[index] = place;
    if (place >= 0) return 1 + this.#records.bitsOf(place);
    return this.#records.codec.wholeCost(words, index * wordCount, reach);
  }

  newCost(index: number): number {
    const { words, wordCount } = this.#table;
    return 20 + this.#records.codec.wholeCost(words, index * wordCount, this.#reach(index));
  }

  overheadBits({ stays, leaves }: TableSelection): number {
    return 16 + Math.ceil((stays + leaves) * 1.5);
  }

  write(selection: TableSelection, base: TableView, _view: TableView, writer: BitWriter): void {
    const { leaves, added, changed, left } = selection;
    const any = leaves + added + changed + left > 0;
    writer.bits(any ? 1 : 0, 1);
    if (!any) return;
    writer.bits(leaves > 0 ? 1 : 0, 1);
    if (leaves > 0) this.#gaps.write(writer, selection.leaving, base.count);
    writer.bits(added > 0 ? 1 : 0, 1);
    if (added > 0) this.#writeNew(selection, writer);
    writer.bits(changed > 0 ? 1 : 0, 1);
    if (changed > 0) this.#writeChanges(selection, base, writer);
    writer.bits(left > 0 ? 1 : 0, 1);
    if (left > 0) this.#writeLeftOut(selection, base, writer);
  }

  #writeNew({ added, relevant, relevantCount, status }: TableSelection, writer: BitWriter): void {
    const { words, wordCount } = this.#table;
    writeGolomb(writer, added - 1, 2);
    let next = 0;
    for (let n = 0; n < relevantCount; n++) {
      const index = relevant[n];
      if (status[index] !== NEW_CHOSEN) continue;
      const reach = this.#reach(index);
      writeIdentity(writer, this.#table, index, next, reach === REACH_OWNER);
      next = index + 1;
      this.#records.codec.writeWhole(words, index * wordCount, reach, writer);
    }
  }

  #writeChanges({ leaving, status, stays }: TableSelection, base: TableView, writer: BitWriter): void {
    const size = this.#table.wordCount;
    const records = this.#records;
    this.#gaps.start(writer, stays);
    let position = 0;
    for (let entry = 0; entry < base.count; entry++) {
      if (leaving[entry] === 1) continue;
      const index = base.indexAt(entry);
      if (status[index] === CHANGED_CHOSEN) {
        this.#gaps.pick(position);
        const place = this.#places[index];
        const age = this.#tick - base.ticks[entry];
        if (place >= 0) records.copy(place, writer);
        else records.write(index, base.words, entry * size, age, this.#reach(index), writer);
      }
      position++;
    }
    this.#gaps.end();
  }

  /** Among what stays and was not sent: what has changed all the same. */
  #writeLeftOut({ leaving, status, stays, changed }: TableSelection, base: TableView, writer: BitWriter): void {
    this.#gaps.start(writer, stays - changed);
    let position = 0;
    for (let entry = 0; entry < base.count; entry++) {
      if (leaving[entry] === 1) continue;
      const of = status[base.indexAt(entry)];
      if (of === CHANGED_CHOSEN) continue;
      if (of === CHANGED) this.#gaps.pick(position);
      position++;
    }
    this.#gaps.end();
  }

  #reach(index: number): Reach {
    return this.#table.owners[index] === this.#clientId ? REACH_OWNER : REACH_ALL;
  }
}
