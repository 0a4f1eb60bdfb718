/**
 * How far each region is from one player, in ms of round trip, and the regions in that order:
 *
 * - A measured round trip counts as it is.
 * - Of a region that was not measured, distance is the estimate; what the measured ones take longer than their distances
 *   explain (the access line) is added, as much as the least of them says.
 * - A location from which a measured round trip would be faster than light is wrong and left aside.
 * - Without a location, the player stands where the region is that was measured best.
 */
import { BASE_RTT_MS, isKnown, LIGHT_RTT_MS_PER_KM, RTT_MS_PER_KM } from "../registry/geography.ts";
import type { RegionTable } from "../registry/region-table.ts";
import type { GridCell, LocationGrid } from "./location-grid.ts";
import type { RouteClient } from "./route-request.ts";

export type LatencySource = "measured" | "distance" | "default";

/** A square's half diagonal, and a region's own extent. */
const PLACE_TOLERANCE_KM = 200;
/** A client that sends more has the others unread. */
const MAX_MEASUREMENTS = 64;
const MAX_LATENCY_MS = 10_000;

export class PlayerLatencies {
  readonly #regions: RegionTable;
  readonly #grid: LocationGrid;
  /** Where the player stands, what is added to the estimates from there, and what they are at least. */
  #cell: GridCell;
  #addedMs = 0;
  #leastMs = 0;
  /** What was measured: regions, shortest round trip first, and round trips by region, -1 for none. */
  readonly #measured: Uint16Array = new Uint16Array(MAX_MEASUREMENTS);
  readonly #measuredMs: Float32Array;
  #measuredCount = 0;
  /** How many regions of the cell's order, and of the measured ones, have been asked for. */
  #nextOfCell = 0;
  #nextMeasured = 0;

  constructor(regions: RegionTable, grid: LocationGrid) {
    this.#regions = regions;
    this.#grid = grid;
    this.#cell = grid.nowhere;
    this.#measuredMs = new Float32Array(regions.maxRegions).fill(-1);
  }

  /** False: nothing is known of it. `byDistance`: what was measured only tells where it is. */
  read({ location, latencies }: RouteClient, byDistance: boolean): boolean {
    this.#begin();
    if (latencies !== undefined) this.#readMeasured(latencies);
    const isLocated = location !== undefined && location.source !== "unknown" && isKnown(location.coordinates);
    if (isLocated) this.#cell = this.#grid.cellAt(location.coordinates);
    if (this.#measuredCount === 0) return isLocated;
    if (isLocated && this.#isPossible(location.accuracyKm)) this.#addedMs = this.#accessMs();
    else this.#standAt(this.#measured[0], this.#measuredMs[this.#measured[0]]);
    if (byDistance) this.#forgetMeasured();
    return true;
  }

  /** In a region, at so many ms from its nodes; -1: nowhere. */
  stand(region: number, ms: number): void {
    this.#begin();
    if (region < 0) return;
    this.#standAt(region, ms);
    this.#noteMeasured(region, ms);
  }

  /** The next nearest region, or -1. */
  next(): number {
    const { order } = this.#cell;
    while (this.#nextOfCell < order.length && this.#measuredMs[order[this.#nextOfCell]] >= 0) this.#nextOfCell++;
    const estimated = this.#nextOfCell < order.length ? order[this.#nextOfCell] : -1;
    if (this.#nextMeasured < this.#measuredCount) {
      const measured = this.#measured[this.#nextMeasured];
      if (estimated < 0 || this.#measuredMs[measured] <= this.of(estimated)) {
        this.#nextMeasured++;
        return measured;
      }
    }
    this.#nextOfCell++;
    return estimated;
  }

  of(region: number): number {
    const measuredMs = this.#measuredMs[region];
    return measuredMs >= 0 ? measuredMs : Math.max(this.#leastMs, this.#cell.latencyMs[region] + this.#addedMs);
  }

  sourceOf(region: number): LatencySource {
    if (this.#measuredMs[region] >= 0) return "measured";
    return this.#cell === this.#grid.nowhere || this.#regions.centreOf(region) === undefined ? "default" : "distance";
  }

  #begin(): void {
    this.#forgetMeasured();
    this.#cell = this.#grid.nowhere;
    this.#addedMs = 0;
    this.#leastMs = 0;
    this.#nextOfCell = 0;
    this.#nextMeasured = 0;
  }

  #readMeasured(latencies: Readonly<Record<string, number>>): void {
    let read = 0;
    for (const name in latencies) {
      if (++read > MAX_MEASUREMENTS) return;
      const ms = latencies[name];
      const region = this.#regions.numberOf(name);
      if (region >= 0 && ms >= 0) this.#noteMeasured(region, Math.min(ms, MAX_LATENCY_MS));
    }
  }

  #noteMeasured(region: number, ms: number): void {
    this.#measuredMs[region] = ms;
    let place = this.#measuredCount++;
    for (; place > 0 && this.#measuredMs[this.#measured[place - 1]] > ms; place--)
      this.#measured[place] = this.#measured[place - 1];
    this.#measured[place] = region;
  }

  #forgetMeasured(): void {
    for (let i = 0; i < this.#measuredCount; i++) this.#measuredMs[this.#measured[i]] = -1;
    this.#measuredCount = 0;
  }

  #isPossible(accuracyKm: number): boolean {
    for (let i = 0; i < this.#measuredCount; i++) {
      const region = this.#measured[i];
      if (this.#regions.centreOf(region) === undefined) continue;
      const km = (this.#cell.latencyMs[region] - BASE_RTT_MS) / RTT_MS_PER_KM;
      if (this.#measuredMs[region] < (km - accuracyKm - PLACE_TOLERANCE_KM) * LIGHT_RTT_MS_PER_KM) return false;
    }
    return true;
  }

  /** What the measured round trips take longer than distance explains: the least of them. */
  #accessMs(): number {
    let least = Infinity;
    for (let i = 0; i < this.#measuredCount; i++) {
      const region = this.#measured[i];
      if (this.#regions.centreOf(region) !== undefined)
        least = Math.min(least, this.#measuredMs[region] - this.#cell.latencyMs[region]);
    }
    return least === Infinity ? 0 : Math.max(0, least);
  }

  #standAt(region: number, ms: number): void {
    const place = this.#regions.placeOf(region);
    this.#cell = place === undefined ? this.#grid.nowhere : this.#grid.cellAt(place);
    if (place !== undefined) this.#addedMs = ms - this.#cell.latencyMs[region];
    // No other region is nearer than the one that the player is in.
    this.#leastMs = ms;
  }
}
