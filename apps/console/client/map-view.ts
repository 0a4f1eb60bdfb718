/** The fleet on the map: regions with their load, where players come from, and figures beside it. */
import type { PlayerOrigin, StatsReply } from "@riposte/fleet";
import { loadOf, STATE_COLORS, STATES } from "./colors.ts";
import { el, replace, set, setText, svg } from "./dom.ts";
import { FleetFigures } from "./fleet-figures.ts";
import { count, duration, percent } from "./format.ts";
import { Credits, factList, LoadBar, tableHead } from "./parts.ts";
import type { Fact } from "./parts.ts";
import { placedRegions, RegionLayer } from "./region-layer.ts";
import type { PlacedRegion } from "./region-layer.ts";
import type { View } from "./view.ts";
import { MAP_WIDTH, WorldMap } from "./world-map.ts";

const MAX_WAYS = 200;

export class MapView implements View {
  readonly element: HTMLElement;
  readonly #map = new WorldMap("Regions of the fleet and where players come from");
  readonly #origins = this.#map.addLayer("origins");
  readonly #ways = this.#map.addLayer("ways");
  readonly #regions = new RegionLayer(this.#map, (region) => this.#point(region));
  readonly #tip = el("div", { class: "tip", hidden: true });
  readonly #showWays = el("input", { type: "checkbox", onchange: () => this.#drawWays() });
  readonly #figures = new FleetFigures();
  readonly #rows = el("tbody");
  readonly #credits = new Credits();
  readonly #known: Map<string, RegionRow> = new Map();
  #stats: StatsReply | undefined;
  #pointed: string | undefined;

  constructor() {
    const head = tableHead("Region", "Load", "#Players", "#Seats", "#Free", "#Nodes");
    const { figures, countries, refusals, balancer } = this.#figures;
    this.element = el(
      "section",
      { class: "map-view" },
      el(
        "div",
        { class: "column" },
        el(
          "div",
          { class: "card map-card" },
          el("div", { class: "map-frame" }, this.#map.element, this.#tip),
          legend(this.#showWays),
          this.#credits.element,
        ),
        el(
          "div",
          { class: "lists" },
          card("Players come from", countries),
          card("Refused here", refusals),
          card("This balancer", balancer),
        ),
      ),
      el(
        "div",
        { class: "column" },
        figures,
        card("Regions", el("div", { class: "scroll" }, el("table", { class: "regions-table" }, head, this.#rows))),
      ),
    );
  }

  open(): void {
    // All is in `update`.
  }

  update(stats: StatsReply): void {
    this.#stats = stats;
    const regions = placedRegions(stats);
    this.#drawOrigins(stats.origins.origins);
    this.#regions.update(regions);
    this.#drawWays();
    this.#figures.update(stats);
    this.#listRegions(regions);
    this.#credits.update(stats.attributions);
    if (this.#pointed !== undefined) this.#fillTip(this.#pointed);
  }

  #drawOrigins(origins: readonly PlayerOrigin[]): void {
    const squares = new Map<string, { x: number; y: number; players: number }>();
    for (const origin of origins) {
      const key = `${origin.latitude} ${origin.longitude}`;
      const [x, y] = this.#map.locate(origin);
      const square = squares.get(key) ?? { x, y, players: 0 };
      square.players += origin.players;
      squares.set(key, square);
    }
    const dots = Array.from(squares.values(), ({ x, y, players }) =>
      svg("circle", {
        cx: x.toFixed(1),
        cy: y.toFixed(1),
        r: Math.min(1.2 + 0.6 * Math.sqrt(players), 9).toFixed(1),
      }),
    );
    this.#origins.replaceChildren(...dots);
  }

  /** Those of the region that is pointed at, or all. */
  #drawWays(): void {
    const stats = this.#stats;
    if (stats === undefined) return;
    const shown = stats.origins.origins.filter(({ region }) =>
      this.#pointed === undefined ? this.#showWays.checked : region === this.#pointed,
    );
    const ways = shown.slice(0, MAX_WAYS).flatMap((origin) => {
      const to = stats.regions[origin.region]?.coordinates;
      if (to === undefined) return [];
      const width = (0.6 + 0.25 * Math.sqrt(origin.players)).toFixed(2);
      return [svg("path", { d: this.#regions.wayTo(origin.region, origin, to), "stroke-width": width })];
    });
    this.#ways.replaceChildren(...ways);
  }

  #point(region: string | undefined): void {
    this.#pointed = region;
    this.#drawWays();
    set(this.#tip, { hidden: region === undefined });
    if (region === undefined) return;
    this.#fillTip(region);
    const place = this.#regions.placeOf(region)!;
    const scale = this.#map.element.clientWidth / MAP_WIDTH;
    // On the side where there is room.
    const isRight = place.x > MAP_WIDTH * 0.6;
    this.#tip.style.left = isRight ? "" : `${(place.x + 26) * scale}px`;
    this.#tip.style.right = isRight ? `${(MAP_WIDTH - place.x + 26) * scale}px` : "";
    this.#tip.style.top = `${Math.max(place.y - 40, 4) * scale}px`;
  }

  #fillTip(region: string): void {
    const { regions, origins } = this.#stats!;
    const stats = regions[region];
    if (stats === undefined) return;
    const { seats, nodes, suspectedNodes } = stats;
    const came = origins.origins.reduce((sum, origin) => sum + (origin.region === region ? origin.players : 0), 0);
    const facts: Fact[] = [
      [
        "Seats in use",
        `${count(seats.used)} of ${count(seats.capacity)} (${percent(loadOf(seats.used, seats.capacity))})`,
      ],
      ["Free", count(seats.free)],
      ["Lent to this balancer", count(seats.lent)],
      ...STATES.filter((state) => nodes[state] > 0).map((state): Fact => [`Nodes ${state}`, count(nodes[state])]),
      ...(suspectedNodes > 0 ? [["Suspected", count(suspectedNodes)] as const] : []),
      [`Placed in ${duration(origins.windowMs)}`, count(came)],
    ];
    replace(this.#tip, el("b", {}, region), factList(facts));
  }

  #listRegions(regions: readonly PlacedRegion[]): void {
    for (const [name, row] of this.#known)
      if (!regions.some((region) => region.name === name)) {
        row.element.remove();
        this.#known.delete(name);
      }
    for (const [i, region] of regions.entries()) {
      let row = this.#known.get(region.name);
      if (row === undefined) this.#known.set(region.name, (row = new RegionRow(region.name)));
      row.update(region);
      if (this.#rows.children[i] !== row.element) this.#rows.insertBefore(row.element, this.#rows.children[i] ?? null);
    }
  }
}

class RegionRow {
  readonly element: HTMLTableRowElement;
  readonly #load = new LoadBar();
  readonly #cells = Array.from({ length: 4 }, () => el("td", { class: "number" }));

  constructor(name: string) {
    const link = el("a", { href: `#nodes?region=${encodeURIComponent(name)}` }, name);
    this.element = el("tr", {}, el("th", { scope: "row" }, link), el("td", {}, this.#load.element), this.#cells);
  }

  update({ stats: { seats, nodes }, load }: PlacedRegion): void {
    const all = STATES.reduce((sum, state) => sum + nodes[state], 0);
    this.#load.update(load);
    const able = nodes.ready + nodes.full;
    const texts = [count(seats.used), count(seats.capacity), count(seats.free), `${count(able)} of ${count(all)}`];
    for (const [i, text] of texts.entries()) setText(this.#cells[i], text);
  }
}

function card(title: string, ...content: readonly Node[]): HTMLElement {
  return el("div", { class: "card" }, el("h2", {}, title), content);
}

function legend(showWays: HTMLInputElement): HTMLElement {
  const states = STATES.map((state) => {
    const mark = el("i");
    mark.style.background = STATE_COLORS[state];
    return el("span", {}, mark, state);
  });
  return el(
    "div",
    { class: "legend" },
    el("span", {}, "Disc: seats, and % taken. Ring: nodes"),
    states,
    el("span", {}, el("i", { class: "origin-mark" }), "players placed here lately"),
    el("label", {}, showWays, "ways to regions"),
  );
}
