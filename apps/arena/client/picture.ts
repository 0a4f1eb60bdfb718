/**
 * The whole picture: layers in order, one `draw` a frame. It watches the drawn rows for what happened (a shot
 * counter that moved, health that fell, a new life) and lets it flash; events and messages (launches, bursts, hits,
 * kills) come in by method.
 */
import { Application, Container } from "pixi.js";
import { arenaStatics } from "../src/map.ts";
import { MUZZLE, PLAYER_RADIUS, RIFLE_RANGE } from "../src/rules.ts";
import { Camera } from "./camera.ts";
import { hueColor } from "./colors.ts";
import { DebugDraw, type Spot } from "./debug-draw.ts";
import { Effects } from "./effects.ts";
import type { DrawnOrb, DrawnPlayer } from "./model.ts";
import { Numbers } from "./numbers.ts";
import { Orbs } from "./orbs.ts";
import type { Overlays } from "./panel.ts";
import { Players } from "./players.ts";
import { isSoftware, Quality } from "./quality.ts";
import { Scene } from "./scene.ts";
import { Sound } from "./sound.ts";
import { paintTextures } from "./textures.ts";

/** One frame's world. */
export interface Frame {
  readonly players: readonly DrawnPlayer[];
  readonly orbs: readonly DrawnOrb[];
  readonly own: DrawnPlayer | undefined;
  readonly ghosts: readonly Spot[];
  readonly overlays: Overlays;
  /** The cursor in window pixels. */
  readonly cursorX: number;
  readonly cursorY: number;
}

/** What a player was like in the last frame. */
interface Memory {
  shots: number;
  health: number;
  x: number;
  y: number;
  frame: number;
}

export class Picture {
  readonly camera = new Camera();
  readonly sound = new Sound();
  readonly debug = new DebugDraw();
  readonly #app: Application;
  readonly #world = new Container();
  readonly #scene: Scene;
  readonly #effects: Effects;
  readonly #players: Players;
  readonly #orbs: Orbs;
  readonly #numbers = new Numbers();
  readonly #memory = new Map<number, Memory>();
  readonly #hues = new Map<number, number>();
  readonly #quality: Quality;
  #frame = 0;

  static async open(stage: HTMLElement): Promise<Picture> {
    const canvas = document.createElement("canvas");
    const gl = canvas.getContext("webgl2", {
      alpha: false,
      antialias: false,
      stencil: true,
      powerPreference: "high-performance",
    });
    const app = new Application();
    await app.init({
      ...(gl === null ? {} : { canvas, context: fewTextures(gl) }),
      resizeTo: window,
      background: 0x070a10,
      autoDensity: true,
      resolution: Math.min(2, devicePixelRatio),
      autoStart: false,
      sharedTicker: false,
      preference: "webgl",
    });
    app.ticker.stop();
    stage.append(app.canvas);
    return new Picture(app, gl);
  }

  private constructor(app: Application, gl: WebGL2RenderingContext | null) {
    this.#app = app;
    const software = isSoftware(gl);
    this.#quality = new Quality(software ? 0.6 : 1);
    document.body.classList.toggle("software", software);
    const textures = paintTextures();
    this.#scene = new Scene(software ? 24 : 40);
    this.#effects = new Effects(textures);
    this.#players = new Players(textures);
    this.#orbs = new Orbs(textures, this.#effects);
    this.#world.addChild(
      this.#scene.floor,
      this.#players.bodies,
      this.#orbs.layer,
      this.#scene.walls,
      this.#effects.layer,
      this.#players.tags,
      this.#numbers.layer,
      this.debug.layer,
    );
    app.stage.addChild(this.#world);
    app.stage.eventMode = "none";
  }

  /** Draws one frame; `dt` is the seconds since the last one. */
  draw(frame: Frame, dt: number): void {
    this.#frame++;
    const { own, players } = frame;
    const { screen, renderer } = this.#app;
    const resolution = this.#quality.resolution(dt);
    if (resolution !== renderer.resolution) renderer.resize(screen.width, screen.height, resolution);
    this.camera.resize(screen.width, screen.height);
    if (own !== undefined) {
      const cursorX = (frame.cursorX / screen.width) * 2 - 1;
      const cursorY = (frame.cursorY / screen.height) * 2 - 1;
      this.camera.follow(own.x, own.y, cursorX, cursorY, dt);
    }
    this.camera.apply(this.#world);
    this.#scene.update(this.camera.x, this.camera.y);

    for (const player of players) {
      this.#hues.set(player.owner, player.hue);
      this.#watch(player, players, player === own);
      this.#players.draw(player, player === own, dt);
    }
    this.#players.sweep();
    for (const [id, memory] of this.#memory) if (memory.frame !== this.#frame) this.#memory.delete(id);

    for (const orb of frame.orbs) this.#orbs.draw(orb, this.#hues.get(orb.owner) ?? 90);
    this.#orbs.finish(dt);
    this.debug.draw(frame.overlays, players, frame.ghosts, dt);
    this.#effects.update(dt);
    this.#numbers.update(dt);
    this.#app.renderer.render(this.#app.stage);
  }

  /** Draws at this share of full resolution from now on, whatever it costs. For screenshots. */
  fixQuality(share: number): void {
    this.#quality.fix(share);
  }

  /** The server credits a hit of mine. */
  hit(x: number, y: number, damage: number): void {
    this.#numbers.show(x, y, damage);
    this.sound.hit();
  }

  /** An orb of mine leaves the barrel; `id` is my player. */
  launch(id: number): void {
    this.#players.figure(id)?.fired();
    this.sound.orb(0.8);
  }

  /** What was launched here was not to be. */
  fizzle(x: number, y: number): void {
    this.#effects.fizzle(x, y);
  }

  blast(x: number, y: number, radius: number, owner: number): void {
    this.#effects.blast(x, y, radius, this.#hues.get(owner) ?? 90);
    const near = this.#near(x, y);
    this.sound.blast(near);
    this.camera.shake(0.6 * near * near);
  }

  #watch(player: DrawnPlayer, players: readonly DrawnPlayer[], own: boolean): void {
    const before = this.#memory.get(player.id);
    if (before === undefined) {
      const { shots, health, x, y } = player;
      this.#memory.set(player.id, { shots, health, x, y, frame: this.#frame });
      return;
    }
    const fired = (player.shots - before.shots) & 255;
    if (fired > 0 && fired < 8) {
      if (player.health > 0) this.#shoot(player, players, own);
      before.shots = player.shots;
    } else if (fired < 200) {
      before.shots = player.shots;
    }
    if (player.health < before.health && player.health > 0) {
      this.#players.figure(player.id)?.struck();
      if (own) {
        this.sound.hurt();
        this.camera.shake(0.35);
      }
    }
    // Wounds close by themselves one by one; a mend is more at once.
    if (before.health > 0 && player.health > before.health + 3) this.#effects.mend(player.x, player.y);
    if (before.health > 0 && player.health === 0) this.#die(player);
    if (before.health === 0 && player.health > 0) this.#effects.arrival(player.x, player.y, player.hue);
    if (player.dash > 0 && player.health > 0) {
      this.#effects.dashTrail(player.x, player.y, player.hue);
      this.#effects.dashTrail((player.x + before.x) / 2, (player.y + before.y) / 2, player.hue);
      if (own && Math.hypot(player.x - before.x, player.y - before.y) > 0.2) this.sound.dash(0.5);
    }
    before.health = player.health;
    before.x = player.x;
    before.y = player.y;
    before.frame = this.#frame;
  }

  #die({ x, y, hue }: DrawnPlayer): void {
    this.#effects.death(x, y, hue);
    const near = this.#near(x, y);
    this.sound.death(near);
    this.camera.shake(0.7 * near);
  }

  #shoot(player: DrawnPlayer, players: readonly DrawnPlayer[], own: boolean): void {
    const { x, y, aim } = player;
    const dx = Math.cos(aim);
    const dy = Math.sin(aim);
    const wall = arenaStatics.raycast(x, y, aim, RIFLE_RANGE);
    let reach = Math.min(wall, RIFLE_RANGE);
    let struck: DrawnPlayer | undefined;
    for (const other of players) {
      if (other === player || other.health <= 0) continue;
      const along = (other.x - x) * dx + (other.y - y) * dy;
      if (along <= 0 || along - PLAYER_RADIUS >= reach) continue;
      const aside = (other.x - x) * dy - (other.y - y) * dx;
      const depth = PLAYER_RADIUS ** 2 - aside * aside;
      if (depth < 0) continue;
      reach = along - Math.sqrt(depth);
      struck = other;
    }
    const near = own ? 0.75 : 0.6 * this.#near(x, y);
    if (near < 0.01) return;
    const muzzle = Math.min(MUZZLE, reach);
    this.#effects.shot(x + dx * muzzle, y + dy * muzzle, x + dx * reach, y + dy * reach, player.hue, own);
    this.#players.figure(player.id)?.fired();
    this.sound.shot(near);
    if (own) this.camera.shake(0.12);
    if (struck !== undefined) {
      this.#effects.impact(x + dx * reach, y + dy * reach, aim, hueColor(struck.hue, 0.9, 0.7), 9);
      if (own) this.#players.figure(struck.id)?.struck();
    } else if (reach === wall) {
      this.#effects.impact(x + dx * reach, y + dy * reach, aim, 0xffd9a0);
    }
  }

  /** 1 in the middle of the picture, 0 where nothing is heard any more. */
  #near(x: number, y: number): number {
    return Math.max(0, 1 - Math.hypot(x - this.camera.x, y - this.camera.y) / 32);
  }
}

/**
 * Pixi's fragment shader chooses among as many textures as the context offers, usually 16 or 32, for every
 * pixel. This picture needs four at a time; fewer make it several times faster where there is no GPU.
 */
function fewTextures(gl: WebGL2RenderingContext): WebGL2RenderingContext {
  const getParameter = gl.getParameter.bind(gl);
  gl.getParameter = (name: number): unknown => (name === gl.MAX_TEXTURE_IMAGE_UNITS ? 4 : getParameter(name));
  return gl;
}
