import type { RangeEncoder } from "@riposte/wire";
import { writeGolomb } from "../adaptive-code.ts";
import { ANY_MODEL, LEAVES_MODEL, NEW_MODEL_AT } from "./dense-table.ts";
import type { DenseTable } from "./dense-table.ts";
import { REACH_ALL, REACH_OWNER } from "../fields/leaf-plan.ts";
import type { Reach } from "../fields/leaf-plan.ts";
import { GapWriter, writeIdentity } from "./snapshot-format.ts";
import type { AnyTable } from "../state-table.ts";
import { CHANGED, NEW_CHOSEN, SAME } from "./table-encoder.ts";
import type { TableEncoder, TableSelection } from "./table-encoder.ts";
import type { TableView } from "./table-view.ts";

/** A table's part of dense snapshots: for one client alone, in as few bits as can be. */
export class DenseEncoder implements TableEncoder {
  readonly #table: AnyTable;
  readonly #clientId: number;
  readonly #dense: DenseTable;
  readonly #encoder: RangeEncoder;
  readonly #gaps = new GapWriter();
  readonly #spare: Int32Array[] = [];

  /** The range coder is the stream's: all tables are in one run of it. */
  constructor(table: AnyTable, clientId: number, dense: DenseTable, encoder: RangeEncoder) {
    this.#table = table;
    this.#clientId = clientId;
    this.#dense = dense;
    this.#encoder = encoder;
  }

  start(tick: number, base: TableView, older: TableView): void {
    this.#dense.start(tick, base, older);
  }

  /** Its models' memory is used again, while it is still in the processor's cache. */
  giveUp(view: TableView): void {
    view.giveUpModels(this.#spare);
  }

  changeCost(index: number, entry: number): number {
    const { words, wordCount } = this.#table;
    return this.#dense.codec.cost(words, index * wordCount, this.#dense.known(entry), this.#reach(index));
  }

  newCost(index: number): number {
    const { words, wordCount } = this.#table;
    return 20 + this.#dense.codec.wholeCost(words, index * wordCount, this.#reach(index));
  }

  overheadBits({ stays, leaves }: TableSelection): number {
    return 16 + Math.ceil((stays + leaves) * 0.5);
  }

  write(selection: TableSelection, base: TableView, view: TableView): void {
    const encoder = this.#encoder;
    const models = view.continueModels(base, this.#dense.codec.modelCount, this.#spare);
    const { leaves, added, changed, left } = selection;
    const any = leaves + added + changed + left > 0;
    encoder.bit(models, ANY_MODEL, any ? 1 : 0);
    if (!any) return;
    encoder.bit(models, LEAVES_MODEL, leaves > 0 ? 1 : 0);
    if (leaves > 0) this.#gaps.write(encoder, selection.leaving, base.count);
    encoder.bit(models, NEW_MODEL_AT, added > 0 ? 1 : 0);
    if (added > 0) this.#writeNew(selection, models);
    this.#writeStaying(selection, base, models);
  }

  #writeNew({ added, relevant, relevantCount, status }: TableSelection, models: Int32Array): void {
    const encoder = this.#encoder;
    const { words, wordCount } = this.#table;
    writeGolomb(encoder, added - 1, 2);
    let next = 0;
    for (let n = 0; n < relevantCount; n++) {
      const index = relevant[n];
      if (status[index] !== NEW_CHOSEN) continue;
      const reach = this.#reach(index);
      writeIdentity(encoder, this.#table, index, next, reach === REACH_OWNER);
      next = index + 1;
      this.#dense.codec.writeWhole(words, index * wordCount, reach, models, encoder);
    }
  }

  #writeStaying({ leaving, status }: TableSelection, base: TableView, models: Int32Array): void {
    const dense = this.#dense;
    const encoder = this.#encoder;
    const { words, wordCount } = this.#table;
    dense.startEntities();
    for (let entry = 0; entry < base.count; entry++) {
      if (leaving[entry] === 1) continue;
      const index = base.indexAt(entry);
      const known = dense.known(entry);
      const reach = this.#reach(index);
      dense.writeSame(known, reach, models, encoder, status[index] === SAME);
      if (status[index] === SAME) continue;
      dense.writeLeft(models, encoder, status[index] === CHANGED);
      if (status[index] !== CHANGED) dense.codec.write(words, index * wordCount, known, reach, models, encoder);
    }
  }

  #reach(index: number): Reach {
    return this.#table.owners[index] === this.#clientId ? REACH_OWNER : REACH_ALL;
  }
}
