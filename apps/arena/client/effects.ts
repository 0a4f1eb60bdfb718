/**
 * Everything that flashes and fades: tracers, sparks, rings, smoke, shards. One pool of sprites on one texture,
 * so that all of it is one draw call; the oldest gives way when the pool is empty.
 */
import { Container, Sprite, type Texture } from "pixi.js";
import { hueColor } from "./colors.ts";
import { UNIT } from "./scene.ts";
import type { Textures } from "./textures.ts";

const POOL = 700;
/** Texture cells are this many units wide. */
const CELL = 126;

/** One effect's flight; sizes in metres, angles in radians, rates per second. */
interface Flight {
  x: number;
  y: number;
  vx?: number;
  vy?: number;
  drag?: number;
  angle?: number;
  length: number;
  width: number;
  grow?: number;
  alpha?: number;
  seconds: number;
  color: number;
}

const MEND_COLOR = 0x5dffd6;

export class Effects {
  readonly layer = new Container();
  readonly #textures: Textures;
  readonly #sprites: Sprite[] = [];
  readonly #age = new Float32Array(POOL);
  readonly #life = new Float32Array(POOL);
  readonly #vx = new Float32Array(POOL);
  readonly #vy = new Float32Array(POOL);
  readonly #drag = new Float32Array(POOL);
  readonly #grow = new Float32Array(POOL);
  readonly #alpha = new Float32Array(POOL);
  #next = 0;

  constructor(textures: Textures) {
    this.#textures = textures;
    for (let i = 0; i < POOL; i++) {
      const sprite = new Sprite(textures.glow);
      sprite.anchor.set(0.5);
      sprite.visible = false;
      sprite.blendMode = "add";
      this.#sprites.push(sprite);
      this.layer.addChild(sprite);
    }
  }

  update(dt: number): void {
    for (let i = 0; i < POOL; i++) {
      const life = this.#life[i];
      if (life === 0) continue;
      const sprite = this.#sprites[i];
      const age = (this.#age[i] += dt) / life;
      if (age >= 1) {
        this.#life[i] = 0;
        sprite.visible = false;
        continue;
      }
      const slow = Math.exp(-this.#drag[i] * dt);
      this.#vx[i] *= slow;
      this.#vy[i] *= slow;
      sprite.x += this.#vx[i] * dt * UNIT;
      sprite.y += this.#vy[i] * dt * UNIT;
      if (this.#grow[i] !== 0) {
        const scale = 1 + this.#grow[i] * dt;
        sprite.scale.x *= scale;
        sprite.scale.y *= scale;
      }
      sprite.alpha = this.#alpha[i] * (1 - age * age);
    }
  }

  /** The line of a rifle shot and the light at its muzzle. */
  shot(fromX: number, fromY: number, toX: number, toY: number, hue: number, own: boolean): void {
    const angle = Math.atan2(toY - fromY, toX - fromX);
    const length = Math.hypot(toX - fromX, toY - fromY);
    const color = hueColor(hue, 0.9, 0.68);
    this.#emit(this.#textures.streak, {
      x: (fromX + toX) / 2,
      y: (fromY + toY) / 2,
      angle,
      length,
      width: own ? 0.8 : 0.6,
      seconds: 0.15,
      color,
    });
    // The bright head of the shot, at its far end.
    const head = Math.min(length, 5);
    this.#emit(this.#textures.streak, {
      x: toX - (Math.cos(angle) * head) / 2,
      y: toY - (Math.sin(angle) * head) / 2,
      angle,
      length: head,
      width: 0.7,
      seconds: 0.09,
      color: 0xffffff,
      alpha: 0.8,
    });
    const turn = Math.random() * 3;
    this.#emit(this.#textures.flash, {
      x: fromX,
      y: fromY,
      angle: turn,
      length: 1.5,
      width: 1.5,
      seconds: 0.06,
      color: 0xfff0c8,
    });
    this.#emit(this.#textures.glow, { x: fromX, y: fromY, length: 4.4, width: 4.4, seconds: 0.09, color, alpha: 0.55 });
  }

  /** Sparks thrown back from where a shot struck; `angle` is the shot's. */
  impact(x: number, y: number, angle: number, color: number, count = 6): void {
    this.#emit(this.#textures.glow, { x, y, length: 2, width: 2, seconds: 0.12, color });
    for (let i = 0; i < count; i++) {
      const way = angle + Math.PI + (Math.random() - 0.5) * 2.2;
      const speed = 4 + Math.random() * 11;
      this.#spark(x, y, way, speed, 0.18 + Math.random() * 0.2, color);
    }
  }

  death(x: number, y: number, hue: number): void {
    const color = hueColor(hue, 0.9, 0.64);
    this.#emit(this.#textures.glow, { x, y, length: 9, width: 9, seconds: 0.35, color });
    this.#emit(this.#textures.flash, {
      x,
      y,
      angle: Math.random(),
      length: 5,
      width: 5,
      seconds: 0.16,
      color: 0xffffff,
    });
    this.ring(x, y, 1.4, 4.6, 0.5, color);
    for (let i = 0; i < 34; i++) {
      this.#spark(
        x,
        y,
        Math.random() * 7,
        3 + Math.random() * 17,
        0.35 + Math.random() * 0.6,
        i % 3 ? color : 0xffffff,
      );
    }
    for (let i = 0; i < 10; i++) {
      const way = Math.random() * 7;
      const speed = 1 + Math.random() * 3;
      this.#emit(this.#textures.glow, {
        x,
        y,
        vx: Math.cos(way) * speed,
        vy: Math.sin(way) * speed,
        drag: 2,
        length: 1.6,
        width: 1.6,
        grow: 0.9,
        seconds: 0.5 + Math.random() * 0.6,
        color,
        alpha: 0.3,
      });
    }
  }

  blast(x: number, y: number, radius: number, hue: number): void {
    const color = hueColor(hue, 0.95, 0.62);
    this.#emit(this.#textures.glow, { x, y, length: radius * 3.4, width: radius * 3.4, seconds: 0.3, color });
    this.#emit(this.#textures.glow, {
      x,
      y,
      length: radius * 1.6,
      width: radius * 1.6,
      seconds: 0.16,
      color: 0xffffff,
    });
    this.ring(x, y, radius * 0.9, 3.4, 0.32, color);
    for (let i = 0; i < 22; i++) {
      this.#spark(
        x,
        y,
        Math.random() * 7,
        5 + Math.random() * 14,
        0.2 + Math.random() * 0.35,
        i % 4 ? color : 0xffffff,
      );
    }
  }

  /** A circle that opens: diameter in metres at the start. */
  ring(x: number, y: number, diameter: number, grow: number, seconds: number, color: number): void {
    this.#emit(this.#textures.ring, { x, y, length: diameter, width: diameter, grow, seconds, color, alpha: 0.9 });
  }

  /** What a dash leaves behind, each frame. */
  dashTrail(x: number, y: number, hue: number): void {
    const color = hueColor(hue);
    this.#emit(this.#textures.glow, { x, y, length: 2.3, width: 2.3, seconds: 0.26, color, alpha: 0.5 });
    this.#emit(this.#textures.dot, { x, y, length: 1.5, width: 1.5, grow: -1.5, seconds: 0.2, color, alpha: 0.22 });
  }

  orbTrail(x: number, y: number, hue: number): void {
    const color = hueColor(hue, 0.95, 0.6);
    const away = (Math.random() - 0.5) * 0.5;
    this.#emit(this.#textures.glow, {
      x: x + away,
      y: y - away,
      length: 1.1,
      width: 1.1,
      grow: -1.2,
      seconds: 0.3,
      color,
      alpha: 0.5,
    });
  }

  /** A player appears. */
  arrival(x: number, y: number, hue: number): void {
    const color = hueColor(hue);
    this.ring(x, y, 4.2, -2.4, 0.45, color);
    this.#emit(this.#textures.glow, { x, y, length: 6, width: 6, seconds: 0.5, color, alpha: 0.7 });
  }

  /** Health comes back. */
  mend(x: number, y: number): void {
    this.ring(x, y, 1.5, 3.2, 0.4, MEND_COLOR);
    this.#emit(this.#textures.glow, { x, y, length: 3.4, width: 3.4, seconds: 0.3, color: MEND_COLOR, alpha: 0.5 });
  }

  /** An orb that was not to be. */
  fizzle(x: number, y: number): void {
    this.#emit(this.#textures.glow, {
      x,
      y,
      length: 1.6,
      width: 1.6,
      grow: 0.9,
      seconds: 0.4,
      color: 0x8a94a6,
      alpha: 0.4,
    });
  }

  #spark(x: number, y: number, way: number, speed: number, seconds: number, color: number): void {
    this.#emit(this.#textures.streak, {
      x,
      y,
      vx: Math.cos(way) * speed,
      vy: Math.sin(way) * speed,
      drag: 4.5,
      angle: way,
      length: 0.25 + speed * 0.05,
      width: 0.3,
      grow: -1.2,
      seconds,
      color,
    });
  }

  #emit(texture: Texture, flight: Flight): void {
    const at = this.#next;
    this.#next = (at + 1) % POOL;
    const sprite = this.#sprites[at];
    sprite.texture = texture;
    sprite.position.set(flight.x * UNIT, flight.y * UNIT);
    sprite.rotation = flight.angle ?? 0;
    sprite.scale.set((flight.length * UNIT) / CELL, (flight.width * UNIT) / CELL);
    sprite.tint = flight.color;
    sprite.alpha = flight.alpha ?? 1;
    sprite.visible = true;
    this.#age[at] = 0;
    this.#life[at] = flight.seconds;
    this.#vx[at] = flight.vx ?? 0;
    this.#vy[at] = flight.vy ?? 0;
    this.#drag[at] = flight.drag ?? 0;
    this.#grow[at] = flight.grow ?? 0;
    this.#alpha[at] = flight.alpha ?? 1;
  }
}
