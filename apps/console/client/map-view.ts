/** The fleet on the map: regions with their load, where players come from, and figures beside it. */
import type { PlayerOrigin, StatsReply } from "@riposte/fleet";
import { loadOf, STATE_COLORS, STATES } from "./colors.ts";
import { el, replace, set, setText, svg } from "./dom.ts";
import { count, countryName, duration, ms, percent } from "./format.ts";
import { credits, LoadBar } from "./parts.ts";
import { RegionLayer } from "./region-layer.ts";
import type { PlacedRegion } from "./region-layer.ts";
import { MAP_WIDTH, WorldMap } from "./world-map.ts";
import type { View } from "./view.ts";

const MAX_WAYS = 150;
const COUNTRIES = 8;

export class MapView implements View {
  readonly element: HTMLElement;
  readonly #map = new WorldMap("Regions of the fleet and where players come from");
  readonly #origins = this.#map.addLayer("origins");
  readonly #ways = this.#map.addLayer("ways");
  readonly #regions = new RegionLayer(this.#map, (region, mark) => this.#point(region, mark));
  readonly #tip = el("div", { class: "tip", hidden: true });
  readonly #showWays = el("input", { type: "checkbox", onchange: () => this.#drawWays() });
  readonly #figures = el("div", { class: "figures" });
  readonly #rows = el("tbody");
  readonly #countries = el("ol", { class: "countries" });
  readonly #refusals = el("dl", { class: "facts" });
  readonly #balancer = el("dl", { class: "facts" });
  readonly #credits = el("div");
  readonly #known: Map<string, RegionRow> = new Map();
  #stats: StatsReply | undefined;
  #pointed: string | undefined;

  constructor() {
    const legend = STATES.map((state) => {
      const mark = el("i");
      mark.style.background = STATE_COLORS[state];
      return el("span", {}, mark, state);
    });
    const head = ["Region", "Load", "Players", "Seats", "Free", "Nodes"].map((text) =>
      el("th", { scope: "col" }, text),
    );
    this.element = el(
      "section",
      { class: "map-view" },
      el(
        "div",
        { class: "card map-card" },
        el("div", { class: "map-frame" }, this.#map.element, this.#tip),
        el(
          "div",
          { class: "legend" },
          el("span", {}, "Disc: seats, and how many are taken. Ring: nodes that are"),
          legend,
          el("span", {}, el("i", { class: "origin-mark" }), "players of the last minutes"),
          el("label", {}, this.#showWays, "Ways to regions"),
        ),
        this.#credits,
      ),
      this.#figures,
      el(
        "div",
        { class: "card regions-card" },
        el("h2", {}, "Regions"),
        el(
          "div",
          { class: "scroll" },
          el("table", { class: "regions-table" }, el("thead", {}, el("tr", {}, head)), this.#rows),
        ),
      ),
      el("div", { class: "card" }, el("h2", {}, "Players come from"), this.#countries),
      el("div", { class: "card" }, el("h2", {}, "Refused since the start"), this.#refusals),
      el("div", { class: "card" }, el("h2", {}, "This balancer"), this.#balancer),
    );
  }

  open(): void {
    // All is in `update`.
  }

  update(stats: StatsReply): void {
    this.#stats = stats;
    const regions = Object.entries(stats.regions)
      .map(([name, region]): PlacedRegion => ({
        name,
        stats: region,
        load: loadOf(region.seats.used, region.seats.capacity),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#drawOrigins(stats.origins.origins);
    this.#regions.update(regions);
    this.#drawWays();
    this.#listFigures(regions, stats);
    this.#listRegions(regions);
    this.#listCountries(stats);
    this.#listRefusals(stats);
    this.#listBalancer(stats);
    replace(this.#credits, credits(stats.attributions));
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
        r: Math.min(1 + 0.55 * Math.sqrt(players), 9).toFixed(1),
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
      return [
        svg("path", {
          d: this.#map.way(origin, to),
          "stroke-width": (0.5 + 0.2 * Math.sqrt(origin.players)).toFixed(2),
        }),
      ];
    });
    this.#ways.replaceChildren(...ways);
  }

  #point(region: string | undefined, mark: Element | undefined): void {
    this.#pointed = region;
    this.#drawWays();
    set(this.#tip, { hidden: region === undefined });
    if (region === undefined || mark === undefined) return;
    this.#fillTip(region);
    const place = this.#regions.placeOf(region)!;
    const scale = this.#map.element.clientWidth / MAP_WIDTH;
    // On the side where there is room.
    const isRight = place.x > MAP_WIDTH * 0.6;
    this.#tip.style.left = isRight ? "" : `${(place.x + 24) * scale}px`;
    this.#tip.style.right = isRight ? `${(MAP_WIDTH - place.x + 24) * scale}px` : "";
    this.#tip.style.top = `${Math.max(place.y - 40, 4) * scale}px`;
  }

  #fillTip(region: string): void {
    const stats = this.#stats?.regions[region];
    if (stats === undefined) return;
    const { seats, nodes, suspectedNodes } = stats;
    const players = this.#stats!.origins.origins.filter((origin) => origin.region === region).reduce(
      (sum, origin) => sum + origin.players,
      0,
    );
    const facts: [string, string][] = [
      [
        "Seats in use",
        `${count(seats.used)} of ${count(seats.capacity)} (${percent(loadOf(seats.used, seats.capacity))})`,
      ],
      ["Free", count(seats.free)],
      ["Lent to this balancer", count(seats.lent)],
      ...STATES.filter((state) => nodes[state] > 0).map((state): [string, string] => [
        `Nodes ${state}`,
        count(nodes[state]),
      ]),
      ...(suspectedNodes > 0 ? [["Suspected", count(suspectedNodes)] as [string, string]] : []),
      [`Came in ${duration(this.#stats!.origins.windowMs)}`, count(players)],
    ];
    replace(this.#tip, el("b", {}, region), factList(facts));
  }

  #listFigures(regions: readonly PlacedRegion[], stats: StatsReply): void {
    const sum = (of: (region: PlacedRegion) => number): number => regions.reduce((total, each) => total + of(each), 0);
    const used = sum(({ stats: { seats } }) => seats.used);
    const capacity = sum(({ stats: { seats } }) => seats.capacity);
    const nodes = sum(({ stats: region }) => STATES.reduce((total, state) => total + region.nodes[state], 0));
    const able = sum(({ stats: region }) => region.nodes.ready + region.nodes.full);
    const { origins, allocation } = stats;
    const figure = (name: string, value: string, detail: string, isBad = false): HTMLElement =>
      el(
        "div",
        { class: isBad ? "card figure bad" : "card figure" },
        el("span", {}, name),
        el("b", {}, value),
        el("small", {}, detail),
      );
    const isAway = stats.store.status !== "connected";
    replace(
      this.#figures,
      figure("Players", count(used), `${percent(loadOf(used, capacity))} of ${count(capacity)} seats`),
      figure("Nodes ready", count(able), `of ${count(nodes)} in ${regions.length} regions`),
      figure("Placed", count(origins.players), `here in ${duration(origins.windowMs)}`),
      figure("Waiting", count(stats.queueLength), "players in the queue here", stats.queueLength > 0),
      figure("Answer", allocation.count === 0 ? "–" : ms(allocation.p99Ms), "99 % are faster"),
      figure("Balancers", count(stats.balancersAlive), stats.isLeader ? "alive, this one leads" : "alive"),
      figure("Store", stats.store.kind, stats.store.status, isAway),
    );
  }

  #listRegions(regions: readonly PlacedRegion[]): void {
    for (const [name, row] of this.#known)
      if (!regions.some((region) => region.name === name)) {
        row.element.remove();
        this.#known.delete(name);
      }
    for (const region of regions) {
      let row = this.#known.get(region.name);
      if (row === undefined) {
        this.#known.set(region.name, (row = new RegionRow(region.name)));
        const next = Array.from(this.#rows.children).find(
          (other) => (other.getAttribute("data-region") ?? "") > region.name,
        );
        this.#rows.insertBefore(row.element, next ?? null);
      }
      row.update(region);
    }
  }

  #listCountries({ origins }: StatsReply): void {
    const players = new Map<string, number>();
    for (const { country = "", players: more } of origins.origins)
      players.set(country, (players.get(country) ?? 0) + more);
    const sorted = Array.from(players).sort(([, a], [, b]) => b - a);
    const shown = sorted
      .slice(0, COUNTRIES)
      .map(([country, each]) => [country === "" ? "No country" : countryName(country), each] as const);
    const rest = sorted.slice(COUNTRIES).reduce((sum, [, each]) => sum + each, origins.other);
    const lines = [
      ...shown,
      ...(rest > 0 ? [["Elsewhere", rest] as const] : []),
      ...(origins.unknown > 0 ? [["Nobody knows where", origins.unknown] as const] : []),
    ];
    if (lines.length === 0)
      replace(this.#countries, el("li", { class: "empty" }, "Nobody was placed here in the last minutes."));
    else
      replace(
        this.#countries,
        lines.map(([name, each]) => {
          const fill = el("i");
          fill.style.width = `${100 * loadOf(each, Math.max(...lines.map(([, most]) => most)))}%`;
          return el("li", {}, el("span", {}, name), el("div", { class: "bar" }, fill), el("b", {}, count(each)));
        }),
      );
  }

  #listRefusals({ refusals }: StatsReply): void {
    const facts = Object.entries(refusals)
      .filter(([, each]) => each > 0)
      .map(([reason, each]): [string, string] => [reason, count(each)]);
    replace(this.#refusals, facts.length === 0 ? el("div", { class: "empty" }, "Nobody.") : facts.map(fact));
  }

  #listBalancer({ balancer, configVersion, store }: StatsReply): void {
    const facts: [string, string][] = [
      ["Name", balancer.id],
      ["Up for", duration(balancer.uptimeMs)],
      ["Seats lent to it", count(balancer.freeSeats)],
      ["Answers remembered", count(balancer.remembered)],
      ["Configuration", `version ${configVersion}`],
      ["Store", `${store.kind}, ${store.status}`],
      ["Registrations not stored", count(balancer.unsavedNodes)],
      ["Others alive", balancer.balancers.filter((id) => id !== balancer.id).join(", ") || "none"],
    ];
    replace(this.#balancer, facts.map(fact));
  }
}

class RegionRow {
  readonly element: HTMLTableRowElement;
  readonly #load = new LoadBar();
  readonly #cells = Array.from({ length: 4 }, () => el("td", { class: "number" }));

  constructor(name: string) {
    const link = el("a", { href: `#nodes?region=${encodeURIComponent(name)}` }, name);
    this.element = el(
      "tr",
      { "data-region": name },
      el("th", { scope: "row" }, link),
      el("td", {}, this.#load.element),
      this.#cells,
    );
  }

  update({ stats: { seats, nodes }, load }: PlacedRegion): void {
    const all = STATES.reduce((sum, state) => sum + nodes[state], 0);
    this.#load.update(load);
    const texts = [
      count(seats.used),
      count(seats.capacity),
      count(seats.free),
      `${count(nodes.ready + nodes.full)} of ${count(all)}`,
    ];
    for (const [i, text] of texts.entries()) setText(this.#cells[i], text);
  }
}

function fact([name, value]: readonly [string, string]): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

function factList(facts: readonly (readonly [string, string])[]): HTMLElement {
  return el("dl", { class: "facts" }, facts.map(fact));
}
