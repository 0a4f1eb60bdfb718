/**
 * The slow projectiles. Others' orbs are drawn where the view has them; one's own fly from the moment of the click,
 * as a picture only, and give way to the server's word when they burst.
 */
import { Container, Sprite } from "pixi.js";
import { ORB_LIFE_TICKS, ORB_SPEED, TICK_RATE } from "../src/rules.ts";
import { hueColor } from "./colors.ts";
import type { Effects } from "./effects.ts";
import type { DrawnOrb } from "./model.ts";
import { UNIT } from "./scene.ts";
import type { Textures } from "./textures.ts";

/** One's own orb between the click and the burst. */
interface Flyer {
  x: number;
  y: number;
  readonly vx: number;
  readonly vy: number;
  readonly hue: number;
  readonly sprite: Container;
  /** Seconds it can still fly before a wall or its age ends it. */
  left: number;
}

export class Orbs {
  readonly layer = new Container();
  readonly #textures: Textures;
  readonly #effects: Effects;
  readonly #sprites = new Map<number, { sprite: Container; seen: boolean }>();
  readonly #own: Flyer[] = [];
  #beat = 0;

  constructor(textures: Textures, effects: Effects) {
    this.#textures = textures;
    this.#effects = effects;
  }

  /** One's own orb leaves the barrel; `reach` is how far the next wall is. */
  launch(x: number, y: number, angle: number, reach: number, hue: number): void {
    const sprite = this.#picture(hue);
    this.layer.addChild(sprite);
    const vx = Math.cos(angle) * ORB_SPEED;
    const vy = Math.sin(angle) * ORB_SPEED;
    const left = Math.min(reach / ORB_SPEED, ORB_LIFE_TICKS / TICK_RATE);
    this.#own.push({ x, y, vx, vy, hue, sprite, left });
    if (this.#own.length > 16) this.#own.shift()?.sprite.destroy({ children: true });
  }

  /** The server says one of mine burst at (x, y): the nearest flyer ends. */
  burst(x: number, y: number): void {
    let best = -1;
    let bestAway = 14;
    this.#own.forEach((orb, index) => {
      const away = Math.hypot(orb.x - x, orb.y - y);
      if (away < bestAway) [best, bestAway] = [index, away];
    });
    if (best >= 0) this.#own.splice(best, 1)[0].sprite.destroy({ children: true });
  }

  draw(orb: DrawnOrb, hue: number): void {
    let entry = this.#sprites.get(orb.id);
    if (entry === undefined) {
      entry = { sprite: this.#picture(hue), seen: true };
      this.layer.addChild(entry.sprite);
      this.#sprites.set(orb.id, entry);
    }
    entry.seen = true;
    this.#place(entry.sprite, orb.x, orb.y, hue);
  }

  finish(dt: number): void {
    this.#beat += dt * 14;
    for (const [id, entry] of this.#sprites) {
      if (!entry.seen) {
        entry.sprite.destroy({ children: true });
        this.#sprites.delete(id);
      }
      entry.seen = false;
    }
    for (let i = this.#own.length - 1; i >= 0; i--) {
      const orb = this.#own[i];
      orb.left -= dt;
      if (orb.left <= 0) {
        orb.sprite.destroy({ children: true });
        this.#own.splice(i, 1);
        continue;
      }
      orb.x += orb.vx * dt;
      orb.y += orb.vy * dt;
      this.#place(orb.sprite, orb.x, orb.y, orb.hue);
    }
  }

  #place(sprite: Container, x: number, y: number, hue: number): void {
    sprite.position.set(x * UNIT, y * UNIT);
    sprite.scale.set(1 + 0.12 * Math.sin(this.#beat));
    this.#effects.orbTrail(x, y, hue);
  }

  #picture(hue: number): Container {
    const orb = new Container();
    const halo = new Sprite(this.#textures.glow);
    halo.setSize(3.4 * UNIT);
    halo.tint = hueColor(hue, 0.95, 0.58);
    halo.alpha = 0.75;
    const core = new Sprite(this.#textures.dot);
    core.setSize(1.5 * UNIT);
    for (const sprite of [halo, core]) {
      sprite.anchor.set(0.5);
      sprite.blendMode = "add";
      orb.addChild(sprite);
    }
    return orb;
  }
}
