/**
 * What one client knows from which snapshot, on the server: which entities each snapshot told of, from which tick
 * the record of each is, and whether the client says that it had the snapshot.
 *
 * A client claims each receipt once: what it says later about the same or older snapshots changes nothing.
 */
import type { SnapshotStream, TableView } from "../state/index.ts";

/** What a snapshot told of the entities of one table, by rising index. */
class ToldEntities {
  ids: Int32Array = new Int32Array(8);
  /** Tick from which the record is: the snapshot's own, unless it left the entity out. */
  ticks: Uint32Array = new Uint32Array(8);
  count = 0;
  /** The least of the ticks; Infinity when there are none. */
  oldest = Infinity;

  copy(view: TableView): void {
    const { count } = view;
    if (this.ids.length < count) {
      const size = Math.min(view.capacity, Math.max(count, this.ids.length * 2));
      this.ids = new Int32Array(size);
      this.ticks = new Uint32Array(size);
    }
    this.oldest = Infinity;
    for (let i = 0; i < count; i++) {
      this.ids[i] = view.ids[i];
      this.ticks[i] = view.ticks[i];
      if (view.ticks[i] < this.oldest) this.oldest = view.ticks[i];
    }
    this.count = count;
  }

  /** Tick of the entity's record; `ABSENT`, or `REPLACED` when another one has its index. */
  tickOf(id: number): number {
    const index = id & 0xffff;
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.ids[middle] & 0xffff;
      if (found === index) return this.ids[middle] === id ? this.ticks[middle] : REPLACED;
      if (found < index) low = middle + 1;
      else high = middle - 1;
    }
    return ABSENT;
  }
}

export const ABSENT = -1;
export const REPLACED = -2;

/** Snapshots remembered: more than two seconds at 60 a second. */
export const SENT_SNAPSHOTS = 128;

export class SentSnapshots {
  /** Snapshots noted since the beginning; the last `SENT_SNAPSHOTS` are remembered, n at place n modulo that. */
  count = 0;
  /** The newest snapshot that the client says it has received, -1: none. */
  newestReceived = -1;
  readonly #ticks: Int32Array = new Int32Array(SENT_SNAPSHOTS).fill(-1);
  readonly #received: Uint8Array = new Uint8Array(SENT_SNAPSHOTS);
  readonly #told: readonly (readonly ToldEntities[])[];
  /** Number of the snapshot of a tick, by tick. */
  readonly #numbers: Int32Array = new Int32Array(TICK_RING).fill(-1);

  constructor(tableCount: number) {
    const tables = Array.from({ length: tableCount });
    this.#told = Array.from({ length: SENT_SNAPSHOTS }, () => tables.map(() => new ToldEntities()));
  }

  /** The snapshot of `tick`, later than all before, was sent: the last one that `stream` has written. */
  note(tick: number, stream: Pick<SnapshotStream, "lastSent">): void {
    const number = this.count++;
    const place = number % SENT_SNAPSHOTS;
    this.#ticks[place] = tick;
    this.#received[place] = 0;
    this.#numbers[tick % TICK_RING] = number;
    const told = this.#told[place];
    for (let t = 0; t < told.length; t++) told[t].copy(stream.lastSent(t));
  }

  /**
   * The client says that it has the snapshot of `tick`, and of those before: bit i of `mask` that of `tick - 1 - i`. Returns how
   * many one after the other it now says not to have had; -1 when it says nothing new.
   */
  noteReceived(tick: number, mask: number): number {
    if (tick <= this.newestReceived) return -1;
    let lost = 0;
    let mostLost = 0;
    for (let number = this.count - 1; number >= this.oldest; number--) {
      const place = number % SENT_SNAPSHOTS;
      const sent = this.#ticks[place];
      if (sent <= this.newestReceived || sent < tick - 32) break;
      if (sent > tick) continue;
      const received = sent === tick ? 1 : (mask >>> (tick - 1 - sent)) & 1;
      this.#received[place] = received;
      lost = received === 1 ? 0 : lost + 1;
      if (lost > mostLost) mostLost = lost;
    }
    this.newestReceived = tick;
    return mostLost;
  }

  /** Number of the oldest snapshot that is remembered. */
  get oldest(): number {
    return this.count > SENT_SNAPSHOTS ? this.count - SENT_SNAPSHOTS : 0;
  }

  /** Number of the snapshot of this tick, -1 when none was sent or it is forgotten. */
  numberOf(tick: number): number {
    const number = tick < 0 ? -1 : this.#numbers[tick % TICK_RING];
    return number >= this.oldest && this.#ticks[number % SENT_SNAPSHOTS] === tick ? number : -1;
  }

  tickOf(number: number): number {
    return this.#ticks[number % SENT_SNAPSHOTS];
  }

  /** Whether the client says that it has received this one, before any newer one. */
  wasReceived(number: number): boolean {
    return this.#received[number % SENT_SNAPSHOTS] === 1;
  }

  /** Bit i: the snapshot of `tick - 1 - i` was sent and received. */
  receiptsBefore(tick: number): number {
    let mask = 0;
    for (let number = this.numberOf(tick) - 1; number >= this.oldest; number--) {
      const back = tick - 1 - this.tickOf(number);
      if (back > 31) break;
      if (this.wasReceived(number)) mask |= 1 << back;
    }
    return mask;
  }

  /** From which tick the record of an entity is in this snapshot; `ABSENT` or `REPLACED`. */
  recordTick(number: number, table: number, id: number): number {
    return this.#told[number % SENT_SNAPSHOTS][table].tickOf(id);
  }

  /** Of the oldest record in this snapshot, in one table or in any; Infinity when it has none. */
  oldestRecordTick(number: number, table = -1): number {
    const told = this.#told[number % SENT_SNAPSHOTS];
    if (table >= 0) return told[table].oldest;
    let oldest = Infinity;
    for (let t = 0; t < told.length; t++) if (told[t].oldest < oldest) oldest = told[t].oldest;
    return oldest;
  }

  clear(): void {
    this.count = 0;
    this.newestReceived = -1;
    this.#numbers.fill(-1);
  }
}

const TICK_RING = 1024;
