/** The console: who it is, which view is open, and a question to the balancer every 2 s. */
import type { StatsReply } from "@riposte/fleet";
import { Api, ApiFailure } from "./api.ts";
import { ConfigView } from "./config-view.ts";
import { el, replace, set, setText } from "./dom.ts";
import { ExplainView } from "./explain-view.ts";
import { MapView } from "./map-view.ts";
import { NodesView } from "./nodes-view.ts";
import { readToken } from "./token.ts";
import type { TokenFacts } from "./token.ts";
import type { View, ViewContext } from "./view.ts";

const EVERY_MS = 2000;
const STORED = "riposte-token";
const VIEWS = { map: "Map", nodes: "Nodes", config: "Configuration", explain: "Explain" } as const;
type Name = keyof typeof VIEWS;

const app = document.querySelector("#app")!;

class Console {
  readonly #api: Api;
  readonly #views: Readonly<Record<Name, View>>;
  readonly #tabs: Readonly<Record<Name, HTMLAnchorElement>>;
  readonly #main = el("main");
  readonly #status = el("span", { class: "status", role: "status" });
  readonly #onHash = (): void => this.#open();
  #timer = 0;
  #answeredAt = performance.now();
  #last: StatsReply | undefined;

  constructor(token: string, operator: TokenFacts) {
    this.#api = new Api(token, ({ message }) => signOut(message));
    const context: ViewContext = { api: this.#api, operator };
    this.#views = {
      map: new MapView(),
      nodes: new NodesView(context),
      config: new ConfigView(context),
      explain: new ExplainView(context),
    };
    const tabs = Object.entries(VIEWS).map(([name, label]) => [name, el("a", { href: `#${name}` }, label)]);
    this.#tabs = Object.fromEntries(tabs) as Record<Name, HTMLAnchorElement>;
    const until =
      operator.expiresAt === undefined
        ? ""
        : ` until ${new Date(operator.expiresAt).toLocaleTimeString("en-GB", { timeStyle: "short" })}`;
    replace(
      app,
      el(
        "header",
        {},
        brand(),
        el("nav", { "aria-label": "Views" }, Object.values(this.#tabs)),
        this.#status,
        el("span", { class: "operator", title: Array.from(operator.scopes).join(", ") }, `${operator.subject}${until}`),
        el("button", { type: "button", class: "small", onclick: () => signOut() }, "Sign out"),
      ),
      this.#main,
    );
    addEventListener("hashchange", this.#onHash);
    this.#open();
    void this.#ask();
  }

  close(): void {
    removeEventListener("hashchange", this.#onHash);
    clearTimeout(this.#timer);
    this.#timer = -1;
  }

  #open(): void {
    const name = location.hash.slice(1).split("?")[0];
    const chosen: Name = name in VIEWS ? (name as Name) : "map";
    for (const [each, tab] of Object.entries(this.#tabs)) set(tab, { "aria-current": each === chosen && "page" });
    const view = this.#views[chosen];
    if (this.#main.firstElementChild !== view.element) this.#main.replaceChildren(view.element);
    view.open();
    if (this.#last !== undefined) view.update(this.#last);
  }

  /** Nobody asks for a page that is not looked at. */
  async #ask(): Promise<void> {
    if (!document.hidden) {
      try {
        const stats = await this.#api.stats();
        this.#answeredAt = performance.now();
        this.#last = stats;
        this.#say(stats);
        const shown = Object.values(this.#views).find(({ element }) => element === this.#main.firstElementChild);
        shown?.update(stats);
      } catch (error) {
        if (!(error instanceof ApiFailure)) throw error;
        const seconds = Math.round((performance.now() - this.#answeredAt) / 1000);
        set(this.#status, { "data-kind": "bad" });
        setText(this.#status, error.status === 0 ? `No answer for ${seconds} s: figures are old` : error.message);
      } finally {
        if (this.#timer >= 0) this.#timer = window.setTimeout(() => void this.#ask(), EVERY_MS);
      }
    } else if (this.#timer >= 0) this.#timer = window.setTimeout(() => void this.#ask(), EVERY_MS);
  }

  #say({ balancer, balancersAlive, store, configVersion }: StatsReply): void {
    const isAway = store.status !== "connected";
    set(this.#status, { "data-kind": isAway ? "bad" : "good" });
    const others = balancersAlive > 1 ? `${balancersAlive} balancers` : "alone";
    setText(this.#status, `${balancer.id} · ${others} · store ${store.status} · version ${configVersion}`);
  }
}

let open: Console | undefined;

function signOut(reason?: string): void {
  open?.close();
  open = undefined;
  sessionStorage.removeItem(STORED);
  showLogin(reason);
}

function signIn(token: string): void {
  const operator = readToken(token);
  if (operator === undefined) {
    showLogin("That is no token: paste the whole of what `riposte token` printed.");
    return;
  }
  sessionStorage.setItem(STORED, token);
  open = new Console(token, operator);
}

function showLogin(problem?: string): void {
  const input = el("input", {
    type: "password",
    id: "token",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  const onsubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    signIn(input.value.replaceAll(/\s+/g, ""));
  };
  replace(
    app,
    el(
      "form",
      { class: "card login", onsubmit },
      brand(),
      el("label", { for: "token" }, "Operator's token"),
      input,
      problem !== undefined && el("p", { class: "notice", "data-kind": "bad", role: "alert" }, problem),
      el("button", { type: "submit", class: "primary" }, "Sign in"),
      el(
        "p",
        { class: "hint" },
        "riposte token --scope all",
        " makes one. It stays in this tab, and is forgotten with it.",
      ),
    ),
  );
  input.focus();
}

function brand(): HTMLElement {
  return el(
    "div",
    { class: "brand" },
    el("img", { src: new URL("./icon.svg", import.meta.url).href, alt: "" }),
    el("b", {}, "Riposte"),
    el("span", {}, "console"),
  );
}

const stored = sessionStorage.getItem(STORED);
if (stored === null) showLogin();
else signIn(stored);
