import type { BitReader } from "@riposte/wire";
import { readGolomb } from "./adaptive-code.ts";
import type { StateDefinition } from "./define-state.ts";
import { copyWords } from "./leaf-codec.ts";
import { REACH_ALL, REACH_OWNER } from "./leaf-plan.ts";
import { RecordCodec } from "./record-codec.ts";
import { GapReader, NO_TICK } from "./snapshot-format.ts";
import { TableView } from "./table-view.ts";

/**
 * One table as a client has received it: the newest record of every entity, by entity index, and the views of the
 * remembered snapshots. Reading changes nothing but a spare view until the whole snapshot has proved well-formed.
 */

/** Two records around a moment; filled by `ReceivedTable.sample` and reused by its caller. */
export interface SnapshotSample {
  /** The newest record at or before the moment: words, where it starts, its tick. -1: there is none. */
  before: Int32Array;
  beforeAt: number;
  beforeTick: number;
  /** The oldest record after it. -1: there is none yet. */
  after: Int32Array;
  afterAt: number;
  afterTick: number;
}

export function createSnapshotSample(): SnapshotSample {
  const nothing = new Int32Array(0);
  return { before: nothing, beforeAt: 0, beforeTick: NO_TICK, after: nothing, afterAt: 0, afterTick: NO_TICK };
}

export class ReceivedTable {
  readonly name: string;
  readonly definition: StateDefinition;
  readonly capacity: number;
  readonly wordCount: number;
  /** 1 where the newest snapshot has an entity with this index. */
  readonly present: Uint8Array;
  readonly ids: Int32Array;
  readonly owners: Int32Array;
  /** Newest record of index `i`: `words[i * wordCount]` and on. */
  readonly words: Int32Array;
  /** Tick at which that record was the server's: the newest snapshot's, unless it left the entity out. */
  readonly updatedAt: Float64Array;
  /** All present entities have an index below this. */
  highWater = 0;
  /** Present entities. */
  count = 0;

  readonly #codec: RecordCodec;
  readonly #gaps = new GapReader();
  readonly #order: readonly number[];
  readonly #snapshotTicks: Float64Array;
  readonly #views: TableView[] = [];
  readonly #nothing: TableView;
  readonly #added: TableView;
  /** By place in the baseline's view, then by place in the new one. */
  readonly #leaving: Uint8Array;
  readonly #updated: Uint8Array;

  /** `order` and `ticks` are the receiver's: remembered slots, newest first, and the tick of each slot. */
  constructor(
    name: string,
    definition: StateDefinition,
    tickRate: number,
    order: readonly number[],
    ticks: Float64Array,
  ) {
    const { capacity, wordCount } = definition;
    this.name = name;
    this.definition = definition;
    this.capacity = capacity;
    this.wordCount = wordCount;
    this.present = new Uint8Array(capacity);
    this.ids = new Int32Array(capacity).fill(-1);
    this.owners = new Int32Array(capacity).fill(-1);
    this.words = new Int32Array(capacity * wordCount);
    this.updatedAt = new Float64Array(capacity).fill(NO_TICK);
    this.#codec = new RecordCodec(definition, tickRate);
    this.#order = order;
    this.#snapshotTicks = ticks;
    for (let slot = 0; slot < ticks.length; slot++) this.#views.push(new TableView(wordCount, capacity));
    this.#nothing = new TableView(wordCount, capacity);
    this.#added = new TableView(wordCount, capacity);
    this.#leaving = new Uint8Array(capacity);
    this.#updated = new Uint8Array(capacity);
  }

  /** The view of the newest remembered snapshot at or before `tick` (a fraction is fine), if there is one. */
  viewAt(tick: number): TableView | undefined {
    for (let n = 0; n < this.#order.length; n++) {
      const slot = this.#order[n];
      if (this.#snapshotTicks[slot] <= tick) return this.#views[slot];
    }
    return undefined;
  }

  /** The view of the snapshot of exactly this tick, if it is remembered. */
  viewOf(tick: number): TableView | undefined {
    for (let n = 0; n < this.#order.length; n++) {
      const slot = this.#order[n];
      if (this.#snapshotTicks[slot] === tick) return this.#views[slot];
    }
    return undefined;
  }

  /** Finds the records of an entity around `tick` (a fraction is fine). False when none is remembered. */
  sample(id: number, tick: number, out: SnapshotSample): boolean {
    out.beforeTick = NO_TICK;
    out.afterTick = NO_TICK;
    for (let n = 0; n < this.#order.length; n++) {
      const slot = this.#order[n];
      // No older snapshot has a newer record than its own tick.
      if (this.#snapshotTicks[slot] <= out.beforeTick) break;
      const view = this.#views[slot];
      const entry = view.find(id);
      if (entry < 0) continue;
      const at = view.ticks[entry];
      if (at > tick) {
        if (out.afterTick >= 0 && at >= out.afterTick) continue;
        out.after = view.words;
        out.afterAt = entry * this.wordCount;
        out.afterTick = at;
      } else if (at > out.beforeTick) {
        out.before = view.words;
        out.beforeAt = entry * this.wordCount;
        out.beforeTick = at;
      }
    }
    return out.beforeTick >= 0 || out.afterTick >= 0;
  }

  /** For the receiver: reads this table's part of a snapshot into the view of `slot`. False when it is malformed. */
  read(slot: number, base: number, tick: number, clientId: number, reader: BitReader): boolean {
    const from = base < 0 ? this.#nothing : this.#views[base];
    const view = this.#views[slot];
    view.count = 0;
    if (reader.bits(1) === 0) {
      for (let entry = 0; entry < from.count; entry++) view.pushFrom(from, entry, tick);
      return !reader.failed;
    }
    this.#codec.resetSizes();
    const leaves = this.#readLeaves(from, reader);
    if (!this.#readAdded(tick, clientId, reader) || from.count - leaves + this.#added.count > this.capacity)
      return false;
    return this.#readUpdates(from, leaves, view, tick, reader) && this.#readLeftOut(from, leaves, view, reader);
  }

  /** For the receiver: takes over what a well-formed snapshot says. */
  adopt(slot: number, newest: boolean): void {
    const view = this.#views[slot];
    if (newest) this.present.fill(0, 0, this.highWater);
    for (let entry = 0; entry < view.count; entry++) {
      const index = view.indexAt(entry);
      const id = view.ids[entry];
      const same = this.ids[index] === id;
      if (newest) {
        this.present[index] = 1;
        this.ids[index] = id;
        this.owners[index] = view.owners[entry];
      } else if (!same || this.present[index] === 0) continue;
      if (same && view.ticks[entry] <= this.updatedAt[index]) continue;
      this.updatedAt[index] = view.ticks[entry];
      copyWords(view.words, entry * this.wordCount, this.words, index * this.wordCount, this.wordCount);
    }
    if (!newest) return;
    this.count = view.count;
    this.highWater = view.count === 0 ? 0 : view.indexAt(view.count - 1) + 1;
  }

  /** Returns how many entries of `from` are gone. */
  #readLeaves(from: TableView, reader: BitReader): number {
    this.#leaving.fill(0, 0, from.count);
    if (reader.bits(1) === 0) return 0;
    let leaves = 0;
    this.#gaps.start(reader, from.count);
    for (let entry = this.#gaps.next(); entry < from.count; entry = this.#gaps.next()) {
      this.#leaving[entry] = 1;
      leaves++;
    }
    return leaves;
  }

  #readAdded(tick: number, clientId: number, reader: BitReader): boolean {
    const added = this.#added;
    added.count = 0;
    if (reader.bits(1) === 0) return !reader.failed;
    const count = readGolomb(reader, 2) + 1;
    let next = 0;
    for (let i = 0; i < count; i++) {
      const index = next + readGolomb(reader, 1);
      if (reader.failed || index >= this.capacity) return false;
      next = index + 1;
      const id = index | (reader.bits(8) << 16);
      const mine = reader.bits(1);
      const owner = mine === 1 ? clientId : readGolomb(reader, 3) - 1;
      const entry = added.push(id, owner, mine, tick);
      const reach = mine === 1 ? REACH_OWNER : REACH_ALL;
      if (!this.#codec.readWhole(added.words, entry * this.wordCount, reach, reader)) return false;
    }
    return true;
  }

  /** Merges what stays, changed or not, with what is new, in order of index. */
  #readUpdates(from: TableView, leaves: number, view: TableView, tick: number, reader: BitReader): boolean {
    const added = this.#added;
    const stays = from.count - leaves;
    const any = reader.bits(1) === 1;
    if (any) this.#codec.readUsed(reader);
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
