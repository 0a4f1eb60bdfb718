/** Follows the player softly, leans towards the cursor, shakes when it should. All in metres until `apply`. */
import type { Container } from "pixi.js";
import { FIELD } from "../src/rules.ts";
import { UNIT } from "./scene.ts";

/** Metres shown across the window's smaller side, at most; wide windows show at most VIEW_WIDTH. */
const VIEW_HEIGHT = 30;
const VIEW_WIDTH = 52;
/** How far the camera stays back at the edges; more would show what the player is not told of. */
const MOST_INWARD = 7;

export class Camera {
  x = 0;
  y = 0;
  /** Pixels per metre. */
  zoom = UNIT;
  #leanX = 0;
  #leanY = 0;
  #shake = 0;
  #width = 1;
  #height = 1;

  resize(width: number, height: number): void {
    this.#width = width;
    this.#height = height;
    this.zoom = Math.max(height / VIEW_HEIGHT, width / VIEW_WIDTH);
  }

  /** `amount` is metres of swing at the start. */
  shake(amount: number): void {
    this.#shake = Math.min(1.2, Math.max(this.#shake, amount));
  }

  /** Centres on (x, y); `cursorX/Y` in -1..1 from the window's middle. */
  follow(x: number, y: number, cursorX: number, cursorY: number, dt: number): void {
    const ease = 1 - Math.exp(-dt * 7);
    this.#leanX += (cursorX * 3.2 - this.#leanX) * ease;
    this.#leanY += (cursorY * 2.2 - this.#leanY) * ease;
    this.#shake *= Math.exp(-dt * 9);
    const swing = this.#shake;
    this.x = inward(x + this.#leanX, this.#width / 2 / this.zoom) + (Math.random() - 0.5) * swing;
    this.y = inward(y + this.#leanY, this.#height / 2 / this.zoom) + (Math.random() - 0.5) * swing;
  }

  apply(world: Container): void {
    world.scale.set(this.zoom / UNIT);
    world.position.set(this.#width / 2 - this.x * this.zoom, this.#height / 2 - this.y * this.zoom);
  }

  toWorldX(pixel: number): number {
    return this.x + (pixel - this.#width / 2) / this.zoom;
  }

  toWorldY(pixel: number): number {
    return this.y + (pixel - this.#height / 2) / this.zoom;
  }

  toScreenX(x: number): number {
    return (x - this.x) * this.zoom + this.#width / 2;
  }

  toScreenY(y: number): number {
    return (y - this.y) * this.zoom + this.#height / 2;
  }

  /** Whether a disc can be in the picture. */
  sees(x: number, y: number, radius: number): boolean {
    return (
      Math.abs(x - this.x) < this.#width / 2 / this.zoom + radius &&
      Math.abs(y - this.y) < this.#height / 2 / this.zoom + radius
    );
  }
}

/** Near the edge of the field the camera stays back a little: outside there is nothing to see. */
function inward(at: number, half: number): number {
  const beyond = Math.abs(at) + half - FIELD;
  return beyond <= 0 ? at : at - Math.sign(at) * Math.min(MOST_INWARD, beyond * 0.35);
}
