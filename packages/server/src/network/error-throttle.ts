/** Reports of failing listeners, at most one a second for each place: packets come by the thousand. */

import type { ListenerErrorReport } from "./network-event-listener.ts";

const INTERVAL_MS = 1000;

export class ErrorThrottle {
  readonly #report: ListenerErrorReport;
  readonly #now: () => number;
  /** By place, of which there are few. */
  readonly #places: Map<string, { at: number; left: number }> = new Map();

  constructor(report: ListenerErrorReport, now: () => number) {
    this.#report = report;
    this.#now = now;
  }

  report(during: string, error: unknown): void {
    const now = this.#now();
    const place = this.#places.get(during);
    if (place !== undefined && now - place.at < INTERVAL_MS) {
      place.left++;
      return;
    }
    this.#places.set(during, { at: now, left: 0 });
    try {
      this.#report(during, error, place?.left ?? 0);
    } catch {
      // The reporter itself failed: there is nobody left to tell.
    }
  }
}
