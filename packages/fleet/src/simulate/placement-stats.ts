/** How good placements were, by what happened at the time. */
import { Histogram, round } from "./histogram.ts";
import type { LatencyReport } from "./simulation-report.ts";

const STEPS = 1200;

export class PlacementStats {
  readonly #placed = new Histogram(0.5, STEPS);
  readonly #room = new Histogram(0.5, STEPS);
  readonly #nearest = new Histogram(0.5, STEPS);
  readonly #overRoom = new Histogram(0.25, 2 * STEPS);
  readonly #overNearest = new Histogram(0.25, 2 * STEPS);

  add(placedMs: number, roomMs: number, nearestMs: number): void {
    this.#placed.add(placedMs);
    this.#room.add(roomMs);
    this.#nearest.add(nearestMs);
    this.#overRoom.add(Math.max(0, placedMs - roomMs));
    this.#overNearest.add(Math.max(0, placedMs - nearestMs));
  }

  get report(): LatencyReport {
    return {
      placed: this.#placed.quantiles,
      nearestWithRoom: this.#room.quantiles,
      nearest: this.#nearest.quantiles,
      excessOverRoom: this.#overRoom.quantiles,
      excessOverNearest: this.#overNearest.quantiles,
      within1Ms: round(this.#overRoom.shareBelow(1), 4),
      within10Ms: round(this.#overRoom.shareBelow(10), 4),
    };
  }
}
