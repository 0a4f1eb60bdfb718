/** The damage I did, as small numbers that rise and fade. */
import { Container, Text } from "pixi.js";
import { UNIT } from "./scene.ts";

const POOL = 24;
const SECONDS = 0.7;

export class Numbers {
  readonly layer = new Container();
  readonly #texts: Text[] = [];
  readonly #left = new Float32Array(POOL);
  #next = 0;

  constructor() {
    for (let i = 0; i < POOL; i++) {
      const text = new Text({
        text: "",
        resolution: 2,
        style: {
          fontFamily: "Inter, Segoe UI, system-ui, DejaVu Sans, sans-serif",
          fontSize: 21,
          fontWeight: "800",
          fill: 0xffffff,
          stroke: { color: 0x05080f, width: 4, join: "round" },
        },
      });
      text.anchor.set(0.5);
      text.visible = false;
      this.#texts.push(text);
      this.layer.addChild(text);
    }
  }

  show(x: number, y: number, amount: number): void {
    const at = this.#next;
    this.#next = (at + 1) % POOL;
    const text = this.#texts[at];
    const label = String(amount);
    if (text.text !== label) text.text = label;
    text.tint = amount >= 30 ? 0xffd84f : 0xffffff;
    text.position.set((x + (Math.random() - 0.5) * 0.9) * UNIT, (y - 0.9) * UNIT);
    text.visible = true;
    this.#left[at] = SECONDS;
  }

  update(dt: number): void {
    for (let i = 0; i < POOL; i++) {
      if (this.#left[i] <= 0) continue;
      this.#left[i] -= dt;
      const text = this.#texts[i];
      const share = Math.max(0, this.#left[i] / SECONDS);
      text.y -= dt * UNIT * 2.4 * share;
      text.alpha = Math.min(1, share * 2.2);
      text.scale.set(0.85 + share * 0.35);
      text.visible = share > 0;
    }
  }
}
