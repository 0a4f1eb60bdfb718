/** A node in the table, with the buttons of what an operator may do to it. */
import type { NodeCommand, ServerNode } from "@riposte/fleet";
import { loadOf } from "./colors.ts";
import { el, set, setText } from "./dom.ts";
import { count, percent } from "./format.ts";
import { LoadBar, StateBadge } from "./parts.ts";

export const COMMANDS: Readonly<Record<NodeCommand, { readonly label: string; readonly text: string }>> = {
  drain: { label: "Drain", text: "Nobody new is sent there; who plays may finish." },
  maintain: {
    label: "Maintain",
    text: "Nobody new is sent there until you resume it, whatever the node says; who plays may finish.",
  },
  resume: { label: "Resume", text: "Players are sent there again." },
  unregister: {
    label: "Unregister",
    text: "The fleet forgets the node, and keeps it away for a minute. Its players go on.",
  },
};

export class NodeRow {
  readonly element: HTMLTableRowElement;
  readonly #badge = new StateBadge();
  readonly #load = new LoadBar();
  readonly #players = el("small");
  readonly #id = el("th", { scope: "row" });
  readonly #texts = {
    region: el("td"),
    cpu: el("td", { class: "number" }),
    tick: el("td", { class: "number" }),
    version: el("td"),
    labels: el("td", { class: "labels" }),
  };
  readonly #buttons: ReadonlyMap<NodeCommand, HTMLButtonElement>;
  #node: ServerNode | undefined;

  constructor(onCommand: (command: NodeCommand, id: string) => Promise<void>, mayWrite: boolean) {
    this.#buttons = new Map(
      (Object.keys(COMMANDS) as NodeCommand[]).map((command) => {
        const act = (): void => {
          if (this.#node !== undefined) void onCommand(command, this.#node.id);
        };
        const attributes = {
          type: "button",
          class: command === "unregister" ? "small danger" : "small",
          disabled: !mayWrite,
        };
        return [
          command,
          el("button", { ...attributes, "data-command": command, onclick: act }, COMMANDS[command].label),
        ];
      }),
    );
    const { region, cpu, tick, version, labels } = this.#texts;
    this.element = el(
      "tr",
      {},
      this.#id,
      region,
      el("td", {}, this.#badge.element),
      el("td", {}, this.#load.element, this.#players),
      cpu,
      tick,
      version,
      labels,
      el("td", { class: "actions" }, Array.from(this.#buttons.values())),
    );
  }

  update(node: ServerNode): void {
    this.#node = node;
    const { id, region, state, suspicion, load, capacity, version, addresses } = node;
    const { cpu, tick, version: versionCell, labels, region: regionCell } = this.#texts;
    set(this.element, { "data-node": id, title: addresses.udp.join(", ") });
    this.#badge.update(state, state === "ready" ? suspicion : undefined);
    this.#load.update(loadOf(load.players + load.reserved, capacity.players));
    setText(
      this.#players,
      `${count(load.players)}${load.reserved > 0 ? ` + ${count(load.reserved)}` : ""} of ${count(capacity.players)}`,
    );
    setText(this.#id, id);
    setText(regionCell, region);
    setText(cpu, percent(load.cpu));
    setText(tick, load.tickMs > 0 ? `${load.tickMs.toFixed(1)} ms` : "–");
    setText(versionCell, version);
    setText(labels, labelsOf(node));
    const isHeld = state === "draining" || state === "maintenance";
    set(this.#buttons.get("drain")!, { hidden: isHeld });
    set(this.#buttons.get("maintain")!, { hidden: state === "maintenance" });
    set(this.#buttons.get("resume")!, { hidden: !isHeld });
  }
}

export function labelsOf({ labels, gameModes }: ServerNode): string {
  return [...Object.entries(labels).map(([name, value]) => `${name}=${value}`), ...gameModes].join(", ");
}
