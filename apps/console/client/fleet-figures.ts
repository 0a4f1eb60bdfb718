/** What a balancer says of itself and the fleet, in figures: at the top, and in three lists. */
import type { StatsReply } from "@riposte/fleet";
import { loadOf, STATES } from "./colors.ts";
import { el, replace } from "./dom.ts";
import { count, countryName, duration, ms, percent } from "./format.ts";
import { factList } from "./parts.ts";
import type { Fact } from "./parts.ts";

const COUNTRIES = 10;

export class FleetFigures {
  readonly figures: HTMLElement = el("div", { class: "figures" });
  readonly countries: HTMLElement = el("ol", { class: "countries" });
  readonly refusals: HTMLElement = el("div");
  readonly balancer: HTMLElement = el("div");

  update(stats: StatsReply): void {
    this.#fillFigures(stats);
    this.#fillCountries(stats);
    const refused = Object.entries(stats.refusals).filter(([, each]) => each > 0);
    replace(
      this.refusals,
      refused.length === 0
        ? el("p", { class: "empty" }, "Nobody.")
        : factList(refused.map(([reason, each]): Fact => [reason, count(each)])),
    );
    this.#fillBalancer(stats);
  }

  #fillFigures({ regions, origins, allocation, store, queueLength, balancersAlive, isLeader }: StatsReply): void {
    let [used, capacity, nodes, able] = [0, 0, 0, 0];
    for (const { seats, nodes: byState } of Object.values(regions)) {
      used += seats.used;
      capacity += seats.capacity;
      able += byState.ready + byState.full;
      for (const state of STATES) nodes += byState[state];
    }
    const isAway = store.status !== "connected";
    replace(
      this.figures,
      figure("Players", count(used), `${percent(loadOf(used, capacity))} of ${count(capacity)} seats`),
      figure("Nodes ready", count(able), `of ${count(nodes)} in ${Object.keys(regions).length} regions`),
      figure("Placed here", count(origins.players), `in ${duration(origins.windowMs)}`),
      figure("Waiting here", count(queueLength), "in the queue", queueLength > 0),
      figure("Answer", allocation.count === 0 ? "–" : ms(allocation.p50Ms), `99 % in ${ms(allocation.p99Ms)}`),
      figure("Balancers", count(balancersAlive), isLeader ? "alive, this one leads" : "alive"),
      figure("Store", isAway ? "away" : "up", `${store.kind}, ${store.status}`, isAway),
    );
  }

  #fillCountries({ origins }: StatsReply): void {
    const players = new Map<string, number>();
    for (const { country = "", players: more } of origins.origins)
      players.set(country, (players.get(country) ?? 0) + more);
    const sorted = Array.from(players).sort(([, a], [, b]) => b - a);
    const most = Math.max(1, ...players.values());
    const bars = sorted.slice(0, COUNTRIES).map(([country, each]) => {
      const fill = el("i");
      fill.style.width = `${100 * loadOf(each, most)}%`;
      const name = country === "" ? "No country" : countryName(country);
      return el("li", {}, el("span", {}, name), el("div", { class: "bar" }, fill), el("b", {}, count(each)));
    });
    const rest = sorted.slice(COUNTRIES).reduce((sum, [, each]) => sum + each, origins.other);
    const countries = sorted.length - COUNTRIES;
    replace(
      this.countries,
      bars,
      origins.players === 0 && el("li", { class: "empty" }, "Nobody was placed here lately."),
      rest > 0 && plain(countries > 0 ? `${count(countries)} other countries` : "Elsewhere", rest),
      origins.unknown > 0 && plain("Nobody knows where", origins.unknown),
    );
  }

  #fillBalancer({ balancer, configVersion }: StatsReply): void {
    const others = balancer.balancers.filter((id) => id !== balancer.id);
    const facts: Fact[] = [
      ["Name", balancer.id],
      ["Up for", duration(balancer.uptimeMs)],
      ["Seats lent to it", count(balancer.freeSeats)],
      ["Answers remembered", count(balancer.remembered)],
      ["Configuration", `version ${configVersion}`],
      ["Registrations not stored", count(balancer.unsavedNodes)],
      ["Others alive", others.join(", ") || "none"],
    ];
    replace(this.balancer, factList(facts));
  }
}

function figure(name: string, value: string, detail: string, isBad: boolean = false): HTMLElement {
  return el(
    "div",
    { class: isBad ? "card figure bad" : "card figure" },
    el("span", {}, name),
    el("b", {}, value),
    el("small", {}, detail),
  );
}

function plain(name: string, players: number): HTMLElement {
  return el("li", { class: "plain" }, el("span", {}, name), el("b", {}, count(players)));
}
