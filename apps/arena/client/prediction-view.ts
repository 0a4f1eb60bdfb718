/** The prediction overlay over the whole window: curves, and the own way as predicted and as the server told. */
import { PredictionOverlay } from "@riposte/client/overlay";
import type { OverlayValues } from "@riposte/client/overlay";
import type { Session } from "@riposte/client";
import type { ArenaGame } from "../src/game.ts";
import type { Camera } from "./camera.ts";

/** Below the figures in the left upper corner. */
const LEFT = 16;
const TOP = 190;

export class PredictionView {
  readonly #overlay: PredictionOverlay;
  readonly #canvas = document.createElement("canvas");
  readonly #projection: { x: (x: number) => number; y: (x: number, y: number) => number };
  #width = 0;
  #height = 0;

  constructor(session: Session<ArenaGame>, camera: Camera) {
    this.#overlay = new PredictionOverlay(session.debug.probe({ state: "players" }), { x: LEFT, y: TOP, unit: "m" });
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
    this.#overlay.draw(context, this.#projection);
  }
}
