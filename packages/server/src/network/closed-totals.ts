import type { ConnectionStats } from "@riposte/protocol/channel";
import { TrafficTotals } from "./traffic-totals.ts";

/** A connection's last packets, those that say goodbye, may be counted this long after its end was told. */
const SETTLES_MS = 2000;
/** Connections kept apart for that, each with all it remembers of its packets; of more, the oldest is taken as it stands. */
const MAX_SETTLING = 64;

/** What closed connections have counted, so that totals never go back. */
export class ClosedTotals {
  readonly #folded: TrafficTotals = new TrafficTotals();
  /** Oldest first. */
  #settling: { readonly stats: ConnectionStats; readonly endedAt: number }[] = [];

  add(stats: ConnectionStats, now: number): void {
    this.#settling.push({ stats, endedAt: now });
    this.#fold(now);
  }

  read(now: number): TrafficTotals {
    this.#fold(now);
    const totals = new TrafficTotals();
    totals.addTotals(this.#folded);
    for (const { stats } of this.#settling) totals.add(stats);
    return totals;
  }

  #fold(now: number): void {
    let count = Math.max(0, this.#settling.length - MAX_SETTLING);
    while (count < this.#settling.length && now - this.#settling[count].endedAt >= SETTLES_MS) count++;
    if (count === 0) return;
    for (const { stats } of this.#settling.slice(0, count)) this.#folded.add(stats);
    this.#settling = this.#settling.slice(count);
  }
}
