/** What is left of differences of rotation while they fade from a picture, as `DrawnDifferences` adds it: on the server. */
import { multiplyTurns, wrapAngle } from "../math/rotation.ts";
import type { Rotation } from "./history/packed-rotation.ts";

/** Numbers that say all of it. */
export const TURN_NUMBERS = 4;

export class SlidingTurn {
  isAny = false;
  /** About z, in radians, of what is turned by an angle; else a quaternion. */
  angle = 0;
  readonly turn: Rotation = { x: 0, y: 0, z: 0, w: 1 };
  readonly #part: Rotation = { x: 0, y: 0, z: 0, w: 1 };

  clear(): void {
    if (!this.isAny) return;
    this.isAny = false;
    this.angle = 0;
    this.turn.x = this.turn.y = this.turn.z = 0;
    this.turn.w = 1;
  }

  addAngle(drawn: number, now: number, weight: number): void {
    this.isAny = true;
    this.angle += wrapAngle(drawn - now) * weight;
  }

  addTurn(drawn: Readonly<Rotation>, now: Readonly<Rotation>, weight: number): void {
    this.isAny = true;
    const part = this.#part;
    part.x = -now.x;
    part.y = -now.y;
    part.z = -now.z;
    part.w = now.w;
    multiplyTurns(drawn, part, part);
    const share = part.w < 0 ? -weight : weight;
    part.x *= share;
    part.y *= share;
    part.z *= share;
    part.w = 1 - weight + part.w * share;
    multiplyTurns(this.turn, part, this.turn);
    normalise(this.turn);
  }

  /** Turns `rotation` by it; by nothing it stays as it is, to the last bit. */
  apply(rotation: Rotation): void {
    const { x, y, z } = this.turn;
    if (x === 0 && y === 0 && z === 0) return;
    multiplyTurns(this.turn, rotation, rotation);
    normalise(rotation);
  }

  write(isAngle: boolean, out: Float64Array, at: number): void {
    const { x, y, z, w } = this.turn;
    out[at] = isAngle ? this.angle : x;
    out[at + 1] = y;
    out[at + 2] = z;
    out[at + 3] = w;
  }

  read(isAngle: boolean, from: readonly number[]): void {
    this.isAny = true;
    [this.turn.x, this.turn.y, this.turn.z, this.turn.w] = from;
    if (isAngle) this.angle = from[0];
  }
}

function normalise(rotation: Rotation): void {
  const { x, y, z, w } = rotation;
  const length = Math.sqrt(x * x + y * y + z * z + w * w);
  if (!(length > 1e-6)) return;
  rotation.x = x / length;
  rotation.y = y / length;
  rotation.z = z / length;
  rotation.w = w / length;
}
