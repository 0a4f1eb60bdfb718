/**
 * Follows the player, leans towards the cursor, shakes when it should, and never shows what the player is not told of:
 * others would appear in the middle of the picture. All in metres until `apply`.
 */
import type { Container } from "pixi.js";
import { FIELD, SIGHT_RADIUS } from "../src/rules.ts";
import { UNIT } from "./scene.ts";

/** Metres shown from top to bottom, at most; wide windows show at most VIEW_WIDTH. */
const VIEW_HEIGHT = 28;
const VIEW_WIDTH = 48;
/** The corners of the picture come no farther from the player. Who comes in is told of a moment before it is seen. */
const REACH = SIGHT_RADIUS - 2;
/** How far the camera stays back at the edges, at most. */
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
    const halfWidth = this.#width / 2 / this.zoom;
    const halfHeight = this.#height / 2 / this.zoom;
    const offX = inward(x + this.#leanX, halfWidth) + (Math.random() - 0.5) * swing - x;
    const offY = inward(y + this.#leanY, halfHeight) + (Math.random() - 0.5) * swing - y;
    const share = shareWithin(REACH, halfWidth, halfHeight, Math.abs(offX), Math.abs(offY));
    this.x = x + offX * share;
    this.y = y + offY * share;
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

/** How much of an offset, 0 to 1, keeps the farthest corner of a picture of that half size within `reach`. */
function shareWithin(reach: number, halfWidth: number, halfHeight: number, offX: number, offY: number): number {
  // The corner is at (halfWidth + offX * share, halfHeight + offY * share): a quadratic equation for the share.
  const a = offX * offX + offY * offY;
  const b = halfWidth * offX + halfHeight * offY;
  const c = halfWidth * halfWidth + halfHeight * halfHeight - reach * reach;
  if (a === 0 || c >= 0) return 0;
  return Math.min(1, (Math.sqrt(b * b - a * c) - b) / a);
}

/** Near the edge of the field the camera stays back a little: outside there is nothing to see. */
function inward(at: number, half: number): number {
  const beyond = Math.abs(at) + half - FIELD;
  return beyond <= 0 ? at : at - Math.sign(at) * Math.min(MOST_INWARD, beyond * 0.35);
}
