/** Nodes that drain: since when, whether the scaler wanted it, and since when nobody plays there. By the table's index. */
import { DRAINING } from "../registry/node-table.ts";
import type { NodeTable } from "../registry/node-table.ts";

/** So long must a node have been empty: a seat that was given away a moment ago is in its next report. */
const EMPTY_FOR_MS = 5000;
/** A node that was to be stopped and is still there is tried again. */
const STOP_AGAIN_AFTER_MS = 30_000;
/** A node that is called back still counts as draining until its next report, which may be late. */
const RESUMES_FOR_MS = 10_000;

export interface Drain {
  readonly id: string;
  readonly since: number;
  /** The scaler drained it, so it may resume it. */
  readonly isOurs: boolean;
  emptySince: number;
  stopAskedAt: number;
  resumedAt: number;
}

export class DrainBook {
  readonly #table: NodeTable;
  readonly #drains: Map<number, Drain> = new Map();

  constructor(table: NodeTable) {
    this.#table = table;
  }

  entries(): IterableIterator<[number, Drain]> {
    return this.#drains.entries();
  }

  add(index: number, isOurs: boolean, now: number): void {
    const id = this.#table.idOf(index);
    this.#drains.set(index, { id, since: now, isOurs, emptySince: -1, stopAskedAt: -Infinity, resumedAt: -Infinity });
  }

  /** Whether the scaler may call it back: it drained it, and has done nothing else with it since. */
  mayResume(drain: Drain, now: number): boolean {
    return drain.isOurs && drain.stopAskedAt === -Infinity && !this.isResuming(drain, now);
  }

  /** It was called back, and is as good as ready. */
  isResuming(drain: Drain, now: number): boolean {
    return now - drain.resumedAt < RESUMES_FOR_MS;
  }

  delete(index: number): void {
    this.#drains.delete(index);
  }

  clear(): void {
    this.#drains.clear();
  }

  /** `draining`: all that drain now. `wasOurs`: an earlier leader's scaler has drained it. */
  update(draining: readonly number[], wasOurs: (id: string, region: number) => boolean, now: number): void {
    const table = this.#table;
    for (const index of this.#drains.keys()) if (table.state[index] !== DRAINING) this.#drains.delete(index);
    for (const index of draining) {
      if (!this.#drains.has(index)) this.add(index, wasOurs(table.idOf(index), table.region[index]), now);
      const drain = this.#drains.get(index)!;
      // Of a node that is not heard nobody knows who plays there.
      if (table.takenOf(index) > 0 || table.suspected[index] === 1) drain.emptySince = -1;
      else if (drain.emptySince < 0) drain.emptySince = now;
    }
  }

  /** Nodes that are to be stopped now, with the reason. */
  *due(maxDrainMs: (region: number) => number | undefined, now: number): IterableIterator<[number, string]> {
    for (const [index, drain] of this.#drains) {
      const limitMs = maxDrainMs(this.#table.region[index]);
      if (limitMs === undefined || now - drain.stopAskedAt < STOP_AGAIN_AFTER_MS) continue;
      if (this.isResuming(drain, now)) continue;
      const isEmpty = drain.emptySince >= 0 && now - drain.emptySince >= EMPTY_FOR_MS;
      if (!isEmpty && now - drain.since < limitMs) continue;
      drain.stopAskedAt = now;
      const players = this.#table.takenOf(index);
      yield [index, isEmpty ? "nobody plays there any more" : `maxDrainMs is over, with ${players} players there`];
    }
  }
}
