/** Pieces that several views are made of. */
import type { Attribution, NodeState } from "@riposte/fleet";
import { loadColor, STATE_COLORS } from "./colors.ts";
import { el, replace, set, setText } from "./dom.ts";
import { percent } from "./format.ts";

/** A bar that fills up. */
export class LoadBar {
  readonly element: HTMLElement;
  readonly #fill = el("i");
  readonly #text = el("span");

  constructor() {
    this.element = el("div", { class: "load" }, el("div", { class: "bar" }, this.#fill), this.#text);
  }

  update(load: number): void {
    this.#fill.style.width = `${Math.min(100 * load, 100)}%`;
    this.#fill.style.background = loadColor(load);
    setText(this.#text, percent(load));
  }
}

export class StateBadge {
  readonly element: HTMLElement = el("span", { class: "badge" });

  update(state: NodeState, suspicion: string | undefined): void {
    setText(this.element, suspicion === undefined ? state : `${state}, suspected`);
    set(this.element, { title: suspicion });
    this.element.style.setProperty("--badge", suspicion === undefined ? STATE_COLORS[state] : STATE_COLORS.lost);
  }
}

/** Whom to credit for locations, and for the map. */
export class Credits {
  readonly element: HTMLElement = el("p", { class: "credits" });
  #shown = "";

  update(attributions: readonly Attribution[]): void {
    const shown = JSON.stringify(attributions);
    // A link that has the focus keeps it.
    if (shown === this.#shown) return;
    this.#shown = shown;
    replace(
      this.element,
      attributions.map(({ text, url }) => [link(text, url), " · "]),
      "Map: ",
      link("Natural Earth", "https://www.naturalearthdata.com"),
    );
  }
}

export type Fact = readonly [name: string, value: string];

export function factList(facts: readonly Fact[]): HTMLElement {
  return el(
    "dl",
    { class: "facts" },
    facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function link(text: string, href: string): HTMLElement {
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, text);
}

/** The head of a table; those that begin with "#" stand above numbers. */
export function tableHead(...texts: readonly string[]): HTMLElement {
  const heads = texts.map((text) => {
    const isNumber = text.startsWith("#");
    return el("th", { scope: "col", class: isNumber && "number" }, isNumber ? text.slice(1) : text);
  });
  return el("thead", {}, el("tr", {}, heads));
}

/** Asks before something is done. Resolves to whether it shall be. */
export function confirmDialog(options: {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly more?: readonly Node[];
}): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const { title, text, action, isDangerous = false, more = [] } = options;
  const answer = (value: string): (() => void) => {
    return () => dialog.close(value);
  };
  const dialog = el(
    "dialog",
    { "aria-label": title },
    el("h2", {}, title),
    el("p", {}, text),
    more,
    el(
      "div",
      { class: "buttons" },
      el("button", { type: "button", onclick: answer("no") }, "Cancel"),
      el("button", { type: "button", class: isDangerous ? "danger" : "primary", onclick: answer("yes") }, action),
    ),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

/** Says in a line how something went. */
export class Notice {
  readonly element: HTMLElement = el("p", { class: "notice", role: "status", hidden: true });

  say(text: string, kind: "good" | "bad" | "busy" = "good"): void {
    set(this.element, { hidden: false, "data-kind": kind });
    setText(this.element, text);
  }

  clear(): void {
    set(this.element, { hidden: true });
    setText(this.element, "");
  }

  /** Does it, and says what went wrong. */
  async attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error), "bad");
    }
  }
}
