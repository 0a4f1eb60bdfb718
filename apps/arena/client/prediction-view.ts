/** The prediction overlay over the whole window: curves, and the own way as predicted and as the server told. */
import { PredictionOverlay } from "@riposte/client/overlay";
import type { OverlayValues } from "@riposte/client/overlay";
import type { Session } from "@riposte/client";
import type { ArenaGame } from "../src/game.ts";
import type { Camera } from "./camera.ts";

/** Beside the figures in the left upper corner, below which the network lab may be open; in low windows it is beside them. */
const LEFT = 202;
const LOW_LEFT = 484;
const LOW_PX = 700;
const TOP = 18;

export class PredictionView {
  readonly #overlay: PredictionOverlay;
  readonly #canvas = document.createElement("canvas");
  readonly #projection: { x: (x: number) => number; y: (x: number, y: number) => number };
  #width = 0;
  #height = 0;

  constructor(session: Session<ArenaGame>, camera: Camera) {
    this.#overlay = new PredictionOverlay(session.debug.probe({ state: "players" }), { x: 0, y: TOP, unit: "m" });
    this.#canvas.id = "prediction";
    this.#canvas.hidden = true;
    document.body.append(this.#canvas);
    this.#projection = { x: (x) => camera.toScreenX(x), y: (_x, y) => camera.toScreenY(y) };
  }

  /** What the curves say now, drawn or not. */
  get values(): Readonly<OverlayValues> {
    this.#overlay.update();
    return this.#overlay.values;
  }

  draw(shown: boolean): void {
    this.#canvas.hidden = !shown;
    if (!shown) return;
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    if (this.#width !== innerWidth || this.#height !== innerHeight) {
      this.#width = innerWidth;
      this.#height = innerHeight;
      this.#canvas.width = innerWidth * devicePixelRatio;
      this.#canvas.height = innerHeight * devicePixelRatio;
      context.scale(devicePixelRatio, devicePixelRatio);
    }
    context.clearRect(0, 0, innerWidth, innerHeight);
    this.#overlay.drawPaths(context, this.#projection);
    context.save();
    context.translate(innerHeight < LOW_PX ? LOW_LEFT : LEFT, 0);
    this.#overlay.drawCurves(context);
    context.restore();
  }
}
