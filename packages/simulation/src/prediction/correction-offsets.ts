/**
 * Makes corrections look smooth: what a replay moved an own entity by is kept as an offset for
 * drawing, which fades away. The simulation itself is corrected at once.
 */
export class CorrectionOffsets {
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #halfLifeMs: number;
  readonly #snapDistance: number;
  /** One past the highest index that has an offset. */
  #end = 0;

  /** `halfLifeMs` 0: nothing is kept. */
  constructor(capacity: number, halfLifeMs: number, snapDistance: number) {
    if (!(halfLifeMs >= 0)) throw new RangeError(`the half-life must not be negative, got ${halfLifeMs}`);
    this.#x = new Float64Array(capacity);
    this.#y = new Float64Array(capacity);
    this.#halfLifeMs = halfLifeMs;
    this.#snapDistance = snapDistance;
  }

  /** The entity at `index` was moved by (dx, dy). What adds up to more than the snap distance is shown at once. */
  add(index: number, dx: number, dy: number): void {
    const x = this.#x[index] - dx;
    const y = this.#y[index] - dy;
    const far = Math.hypot(x, y) > this.#snapDistance;
    this.#x[index] = far ? 0 : x;
    this.#y[index] = far ? 0 : y;
    if (index >= this.#end) this.#end = index + 1;
  }

  fade(elapsedMs: number): void {
    if (this.#end === 0) return;
    const factor = this.#halfLifeMs > 0 ? 0.5 ** (elapsedMs / this.#halfLifeMs) : 0;
    let end = 0;
    for (let index = 0; index < this.#end; index++) {
      this.#x[index] *= factor;
      this.#y[index] *= factor;
      if (Math.abs(this.#x[index]) + Math.abs(this.#y[index]) < 1e-5) this.clear(index);
      else end = index + 1;
    }
    this.#end = end;
  }

  clear(index: number): void {
    this.#x[index] = 0;
    this.#y[index] = 0;
  }

  x(index: number): number {
    return this.#x[index];
  }

  y(index: number): number {
    return this.#y[index];
  }
}
