/**
 * Draws what a `PredictionProbe` knows onto any canvas: curves of the last seconds in a corner, and in the world the way of
 * the own player as predicted and as the server told. For developers; nothing of the game depends on it.
 */
import type { Path, PredictionProbe, SampleRing } from "@riposte/simulation/debug";

/** What is used of a canvas: a browser's 2D context, an offscreen one, or another library's that does the same. */
export type OverlayCanvas = Pick<
  CanvasRenderingContext2D,
  | "save"
  | "restore"
  | "beginPath"
  | "moveTo"
  | "lineTo"
  | "arc"
  | "stroke"
  | "fill"
  | "fillRect"
  | "fillText"
  | "fillStyle"
  | "strokeStyle"
  | "lineWidth"
  | "lineJoin"
  | "font"
  | "textAlign"
  | "textBaseline"
  | "globalAlpha"
>;

/** Where a place in the world is on the canvas, in its pixels. */
export interface Projection {
  x(worldX: number, worldY: number): number;
  y(worldX: number, worldY: number): number;
}

export interface PredictionOverlayOptions {
  /** Left upper corner of the curves, in pixels of the canvas. Default 12, 12. */
  readonly x?: number;
  readonly y?: number;
  /** Width of the curves. Default 260. */
  readonly width?: number;
  /** Height of one curve. Default 34. */
  readonly rowHeight?: number;
  /** What a unit of the world is called. Default "u". */
  readonly unit?: string;
  /** Draws another colour for each kind. */
  readonly colors?: Partial<OverlayColors>;
}

export interface OverlayColors {
  readonly background: string;
  readonly text: string;
  readonly error: string;
  readonly corrections: string;
  readonly buffer: string;
  readonly rate: string;
  readonly viewRate: string;
  readonly delay: string;
  readonly predicted: string;
  readonly server: string;
}

/** The numbers in the picture, for tests and for pages of one's own. */
export interface OverlayValues {
  /** Largest correction in sight, in world units. */
  predictionError: number;
  /** Corrections in sight. */
  corrections: number;
  /** Newest: inputs that the server had in stock, in ticks. */
  inputBufferDepth: number;
  /** Newest: how much faster than real time the clocks run, in percent. */
  inputDilation: number;
  viewDilation: number;
  /** Newest: how far the others are drawn in the past. */
  interpolationDelayMs: number;
  /** How far the predicted way is from the server's at the newest tick that both know; NaN when there is none. */
  pathGap: number;
}

const COLORS: OverlayColors = {
  background: "rgba(10, 14, 22, 0.72)",
  text: "#d7dfeb",
  error: "#ff5470",
  corrections: "#ff9f43",
  buffer: "#4fd1c5",
  rate: "#7aa2ff",
  viewRate: "#c58bff",
  delay: "#ffd84f",
  predicted: "#4fd1c5",
  server: "#ff5470",
};
const PADDING = 6;
const LABEL_HEIGHT = 13;
const DOT_RADIUS = 2;

export class PredictionOverlay {
  readonly values: OverlayValues = {
    predictionError: 0,
    corrections: 0,
    inputBufferDepth: 0,
    inputDilation: 0,
    viewDilation: 0,
    interpolationDelayMs: 0,
    pathGap: Number.NaN,
  };
  readonly #probe: PredictionProbe;
  readonly #x: number;
  readonly #y: number;
  readonly #width: number;
  readonly #rowHeight: number;
  readonly #unit: string;
  readonly #colors: OverlayColors;

  constructor(probe: PredictionProbe, options: PredictionOverlayOptions = {}) {
    this.#probe = probe;
    this.#x = options.x ?? 12;
    this.#y = options.y ?? 12;
    this.#width = options.width ?? 260;
    this.#rowHeight = options.rowHeight ?? 34;
    this.#unit = options.unit ?? "u";
    this.#colors = { ...COLORS, ...options.colors };
  }

  /** Both pictures, over whatever is there. Without `projection`, only the curves. */
  draw(canvas: OverlayCanvas, projection?: Projection): void {
    if (projection !== undefined) this.drawPaths(canvas, projection);
    this.drawCurves(canvas);
  }

  /** Brings `values` up to date without drawing. */
  update(): void {
    const { curves, predicted, server } = this.#probe;
    const { values } = this;
    values.predictionError = curves.predictionError.peak;
    values.corrections = sumOf(curves.corrections);
    values.inputBufferDepth = newest(curves.inputBufferDepth, 0);
    values.inputDilation = (newest(curves.inputRate, 1) - 1) * 100;
    values.viewDilation = (newest(curves.viewRate, 1) - 1) * 100;
    values.interpolationDelayMs = newest(curves.interpolationDelayMs, 0);
    values.pathGap = gapOf(predicted, server);
  }

  drawCurves(canvas: OverlayCanvas): void {
    this.update();
    const { values } = this;
    const { curves } = this.#probe;
    const colors = this.#colors;
    canvas.save();
    canvas.globalAlpha = 1;
    canvas.fillStyle = colors.background;
    canvas.fillRect(this.#x, this.#y, this.#width, this.#rowHeight * ROWS + PADDING * 2);
    canvas.lineJoin = "round";
    canvas.lineWidth = 1.2;
    canvas.font = "11px system-ui, sans-serif";
    canvas.textBaseline = "top";
    const unit = this.#unit;
    const error = values.predictionError;
    this.#label(canvas, 0, "Prediction error", `${error.toFixed(2)} ${unit}`);
    this.#curve(canvas, 0, curves.predictionError, 0, Math.max(0.1, error), colors.error);
    this.#label(canvas, 1, "Corrections", String(values.corrections));
    this.#curve(canvas, 1, curves.corrections, 0, 1, colors.corrections);
    this.#label(canvas, 2, "Input buffer", `${values.inputBufferDepth} ticks`);
    this.#curve(canvas, 2, curves.inputBufferDepth, 0, Math.max(4, curves.inputBufferDepth.peak), colors.buffer);
    this.#label(canvas, 3, "Time dilation", `${signed(values.inputDilation)} / ${signed(values.viewDilation)} %`);
    this.#curve(canvas, 3, curves.inputRate, 0.9, 1.1, colors.rate);
    this.#curve(canvas, 3, curves.viewRate, 0.9, 1.1, colors.viewRate);
    const delay = values.interpolationDelayMs;
    this.#label(canvas, 4, "Interpolation delay", `${delay.toFixed(0)} ms`);
    this.#curve(
      canvas,
      4,
      curves.interpolationDelayMs,
      0,
      Math.max(100, curves.interpolationDelayMs.peak),
      colors.delay,
    );
    canvas.restore();
  }

  /** The own player's way in the world: a line as predicted, dots as the server told. */
  drawPaths(canvas: OverlayCanvas, projection: Projection): void {
    const { predicted, server } = this.#probe;
    canvas.save();
    canvas.globalAlpha = 0.9;
    canvas.lineJoin = "round";
    canvas.lineWidth = 1.5;
    canvas.strokeStyle = this.#colors.predicted;
    canvas.beginPath();
    for (let age = predicted.ticks.count - 1; age >= 0; age--) {
      const x = projection.x(predicted.x.at(age), predicted.y.at(age));
      const y = projection.y(predicted.x.at(age), predicted.y.at(age));
      // No line leads to where it was put: it has not been in between.
      if (age === predicted.ticks.count - 1 || predicted.jumps.at(age) === 1) canvas.moveTo(x, y);
      else canvas.lineTo(x, y);
    }
    canvas.stroke();
    canvas.fillStyle = this.#colors.server;
    for (let age = server.ticks.count - 1; age >= 0; age--) {
      canvas.beginPath();
      const x = projection.x(server.x.at(age), server.y.at(age));
      const y = projection.y(server.x.at(age), server.y.at(age));
      canvas.arc(x, y, DOT_RADIUS, 0, Math.PI * 2);
      canvas.fill();
    }
    canvas.restore();
  }

  #label(canvas: OverlayCanvas, row: number, name: string, value: string): void {
    const y = this.#y + PADDING + row * this.#rowHeight;
    canvas.fillStyle = this.#colors.text;
    canvas.textAlign = "left";
    canvas.fillText(name, this.#x + PADDING, y);
    canvas.textAlign = "right";
    canvas.fillText(value, this.#x + this.#width - PADDING, y);
  }

  /** The samples from the oldest on the left to the newest on the right, between `low` and `high`. */
  #curve(canvas: OverlayCanvas, row: number, samples: SampleRing, low: number, high: number, color: string): void {
    const left = this.#x + PADDING;
    const width = this.#width - PADDING * 2;
    const bottom = this.#y + PADDING + (row + 1) * this.#rowHeight - 3;
    const height = this.#rowHeight - LABEL_HEIGHT - 4;
    const last = samples.capacity - 1;
    canvas.strokeStyle = color;
    canvas.beginPath();
    for (let age = samples.count - 1; age >= 0; age--) {
      const share = Math.min(1, Math.max(0, (samples.at(age) - low) / (high - low)));
      const x = left + (width * (last - age)) / Math.max(1, last);
      if (age === samples.count - 1) canvas.moveTo(x, bottom - height * share);
      else canvas.lineTo(x, bottom - height * share);
    }
    canvas.stroke();
  }
}

/** Distance between the two ways at the newest tick that both have. */
function gapOf(predicted: Path, server: Path): number {
  for (let told = 0; told < server.ticks.count; told++) {
    for (let age = 0; age < predicted.ticks.count; age++) {
      if (predicted.ticks.at(age) < server.ticks.at(told)) break;
      if (predicted.ticks.at(age) !== server.ticks.at(told)) continue;
      return Math.hypot(predicted.x.at(age) - server.x.at(told), predicted.y.at(age) - server.y.at(told));
    }
  }
  return Number.NaN;
}

function newest(samples: SampleRing, otherwise: number): number {
  return samples.count === 0 ? otherwise : samples.at(0);
}

function sumOf(samples: SampleRing): number {
  let sum = 0;
  for (let age = 0; age < samples.count; age++) sum += samples.at(age);
  return sum;
}

function signed(percent: number): string {
  return `${percent < 0 ? "-" : "+"}${Math.abs(percent).toFixed(1)}`;
}

const ROWS = 5;
