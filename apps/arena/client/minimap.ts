/** The small map in the corner: walls, me, and whom I know of. */
import { walls } from "../src/map.ts";
import { FIELD } from "../src/rules.ts";
import { hueCss } from "./colors.ts";
import { canvasOf } from "./hud.ts";
import type { DrawnPlayer } from "./model.ts";

const SIZE = 320;
const SCALE = SIZE / (FIELD * 2);

export class Minimap {
  readonly #paint = canvasOf("#map");
  readonly #ground: HTMLCanvasElement;

  constructor() {
    this.#ground = document.createElement("canvas");
    this.#ground.width = this.#ground.height = SIZE;
    const paint = this.#ground.getContext("2d")!;
    paint.fillStyle = "rgb(120 150 196 / 34%)";
    for (const wall of walls.slice(4)) {
      const left = (wall.x - wall.width / 2 + FIELD) * SCALE;
      const top = (wall.y - wall.height / 2 + FIELD) * SCALE;
      paint.fillRect(left, top, wall.width * SCALE, wall.height * SCALE);
    }
  }

  draw(players: Iterable<DrawnPlayer>, ownSeat: number, viewWidth: number, viewHeight: number): void {
    const paint = this.#paint;
    paint.clearRect(0, 0, SIZE, SIZE);
    paint.drawImage(this.#ground, 0, 0);
    for (const player of players) {
      if (player.health <= 0) continue;
      const x = (player.x + FIELD) * SCALE;
      const y = (player.y + FIELD) * SCALE;
      if (player.owner === ownSeat) {
        paint.strokeStyle = "rgb(255 255 255 / 18%)";
        paint.lineWidth = 1.5;
        paint.strokeRect(
          x - (viewWidth / 2) * SCALE,
          y - (viewHeight / 2) * SCALE,
          viewWidth * SCALE,
          viewHeight * SCALE,
        );
        paint.fillStyle = "#fff";
        paint.beginPath();
        paint.moveTo(x + Math.cos(player.aim) * 11, y + Math.sin(player.aim) * 11);
        paint.lineTo(x + Math.cos(player.aim + 2.5) * 8, y + Math.sin(player.aim + 2.5) * 8);
        paint.lineTo(x + Math.cos(player.aim - 2.5) * 8, y + Math.sin(player.aim - 2.5) * 8);
        paint.fill();
      } else {
        paint.fillStyle = hueCss(player.hue);
        paint.beginPath();
        paint.arc(x, y, 4.6, 0, 7);
        paint.fill();
      }
    }
  }
}
