/** The players' bodies, names and health bars; one figure per entity, made when seen, dropped when gone. */
import { Container, Graphics, GraphicsContext, Sprite, Text, Texture } from "pixi.js";
import { MUZZLE, PLAYER_RADIUS } from "../src/rules.ts";
import { hueColor } from "./colors.ts";
import type { DrawnPlayer } from "./model.ts";
import { UNIT } from "./scene.ts";
import type { Textures } from "./textures.ts";

const R = PLAYER_RADIUS * UNIT;
const BAR_WIDTH = 1.7 * UNIT;

const shadow = new GraphicsContext().circle(0, 0, R * 1.12).fill({ color: 0x02040a, alpha: 0.5 });
const barrel = new GraphicsContext()
  .roundRect(R * 0.45, -R * 0.24, MUZZLE * UNIT - R * 0.45, R * 0.48, R * 0.14)
  .fill(0x0a0f19)
  .roundRect(R * 0.5, -R * 0.15, MUZZLE * UNIT - R * 0.58, R * 0.3, R * 0.1)
  .fill(0xd7e3f4);
const hull = new GraphicsContext()
  .circle(0, 0, R)
  .fill(0x0a0f19)
  .circle(0, 0, R * 0.9)
  .fill(0xffffff)
  .circle(0, 0, R * 0.66)
  .fill(0x8c8c8c)
  .moveTo(R * 0.62, 0)
  .lineTo(-R * 0.36, R * 0.44)
  .lineTo(-R * 0.14, 0)
  .lineTo(-R * 0.36, -R * 0.44)
  .closePath()
  .fill(0xffffff);
const ownMark = new GraphicsContext().circle(0, 0, R * 1.32).stroke({ color: 0xffffff, width: 2.4, alpha: 0.75 });
const shieldRing = new GraphicsContext()
  .circle(0, 0, R * 1.6)
  .fill({ color: 0x9fd8ff, alpha: 0.12 })
  .circle(0, 0, R * 1.6)
  .stroke({ color: 0x9fd8ff, width: 2.5, alpha: 0.8 });

/** One player's picture. */
class Figure {
  readonly body = new Container();
  readonly tag = new Container();
  readonly #glow: Sprite;
  readonly #turret = new Container();
  readonly #barrel = new Graphics(barrel);
  readonly #hull = new Graphics(hull);
  readonly #shield = new Graphics(shieldRing);
  readonly #bar: Sprite;
  readonly #back: Sprite;
  readonly #name: Text;
  #hue = -1;
  #kick = 0;
  #pulse = 0;
  #flash = 0;
  seen = true;

  constructor(textures: Textures, own: boolean) {
    this.#glow = new Sprite(textures.glow);
    this.#glow.anchor.set(0.5);
    this.#glow.blendMode = "add";
    this.#glow.scale.set((4.4 * UNIT) / 126);
    this.#glow.alpha = own ? 0.34 : 0.24;
    const dark = new Graphics(shadow);
    dark.position.set(R * 0.16, R * 0.24);
    this.#turret.addChild(this.#barrel, this.#hull);
    this.body.addChild(this.#glow, dark, this.#turret, this.#shield);
    if (own) this.body.addChild(new Graphics(ownMark));

    this.#back = new Sprite(Texture.WHITE);
    this.#back.tint = 0x05080f;
    this.#back.alpha = 0.75;
    this.#back.anchor.set(0.5);
    this.#back.setSize(BAR_WIDTH + 3, 7);
    this.#bar = new Sprite(Texture.WHITE);
    this.#bar.anchor.set(0, 0.5);
    this.#bar.x = -BAR_WIDTH / 2;
    this.#back.y = this.#bar.y = -R * 1.75;
    this.#name = new Text({
      text: "",
      resolution: 2,
      style: {
        fontFamily: "Inter, Segoe UI, system-ui, DejaVu Sans, sans-serif",
        fontSize: 16,
        fontWeight: "600",
        fill: own ? 0xffffff : 0xc3cede,
        stroke: { color: 0x05080f, width: 4, join: "round" },
      },
    });
    this.#name.anchor.set(0.5, 1);
    this.#name.y = -R * 1.92;
    this.tag.addChild(this.#back, this.#bar, this.#name);
  }

  /** The gun jumps back. */
  fired(): void {
    this.#kick = 1;
  }

  /** The hull lights up white. */
  struck(): void {
    this.#flash = 1;
  }

  update(player: DrawnPlayer, dt: number): void {
    const alive = player.health > 0;
    this.body.visible = this.tag.visible = alive;
    if (!alive) return;
    this.body.position.set(player.x * UNIT, player.y * UNIT);
    this.tag.position.copyFrom(this.body.position);
    this.#turret.rotation = player.aim;
    this.#kick *= Math.exp(-dt * 16);
    this.#flash *= Math.exp(-dt * 13);
    this.#barrel.x = -this.#kick * R * 0.4;
    const stretch = player.dash > 0 ? 1.12 : 1;
    this.#hull.scale.set(1 + (stretch - 1) + this.#flash * 0.14);
    this.#shield.visible = player.shielded;
    this.#pulse += dt * 9;
    if (player.shielded) this.#shield.alpha = 0.65 + 0.35 * Math.sin(this.#pulse);
    if (this.#hue !== player.hue) {
      this.#hue = player.hue;
      this.#glow.tint = hueColor(player.hue);
    }
    this.#hull.tint = this.#flash > 0.25 ? 0xffffff : hueColor(player.hue, 0.82, 0.6);
    const share = player.health / 100;
    this.#bar.setSize(Math.max(0.01, BAR_WIDTH * share), 4);
    this.#bar.tint = share > 0.5 ? 0x4df0c4 : share > 0.25 ? 0xffb547 : 0xff5470;
    if (this.#name.text !== player.name) this.#name.text = player.name;
  }

  destroy(): void {
    this.body.destroy({ children: true });
    this.tag.destroy({ children: true });
  }
}

export class Players {
  readonly bodies = new Container();
  readonly tags = new Container();
  readonly #textures: Textures;
  readonly #figures = new Map<number, Figure>();

  constructor(textures: Textures) {
    this.#textures = textures;
  }

  figure(id: number): Figure | undefined {
    return this.#figures.get(id);
  }

  draw(player: DrawnPlayer, own: boolean, dt: number): void {
    let figure = this.#figures.get(player.id);
    if (figure === undefined) {
      figure = new Figure(this.#textures, own);
      this.#figures.set(player.id, figure);
      this.bodies.addChild(figure.body);
      this.tags.addChild(figure.tag);
    }
    figure.seen = true;
    figure.update(player, dt);
  }

  /** After every player of this frame is drawn: drops those that were not. */
  sweep(): void {
    for (const [id, figure] of this.#figures) {
      if (!figure.seen) {
        figure.destroy();
        this.#figures.delete(id);
      }
      figure.seen = false;
    }
  }
}
