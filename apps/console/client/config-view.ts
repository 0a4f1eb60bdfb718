/** The fleet's settings: changed as a form, tried on recorded traffic, applied everywhere, and rolled back. */
import type { ConfigVersion, StatsReply } from "@riposte/fleet";
import { ApiFailure } from "./api.ts";
import { diffOf, reportOf } from "./config-report.ts";
import { el, replace, set, setText } from "./dom.ts";
import { confirmDialog, Notice } from "./parts.ts";
import { documentPatch, documentsOf, patchOf, readValue, settingsOf } from "./settings.ts";
import type { Document, Setting, Value } from "./settings.ts";
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
const NO_LIMIT = "no limit";

interface Field {
  readonly setting: Setting;
  readonly input: HTMLInputElement | HTMLSelectElement;
  readonly row: HTMLElement;
  readonly problem: HTMLElement;
}

interface DocumentField {
  readonly document: Document;
  readonly area: HTMLTextAreaElement;
  /** As it is in force. */
  readonly before: string;
}

export class ConfigView implements View {
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #mayWrite: boolean;
  readonly #title = el("h2", {}, "Configuration");
  readonly #author = el("p", { class: "hint" });
  readonly #form = el("div", { class: "settings" });
  readonly #documents = el("div");
  readonly #comment = el("input", {
    type: "text",
    maxlength: 256,
    placeholder: "Why (stands in the history)",
    "aria-label": "Comment",
  });
  readonly #notice = new Notice();
  readonly #result = el("div", { class: "dry-run" });
  readonly #history = el("ol", { class: "history" });
  readonly #buttons: Readonly<Record<"dryRun" | "apply" | "discard", HTMLButtonElement>>;
  #fields: readonly Field[] = [];
  #texts: readonly DocumentField[] = [];
  #current: ConfigVersion | undefined;
  #latest = -1;

  constructor(context: ViewContext) {
    this.#context = context;
    this.#mayWrite = context.operator.scopes.has("config:write");
    this.#buttons = {
      dryRun: formButton("Dry run", () => this.#dryRun()),
      apply: formButton("Apply…", () => this.#apply(), "primary"),
      discard: formButton("Discard", () => this.#load()),
    };
    this.element = el(
      "section",
      { class: "config-view" },
      el(
        "div",
        { class: "card" },
        this.#title,
        this.#author,
        this.#mayWrite
          ? undefined
          : el(
              "p",
              { class: "hint" },
              'Your token lacks the scope "config:write": you can look, but not change anything.',
            ),
        this.#form,
        this.#documents,
      ),
      el(
        "div",
        { class: "side" },
        el(
          "div",
          { class: "card" },
          el("h2", {}, "Change"),
          this.#comment,
          el("div", { class: "buttons" }, this.#buttons.dryRun, this.#buttons.apply, this.#buttons.discard),
          this.#notice.element,
          this.#result,
        ),
        el("div", { class: "card" }, el("h2", {}, "History"), this.#history),
      ),
    );
  }

  open(): void {
    if (this.#current === undefined || !this.#isEdited) void this.#load();
  }

  update({ configVersion }: StatsReply): void {
    if (this.#current === undefined || configVersion <= this.#latest) return;
    this.#latest = configVersion;
    if (!this.#isEdited) void this.#load();
    else
      this.#notice.say(
        `Version ${configVersion} is in force now; what you have changed would be laid over it.`,
        "busy",
      );
  }

  get #isEdited(): boolean {
    return this.#changes().length > 0 || this.#texts.some(({ area, before }) => area.value !== before);
  }

  async #load(): Promise<void> {
    await this.#notice.attempt(async () => {
      const [current, versions] = await Promise.all([this.#context.api.config(), this.#context.api.configVersions()]);
      this.#show(current);
      this.#list(versions);
    });
  }

  #show(current: ConfigVersion): void {
    this.#current = current;
    this.#latest = current.version;
    setText(this.#title, `Configuration, version ${current.version}`);
    setText(this.#author, authorOf(current));
    const settings = [...settingsOf(current.config)];
    // Which may be missing.
    if (current.config.routing.defaultRegion === undefined)
      settings.splice(1, 0, { path: ["routing", "defaultRegion"], value: "" });
    this.#fields = settings.map((setting) => this.#field(setting));
    const groups = Map.groupBy(this.#fields, ({ setting }) => setting.path[0]);
    replace(
      this.#form,
      Array.from(groups, ([name, fields]) =>
        el(
          "fieldset",
          { disabled: !this.#mayWrite },
          el("legend", {}, name),
          fields.map(({ row }) => row),
        ),
      ),
    );
    this.#texts = documentsOf(current.config).map((document) => this.#documentField(document));
    replace(
      this.#documents,
      this.#texts.map(({ document, area }) => [el("h3", {}, document.path.join(".")), area]),
    );
    replace(this.#result);
    this.#edited();
  }

  #field(setting: Setting): Field {
    const { path, value } = setting;
    const name = path.slice(1).join(".");
    const id = `setting-${path.join("-")}`;
    const input = inputOf(id, path, value, () => this.#edited());
    const problem = el("small", { class: "problem", id: `${id}-problem`, hidden: true });
    const row = el("div", { class: "setting" }, el("label", { for: id }, name), input, problem);
    return { setting, input, row, problem };
  }

  /** What is in the form and not in force. */
  #changes(): readonly Setting[] {
    return this.#fields.flatMap(({ setting, input }) => {
      const { path, value: before } = setting;
      const value: Value =
        typeof before === "boolean" ? (input as HTMLInputElement).checked : readValue(input.value, before);
      return value === before ? [] : [{ path, value }];
    });
  }

  #documentField(document: Document): DocumentField {
    const before = JSON.stringify(document.value, undefined, 2);
    const label = `${document.path.join(".")}, JSON`;
    const rows = Math.min(Math.max(before.split("\n").length, 3), 14);
    const oninput = (): void => this.#edited();
    const area = el("textarea", { rows, spellcheck: "false", "aria-label": label, readonly: !this.#mayWrite, oninput });
    area.value = before;
    return { document, area, before };
  }

  /** Throws `SyntaxError` for what is no JSON. */
  #patch(): Readonly<Record<string, unknown>> {
    const documents = this.#texts.flatMap(({ document: { path, value }, area }) => {
      const patch = documentPatch(value, readJson(area.value, path.join(".")));
      return patch === undefined ? [] : [{ path, value: patch }];
    });
    return patchOf([...this.#changes(), ...documents]);
  }

  #edited(): void {
    const changed = new Set(this.#changes().map(({ path }) => path.join(".")));
    for (const { setting, row } of this.#fields) row.classList.toggle("changed", changed.has(setting.path.join(".")));
    for (const button of Object.values(this.#buttons)) set(button, { disabled: !this.#mayWrite || !this.#isEdited });
    this.#showProblems("");
  }

  async #dryRun(): Promise<void> {
    replace(this.#result);
    await this.#attempt(async () => {
      this.#notice.say("Routing recorded players under both …", "busy");
      const report = await this.#context.api.dryRun(this.#patch());
      this.#notice.clear();
      replace(this.#result, reportOf(report));
    });
  }

  async #apply(): Promise<void> {
    await this.#attempt(async () => {
      const patch = this.#patch();
      // Says what is wrong before anybody is asked whether they are sure.
      const { diff } = await this.#context.api.dryRun(patch);
      const isSure = await confirmDialog({
        title: "Apply to the whole fleet?",
        text: "At once, and at every balancer. It can be rolled back.",
        action: "Apply",
        more: [diffOf(diff)],
      });
      if (!isSure) return;
      const { version } = await this.#context.api.changeConfig(patch, this.#comment.value.trim());
      this.#comment.value = "";
      await this.#load();
      this.#notice.say(`Version ${version.version} is in force.`);
    });
  }

  async #rollBack(version: number): Promise<void> {
    const isSure = await confirmDialog({
      title: `Back to version ${version}?`,
      text: "Its settings become a new version, in force at once and at every balancer.",
      action: "Roll back",
    });
    if (!isSure) return;
    await this.#attempt(async () => {
      const now = await this.#context.api.rollBack(version);
      await this.#load();
      this.#notice.say(`Version ${now.version} is in force, with the settings of version ${version}.`);
    });
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    await this.#notice.attempt(async () => {
      try {
        await action();
      } catch (error) {
        if (error instanceof ApiFailure) this.#showProblems(error.message);
        throw error;
      }
    });
  }

  /** Beside the settings that they are about; the API says `path: what is wrong; path: ...`. */
  #showProblems(message: string): void {
    const problems = new Map(
      message.split("; ").map((part) => [part.split(": ")[0], part.slice(part.indexOf(": ") + 2)]),
    );
    for (const { setting, input, problem } of this.#fields) {
      const id = setting.path.join(".");
      const text = problems.get(id);
      set(problem, { hidden: text === undefined });
      set(input, {
        "aria-invalid": text !== undefined && "true",
        "aria-describedby": text !== undefined && problem.id,
      });
      setText(problem, text ?? "");
    }
  }

  #list(versions: readonly ConfigVersion[]): void {
    const newest = versions.toReversed();
    replace(
      this.#history,
      newest.map((version, i) =>
        el(
          "li",
          { "data-version": version.version },
          el(
            "div",
            {},
            el("b", {}, `Version ${version.version}`),
            i === 0 ? el("span", { class: "now" }, "in force") : undefined,
          ),
          el("small", {}, authorOf(version)),
          version.comment === undefined ? undefined : el("p", {}, version.comment),
          i === 0
            ? undefined
            : el(
                "button",
                {
                  type: "button",
                  class: "small",
                  disabled: !this.#mayWrite,
                  onclick: () => void this.#rollBack(version.version),
                },
                "Roll back to this",
              ),
        ),
      ),
    );
  }
}

function formButton(label: string, action: () => unknown, className?: string): HTMLButtonElement {
  return el("button", { type: "button", class: className, disabled: true, onclick: () => void action() }, label);
}

function readJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

function inputOf(
  id: string,
  path: readonly string[],
  value: Value,
  onInput: () => void,
): HTMLInputElement | HTMLSelectElement {
  if (path.at(-1) === "strategy") {
    const select = el(
      "select",
      { id, oninput: onInput },
      STRATEGIES.map((each) => el("option", { value: each }, each)),
    );
    select.value = String(value);
    return select;
  }
  const input = el("input", {
    id,
    oninput: onInput,
    type: typeof value === "boolean" ? "checkbox" : "text",
    autocomplete: "off",
  });
  if (typeof value === "boolean") input.checked = value;
  else input.value = value === null ? NO_LIMIT : String(value);
  if (typeof value === "number") set(input, { inputmode: "decimal" });
  return input;
}

function authorOf({ version, changedBy, changedAt }: ConfigVersion): string {
  if (version === 0) return "As it was started";
  return `${changedBy}, ${new Date(changedAt).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}`;
}
