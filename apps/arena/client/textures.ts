/** The few soft shapes everything glowing is made of, painted once on one canvas. White: tint gives the colour. */
import { Rectangle, Texture } from "pixi.js";

export interface Textures {
  /** Round, soft to the rim. */
  readonly glow: Texture;
  /** A small hard dot with a thin halo. */
  readonly dot: Texture;
  /** A streak, bright at the right end. */
  readonly streak: Texture;
  /** A thin circle. */
  readonly ring: Texture;
  /** A four-pointed flash. */
  readonly flash: Texture;
}

const CELL = 128;

export function paintTextures(): Textures {
  const canvas = document.createElement("canvas");
  canvas.width = CELL * 5;
  canvas.height = CELL;
  const paint = canvas.getContext("2d")!;
  const half = CELL / 2;

  const radial = (cell: number, stops: readonly (readonly [number, number])[]): void => {
    const x = cell * CELL + half;
    const fill = paint.createRadialGradient(x, half, 0, x, half, half - 2);
    for (const [at, alpha] of stops) fill.addColorStop(at, `rgb(255 255 255 / ${alpha})`);
    paint.fillStyle = fill;
    paint.fillRect(cell * CELL, 0, CELL, CELL);
  };
  radial(0, [
    [0, 1],
    [0.15, 0.72],
    [0.4, 0.26],
    [0.7, 0.06],
    [1, 0],
  ]);
  radial(1, [
    [0, 1],
    [0.34, 1],
    [0.44, 0.32],
    [0.7, 0.1],
    [1, 0],
  ]);

  // The streak: a long soft blade along x.
  const left = 2 * CELL + 2;
  for (let x = 0; x < CELL - 4; x++) {
    const along = x / (CELL - 5);
    const column = paint.createLinearGradient(0, half - 26, 0, half + 26);
    const alpha = along ** 1.6;
    column.addColorStop(0, "rgb(255 255 255 / 0)");
    column.addColorStop(0.36, `rgb(255 255 255 / ${alpha * 0.22})`);
    column.addColorStop(0.5, `rgb(255 255 255 / ${alpha})`);
    column.addColorStop(0.64, `rgb(255 255 255 / ${alpha * 0.22})`);
    column.addColorStop(1, "rgb(255 255 255 / 0)");
    paint.fillStyle = column;
    paint.fillRect(left + x, half - 26, 1, 52);
  }

  paint.strokeStyle = "#fff";
  paint.lineWidth = 5;
  paint.beginPath();
  paint.arc(3 * CELL + half, half, half - 8, 0, 7);
  paint.stroke();

  paint.fillStyle = "#fff";
  paint.translate(4 * CELL + half, half);
  paint.shadowColor = "#fff";
  paint.shadowBlur = 10;
  paint.beginPath();
  for (let i = 0; i < 16; i++) {
    const reach = i % 2 === 1 ? 9 : i % 4 === 0 ? 56 : 26;
    paint.lineTo(Math.cos((i * Math.PI) / 8) * reach, Math.sin((i * Math.PI) / 8) * reach);
  }
  paint.fill();

  const source = Texture.from(canvas).source;
  const cut = (cell: number): Texture =>
    new Texture({ source, frame: new Rectangle(cell * CELL + 1, 1, CELL - 2, CELL - 2) });
  return { glow: cut(0), dot: cut(1), streak: cut(2), ring: cut(3), flash: cut(4) };
}
