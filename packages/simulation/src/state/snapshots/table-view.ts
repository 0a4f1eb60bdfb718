import { NEW_MODEL } from "@riposte/wire";
import { copyWords } from "../fields/leaf-codec.ts";

const NO_MODELS = new Int32Array(0);
/** Arrays that are kept to be used again. After a time without acknowledgements there are more. */
const MAX_SPARE = 8;

/**
 * What a client knows of one table after one snapshot: entities in order of their index, each with its record and
 * the tick at which the record was the server's. Server and client keep the same views, which is what deltas rest on.
 */
export class TableView {
  readonly wordCount: number;
  readonly capacity: number;
  count = 0;
  ids: Int32Array;
  owners: Int32Array;
  /** 1 where the client is the owner: its records reach further. */
  mine: Uint8Array;
  /** Tick the record is known to be from: the snapshot's own, unless the entity was left out for want of room. */
  ticks: Float64Array;
  /** Entry `e` is `words[e * wordCount]` and on. */
  words: Int32Array;
  /** Dense snapshots: what the models have learned up to this one; empty before the first. */
  models: Int32Array;

  constructor(wordCount: number, capacity: number) {
    this.wordCount = wordCount;
    this.capacity = capacity;
    this.ids = new Int32Array(0);
    this.owners = new Int32Array(0);
    this.mine = new Uint8Array(0);
    this.ticks = new Float64Array(0);
    this.words = new Int32Array(0);
    this.models = NO_MODELS;
  }

  /** Appends an entry, whose record the caller writes, and returns its place. At most `capacity` entries. */
  push(id: number, owner: number, mine: number, tick: number): number {
    const entry = this.count++;
    if (entry >= this.ids.length) this.#grow();
    this.ids[entry] = id;
    this.owners[entry] = owner;
    this.mine[entry] = mine;
    this.ticks[entry] = tick;
    return entry;
  }

  /** Appends a copy of an entry of another view, with its own tick when `tick` is negative. */
  pushFrom(view: TableView, entry: number, tick: number): void {
    const to = this.push(view.ids[entry], view.owners[entry], view.mine[entry], tick);
    if (tick < 0) this.ticks[to] = view.ticks[entry];
    copyWords(view.words, entry * this.wordCount, this.words, to * this.wordCount, this.wordCount);
  }

  /** Makes `models` those of `view`, or new ones when it has none; `spare` are arrays that nobody needs. */
  continueModels(view: TableView, count: number, spare?: Int32Array[]): Int32Array {
    if (this.models.length !== count) this.models = spare?.pop() ?? new Int32Array(count);
    if (view.models.length === count) this.models.set(view.models);
    else this.models.fill(NEW_MODEL);
    return this.models;
  }

  /** Nothing will be built upon this view any more: hands its models over to `spare`. */
  giveUpModels(spare: Int32Array[]): void {
    if (this.models.length === 0) return;
    if (spare.length < MAX_SPARE) spare.push(this.models);
    this.models = NO_MODELS;
  }

  /**
   * Into `entries`, for each entry of this view: the place of the same entity in `older`, when it had the same owner and
   * its record there is older than here; else -1.
   */
  matchOlder(older: TableView, entries: Int32Array): void {
    let at = 0;
    for (let entry = 0; entry < this.count; entry++) {
      const index = this.indexAt(entry);
      while (at < older.count && older.indexAt(at) < index) at++;
      const same =
        at < older.count &&
        older.ids[at] === this.ids[entry] &&
        older.owners[at] === this.owners[entry] &&
        older.mine[at] === this.mine[entry] &&
        older.ticks[at] < this.ticks[entry];
      entries[entry] = same ? at : -1;
    }
  }

  indexAt(entry: number): number {
    return this.ids[entry] & 0xffff;
  }

  /** Place of the entity with this id, or -1. */
  find(id: number): number {
    const index = id & 0xffff;
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.ids[middle] & 0xffff;
      if (found === index) return this.ids[middle] === id ? middle : -1;
      if (found < index) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #grow(): void {
    const size = Math.min(this.capacity, Math.max(16, this.ids.length * 2));
    this.ids = extend(new Int32Array(size), this.ids);
    this.owners = extend(new Int32Array(size), this.owners);
    this.mine = extend(new Uint8Array(size), this.mine);
    this.ticks = extend(new Float64Array(size), this.ticks);
    this.words = extend(new Int32Array(size * this.wordCount), this.words);
  }
}

function extend<T extends { set(from: T): void }>(to: T, from: T): T {
  to.set(from);
  return to;
}
