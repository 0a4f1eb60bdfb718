import type { BitReader, BitWriter } from "@riposte/wire";
import type { BitSink, BitSource } from "./bit-stream.ts";
import { readGolomb, writeGolomb } from "../adaptive-code.ts";
import type { AnyTable } from "../state-table.ts";
import type { TableView } from "./table-view.ts";

/**
 * The parts of a snapshot's bits that stream and receiver share. docs/snapshots.md has the whole layout.
 *
 *     header: encoding (1: 0 shared, 1 dense)
 *             0, tick (32)  |  1, tick modulo 2^16, ticks since the baseline (Golomb, order 2)
 *             dense, with a baseline: 0  |  1, ticks from the second baseline to the baseline, less 1 (Golomb, order 1)
 *     then every table, in the order both sides declare
 */

/** How the tables are coded. */
export const SHARED = 0;
export const DENSE = 1;

/** Snapshots that both sides remember: what can be a baseline. */
export const SNAPSHOT_HISTORY = 64 as const;

export const NO_TICK: -1 = -1;

/** Ticks are whole numbers from 0 to this. */
export const MAX_TICK: number = 0xffffffff;

export function writeHeader(
  writer: BitWriter,
  encoding: number,
  tick: number,
  baselineTick: number,
  olderTick: number,
): void {
  writer.bits(encoding, 1);
  if (baselineTick < 0) {
    writer.bits(0, 1);
    writer.bits(tick, 32);
    return;
  }
  writer.bits(1, 1);
  writer.bits(tick, 16);
  writeGolomb(writer, tick - baselineTick, 2);
  if (encoding === SHARED) return;
  writer.bits(olderTick < 0 ? 0 : 1, 1);
  if (olderTick >= 0) writeGolomb(writer, baselineTick - olderTick - 1, 1);
}

export interface SnapshotHeader {
  encoding: number;
  tick: number;
  /** `NO_TICK`: the snapshot stands alone. */
  baselineTick: number;
  /** `NO_TICK`: there is one baseline only. */
  olderTick: number;
}

/** `newestTick` is the newest the receiver knows, `NO_TICK` when it knows none. False when it is no header. */
export function readHeader(reader: BitReader, newestTick: number, header: SnapshotHeader): boolean {
  header.encoding = reader.bits(1);
  header.baselineTick = NO_TICK;
  header.olderTick = NO_TICK;
  if (reader.bits(1) === 0) {
    header.tick = reader.bits(32);
    return !reader.failed;
  }
  const low = reader.bits(16);
  const distance = readGolomb(reader, 2);
  if (reader.failed || newestTick < 0) return false;
  // The tick with these low bits that is nearest to the newest one.
  header.tick = newestTick + (((low - newestTick) << 16) >> 16);
  header.baselineTick = header.tick - distance;
  if (header.tick < 0 || header.tick > MAX_TICK || header.baselineTick < 0 || distance === 0) return false;
  if (header.encoding === SHARED || reader.bits(1) === 0) return !reader.failed;
  header.olderTick = header.baselineTick - 1 - readGolomb(reader, 1);
  return !reader.failed && header.olderTick >= 0;
}

/** Which entity a new one is, and whose: `next` is the first index that it may have. */
export function writeIdentity(writer: BitSink, table: AnyTable, index: number, next: number, mine: boolean): void {
  writeGolomb(writer, index - next, 1);
  writer.bits(table.generations[index], 8);
  writer.bits(mine ? 1 : 0, 1);
  if (!mine) writeGolomb(writer, table.owners[index] + 1, 3);
}

/** Appends the entity to `added` and returns its place; -1 when the index is out of range. */
export function readIdentity(
  reader: BitSource,
  added: TableView,
  next: number,
  capacity: number,
  tick: number,
  clientId: number,
): number {
  const index = next + readGolomb(reader, 1);
  if (reader.failed || index >= capacity) return -1;
  const id = index | (reader.bits(8) << 16);
  const mine = reader.bits(1);
  const owner = mine === 1 ? clientId : readGolomb(reader, 3) - 1;
  return added.push(id, owner, mine, tick);
}

/** Picks some of `total` things, in order, by the gaps between them. */
export class GapWriter {
  #writer: BitSink | undefined;
  #next = 0;
  #total = 0;

  start(writer: BitSink, total: number): void {
    this.#writer = writer;
    this.#next = 0;
    this.#total = total;
  }

  /** Picks those of the first `total` that are 1. */
  write(writer: BitSink, picked: Uint8Array, total: number): void {
    this.start(writer, total);
    for (let position = 0; position < total; position++) if (picked[position] === 1) this.pick(position);
    this.end();
  }

  /** Positions come in rising order. */
  pick(position: number): void {
    if (this.#writer !== undefined) writeGolomb(this.#writer, position - this.#next, 0);
    this.#next = position + 1;
  }

  end(): void {
    if (this.#writer !== undefined && this.#next < this.#total) writeGolomb(this.#writer, this.#total - this.#next, 0);
  }
}

export class GapReader {
  #reader: BitSource | undefined;
  #next = 0;
  #total = 0;

  start(reader: BitSource, total: number): void {
    this.#reader = reader;
    this.#next = 0;
    this.#total = total;
  }

  /** Sets those to 1 that were picked, and returns how many. */
  read(reader: BitSource, picked: Uint8Array, total: number): number {
    let count = 0;
    this.start(reader, total);
    for (let position = this.next(); position < total; position = this.next()) {
      picked[position] = 1;
      count++;
    }
    return count;
  }

  /** The next position, or `total` and above when there are no more. */
  next(): number {
    if (this.#next >= this.#total || this.#reader === undefined) return this.#total;
    const position = this.#next + readGolomb(this.#reader, 0);
    if (position > this.#total) this.#reader.failed = true;
    this.#next = position + 1;
    return this.#reader.failed ? this.#total : position;
  }
}
