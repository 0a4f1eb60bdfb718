import type { BitReader, RangeDecoder } from "@riposte/wire";
import { DenseDecoder } from "./dense-decoder.ts";
import type { StateDefinition } from "../define-state.ts";
import { copyWords } from "../fields/leaf-codec.ts";
import { SharedDecoder } from "./shared-decoder.ts";
import { NO_TICK } from "./snapshot-format.ts";
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

  readonly #shared: SharedDecoder;
  readonly #dense: DenseDecoder;
  readonly #order: readonly number[];
  readonly #snapshotTicks: Float64Array;
  readonly #views: TableView[] = [];
  readonly #nothing: TableView;

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
    this.#order = order;
    this.#snapshotTicks = ticks;
    for (let slot = 0; slot < ticks.length; slot++) this.#views.push(new TableView(wordCount, capacity));
    this.#nothing = new TableView(wordCount, capacity);
    this.#shared = new SharedDecoder(definition, tickRate);
    this.#dense = new DenseDecoder(definition, tickRate);
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

  /** For the receiver: reads this table's part of a shared snapshot into the view of `slot`. False when it is malformed. */
  readShared(slot: number, base: number, tick: number, clientId: number, reader: BitReader): boolean {
    return this.#shared.read(this.#views[slot], this.#viewIn(base), tick, clientId, reader);
  }

  /** The same of a dense one; `older` is the slot of the second baseline. */
  readDense(slot: number, base: number, older: number, tick: number, clientId: number, decoder: RangeDecoder): boolean {
    return this.#dense.read(this.#views[slot], this.#viewIn(base), this.#viewIn(older), tick, clientId, decoder);
  }

  /**
   * For the receiver: takes over what a well-formed snapshot says, if it is the newest. One that was overtaken is something
   * to build upon and nothing else: the server is told what a picture was made of, and it is made of the snapshots
   * that came in order.
   */
  adopt(slot: number, newest: boolean): void {
    if (!newest) return;
    const view = this.#views[slot];
    this.present.fill(0, 0, this.highWater);
    for (let entry = 0; entry < view.count; entry++) {
      const index = view.indexAt(entry);
      const id = view.ids[entry];
      const same = this.ids[index] === id;
      this.present[index] = 1;
      this.ids[index] = id;
      this.owners[index] = view.owners[entry];
      if (same && view.ticks[entry] <= this.updatedAt[index]) continue;
      this.updatedAt[index] = view.ticks[entry];
      copyWords(view.words, entry * this.wordCount, this.words, index * this.wordCount, this.wordCount);
    }
    this.count = view.count;
    this.highWater = view.count === 0 ? 0 : view.indexAt(view.count - 1) + 1;
  }

  #viewIn(slot: number): TableView {
    return slot < 0 ? this.#nothing : this.#views[slot];
  }
}
