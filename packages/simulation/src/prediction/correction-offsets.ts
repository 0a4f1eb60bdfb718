/**
 * Makes corrections look smooth: what a replay moved an entity by is kept as an offset for drawing, which fades away.
 * The simulation itself is corrected at once. Positions are offset by distance, rotations along the shorter arc.
 */
import { hypot } from "../math/index.ts";
import { halved } from "../math/half-life.ts";

export class CorrectionOffsets {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #z: Float64Array;
  readonly #halfLifeMs: number;
  readonly #snapDistance: number;
  /** One past the highest index that has an offset. */
  #end = 0;

  /** `halfLifeMs` 0: nothing is kept. */
  constructor(capacity: number, halfLifeMs: number, snapDistance: number) {
    if (!(halfLifeMs >= 0)) throw new RangeError(`the half-life must not be negative, got ${halfLifeMs}`);
    this.#x = new Float64Array(capacity);
    this.#y = new Float64Array(capacity);
    this.#z = new Float64Array(capacity);
    this.#halfLifeMs = halfLifeMs;
    this.#snapDistance = snapDistance;
  }

  /**
   * The entity at `index` was moved by (dx, dy, dz). What adds up to more than the snap distance is shown at once.
   * `snapFactor` stretches that distance.
   * Returns how far the picture moves by that; 0 when it is to fade.
   */
  add(index: number, dx: number, dy: number, dz = 0, snapFactor = 1): number {
    const x = this.#x[index] - dx;
    const y = this.#y[index] - dy;
    const z = this.#z[index] - dz;
    const distance = hypot(x, y, z);
    const far = distance > this.#snapDistance * snapFactor;
    this.#x[index] = far ? 0 : x;
    this.#y[index] = far ? 0 : y;
    this.#z[index] = far ? 0 : z;
    if (index >= this.#end) this.#end = index + 1;
    return far ? distance : 0;
  }

  /** Returns the farthest that any entity's picture moves by it. */
  fade(elapsedMs: number): number {
    if (this.#end === 0) return 0;
    const factor = this.#halfLifeMs > 0 ? halved(elapsedMs / this.#halfLifeMs) : 0;
    let end = 0;
    let farthest = 0;
    for (let index = 0; index < this.#end; index++) {
      const distance = hypot(this.#x[index], this.#y[index], this.#z[index]);
      if (distance * (1 - factor) > farthest) farthest = distance * (1 - factor);
      this.#x[index] *= factor;
      this.#y[index] *= factor;
      this.#z[index] *= factor;
      if (distance * factor < 1e-5) this.clear(index);
      else end = index + 1;
    }
    this.#end = end;
    return farthest;
  }

  clearAll(): void {
    for (let index = 0; index < this.#end; index++) this.clear(index);
    this.#end = 0;
  }

  clear(index: number): void {
    this.#x[index] = 0;
    this.#y[index] = 0;
    this.#z[index] = 0;
  }

  /** The entity at `from` is now at `to`. */
  move(from: number, to: number): void {
    this.#x[to] = this.#x[from];
    this.#y[to] = this.#y[from];
    this.#z[to] = this.#z[from];
    this.clear(from);
    if (to >= this.#end) this.#end = to + 1;
  }

  x(index: number): number {
    return this.#x[index];
  }

  y(index: number): number {
    return this.#y[index];
  }

  z(index: number): number {
    return this.#z[index];
  }
}
