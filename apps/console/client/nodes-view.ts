/** All nodes with what they report; an operator can drain, maintain, resume, unregister and register them here. */
import type { NodeCommand, NodeState, ServerNode, StatsReply } from "@riposte/fleet";
import { loadOf, STATES } from "./colors.ts";
import { el, replace, set, setText } from "./dom.ts";
import { count } from "./format.ts";
import { COMMANDS, labelsOf, NodeRow } from "./node-row.ts";
import { confirmDialog, Notice } from "./parts.ts";
import type { View, ViewContext } from "./view.ts";

/** Asked for at once; a larger fleet is to be narrowed by region or state. */
const MAX_NODES = 2000;
/** More than that are not asked for every 2 s. */
const MANY = 500;
const MANY_EVERY_MS = 10_000;

type Key = "id" | "region" | "state" | "load" | "cpu" | "tick" | "version";

const COLUMNS: readonly { readonly key: Key; readonly label: string }[] = [
  { key: "id", label: "Node" },
  { key: "region", label: "Region" },
  { key: "state", label: "State" },
  { key: "load", label: "Load" },
  { key: "cpu", label: "CPU" },
  { key: "tick", label: "Tick" },
  { key: "version", label: "Version" },
];

const VALUES: Readonly<Record<Key, (node: ServerNode) => string | number>> = {
  id: ({ id }) => id,
  region: ({ region, id }) => `${region} ${id}`,
  state: ({ state }) => STATES.indexOf(state),
  load: ({ load, capacity }) => loadOf(load.players + load.reserved, capacity.players),
  cpu: ({ load }) => load.cpu,
  tick: ({ load }) => load.tickMs,
  version: ({ version }) => version,
};

export class NodesView implements View {
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #notice = new Notice();
  readonly #search = el("input", {
    type: "search",
    placeholder: "Id, version, label",
    "aria-label": "Search",
    oninput: () => this.#list(),
  });
  readonly #region = el(
    "select",
    { "aria-label": "Region", onchange: () => void this.#refresh() },
    el("option", { value: "" }, "All regions"),
  );
  readonly #state = el("select", { "aria-label": "State", onchange: () => void this.#refresh() });
  readonly #total = el("span", { class: "total" });
  readonly #heads: Map<Key, HTMLTableCellElement> = new Map();
  readonly #body = el("tbody");
  readonly #rows: Map<string, NodeRow> = new Map();
  readonly #mayWrite: boolean;
  #nodes: readonly ServerNode[] = [];
  #hasMore = false;
  #sortBy: Key = "id";
  #isDescending = false;
  #asking = false;
  #askedAt = -Infinity;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#mayWrite = context.operator.scopes.has("fleet:write");
    replace(
      this.#state,
      el("option", { value: "" }, "All states"),
      STATES.map((state) => el("option", { value: state }, state)),
    );
    const heads = COLUMNS.map(({ key, label }) => {
      const head = el(
        "th",
        { scope: "col" },
        el("button", { type: "button", class: "sort", onclick: () => this.#sort(key) }, label),
      );
      this.#heads.set(key, head);
      return head;
    });
    const register = el(
      "button",
      { type: "button", disabled: !this.#mayWrite, onclick: () => void this.#register() },
      "Register…",
    );
    this.element = el(
      "section",
      { class: "card nodes-view" },
      el("div", { class: "toolbar" }, this.#search, this.#region, this.#state, this.#total, register),
      this.#mayWrite
        ? undefined
        : el(
            "p",
            { class: "hint" },
            'Your token lacks the scope "fleet:write": you can look, but not change anything.',
          ),
      this.#notice.element,
      el(
        "div",
        { class: "scroll" },
        el(
          "table",
          { class: "nodes-table" },
          el(
            "thead",
            {},
            el("tr", {}, heads, el("th", { scope: "col" }, "Labels"), el("th", { scope: "col" }, "Actions")),
          ),
          this.#body,
        ),
      ),
    );
    this.#markSorted();
  }

  open(): void {
    const wanted = new URLSearchParams(location.hash.split("?")[1] ?? "").get("region");
    if (wanted !== null) this.#offerRegions([wanted], wanted);
    void this.#refresh();
  }

  update(stats: StatsReply): void {
    this.#offerRegions(Object.keys(stats.regions).sort(), this.#region.value);
    if (this.#nodes.length <= MANY || performance.now() - this.#askedAt > MANY_EVERY_MS) void this.#refresh();
  }

  #offerRegions(regions: readonly string[], chosen: string): void {
    const known = new Set(Array.from(this.#region.options, ({ value }) => value));
    for (const region of regions) if (!known.has(region)) this.#region.append(el("option", { value: region }, region));
    this.#region.value = chosen;
  }

  async #refresh(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#askedAt = performance.now();
    const [region, state] = [this.#region.value, this.#state.value];
    try {
      const page = await this.#context.api.nodes({
        limit: MAX_NODES,
        ...(region === "" ? {} : { region }),
        ...(state === "" ? {} : { state: state as NodeState }),
      });
      this.#nodes = page.nodes;
      this.#hasMore = page.next !== undefined;
      this.#list();
    } catch {
      // The head of the page says that nothing answers.
    } finally {
      this.#asking = false;
    }
    // Chosen otherwise meanwhile.
    if (region !== this.#region.value || state !== this.#state.value) await this.#refresh();
  }

  #list(): void {
    const words = this.#search.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    const shown = this.#nodes.filter((node) => {
      const text = `${node.id} ${node.version} ${labelsOf(node)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const value = VALUES[this.#sortBy];
    const sign = this.#isDescending ? -1 : 1;
    shown.sort((a, b) => {
      const [left, right] = [value(a), value(b)];
      if (left === right) return a.id < b.id ? -1 : 1;
      return left < right ? -sign : sign;
    });
    setText(
      this.#total,
      `${count(shown.length)} of ${this.#hasMore ? `the first ${count(MAX_NODES)}: choose a region` : count(this.#nodes.length)}`,
    );
    const kept = new Set(shown.map(({ id }) => id));
    for (const [id, row] of this.#rows)
      if (!kept.has(id)) {
        row.element.remove();
        this.#rows.delete(id);
      }
    for (const [i, node] of shown.entries()) {
      let row = this.#rows.get(node.id);
      if (row === undefined)
        this.#rows.set(node.id, (row = new NodeRow((command, id) => this.#command(command, id), this.#mayWrite)));
      row.update(node);
      // What has the focus keeps it where rows stay where they are.
      if (this.#body.children[i] !== row.element) this.#body.insertBefore(row.element, this.#body.children[i] ?? null);
    }
  }

  #sort(key: Key): void {
    this.#isDescending = this.#sortBy === key && !this.#isDescending;
    this.#sortBy = key;
    this.#markSorted();
    this.#list();
  }

  #markSorted(): void {
    for (const [key, head] of this.#heads)
      set(head, { "aria-sort": key === this.#sortBy && (this.#isDescending ? "descending" : "ascending") });
  }

  async #command(command: NodeCommand, id: string): Promise<void> {
    const { label, text } = COMMANDS[command];
    const isSure = await confirmDialog({
      title: `${label} ${id}?`,
      text,
      action: label,
      isDangerous: command === "unregister",
    });
    if (!isSure) return;
    await this.#notice.attempt(async () => {
      const { state } = await this.#context.api.commandNode(id, command);
      this.#notice.say(command === "unregister" ? `${id} is unregistered.` : `${id} is ${state}.`);
    });
    this.#asking = false;
    await this.#refresh();
  }

  async #register(): Promise<void> {
    const template = {
      id: "eu-central-99",
      region: "eu-central",
      coordinates: { latitude: 50.11, longitude: 8.68 },
      addresses: { udp: ["203.0.113.99:7777"] },
      capacity: { sessions: 8, players: 64 },
      version: "dev",
      labels: {},
      gameModes: [],
      weight: 1,
    };
    const text = el("textarea", { rows: 14, spellcheck: "false", "aria-label": "Registration" });
    text.value = JSON.stringify(template, undefined, 2);
    const isSure = await confirmDialog({
      title: "Register a node",
      text: "So that it is known before it runs, and can be put into maintenance. Players go there once it has registered itself and reports; until then it is lost.",
      action: "Register",
      more: [text],
    });
    if (!isSure) return;
    await this.#notice.attempt(async () => {
      const registration = JSON.parse(text.value) as { readonly id?: unknown };
      await this.#context.api.registerNode(registration);
      this.#notice.say(`${String(registration.id)} is registered.`);
    });
    await this.#refresh();
  }
}
