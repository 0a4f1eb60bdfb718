import { SharedFrames } from "./shared-frames.ts";
import { SharedRecords } from "./shared-records.ts";
import type { SharedRecordsStats } from "./shared-records.ts";
import type { AnyTable } from "../state-table.ts";

/**
 * What the shared encoder keeps for all clients of a room. It is bounded: what does not fit is encoded for each client
 * anew, and counted.
 */

export interface SharedSnapshotsOptions {
  /** The same tables, in the same order, as every stream of the room. */
  readonly tables: Readonly<Record<string, AnyTable>>;
  /** Ticks a second. Default 60. */
  readonly tickRate?: number;
  /** Room for the encodings of one tick: of the records of each table, and of whole snapshots. Default 256 KiB. */
  readonly maxBytes?: number;
}

export class SharedSnapshots {
  readonly stats: SharedRecordsStats = { encoded: 0, reused: 0, unstored: 0 };
  /** In the order of the tables. */
  readonly records: readonly SharedRecords[];
  /** Whole snapshots, for clients who own nothing and are told of everything. */
  readonly frames: SharedFrames;

  constructor(options: SharedSnapshotsOptions) {
    const { tables, tickRate = 60, maxBytes = 256 * 1024 } = options;
    if (!(maxBytes >= 0)) throw new RangeError(`SharedSnapshots: maxBytes ${maxBytes} must be at least 0`);
    this.records = Object.values(tables).map((table) => new SharedRecords(table, tickRate, maxBytes, this.stats));
    this.frames = new SharedFrames(Object.values(tables), this.records, maxBytes);
  }
}
