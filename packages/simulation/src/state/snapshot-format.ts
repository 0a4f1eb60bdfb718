import type { BitReader, BitWriter } from "@riposte/wire";
import { readGolomb, writeGolomb } from "./adaptive-code.ts";

/**
 * The parts of a snapshot's bits that stream and receiver share. docs/snapshots.md has the whole layout.
 *
 *     header: 0, tick (32)  |  1, tick modulo 2^16, ticks since the baseline (Golomb, order 2)
 *     then for every table, in the order both sides declare:
 *       0: the same entities as in the baseline, all as they were
 *       1: leaves, enters, updates, left out; each 0 when there are none, else 1 and the list
 */

/** Snapshots that both sides remember: what can be a baseline. */
export const SNAPSHOT_HISTORY = 64 as const;

export const NO_TICK: -1 = -1;

/** Ticks are whole numbers from 0 to this. */
export const MAX_TICK: number = 0xffffffff;

export function writeHeader(writer: BitWriter, tick: number, baselineTick: number): void {
  if (baselineTick < 0) {
    writer.bits(0, 1);
    writer.bits(tick, 32);
  } else {
    writer.bits(1, 1);
    writer.bits(tick, 16);
    writeGolomb(writer, tick - baselineTick, 2);
  }
}

export interface SnapshotHeader {
  tick: number;
  /** `NO_TICK`: the snapshot stands alone. */
  baselineTick: number;
}

/** `newestTick` is the newest the receiver knows, `NO_TICK` when it knows none. False when it is no header. */
export function readHeader(reader: BitReader, newestTick: number, header: SnapshotHeader): boolean {
  header.baselineTick = NO_TICK;
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
  return header.tick >= 0 && header.tick <= MAX_TICK && header.baselineTick >= 0 && distance > 0;
}

/** Picks some of `total` things, in order, by the gaps between them. */
export class GapWriter {
  #writer: BitWriter | undefined;
  #next = 0;
  #total = 0;

  start(writer: BitWriter, total: number): void {
    this.#writer = writer;
    this.#next = 0;
    this.#total = total;
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
  #reader: BitReader | undefined;
  #next = 0;
  #total = 0;

  start(reader: BitReader, total: number): void {
    this.#reader = reader;
    this.#next = 0;
    this.#total = total;
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
