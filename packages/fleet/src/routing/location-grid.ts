/**
 * Round trips from anywhere to every region, by distance, and the regions in that order: worked out once for each square
 * degree that players come from. A location counts as the middle of its square, which is off by 1.2 ms at most.
 */
import { distanceKm, estimateRttMs, unitVector, UNKNOWN_RTT_MS } from "../registry/geography.ts";
import type { RegionTable } from "../registry/region-table.ts";
import type { Coordinates } from "../registry/server-node.ts";

/** What is known of one square; by region number, or as a list of region numbers. */
export interface GridCell {
  readonly latencyMs: Float32Array;
  /** Nearest first; of equals, the lower number. */
  readonly order: Uint16Array;
}

const DEGREES = 1;
const COLUMNS = 360 / DEGREES;
const ROWS = 180 / DEGREES;

export class LocationGrid {
  readonly #regions: RegionTable;
  readonly #maxCells: number;
  readonly #cells: Map<number, GridCell> = new Map();
  #nowhere: GridCell = { latencyMs: new Float32Array(0), order: new Uint16Array(0) };
  #version = -1;

  constructor(regions: RegionTable, maxCells: number) {
    this.#regions = regions;
    this.#maxCells = maxCells;
  }

  get size(): number {
    return this.#cells.size;
  }

  /** From which all regions are equally far. Like all cells, it is valid until a region's place or number changes. */
  get nowhere(): GridCell {
    this.#renew();
    return this.#nowhere;
  }

  cellAt({ latitude, longitude }: Coordinates): GridCell {
    this.#renew();
    const row = Math.min(Math.floor((latitude + 90) / DEGREES), ROWS - 1);
    const column = Math.min(Math.floor((longitude + 180) / DEGREES), COLUMNS - 1);
    const key = row * COLUMNS + column;
    return this.#cells.get(key) ?? this.#work(key, row, column);
  }

  #renew(): void {
    if (this.#version === this.#regions.version) return;
    this.#version = this.#regions.version;
    this.#cells.clear();
    const latencyMs = new Float32Array(this.#regions.count).fill(UNKNOWN_RTT_MS);
    this.#nowhere = { latencyMs, order: Uint16Array.from(latencyMs.keys()) };
  }

  #work(key: number, row: number, column: number): GridCell {
    const here = unitVector({ latitude: (row + 0.5) * DEGREES - 90, longitude: (column + 0.5) * DEGREES - 180 });
    const latencyMs = new Float32Array(this.#regions.count);
    for (let region = 0; region < latencyMs.length; region++) {
      const centre = this.#regions.centreOf(region);
      latencyMs[region] = centre === undefined ? UNKNOWN_RTT_MS : estimateRttMs(distanceKm(here, centre));
    }
    const order = Uint16Array.from(latencyMs.keys()).sort((a, b) => latencyMs[a] - latencyMs[b] || a - b);
    // The cell that was worked out first goes: players of a place that is asked for often bring it back.
    if (this.#cells.size >= this.#maxCells) this.#cells.delete(this.#cells.keys().next().value ?? -1);
    const cell = { latencyMs, order };
    this.#cells.set(key, cell);
    return cell;
  }
}
