/**
 * The field: floor, shadows, and walls with a little height. A wall's top is its base scaled about the
 * point under the camera; the sides are stretched between the two, so that blocks lean outwards as in a real view
 * from above. Drawing units: UNIT per metre.
 */
import { Container, Graphics, Mesh, MeshGeometry, Shader, Texture } from "pixi.js";
import { walls } from "../src/map.ts";
import { FIELD } from "../src/rules.ts";
import { zoneColor } from "./colors.ts";

/** Drawing units per metre: Pixi rounds curves for shapes of this size. */
export const UNIT = 32;
/** How much larger a wall's top is than its base, seen from the camera. */
const LEAN = 0.035;

export class Scene {
  readonly floor = new Container();
  readonly walls = new Container();
  readonly #tops = new Graphics();
  readonly #sides: Mesh;
  readonly #corners: Float32Array;

  /** `density`: pixels per metre of the painted floor. */
  constructor(density: number) {
    this.floor.addChild(paintFloor(density));
    paintTops(this.#tops);
    this.#corners = new Float32Array(walls.length * 4 * 8);
    this.#sides = new Mesh({ geometry: sideGeometry(this.#corners), texture: sidePalette() });
    this.walls.addChild(this.#sides, this.#tops);
  }

  /** Leans the walls away from the camera at (x, y), in metres. */
  update(x: number, y: number): void {
    const centerX = x * UNIT;
    const centerY = y * UNIT;
    this.#tops.scale.set(1 + LEAN);
    this.#tops.position.set(-centerX * LEAN, -centerY * LEAN);
    const out = this.#corners;
    let at = 0;
    for (const wall of walls) {
      const left = (wall.x - wall.width / 2) * UNIT;
      const right = left + wall.width * UNIT;
      const top = (wall.y - wall.height / 2) * UNIT;
      const bottom = top + wall.height * UNIT;
      const topLeft = left + (left - centerX) * LEAN;
      const topRight = right + (right - centerX) * LEAN;
      const topTop = top + (top - centerY) * LEAN;
      const topBottom = bottom + (bottom - centerY) * LEAN;
      at = quad(out, at, left, top, right, top, topRight, topTop, topLeft, topTop);
      at = quad(out, at, right, top, right, bottom, topRight, topBottom, topRight, topTop);
      at = quad(out, at, left, bottom, right, bottom, topRight, topBottom, topLeft, topBottom);
      at = quad(out, at, left, top, left, bottom, topLeft, topBottom, topLeft, topTop);
    }
    const buffer = this.#sides.geometry.getBuffer("aPosition");
    buffer.data = out;
    buffer.update();
  }
}

// oxlint-disable-next-line max-params -- eight corners are eight numbers
function quad(
  out: Float32Array,
  at: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): number {
  out[at] = ax;
  out[at + 1] = ay;
  out[at + 2] = bx;
  out[at + 3] = by;
  out[at + 4] = cx;
  out[at + 5] = cy;
  out[at + 6] = dx;
  out[at + 7] = dy;
  return at + 8;
}

/** Four side quads per wall; each side looks up its own shade in the palette. */
function sideGeometry(positions: Float32Array): MeshGeometry {
  const sides = walls.length * 4;
  const uvs = new Float32Array(sides * 8);
  const indices = new Uint32Array(sides * 6);
  for (let side = 0; side < sides; side++) {
    const u = ((side % 4) + 0.5) / 4;
    for (let corner = 0; corner < 4; corner++) {
      uvs[side * 8 + corner * 2] = u;
      uvs[side * 8 + corner * 2 + 1] = corner < 2 ? 0.02 : 0.98;
    }
    indices.set(
      [0, 1, 2, 0, 2, 3].map((corner) => side * 4 + corner),
      side * 6,
    );
  }
  return new MeshGeometry({ positions, uvs, indices });
}

/** Light falls from the upper left: north and west sides are lighter. Dark at the foot. */
function sidePalette(): Texture {
  const canvas = document.createElement("canvas");
  canvas.width = 4 * 8;
  canvas.height = 32;
  const paint = canvas.getContext("2d")!;
  ["#22304a", "#151f33", "#101828", "#1c2940"].forEach((color, side) => {
    const shade = paint.createLinearGradient(0, 0, 0, 32);
    shade.addColorStop(0, "#070b13");
    shade.addColorStop(0.9, color);
    paint.fillStyle = shade;
    paint.fillRect(side * 8, 0, 8, 32);
  });
  return Texture.from(canvas);
}

/** Everything flat, painted once: one opaque picture is the cheapest floor there is. `density`: pixels per metre. */
function paintFloor(density: number): Mesh<MeshGeometry, Shader> {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = FIELD * 2 * density;
  const paint = canvas.getContext("2d", { alpha: false })!;
  paint.scale(density, density);
  paint.translate(FIELD, FIELD);
  paintSlabs(paint);
  paintHeart(paint);
  for (const [name, x, y] of [
    ["A", -24, -24],
    ["B", 24, -24],
    ["C", 24, 24],
    ["D", -24, 24],
  ] as const)
    paintRoom(paint, name, x, y);
  paintShadows(paint, density);
  const half = FIELD * UNIT;
  const geometry = new MeshGeometry({
    positions: new Float32Array([-half, -half, half, -half, half, half, -half, half]),
    uvs: new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]),
    indices: new Uint32Array([0, 1, 2, 0, 2, 3]),
  });
  const { source } = Texture.from(canvas);
  const shader = Shader.from({
    gl: { vertex: FLOOR_VERTEX, fragment: FLOOR_FRAGMENT },
    resources: { uTexture: source, uSampler: source.style },
  });
  const floor = new Mesh({ geometry, shader });
  floor.blendMode = "none";
  return floor;
}

/** The floor covers every pixel of every frame: the shortest program there is. */
const FLOOR_VERTEX = `
in vec2 aPosition;
in vec2 aUV;
out vec2 vUV;
uniform mat3 uProjectionMatrix;
uniform mat3 uWorldTransformMatrix;
uniform mat3 uTransformMatrix;
void main() {
  mat3 all = uProjectionMatrix * uWorldTransformMatrix * uTransformMatrix;
  gl_Position = vec4((all * vec3(aPosition, 1.0)).xy, 0.0, 1.0);
  vUV = aUV;
}`;
const FLOOR_FRAGMENT = `
in vec2 vUV;
uniform sampler2D uTexture;
void main() {
  finalColor = texture(uTexture, vUV);
}`;

function paintSlabs(paint: CanvasRenderingContext2D): void {
  paint.fillStyle = "#0e1522";
  paint.fillRect(-FIELD, -FIELD, FIELD * 2, FIELD * 2);
  paint.fillStyle = "#111a2a";
  for (let x = -FIELD; x < FIELD; x += 10) {
    for (let y = -FIELD; y < FIELD; y += 10) if ((x + y) % 20 === 0) paint.fillRect(x, y, 10, 10);
  }
  for (let at = -FIELD; at <= FIELD; at += 2) {
    const major = at % 10 === 0;
    paint.strokeStyle = major ? "#23344f" : "#172237";
    paint.lineWidth = major ? 0.07 : 0.04;
    paint.beginPath();
    paint.moveTo(at, -FIELD);
    paint.lineTo(at, FIELD);
    paint.moveTo(-FIELD, at);
    paint.lineTo(FIELD, at);
    paint.stroke();
  }
  // Small crosses where the great lines meet.
  paint.strokeStyle = "#3a5480";
  paint.lineWidth = 0.08;
  for (let x = -40; x <= 40; x += 10) {
    for (let y = -40; y <= 40; y += 10) {
      paint.beginPath();
      paint.moveTo(x - 0.4, y);
      paint.lineTo(x + 0.4, y);
      paint.moveTo(x, y - 0.4);
      paint.lineTo(x, y + 0.4);
      paint.stroke();
    }
  }
}

function paintHeart(paint: CanvasRenderingContext2D): void {
  const light = paint.createRadialGradient(0, 0, 0, 0, 0, 13);
  light.addColorStop(0, "rgb(53 224 194 / 13%)");
  light.addColorStop(1, "rgb(53 224 194 / 0)");
  paint.fillStyle = light;
  paint.fillRect(-13, -13, 26, 26);
  paint.strokeStyle = "#35e0c2";
  for (const [radius, alpha] of [
    [4, 0.5],
    [4.35, 0.2],
    [12.4, 0.28],
    [12.9, 0.14],
  ] as const) {
    paint.globalAlpha = alpha;
    paint.lineWidth = 0.08;
    paint.beginPath();
    paint.arc(0, 0, radius, 0, 7);
    paint.stroke();
  }
  paint.globalAlpha = 0.34;
  paint.lineWidth = 0.11;
  for (let i = 0; i < 8; i++) {
    const x = Math.cos((i * Math.PI) / 4);
    const y = Math.sin((i * Math.PI) / 4);
    paint.beginPath();
    paint.moveTo(x * 4.8, y * 4.8);
    paint.lineTo(x * 6, y * 6);
    paint.stroke();
  }
  paint.globalAlpha = 1;
}

function paintRoom(paint: CanvasRenderingContext2D, name: string, x: number, y: number): void {
  const color = `#${zoneColor(x, y).toString(16)}`;
  const light = paint.createRadialGradient(x, y, 1, x, y, 15);
  light.addColorStop(0, `${color}24`);
  light.addColorStop(1, `${color}00`);
  paint.fillStyle = light;
  paint.fillRect(x - 15, y - 15, 30, 30);
  paint.strokeStyle = `${color}38`;
  paint.lineWidth = 0.07;
  paint.beginPath();
  paint.roundRect(x - 7.4, y - 7.4, 14.8, 14.8, 0.4);
  paint.stroke();
  paint.fillStyle = `${color}26`;
  paint.font = "800 5.4px Inter, Segoe UI, system-ui, DejaVu Sans, sans-serif";
  paint.textAlign = "center";
  paint.textBaseline = "middle";
  paint.fillText(name, x + Math.sign(x) * 4.4, y - Math.sign(y) * 4.4);
}

/** A soft dark foot under every wall. */
function paintShadows(paint: CanvasRenderingContext2D, density: number): void {
  paint.save();
  paint.fillStyle = "#05080f";
  paint.shadowColor = "rgb(2 4 9 / 85%)";
  paint.shadowBlur = 1.1 * density;
  paint.shadowOffsetX = 0.16 * density;
  paint.shadowOffsetY = 0.28 * density;
  for (const wall of walls) paint.fillRect(wall.x - wall.width / 2, wall.y - wall.height / 2, wall.width, wall.height);
  paint.restore();
}

function paintTops(tops: Graphics): void {
  walls.forEach((wall, index) => {
    const left = (wall.x - wall.width / 2) * UNIT;
    const top = (wall.y - wall.height / 2) * UNIT;
    const width = wall.width * UNIT;
    const height = wall.height * UNIT;
    tops.rect(left, top, width, height).fill(index < 4 ? 0x1a2438 : 0x22304b);
    if (index < 4) return;
    tops
      .rect(left + 1.5, top + 1.5, width - 3, height - 3)
      .stroke({ color: zoneColor(wall.x, wall.y), width: 2.5, alpha: 0.62 });
  });
  const inner = (FIELD - 1.5) * UNIT;
  tops.rect(-inner, -inner, inner * 2, inner * 2).stroke({ color: 0x5f86c4, width: 3, alpha: 0.6 });
}
