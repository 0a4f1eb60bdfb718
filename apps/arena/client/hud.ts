/** The interface over the picture: plain HTML, touched only when a shown value changes. */
import { abilityKit } from "../src/abilities.ts";
import type { AbilityName } from "../src/abilities.ts";
import type { AbilityDefinition, AbilityView } from "@riposte/simulation";
import { hueCss } from "./colors.ts";

/** Own abilities, as `inspectAbilities` tells. */
export type OwnAbilities = AbilityView<AbilityName, "mending", "energy">;

/** The network box, in the units it prints. */
export interface NetFigures {
  readonly ping: number;
  readonly jitter: number;
  readonly loss: number;
  readonly error: number;
  readonly snapshots: number;
}

export interface Rank {
  readonly seat: number;
  readonly name: string;
  readonly hue: number;
  readonly kills: number;
  readonly deaths: number;
}

export interface FeedEntry {
  readonly killer: string;
  readonly victim: string;
  readonly killerHue: number;
  readonly victimHue: number;
  readonly weapon: number;
  readonly mine: boolean;
}

const FEED_SECONDS = 6;
const FEED_LINES = 6;
/** [warn, bad] above which a figure is coloured. */
const LIMITS: Readonly<Partial<Record<keyof NetFigures, readonly [number, number]>>> = {
  ping: [120, 250],
  jitter: [15, 40],
  loss: [1, 5],
  error: [5, 40],
};
const DIGITS: Readonly<Record<keyof NetFigures, number>> = {
  ping: 0,
  jitter: 1,
  loss: 1,
  error: 1,
  snapshots: 1,
};
const WEAPON_ICON = [
  '<svg viewBox="0 0 26 20"><path d="M3 13h6l2-4h12V6M10 13l-1 4"/></svg>',
  '<svg viewBox="0 0 26 20"><circle cx="17" cy="10" r="5"/><path d="M3 7h5M2 10h6M3 13h5"/></svg>',
];

export function element(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`no ${selector} in the page`);
  return found;
}

export class Hud {
  readonly #shown = new Map<HTMLElement, string>();
  readonly #stats = new Map<keyof NetFigures, HTMLElement>();
  readonly #health = element("#health");
  readonly #energy = element("#energy");
  readonly #abilities = abilityKit.abilities.map((ability) => ({ ability, item: element(`#${ability.name}`) }));
  readonly #hurt = element("#hurt");
  readonly #center = element("#center");
  readonly #hitMark = element("#hitmark");
  readonly #graph: CanvasRenderingContext2D;
  readonly #pings: number[] = [];
  readonly #errors: number[] = [];
  #lastHealth = 100;
  #pain = 0;

  constructor() {
    for (const item of document.querySelectorAll<HTMLElement>("[data-stat]"))
      this.#stats.set(item.dataset["stat"] as keyof NetFigures, item);
    this.#graph = canvasOf("#graph");
  }

  /** Every frame. */
  vitals(health: number, own: OwnAbilities, dt: number): void {
    if (health < this.#lastHealth) this.#pain = Math.min(1, this.#pain + (this.#lastHealth - health) / 26);
    this.#lastHealth = health;
    this.#pain *= Math.exp(-dt * 4);
    const low = health > 0 && health < 30 ? 0.3 : 0;
    this.#set(this.#hurt, Math.max(low, this.#pain).toFixed(2), (item, value) => {
      item.style.opacity = value;
      // Even an invisible sheet over the whole picture costs every frame.
      item.hidden = value === "0.00";
    });
    this.#meter(this.#health, health);
    this.#health.classList.toggle("low", health < 30);
    this.#meter(this.#energy, own.resources.energy);
    for (const { ability, item } of this.#abilities) this.#ability(item, ability, own);
  }

  /** The server refused what this client had foreseen: its square flashes. */
  refused(name: AbilityName): void {
    const item = this.#abilities.find(({ ability }) => ability.name === name)?.item;
    item?.animate([{ borderColor: "#ff5470" }, {}], { duration: 600 });
  }

  /** Some times a second. */
  net(figures: NetFigures): void {
    for (const [key, item] of this.#stats) {
      const value = figures[key];
      this.#set(item, Number.isFinite(value) ? value.toFixed(DIGITS[key]) : "–", (target, text) => {
        target.textContent = text;
      });
      const limit = LIMITS[key];
      item.className = limit === undefined || value < limit[0] ? "" : value < limit[1] ? "warn" : "bad";
    }
    this.#plot(figures.ping, figures.error);
  }

  board(ranks: readonly Rank[], players: number, ownSeat: number): void {
    const rows = ranks.map(
      (rank) =>
        `<li${rank.seat === ownSeat ? ' class="me"' : ""} style="--c:${hueCss(rank.hue)}"><b>${safe(rank.name)}</b><i>${rank.kills}</i><s>${rank.deaths}</s></li>`,
    );
    this.#set(element("#ranks"), rows.join(""), (item, html) => (item.innerHTML = html));
    this.#set(element("#headcount"), `${players} playing`, (item, text) => (item.textContent = text));
  }

  feed(entry: FeedEntry): void {
    const list = element("#feed");
    const line = document.createElement("li");
    if (entry.mine) line.className = "mine";
    line.innerHTML = `<b style="color:${hueCss(entry.killerHue)}">${safe(entry.killer)}</b>${WEAPON_ICON[entry.weapon] ?? ""}<b style="color:${hueCss(entry.victimHue)}">${safe(entry.victim)}</b>`;
    list.append(line);
    while (list.children.length > FEED_LINES) list.firstElementChild?.remove();
    setTimeout(() => line.classList.add("gone"), FEED_SECONDS * 1000);
    setTimeout(() => line.remove(), FEED_SECONDS * 1000 + 600);
  }

  /** A shot of mine counted: a cross flashes at the cursor. */
  hitMark(x: number, y: number, heavy: boolean): void {
    const mark = this.#hitMark;
    const place = `translate(${x}px, ${y}px)`;
    mark.style.stroke = heavy ? "#ff5470" : "#fff";
    mark.animate(
      [
        { opacity: 1, transform: `${place} scale(${heavy ? 1.5 : 1.15})` },
        { opacity: 0, transform: `${place} scale(0.8)` },
      ],
      { duration: heavy ? 380 : 180, easing: "ease-out" },
    );
  }

  /** The large words in the middle; an empty title hides them. */
  announce(title: string, detail: string): void {
    this.#center.classList.toggle("on", title !== "");
    if (title === "") return;
    this.#set(element("#center h1"), title, (item, text) => (item.textContent = text));
    this.#set(element("#center p"), detail, (item, text) => (item.textContent = text));
  }

  #meter(meter: HTMLElement, value: number): void {
    this.#set(meter, String(Math.round(value)), (item, text) => {
      const share = `scaleX(${Math.max(0, value / 100).toFixed(3)})`;
      for (const bar of item.querySelectorAll<HTMLElement>("u, s")) bar.style.transform = share;
      item.querySelector("output")!.textContent = text;
    });
  }

  #ability(
    item: HTMLElement,
    { name, cooldownTicks, rechargeTicks, costs }: AbilityDefinition,
    own: OwnAbilities,
  ): void {
    const status = own.abilities[name as AbilityName];
    // Shots come too fast to show their waits.
    const cooling = cooldownTicks < 10 ? 0 : status.cooldownTicks / cooldownTicks;
    const wait = status.charges === 0 ? status.rechargeTicks / rechargeTicks : cooling;
    const affordable = costs.every(({ steps }) => own.resources.energy >= steps * abilityKit.resources[0].step);
    const cast = own.cast?.ability === name ? 1 - own.cast.leftTicks / own.cast.totalTicks : 0;
    const charges = Number.isFinite(status.charges) ? String(status.charges) : "";
    this.#set(item, `${wait.toFixed(2)} ${cast.toFixed(2)} ${charges} ${affordable}`, () => {
      item.style.setProperty("--wait", wait.toFixed(2));
      item.style.setProperty("--cast", cast.toFixed(2));
      item.classList.toggle("ready", wait === 0 && affordable);
      item.classList.toggle("poor", !affordable);
      item.classList.toggle("casting", cast > 0);
      const count = item.querySelector("output");
      if (count !== null) count.textContent = charges;
    });
  }

  /** Ping as an area, prediction errors as ticks. */
  #plot(ping: number, error: number): void {
    this.#pings.push(ping);
    this.#errors.push(error);
    if (this.#pings.length > 65) {
      this.#pings.shift();
      this.#errors.shift();
    }
    const paint = this.#graph;
    const { width, height } = paint.canvas;
    const top = Math.max(100, ...this.#pings) * 1.15;
    paint.clearRect(0, 0, width, height);
    const area = paint.createLinearGradient(0, 0, 0, height);
    area.addColorStop(0, "rgb(53 224 194 / 45%)");
    area.addColorStop(1, "rgb(53 224 194 / 2%)");
    paint.beginPath();
    this.#pings.forEach((value, i) => paint.lineTo(i * 4, height - 2 - (value / top) * (height - 4)));
    paint.strokeStyle = "#35e0c2";
    paint.lineWidth = 2;
    paint.stroke();
    paint.lineTo((this.#pings.length - 1) * 4, height);
    paint.lineTo(0, height);
    paint.fillStyle = area;
    paint.fill();
    paint.fillStyle = "#ffb547";
    this.#errors.forEach((value, i) => {
      const tall = Math.min(height, value * 0.8);
      if (tall > 1) paint.fillRect(i * 4 - 1, height - tall, 2, tall);
    });
  }

  #set(item: HTMLElement, value: string, write: (item: HTMLElement, value: string) => void): void {
    if (this.#shown.get(item) === value) return;
    this.#shown.set(item, value);
    write(item, value);
  }
}

export function canvasOf(selector: string): CanvasRenderingContext2D {
  const canvas = document.querySelector<HTMLCanvasElement>(selector);
  const paint = canvas?.getContext("2d", { willReadFrequently: true });
  if (paint === null || paint === undefined) throw new Error(`no canvas ${selector}`);
  return paint;
}

function safe(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
