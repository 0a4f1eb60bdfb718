/** The network lab: a bad line at the pull of a slider, and what the server thinks, drawn into the picture. */
import { INTERPOLATION_MODES } from "@riposte/simulation";
import type { InterpolationMode } from "@riposte/simulation";
import { element } from "./hud.ts";

export interface LineConditions {
  /** Added to the round trip: half each way. */
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** 0..1, each way. */
  readonly lossRate: number;
}

export interface Overlays {
  ghost: boolean;
  hitboxes: boolean;
  rewound: boolean;
  /** My last shots as the server judged them. */
  shots: boolean;
  /** Curves of the prediction, and the own way as predicted and as the server told. */
  prediction: boolean;
}

export interface PanelOptions {
  readonly lineChanged: (conditions: LineConditions) => void;
  /** How the others are drawn, and that it should be otherwise. */
  readonly mode: InterpolationMode;
  readonly modeChosen: (mode: InterpolationMode) => void;
}

const SLIDERS = [
  { key: "latency", label: "Latency", max: 400, step: 5, unit: "ms" },
  { key: "jitter", label: "Jitter", max: 100, step: 1, unit: "ms" },
  { key: "loss", label: "Loss", max: 30, step: 0.5, unit: "%" },
] as const;
const PRESETS: readonly (readonly [string, number, number, number])[] = [
  ["LAN", 0, 0, 0],
  ["Cable", 30, 3, 0],
  ["Wi-Fi", 60, 15, 1],
  ["Train", 180, 50, 6],
];
const OVERLAYS: readonly (readonly [keyof Overlays, string, string])[] = [
  ["ghost", "Server's ghost", "#ff5470"],
  ["hitboxes", "Hit boxes", "#ffd84f"],
  ["rewound", "Rewound positions of my hits", "#c58bff"],
  ["shots", "My shots, as judged", "#9be15d"],
  ["prediction", "My prediction, in curves", "#4fd1c5"],
];

export class Panel {
  readonly overlays: Overlays = { ghost: false, hitboxes: false, rewound: false, shots: false, prediction: false };
  readonly #root = element("#panel");
  readonly #sliders: HTMLInputElement[] = [];
  readonly #figures: HTMLElement;
  readonly #changed: (conditions: LineConditions) => void;

  constructor(options: PanelOptions) {
    this.#changed = options.lineChanged;
    const root = this.#root;
    root.append(heading("Simulated line"));
    for (const slider of SLIDERS) {
      const row = document.createElement("label");
      row.className = "slider";
      const input = document.createElement("input");
      input.type = "range";
      input.id = `slider-${slider.key}`;
      input.max = String(slider.max);
      input.step = String(slider.step);
      input.value = "0";
      const output = document.createElement("output");
      const show = (): void => {
        output.textContent = `${input.value} ${slider.unit}`;
      };
      input.addEventListener("input", () => {
        show();
        this.#apply();
      });
      input.addEventListener("change", () => input.blur());
      show();
      row.append(slider.label, input, output);
      root.append(row);
      this.#sliders.push(input);
    }
    const presets = document.createElement("div");
    presets.className = "presets";
    for (const [name, ...values] of PRESETS) {
      const button = document.createElement("button");
      button.textContent = name;
      button.addEventListener("click", () => {
        this.set(...values);
        button.blur();
      });
      presets.append(button);
    }
    root.append(presets, heading("Draw"));
    for (const [key, label, color] of OVERLAYS) {
      const row = document.createElement("label");
      row.className = "check";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.id = `draw-${key}`;
      box.addEventListener("change", () => {
        this.overlays[key] = box.checked;
        box.blur();
      });
      const spot = document.createElement("em");
      spot.style.setProperty("--c", color);
      row.append(box, label, spot);
      root.append(row);
    }
    root.append(choice("interpolation", "Others", INTERPOLATION_MODES, options.mode, options.modeChosen));
    this.#figures = document.createElement("dl");
    root.append(heading("Inside"), this.#figures);
    element("#panel-button").addEventListener("click", () => {
      this.toggle();
      element("#panel-button").blur();
    });
  }

  toggle(): void {
    this.#root.hidden = !this.#root.hidden;
  }

  /** Moves the sliders: milliseconds, milliseconds, percent. */
  set(latency: number, jitter: number, loss: number): void {
    [latency, jitter, loss].forEach((value, i) => {
      this.#sliders[i].value = String(value);
      this.#sliders[i].dispatchEvent(new Event("input"));
    });
  }

  /** The small print, some times a second. */
  figures(lines: readonly (readonly [string, string])[]): void {
    if (this.#root.hidden) return;
    this.#figures.innerHTML = lines.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("");
  }

  #apply(): void {
    const [latency, jitter, loss] = this.#sliders.map((slider) => Number(slider.value));
    this.#changed({ latencyMs: latency, jitterMs: jitter, lossRate: loss / 100 });
  }
}

/** A row with a list to choose from. */
function choice<T extends string>(
  id: string,
  label: string,
  values: readonly T[],
  value: T,
  chosen: (value: T) => void,
): HTMLElement {
  const row = document.createElement("label");
  row.className = "choice";
  const select = document.createElement("select");
  select.id = id;
  for (const name of values) select.add(new Option(name, name, name === value, name === value));
  select.addEventListener("change", () => {
    const found = values.find((name) => name === select.value);
    if (found !== undefined) chosen(found);
    select.blur();
  });
  row.append(label, select);
  return row;
}

function heading(text: string): HTMLElement {
  const line = document.createElement("h2");
  line.textContent = text;
  return line;
}
