import { RangeDecoder } from "@riposte/wire";
import type { BitReader } from "@riposte/wire";
import { ReceivedTable } from "./received-table.ts";
import type { StateDefinition } from "../define-state.ts";
import { DENSE, NO_TICK, readHeader, SNAPSHOT_HISTORY } from "./snapshot-format.ts";
import type { SnapshotHeader } from "./snapshot-format.ts";

/**
 * The client's side: takes snapshots in whatever order they come, keeps the newest ones to build the next upon, and
 * offers the newest state of every entity and the two records around any moment. Bytes off the wire never throw: a
 * snapshot that is malformed or builds on something unknown is dropped and counted, and changes nothing.
 */

export interface SnapshotReceiverOptions {
  /** The server's states, by the same names in the same order. */
  readonly definitions: Readonly<Record<string, StateDefinition>>;
  /** Ticks a second, as the server's. Default 60. */
  readonly tickRate?: number;
  /** Seat of this client, for the owner of its own entities; it may be set later. Default -1. */
  readonly clientId?: number;
}

export interface SnapshotReceiverStats {
  received: number;
  malformed: number;
  /** Built on a snapshot that this client does not have, or has forgotten. */
  unknownBaseline: number;
  duplicates: number;
  /** Older than everything remembered. */
  stale: number;
}

export class SnapshotReceiver {
  readonly stats: SnapshotReceiverStats = { received: 0, malformed: 0, unknownBaseline: 0, duplicates: 0, stale: 0 };
  readonly #tables: readonly ReceivedTable[];
  readonly #byName = new Map<string, ReceivedTable>();
  /** One more slot than is remembered: the one being read. */
  readonly #ticks = new Float64Array(SNAPSHOT_HISTORY + 1).fill(NO_TICK);
  /** Remembered slots, newest tick first. */
  readonly #order: number[] = [];
  readonly #free: number[] = [];
  readonly #header: SnapshotHeader = {
    encoding: DENSE,
    tick: NO_TICK,
    baselineTick: NO_TICK,
    olderTick: NO_TICK,
  };
  readonly #decoder = new RangeDecoder();
  #clientId: number;

  constructor(options: SnapshotReceiverOptions) {
    this.#clientId = options.clientId ?? -1;
    for (let slot = 0; slot <= SNAPSHOT_HISTORY; slot++) this.#free.push(slot);
    for (const [name, definition] of Object.entries(options.definitions)) {
      this.#byName.set(name, new ReceivedTable(name, definition, options.tickRate ?? 60, this.#order, this.#ticks));
    }
    this.#tables = [...this.#byName.values()];
  }

  get clientId(): number {
    return this.#clientId;
  }

  set clientId(seat: number) {
    this.#clientId = seat;
  }

  /** All tables, in the declared order. */
  get tables(): readonly ReceivedTable[] {
    return this.#tables;
  }

  /** Throws `RangeError` for a name that was not declared. */
  table(name: string): ReceivedTable {
    const table = this.#byName.get(name);
    if (table === undefined) throw new RangeError(`there is no state "${name}"`);
    return table;
  }

  /** The newest tick received, or -1. This is what the client acknowledges. */
  get newestTick(): number {
    return this.#order.length > 0 ? this.#ticks[this.#order[0]] : NO_TICK;
  }

  /** Remembered snapshots. */
  get count(): number {
    return this.#order.length;
  }

  /** Tick of the n-th newest remembered snapshot. */
  tickAt(n: number): number {
    return n < this.#order.length ? this.#ticks[this.#order[n]] : NO_TICK;
  }

  has(tick: number): boolean {
    return this.#slotOf(tick) >= 0;
  }

  /** Which of the 32 ticks before the newest one were received: bit `i` is `newestTick - 1 - i`. */
  get receiptMask(): number {
    let mask = 0;
    for (let n = 1; n < this.#order.length; n++) {
      const age = this.newestTick - 1 - this.tickAt(n);
      if (age < 32) mask |= 1 << age;
    }
    return mask >>> 0;
  }

  /** Reads one snapshot and returns its tick, or -1 when it was dropped (`stats` says why). */
  read(reader: BitReader): number {
    const header = this.#header;
    if (!readHeader(reader, this.newestTick, header)) {
      // A snapshot that builds on another is no news to a client that has none yet.
      if (reader.failed || this.#order.length > 0) this.stats.malformed++;
      else this.stats.unknownBaseline++;
      return NO_TICK;
    }
    const { tick, baselineTick, olderTick } = header;
    if (this.#slotOf(tick) >= 0) {
      this.stats.duplicates++;
      return NO_TICK;
    }
    const base = baselineTick < 0 ? -1 : this.#slotOf(baselineTick);
    const older = olderTick < 0 ? -1 : this.#slotOf(olderTick);
    if ((baselineTick >= 0 && base < 0) || (olderTick >= 0 && older < 0)) {
      this.stats.unknownBaseline++;
      return NO_TICK;
    }
    if (this.#order.length === SNAPSHOT_HISTORY && tick < this.tickAt(SNAPSHOT_HISTORY - 1)) {
      this.stats.stale++;
      return NO_TICK;
    }
    const slot = this.#free[this.#free.length - 1];
    const wellFormed =
      header.encoding === DENSE
        ? this.#readDense(slot, base, older, tick, reader)
        : this.#readShared(slot, base, tick, reader);
    if (!wellFormed) {
      this.stats.malformed++;
      return NO_TICK;
    }
    this.#free.pop();
    this.#remember(slot, tick);
    for (const table of this.#tables) table.adopt(slot, tick === this.newestTick);
    this.stats.received++;
    return tick;
  }

  #readDense(slot: number, base: number, older: number, tick: number, reader: BitReader): boolean {
    const decoder = this.#decoder.start(reader);
    for (const table of this.#tables) {
      if (!table.readDense(slot, base, older, tick, this.#clientId, decoder) || decoder.failed) return false;
    }
    return decoder.finish();
  }

  #readShared(slot: number, base: number, tick: number, reader: BitReader): boolean {
    for (const table of this.#tables) {
      if (!table.readShared(slot, base, tick, this.#clientId, reader) || reader.failed) return false;
    }
    return true;
  }

  #remember(slot: number, tick: number): void {
    this.#ticks[slot] = tick;
    const order = this.#order;
    if (order.length === SNAPSHOT_HISTORY) {
      const oldest = order.pop();
      if (oldest !== undefined) {
        this.#ticks[oldest] = NO_TICK;
        this.#free.push(oldest);
      }
    }
    let at = order.length;
    order.push(slot);
    while (at > 0 && this.#ticks[order[at - 1]] < tick) {
      order[at] = order[at - 1];
      order[--at] = slot;
    }
  }

  #slotOf(tick: number): number {
    for (let n = 0; n < this.#order.length; n++) if (this.#ticks[this.#order[n]] === tick) return this.#order[n];
    return -1;
  }
}
