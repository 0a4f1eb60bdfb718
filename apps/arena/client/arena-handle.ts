/** `window.arena`: what the browser test and the curious look at from the console. */
import type { Session } from "@riposte/client";
import type { ArenaGame } from "../src/game.ts";
import type { OverlayValues } from "@riposte/client/overlay";
import type { PredictedHitStats } from "@riposte/simulation";
import { foreseenHitsOf } from "../src/weapons.ts";
import type { Panel } from "./panel.ts";
import type { Picture } from "./picture.ts";
import type { PredictionView } from "./prediction-view.ts";

export interface Standing {
  readonly seat: number;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly health: number;
  readonly shielded: boolean;
}

export interface NotedKill {
  readonly killer: number;
  readonly victim: number;
  readonly killerName: string;
  readonly victimName: string;
}

const FRAMES_KEPT = 600;

export class ArenaHandle {
  readonly session: Session<ArenaGame>;
  readonly kills: NotedKill[] = [];
  /** Drawn frames so far, and where the own player was drawn in each of the last ones: [frame, time, x, y]. */
  frames = 0;
  readonly track: [number, number, number, number][] = [];
  readonly #picture: Picture;
  readonly #panel: Panel;
  readonly #prediction: PredictionView;

  constructor(session: Session<ArenaGame>, picture: Picture, panel: Panel, prediction: PredictionView) {
    this.session = session;
    this.#picture = picture;
    this.#panel = panel;
    this.#prediction = prediction;
  }

  get seat(): number {
    return this.session.seat;
  }

  /** Kills credited to this player. */
  get ownKills(): number {
    return this.kills.filter(({ killer, victim }) => killer === this.seat && victim !== this.seat).length;
  }

  /** The own player as drawn. */
  own(): Standing | undefined {
    return this.players().find(({ seat }) => seat === this.seat);
  }

  /** The own player as the server last told. */
  ghost(): { x: number; y: number } | undefined {
    const { players } = this.session.view;
    const { mine } = players;
    const ghost = mine === undefined ? undefined : players.authoritative(mine);
    return ghost === undefined ? undefined : { x: ghost.x, y: ghost.y };
  }

  /** Everybody as drawn. */
  players(): Standing[] {
    return [...this.session.view.players.all()].map(({ owner, name, x, y, health, shielded }) => ({
      seat: owner,
      name,
      x,
      y,
      health,
      shielded,
    }));
  }

  /** What the overlays of the network lab show in this frame, by kind. */
  get overlays(): Readonly<Record<"ghost" | "hitboxes" | "rewound" | "shots", number>> {
    return this.#picture.debug.shapes;
  }

  /** What came of the rifle's hits that this client foresaw. */
  get hits(): Readonly<PredictedHitStats> {
    return { ...foreseenHitsOf(this.session.world).stats };
  }

  /** What the prediction overlay says, shown or not. */
  get prediction(): Readonly<OverlayValues> {
    return { ...this.#prediction.values };
  }

  /** Where a place in the arena is in the window. */
  toScreen(x: number, y: number): { x: number; y: number } {
    const { camera } = this.#picture;
    return { x: camera.toScreenX(x), y: camera.toScreenY(y) };
  }

  /** Moves the panel's sliders: milliseconds, milliseconds, percent. */
  line(latencyMs: number, jitterMs: number, lossPercent: number): void {
    this.#panel.set(latencyMs, jitterMs, lossPercent);
  }

  /** Draws at this share of full resolution from now on. */
  quality(share: number): void {
    this.#picture.fixQuality(share);
  }

  noteKill({ killer, victim, killerName, victimName }: NotedKill): void {
    this.kills.push({ killer, victim, killerName, victimName });
    if (this.kills.length > 200) this.kills.shift();
  }

  noteFrame(now: number): void {
    this.frames++;
    const own = this.session.view.players.mine;
    if (own === undefined) return;
    this.track.push([this.frames, now, own.x, own.y]);
    if (this.track.length > FRAMES_KEPT) this.track.shift();
  }
}
