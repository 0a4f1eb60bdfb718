/**
 * How far each region is from the players of one request, in ms of round trip, and the regions in that order. Of several
 * players the worst counts; one of whom nothing is known does not. One object serves all requests, one after the other.
 */
import { BASE_RTT_MS } from "../registry/geography.ts";
import type { RegionTable } from "../registry/region-table.ts";
import { LocationGrid } from "./location-grid.ts";
import type { LatencySource } from "./player-latencies.ts";
import { PlayerLatencies } from "./player-latencies.ts";
import { RegionHeap } from "./region-heap.ts";
import type { RouteClient } from "./route-request.ts";

export class RegionLatencies {
  readonly #regions: RegionTable;
  readonly #grid: LocationGrid;
  /** Those of whom something is known, in the first places. */
  readonly #players: PlayerLatencies[];
  #count = 0;
  #isDefault = false;
  /** Of several players: regions that the first has come to, by how far they are from the worst. */
  readonly #heap: RegionHeap;
  /** No other region is nearer than this. */
  #boundMs = 0;

  constructor(regions: RegionTable, maxCells: number) {
    this.#regions = regions;
    this.#grid = new LocationGrid(regions, maxCells);
    this.#players = [new PlayerLatencies(regions, this.#grid)];
    this.#heap = new RegionHeap(regions.maxRegions);
  }

  /** Squares of the grid that are worked out. */
  get cells(): number {
    return this.#grid.size;
  }

  /** False: nothing is known of any of them; then call `standIn`. `byDistance`: what was measured only tells where a player is. */
  read(clients: readonly RouteClient[], byDistance: boolean): boolean {
    this.#isDefault = false;
    this.#heap.clear();
    this.#boundMs = 0;
    this.#count = 0;
    for (const client of clients) {
      const player = (this.#players[this.#count] ??= new PlayerLatencies(this.#regions, this.#grid));
      if (player.read(client, byDistance)) this.#count++;
    }
    return this.#count > 0;
  }

  /** Everybody counts as being in that region; -1: there is none. */
  standIn(region: number): void {
    this.#isDefault = true;
    this.#count = 1;
    this.#players[0].stand(region, BASE_RTT_MS);
  }

  /** The next nearest region, or -1. */
  next(): number {
    const [first] = this.#players;
    if (this.#count === 1) return first.next();
    while (!(this.#heap.size > 0 && this.#heap.leastKey < this.#boundMs)) {
      const region = first.next();
      if (region < 0) break;
      this.#boundMs = first.of(region);
      this.#heap.push(region, this.of(region));
    }
    return this.#heap.pop();
  }

  of(region: number): number {
    let ms = this.#players[0].of(region);
    for (let i = 1; i < this.#count; i++) ms = Math.max(ms, this.#players[i].of(region));
    return ms;
  }

  sourceOf(region: number): LatencySource {
    if (this.#isDefault) return "default";
    const ms = this.of(region);
    const worst = this.#players.findIndex((player, i) => i < this.#count && player.of(region) === ms);
    return this.#players[worst].sourceOf(region);
  }
}
