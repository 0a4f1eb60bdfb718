import type { BitReader } from "@riposte/wire";
import { readGolomb } from "../adaptive-code.ts";
import type { StateDefinition } from "../define-state.ts";
import { REACH_ALL, REACH_OWNER } from "../fields/leaf-plan.ts";
import { RecordCodec } from "../record-codec.ts";
import { GapReader, readIdentity } from "./snapshot-format.ts";
import { TableView } from "./table-view.ts";

/** Reads a table's part of shared snapshots. */
export class SharedDecoder {
  readonly wordCount: number;
  readonly capacity: number;
  readonly #codec: RecordCodec;
  readonly #gaps = new GapReader();
  readonly #added: TableView;
  /** By place in the baseline's view, then by place in the new one. */
  readonly #leaving: Uint8Array;
  readonly #updated: Uint8Array;

  constructor(definition: StateDefinition, tickRate: number) {
    const { capacity, wordCount } = definition;
    this.wordCount = wordCount;
    this.capacity = capacity;
    this.#codec = new RecordCodec(definition, tickRate);
    this.#added = new TableView(wordCount, capacity);
    this.#leaving = new Uint8Array(capacity);
    this.#updated = new Uint8Array(capacity);
  }

  /** Into `view`, from the view `from`, the baseline's. False when it is malformed. */
  read(view: TableView, from: TableView, tick: number, clientId: number, reader: BitReader): boolean {
    view.count = 0;
    if (reader.bits(1) === 0) {
      for (let entry = 0; entry < from.count; entry++) view.pushFrom(from, entry, tick);
      return !reader.failed;
    }
    const leaves = this.#readLeaves(from, reader);
    if (!this.#readAdded(tick, clientId, reader) || from.count - leaves + this.#added.count > this.capacity)
      return false;
    return this.#readUpdates(from, leaves, view, tick, reader) && this.#readLeftOut(from, leaves, view, reader);
  }

  /** Returns how many entries of `from` are gone. */
  #readLeaves(from: TableView, reader: BitReader): number {
    this.#leaving.fill(0, 0, from.count);
    return reader.bits(1) === 0 ? 0 : this.#gaps.read(reader, this.#leaving, from.count);
  }

  #readAdded(tick: number, clientId: number, reader: BitReader): boolean {
    const added = this.#added;
    added.count = 0;
    if (reader.bits(1) === 0) return !reader.failed;
    const count = readGolomb(reader, 2) + 1;
    let next = 0;
    for (let i = 0; i < count; i++) {
      const entry = readIdentity(reader, added, next, this.capacity, tick, clientId);
      if (entry < 0) return false;
      next = added.indexAt(entry) + 1;
      const reach = added.mine[entry] === 1 ? REACH_OWNER : REACH_ALL;
      if (!this.#codec.readWhole(added.words, entry * this.wordCount, reach, reader)) return false;
    }
    return true;
  }

  /** Merges what stays, changed or not, with what is new, in order of index. */
  #readUpdates(from: TableView, leaves: number, view: TableView, tick: number, reader: BitReader): boolean {
    const added = this.#added;
    const stays = from.count - leaves;
    const any = reader.bits(1) === 1;
    this.#gaps.start(reader, any ? stays : 0);
    let next = any ? this.#gaps.next() : stays;
    let position = 0;
    let addedEntry = 0;
    for (let entry = 0; entry < from.count; entry++) {
      if (this.#leaving[entry] === 1) continue;
      const index = from.indexAt(entry);
      while (addedEntry < added.count && added.indexAt(addedEntry) < index) view.pushFrom(added, addedEntry++, tick);
      // An index holds one entity at a time.
      if (addedEntry < added.count && added.indexAt(addedEntry) === index) return false;
      const changed = position++ === next;
      this.#updated[entry] = changed ? 1 : 0;
      if (!changed) {
        view.pushFrom(from, entry, tick);
        continue;
      }
      const to = view.push(from.ids[entry], from.owners[entry], from.mine[entry], tick);
      const age = (tick - from.ticks[entry]) | 0;
      const reach = from.mine[entry] === 1 ? REACH_OWNER : REACH_ALL;
      const size = this.wordCount;
      this.#codec.begin();
      if (!this.#codec.readDelta(view.words, to * size, from.words, entry * size, reach, age, reader)) return false;
      next = this.#gaps.next();
    }
    while (addedEntry < added.count) view.pushFrom(added, addedEntry++, tick);
    return !reader.failed;
  }

  /** What stays, was not sent, and has changed all the same keeps the tick it had. */
  #readLeftOut(from: TableView, leaves: number, view: TableView, reader: BitReader): boolean {
    if (reader.bits(1) === 0) return !reader.failed;
    let quiet = 0;
    for (let entry = 0; entry < from.count; entry++) {
      if (this.#leaving[entry] === 0 && this.#updated[entry] === 0) quiet++;
    }
    if (quiet > from.count - leaves) return false;
    this.#gaps.start(reader, quiet);
    let next = this.#gaps.next();
    let position = 0;
    for (let entry = 0; entry < from.count && next < quiet; entry++) {
      if (this.#leaving[entry] === 1 || this.#updated[entry] === 1) continue;
      if (position++ !== next) continue;
      const at = view.find(from.ids[entry]);
      if (at >= 0) view.ticks[at] = from.ticks[entry];
      next = this.#gaps.next();
    }
    return !reader.failed;
  }
}
