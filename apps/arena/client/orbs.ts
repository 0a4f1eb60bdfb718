/** The slow projectiles, drawn where the view has them: one's own in the present, others' in the past. */
import { Container, Sprite } from "pixi.js";
import { hueColor } from "./colors.ts";
import type { Effects } from "./effects.ts";
import type { DrawnOrb } from "./model.ts";
import { UNIT } from "./scene.ts";
import type { Textures } from "./textures.ts";

export class Orbs {
  readonly layer = new Container();
  readonly #textures: Textures;
  readonly #effects: Effects;
  readonly #sprites = new Map<number, { sprite: Container; seen: boolean }>();
  #beat = 0;

  constructor(textures: Textures, effects: Effects) {
    this.#textures = textures;
    this.#effects = effects;
  }

  draw(orb: DrawnOrb, hue: number): void {
    let entry = this.#sprites.get(orb.id);
    if (entry === undefined) {
      entry = { sprite: this.#picture(hue), seen: true };
      this.layer.addChild(entry.sprite);
      this.#sprites.set(orb.id, entry);
    }
    entry.seen = true;
    entry.sprite.position.set(orb.x * UNIT, orb.y * UNIT);
    entry.sprite.scale.set(1 + 0.12 * Math.sin(this.#beat));
    this.#effects.orbTrail(orb.x, orb.y, hue);
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
