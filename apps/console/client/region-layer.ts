/** Regions as circles on the map: the size says how many seats there are, the colour how many are taken, the ring what the nodes do. */
import type { Coordinates, RegionStats, StatsReply } from "@riposte/fleet";
import { loadColor, loadOf, STATE_COLORS, STATES } from "./colors.ts";
import { set, setText, svg } from "./dom.ts";
import { count, percent } from "./format.ts";
import { spreadCircles } from "./spread.ts";
import type { WorldMap } from "./world-map.ts";

export interface PlacedRegion {
  readonly name: string;
  readonly stats: RegionStats;
  readonly load: number;
}

/** By name. */
export function placedRegions({ regions }: Pick<StatsReply, "regions">): readonly PlacedRegion[] {
  return Object.entries(regions)
    .map(([name, stats]) => ({ name, stats, load: loadOf(stats.seats.used, stats.seats.capacity) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const LEAST_RADIUS = 7;
const MOST_RADIUS = 17;
const RING = 3;
const GAP = 14;

export class RegionLayer {
  readonly #map: WorldMap;
  readonly #layer: SVGGElement;
  readonly #marks: Map<string, Mark> = new Map();
  readonly #onPoint: (region: string | undefined) => void;

  /** `onPoint`: somebody points at a region, by mouse or keyboard, or no more. */
  constructor(map: WorldMap, onPoint: (region: string | undefined) => void) {
    this.#map = map;
    this.#layer = map.addLayer("regions");
    this.#onPoint = onPoint;
  }

  update(regions: readonly PlacedRegion[]): void {
    const shown = regions.filter(({ stats }) => stats.coordinates !== undefined);
    const largest = Math.max(1, ...shown.map(({ stats }) => stats.seats.capacity));
    const circles = shown.map(({ stats }) => {
      const [x, y] = this.#map.locate(stats.coordinates!);
      const radius = LEAST_RADIUS + (MOST_RADIUS - LEAST_RADIUS) * Math.sqrt(stats.seats.capacity / largest);
      return { x, y, radius };
    });
    const places = spreadCircles(circles, GAP);
    for (const [name, mark] of this.#marks)
      if (!shown.some((region) => region.name === name)) {
        mark.element.remove();
        this.#marks.delete(name);
      }
    for (const [i, region] of shown.entries()) {
      let mark = this.#marks.get(region.name);
      if (mark === undefined) {
        this.#marks.set(region.name, (mark = new Mark(region.name, this.#onPoint)));
        this.#layer.append(mark.element);
      }
      mark.update(region, circles[i], places[i]);
    }
  }

  /** From somewhere to where the region's circle is drawn, as a path. */
  wayTo(region: string, from: Coordinates, to: Coordinates): string {
    const place = this.placeOf(region);
    const way = this.#map.way(from, to);
    return place === undefined ? way : `${way}L${place.x.toFixed(1)},${place.y.toFixed(1)}`;
  }

  /** Where a region's circle is. */
  placeOf(region: string): { readonly x: number; readonly y: number } | undefined {
    return this.#marks.get(region)?.place;
  }
}

class Mark {
  readonly element: SVGGElement;
  place = { x: 0, y: 0 };
  readonly #stem = svg("line", { class: "stem" });
  readonly #disc = svg("circle", { class: "disc" });
  readonly #ring = svg("g", { class: "ring" });
  readonly #percent = svg("text", { class: "percent", "text-anchor": "middle", dy: "0.35em" });
  readonly #label = svg("text", { class: "label", "text-anchor": "middle" });

  constructor(name: string, onPoint: (region: string | undefined) => void) {
    const point = (): void => onPoint(name);
    const leave = (): void => onPoint(undefined);
    this.element = svg(
      "g",
      {
        class: "region",
        tabindex: 0,
        role: "img",
        "data-region": name,
        onpointerenter: point,
        onfocus: point,
        onpointerleave: leave,
        onblur: leave,
      },
      this.#stem,
      this.#ring,
      this.#disc,
      this.#percent,
      this.#label,
    );
    setText(this.#label, name);
  }

  update(
    { name, stats, load }: PlacedRegion,
    { x, y, radius }: { readonly x: number; readonly y: number; readonly radius: number },
    place: { readonly x: number; readonly y: number },
  ): void {
    this.place = { x: place.x, y: place.y };
    const { seats, nodes } = stats;
    set(this.element, {
      transform: `translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`,
      "aria-label": `${name}: ${count(seats.used)} of ${count(seats.capacity)} seats in use, ${nodes.ready + nodes.full} nodes ready`,
    });
    set(this.#stem, { x2: (x - place.x).toFixed(1), y2: (y - place.y).toFixed(1) });
    set(this.#disc, { r: radius.toFixed(1), fill: loadColor(load) });
    setText(this.#percent, percent(load).replace(" %", ""));
    set(this.#label, { y: (radius + RING + 11).toFixed(1) });
    const total = STATES.reduce((sum, state) => sum + nodes[state], 0);
    const circumference = 2 * Math.PI * (radius + RING);
    let before = 0;
    const arcs = STATES.filter((state) => nodes[state] > 0).map((state) => {
      const share = loadOf(nodes[state], total);
      const arc = svg("circle", {
        r: (radius + RING).toFixed(1),
        stroke: STATE_COLORS[state],
        "stroke-dasharray": `${(share * circumference).toFixed(2)} ${circumference.toFixed(2)}`,
        "stroke-dashoffset": (-before * circumference).toFixed(2),
      });
      before += share;
      return arc;
    });
    this.#ring.replaceChildren(...arcs);
  }
}
