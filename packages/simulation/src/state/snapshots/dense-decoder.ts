import type { RangeDecoder } from "@riposte/wire";
import { readGolomb } from "../adaptive-code.ts";
import { ANY_MODEL, DenseTable, LEAVES_MODEL, NEW_MODEL_AT } from "./dense-table.ts";
import type { StateDefinition } from "../define-state.ts";
import { REACH_ALL, REACH_OWNER } from "../fields/leaf-plan.ts";
import { GapReader, NO_TICK, readIdentity } from "./snapshot-format.ts";
import { TableView } from "./table-view.ts";

/** Reads a table's part of dense snapshots. */
export class DenseDecoder {
  readonly #capacity: number;
  readonly #dense: DenseTable;
  readonly #gaps = new GapReader();
  readonly #added: TableView;
  /** By place in the baseline's view. */
  readonly #leaving: Uint8Array;

  constructor(definition: StateDefinition, tickRate: number) {
    const { capacity, wordCount } = definition;
    this.#capacity = capacity;
    this.#dense = new DenseTable(definition, tickRate, new TableView(wordCount, 0));
    this.#added = new TableView(wordCount, capacity);
    this.#leaving = new Uint8Array(capacity);
  }

  /** Into `view`, from the views of the two baselines, either of which may be empty. False when it is malformed. */
  read(
    view: TableView,
    base: TableView,
    older: TableView,
    tick: number,
    clientId: number,
    decoder: RangeDecoder,
  ): boolean {
    view.count = 0;
    const models = view.continueModels(base, this.#dense.codec.modelCount);
    if (decoder.bit(models, ANY_MODEL) === 0) {
      for (let entry = 0; entry < base.count; entry++) view.pushFrom(base, entry, tick);
      return !decoder.failed;
    }
    const leaves = this.#readLeaves(base, models, decoder);
    if (!this.#readNew(tick, clientId, models, decoder)) return false;
    if (base.count - leaves + this.#added.count > this.#capacity) return false;
    this.#dense.start(tick, base, older);
    return this.#readStaying(view, base, tick, models, decoder);
  }

  /** Returns how many entries of `base` are gone. */
  #readLeaves(base: TableView, models: Int32Array, decoder: RangeDecoder): number {
    this.#leaving.fill(0, 0, base.count);
    return decoder.bit(models, LEAVES_MODEL) === 0 ? 0 : this.#gaps.read(decoder, this.#leaving, base.count);
  }

  #readNew(tick: number, clientId: number, models: Int32Array, decoder: RangeDecoder): boolean {
    const added = this.#added;
    added.count = 0;
    if (decoder.bit(models, NEW_MODEL_AT) === 0) return !decoder.failed;
    const count = readGolomb(decoder, 2) + 1;
    let next = 0;
    for (let i = 0; i < count; i++) {
      const entry = readIdentity(decoder, added, next, this.#capacity, tick, clientId);
      if (entry < 0) return false;
      next = added.indexAt(entry) + 1;
      const reach = added.mine[entry] === 1 ? REACH_OWNER : REACH_ALL;
      if (!this.#dense.codec.readWhole(added.words, entry * added.wordCount, reach, models, decoder)) return false;
    }
    return true;
  }

  /** Merges what stays, changed or not, with what is new, in order of index. */
  #readStaying(view: TableView, base: TableView, tick: number, models: Int32Array, decoder: RangeDecoder): boolean {
    const dense = this.#dense;
    const added = this.#added;
    let addedEntry = 0;
    dense.startEntities();
    for (let entry = 0; entry < base.count; entry++) {
      if (this.#leaving[entry] === 1) continue;
      const index = base.indexAt(entry);
      while (addedEntry < added.count && added.indexAt(addedEntry) < index) view.pushFrom(added, addedEntry++, tick);
      // An index holds one entity at a time.
      if (addedEntry < added.count && added.indexAt(addedEntry) === index) return false;
      const reach = base.mine[entry] === 1 ? REACH_OWNER : REACH_ALL;
      const known = dense.known(entry);
      if (dense.readSame(known, reach, models, decoder)) view.pushFrom(base, entry, tick);
      else if (dense.readLeft(models, decoder)) view.pushFrom(base, entry, NO_TICK);
      else {
        const to = view.push(base.ids[entry], base.owners[entry], base.mine[entry], tick) * view.wordCount;
        if (!dense.codec.read(view.words, to, known, reach, models, decoder)) return false;
      }
    }
    while (addedEntry < added.count) view.pushFrom(added, addedEntry++, tick);
    return !decoder.failed;
  }
}
