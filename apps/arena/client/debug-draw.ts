/** The overlays of the network lab: the server's ghost, hit boxes, and where the server rewound my targets to. */
import type { OwnShot } from "@riposte/client";
import { Container, Graphics } from "pixi.js";
import { PLAYER_RADIUS } from "../src/rules.ts";
import type { DrawnPlayer } from "./model.ts";
import type { Overlays } from "./panel.ts";
import { UNIT } from "./scene.ts";

export interface Spot {
  readonly x: number;
  readonly y: number;
}

interface Mark {
  readonly hitX: number;
  readonly hitY: number;
  readonly x: number;
  readonly y: number;
  left: number;
}

const MARK_SECONDS = 1.6;
const R = PLAYER_RADIUS * UNIT;

export class DebugDraw {
  readonly layer = new Container();
  /** How many shapes of each kind the last frame has. */
  readonly shapes: Record<Exclude<keyof Overlays, "prediction">, number> = {
    ghost: 0,
    hitboxes: 0,
    rewound: 0,
    shots: 0,
  };
  readonly #lines = new Graphics();
  readonly #marks: Mark[] = [];
  #shots: readonly OwnShot[] = [];

  constructor() {
    this.layer.addChild(this.#lines);
  }

  /** The server judged a hit of mine with its target at (x, y) and the ray ending at (hitX, hitY). */
  rewound(hitX: number, hitY: number, x: number, y: number): void {
    this.#marks.push({ hitX, hitY, x, y, left: MARK_SECONDS });
    if (this.#marks.length > 40) this.#marks.shift();
  }

  /** What the server says of my last shots, the oldest first. */
  set shots(shots: readonly OwnShot[]) {
    this.#shots = shots;
  }

  /** `ghosts`: newest positions from the server, of the players in `players`, in no order. */
  draw(overlays: Overlays, players: Iterable<DrawnPlayer>, ghosts: Iterable<Spot>, dt: number): void {
    const lines = this.#lines;
    lines.clear();
    const { shapes } = this;
    shapes.ghost = shapes.hitboxes = shapes.rewound = shapes.shots = 0;
    if (overlays.shots) this.#drawShots();
    if (overlays.hitboxes) {
      for (const player of players) {
        if (player.health <= 0) continue;
        lines.circle(player.x * UNIT, player.y * UNIT, R).stroke({ color: 0xffd84f, width: 1.6 });
        shapes.hitboxes++;
      }
    }
    if (overlays.ghost) {
      for (const ghost of ghosts) {
        lines.circle(ghost.x * UNIT, ghost.y * UNIT, R).fill({ color: 0xff5470, alpha: 0.16 });
        lines.circle(ghost.x * UNIT, ghost.y * UNIT, R).stroke({ color: 0xff5470, width: 1.8, alpha: 0.9 });
        shapes.ghost++;
      }
    }
    for (let i = this.#marks.length - 1; i >= 0; i--) {
      const mark = this.#marks[i];
      mark.left -= dt;
      if (mark.left <= 0) {
        this.#marks.splice(i, 1);
      } else if (overlays.rewound) {
        const alpha = mark.left / MARK_SECONDS;
        const x = mark.x * UNIT;
        const y = mark.y * UNIT;
        lines.circle(x, y, R).stroke({ color: 0xc58bff, width: 1.8, alpha });
        lines
          .moveTo(x - 5, y)
          .lineTo(x + 5, y)
          .moveTo(x, y - 5)
          .lineTo(x, y + 5)
          .stroke({ color: 0xc58bff, width: 1.6, alpha });
        lines.circle(mark.hitX * UNIT, mark.hitY * UNIT, 3.5).fill({ color: 0xffffff, alpha });
        shapes.rewound++;
      }
    }
  }

  /** The ray, the hitboxes where the server put them, where they were on my screen (yellow), and are now (red). */
  #drawShots(): void {
    const lines = this.#lines;
    this.#shots.forEach(({ view, drawn, now }, i) => {
      const alpha = (i + 1) / this.#shots.length;
      const color = view.verdict.outcome === "hit" ? 0x9be15d : 0xd7dee8;
      lines
        .moveTo(view.from[0] * UNIT, view.from[1] * UNIT)
        .lineTo(view.to[0] * UNIT, view.to[1] * UNIT)
        .stroke({ color, width: 1.4, alpha });
      for (const { table, id, hitboxes } of view.entities) {
        for (const { points, radius } of hitboxes)
          lines.circle(points[0][0] * UNIT, points[0][1] * UNIT, radius * UNIT).stroke({ color, width: 1.8, alpha });
        const seen = drawn?.find((place) => place.table === table && place.id === id);
        if (seen !== undefined) this.#cross(seen, 0xffd84f, alpha);
        const present = now.find((place) => place.table === table && place.id === id);
        if (present !== undefined) this.#cross(present, 0xff5470, alpha);
      }
      this.shapes.shots++;
    });
  }

  #cross({ x, y }: Spot, color: number, alpha: number): void {
    const [left, top] = [x * UNIT, y * UNIT];
    this.#lines
      .moveTo(left - 4, top - 4)
      .lineTo(left + 4, top + 4)
      .moveTo(left - 4, top + 4)
      .lineTo(left + 4, top - 4)
      .stroke({ color, width: 1.6, alpha });
  }
}
