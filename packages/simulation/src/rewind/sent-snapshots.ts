/**
 * What one client knows from which snapshot, on the server: which entities each snapshot told of, from which tick
 * the record of each is, and whether the client says that it had the snapshot.
 *
 * A client claims each receipt once: what it says later about the same or older snapshots changes nothing.
 */
import type { SnapshotStream, TableView } from "../state/index.ts";

/**
 * What the remembered snapshots told of the entities of one table. One array holds all of it, an entity's two numbers side
 * by side: each snapshot of each client is written once and seldom looked at, so what it costs is the memory it touches.
 */
class ToldEntities {
  /** Of each snapshot, by rising index: its entities' ids, each followed by the tick from which its record is. */
  #entries: Int32Array = new Int32Array(0);
  /** Entities that each snapshot has room for. */
  #width = 0;
  readonly #counts: Int32Array = new Int32Array(SENT_SNAPSHOTS);
  /** By snapshot: the least of its ticks, which is its own unless an entity was left out; `NO_RECORD` when it has none. */
  readonly #oldest: Int32Array = new Int32Array(SENT_SNAPSHOTS);

  copy(place: number, { count, capacity, ids, ticks }: TableView): void {
    if (count > this.#width) this.#widen(Math.min(capacity, Math.max(count, 8, this.#width * 2)));
    const entries = this.#entries;
    let to = place * this.#width * 2;
    let oldest = NO_RECORD;
    for (let i = 0; i < count; i++, to += 2) {
      const tick = ticks[i];
      entries[to] = ids[i];
      entries[to + 1] = tick;
      if (tick < oldest) oldest = tick;
    }
    this.#counts[place] = count;
    this.#oldest[place] = oldest;
  }

  /** Tick of the entity's record; `ABSENT`, or `REPLACED` when another one has its index. */
  tickOf(place: number, id: number): number {
    const entries = this.#entries;
    const first = place * this.#width * 2;
    const index = id & 0xffff;
    let low = 0;
    let high = this.#counts[place] - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = first + middle * 2;
      const found = entries[at] & 0xffff;
      if (found === index) return entries[at] === id ? entries[at + 1] : REPLACED;
      if (found < index) low = middle + 1;
      else high = middle - 1;
    }
    return ABSENT;
  }

  oldestOf(place: number): number {
    return this.#oldest[place];
  }

  #widen(width: number): void {
    const entries = new Int32Array(SENT_SNAPSHOTS * width * 2);
    for (let place = 0; place < SENT_SNAPSHOTS; place++) {
      const from = place * this.#width * 2;
      entries.set(this.#entries.subarray(from, from + this.#counts[place] * 2), place * width * 2);
    }
    this.#entries = entries;
    this.#width = width;
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
  /** By table. */
  readonly #told: readonly ToldEntities[];
  /** Number of the snapshot of a tick, by tick. */
  readonly #numbers: Int32Array = new Int32Array(TICK_RING).fill(-1);

  constructor(tableCount: number) {
    this.#told = Array.from({ length: tableCount }, () => new ToldEntities());
  }

  /** The snapshot of `tick`, later than all before, was sent: the last one that `stream` has written. */
  note(tick: number, stream: Pick<SnapshotStream, "lastSent">): void {
    const number = this.count++;
    const place = number % SENT_SNAPSHOTS;
    this.#ticks[place] = tick;
    this.#received[place] = 0;
    this.#numbers[tick % TICK_RING] = number;
    const told = this.#told;
    for (let t = 0; t < told.length; t++) told[t].copy(place, stream.lastSent(t));
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
    return this.#told[table].tickOf(number % SENT_SNAPSHOTS, id);
  }

  /** Of the oldest record in this snapshot, in one table or in any; beyond all ticks when it has none. */
  oldestRecordTick(number: number, table = -1): number {
    const place = number % SENT_SNAPSHOTS;
    const told = this.#told;
    if (table >= 0) return told[table].oldestOf(place);
    let oldest = NO_RECORD;
    for (let t = 0; t < told.length; t++) oldest = Math.min(oldest, told[t].oldestOf(place));
    return oldest;
  }

  clear(): void {
    this.count = 0;
    this.newestReceived = -1;
    this.#numbers.fill(-1);
  }
}

const TICK_RING = 1024;
const NO_RECORD = 2 ** 31 - 1;
