/** Where somebody would be sent, and why not elsewhere. Takes no seat. */
import type { Candidate, ExplainReply, StatsReply } from "@riposte/fleet";
import type { ExplainRequest } from "./api.ts";
import { el, replace, svg } from "./dom.ts";
import { count, countryName, ms, place } from "./format.ts";
import { Credits, Notice, tableHead } from "./parts.ts";
import { placedRegions, RegionLayer } from "./region-layer.ts";
import { WorldMap } from "./world-map.ts";
import type { View, ViewContext } from "./view.ts";

const STRATEGIES = [
  "composite",
  "latency",
  "geographic",
  "powerOfTwo",
  "leastLoad",
  "weighted",
  "consistentHash",
  "sticky",
];
const MAX_CANDIDATES = 200;
const REFUSED: Readonly<Record<string, string>> = {
  full: "Would wait: nodes match, none has a seat",
  noMatch: "Refused: no node matches the filter",
  noNodes: "Refused: no node takes players",
};

export class ExplainView implements View {
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #inputs = {
    ip: el("input", { type: "text", id: "explain-ip", placeholder: "203.0.113.7 or 2001:db8::7", autocomplete: "off" }),
    clientId: el("input", {
      type: "text",
      id: "explain-client",
      placeholder: "0",
      inputmode: "numeric",
      autocomplete: "off",
    }),
    strategy: el(
      "select",
      { id: "explain-strategy" },
      el("option", { value: "" }, "as configured"),
      STRATEGIES.map((each) => el("option", { value: each }, each)),
    ),
    regions: el("input", {
      type: "text",
      id: "explain-regions",
      placeholder: "eu-west, eu-central",
      autocomplete: "off",
    }),
    version: el("input", { type: "text", id: "explain-version", autocomplete: "off" }),
    gameMode: el("input", { type: "text", id: "explain-mode", autocomplete: "off" }),
    latencies: el("input", {
      type: "text",
      id: "explain-latencies",
      placeholder: "eu-west=31, us-east=98",
      autocomplete: "off",
    }),
  };
  readonly #notice = new Notice();
  readonly #answer = el("div", { class: "answer", "aria-live": "polite" });
  readonly #map = new WorldMap("The way to the chosen region");
  readonly #ways = this.#map.addLayer("ways chosen");
  readonly #regions = new RegionLayer(this.#map, () => undefined);
  readonly #player = this.#map.addLayer("player");
  readonly #credits = new Credits();
  readonly #rows = el("tbody");
  readonly #summary = el("p", { class: "hint" });
  readonly #latencies = el("tbody");

  constructor(context: ViewContext) {
    this.#context = context;
    const { ip, clientId, strategy, regions, version, gameMode, latencies } = this.#inputs;
    const form = el(
      "form",
      { class: "explain-form", onsubmit: (event: SubmitEvent) => this.#submit(event) },
      field("IP address", ip),
      field("Client id", clientId),
      field("Strategy", strategy),
      field("Only regions", regions),
      field("Version", version),
      field("Game mode", gameMode),
      field("Measured, in ms", latencies),
      el("button", { type: "submit", class: "primary" }, "Explain"),
    );
    this.element = el(
      "section",
      { class: "explain-view" },
      el(
        "div",
        { class: "card" },
        el("h2", {}, "Where would this player go?"),
        form,
        this.#notice.element,
        this.#answer,
      ),
      el(
        "div",
        { class: "card map-card" },
        el("div", { class: "map-frame" }, this.#map.element),
        this.#credits.element,
      ),
      el(
        "div",
        { class: "card" },
        el("h2", {}, "Candidates"),
        this.#summary,
        el(
          "div",
          { class: "scroll" },
          el("table", { class: "candidates" }, tableHead("Node", "Region", "#Score", "Parts", "Why not"), this.#rows),
        ),
      ),
      el(
        "div",
        { class: "card" },
        el("h2", {}, "Regions"),
        el("div", { class: "scroll" }, el("table", {}, tableHead("Region", "#Round trip", "By"), this.#latencies)),
      ),
    );
  }

  open(): void {
    this.#inputs.ip.focus();
  }

  update(stats: StatsReply): void {
    this.#regions.update(placedRegions(stats));
    this.#credits.update(stats.attributions);
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    void this.#notice.attempt(async () => {
      this.#show(await this.#context.api.explain(this.#request()));
      this.#notice.clear();
    });
  }

  #request(): ExplainRequest {
    const { ip, clientId, strategy, regions, version, gameMode, latencies } = this.#inputs;
    const list = text(regions)
      .split(/[\s,]+/)
      .filter((region) => region !== "");
    const measured = readLatencies(text(latencies));
    const filter = {
      ...(list.length === 0 ? {} : { regions: list }),
      ...(text(version) === "" ? {} : { version: text(version) }),
      ...(text(gameMode) === "" ? {} : { gameMode: text(gameMode) }),
    };
    return {
      clients: [
        {
          clientId: text(clientId) || "0",
          ...(text(ip) === "" ? {} : { ip: text(ip) }),
          ...(Object.keys(measured).length === 0 ? {} : { latencies: measured }),
        },
      ],
      ...(Object.keys(filter).length === 0 ? {} : { filter }),
      ...(text(strategy) === "" ? {} : { strategy: text(strategy) }),
    };
  }

  #show(reply: ExplainReply): void {
    const { outcome, candidates, regions, clients, lastRegion, lastNode, attributions } = reply;
    const { location } = clients[0];
    const where =
      location === undefined
        ? "Nobody knows where: the player counts as being in the region that served it last, else in the default region, else where most nodes are."
        : `${place(location.coordinates.latitude, location.coordinates.longitude)}${location.country === undefined ? "" : `, ${countryName(location.country)}`} ` +
          `(by ${location.source}, within ${count(location.accuracyKm)} km)`;
    const isPlaced = "node" in outcome;
    replace(
      this.#answer,
      el(
        "p",
        { class: isPlaced ? "chosen" : "chosen bad" },
        isPlaced ? [el("b", {}, outcome.node.id), ` in ${outcome.node.region}`] : REFUSED[outcome.refused],
      ),
      isPlaced && el("p", { class: "hint" }, `Score ${outcome.score.toFixed(1)} by ${outcome.strategy}`),
      el("p", {}, where),
      lastRegion !== undefined &&
        el("p", { class: "hint" }, `Played last on ${lastNode ?? "a node"} in ${lastRegion}.`),
    );
    this.#credits.update(attributions);
    this.#draw(reply);
    this.#list(candidates);
    replace(
      this.#latencies,
      Object.entries(regions)
        .sort(([, a], [, b]) => a.latencyMs - b.latencyMs)
        .map(([name, { latencyMs, source }]) =>
          el(
            "tr",
            { class: isPlaced && outcome.node.region === name && "best" },
            el("th", { scope: "row" }, name),
            el("td", { class: "number" }, ms(latencyMs)),
            el("td", {}, source),
          ),
        ),
    );
  }

  #draw({ outcome, clients }: ExplainReply): void {
    const from = clients[0].location?.coordinates;
    const node = "node" in outcome ? outcome.node : undefined;
    const to = node?.coordinates;
    const isKnown = node !== undefined && from !== undefined && to !== undefined;
    this.#ways.replaceChildren(...(isKnown ? [svg("path", { d: this.#regions.wayTo(node.region, from, to) })] : []));
    const [x, y] = from === undefined ? [0, 0] : this.#map.locate(from);
    this.#player.replaceChildren(
      ...(from === undefined ? [] : [svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 5 })]),
    );
  }

  #list(candidates: readonly Candidate[]): void {
    const reasons = new Map<string, number>();
    for (const { rejected = "chosen" } of candidates) reasons.set(rejected, (reasons.get(rejected) ?? 0) + 1);
    const summary = Array.from(reasons, ([reason, each]) => `${count(each)} ${reason}`).join(", ");
    replace(
      this.#summary,
      `${count(candidates.length)} nodes: ${summary}.`,
      candidates.length > MAX_CANDIDATES ? ` The first ${MAX_CANDIDATES} are listed.` : "",
    );
    replace(
      this.#rows,
      candidates.slice(0, MAX_CANDIDATES).map(({ nodeId, region, score, parts, rejected, detail }) =>
        el(
          "tr",
          { class: rejected === undefined && "best" },
          el("th", { scope: "row" }, nodeId),
          el("td", {}, region),
          el("td", { class: "number" }, score === undefined ? "–" : score.toFixed(1)),
          el(
            "td",
            { class: "parts" },
            parts === undefined
              ? ""
              : Object.entries(parts)
                  .map(([name, value]) => `${name} ${value.toFixed(1)}`)
                  .join(" · "),
          ),
          el(
            "td",
            {},
            rejected === undefined ? "chosen" : [el("b", {}, rejected), detail === undefined ? "" : ` ${detail}`],
          ),
        ),
      ),
    );
  }
}

function field(label: string, input: HTMLElement): HTMLElement {
  return el("div", { class: "field" }, el("label", { for: input.id }, label), input);
}

function text(input: HTMLInputElement | HTMLSelectElement): string {
  return input.value.trim();
}

/** "eu-west=31, us-east=98". Throws `SyntaxError` for anything else. */
function readLatencies(list: string): Readonly<Record<string, number>> {
  const latencies: Record<string, number> = {};
  for (const part of list.split(/[\s,]+/).filter((each) => each !== "")) {
    const [, region, value] = /^(.+)=(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (region === undefined) throw new SyntaxError(`"${part}" is no measured latency: write eu-west=31, us-east=98`);
    latencies[region] = Number(value);
  }
  return latencies;
}
