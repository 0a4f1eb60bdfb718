/**
 * How much time behind cover victims have borne lately. What was borne is forgotten evenly, so that a whole budget is back
 * after one window.
 */
export class CoverBudget {
  readonly #ids: Int32Array;
  readonly #borneMs: Float64Array;
  readonly #asOfMs: Float64Array;

  /** `capacity`: places for victims. */
  constructor(capacity: number) {
    this.#ids = new Int32Array(capacity).fill(-1);
    this.#borneMs = new Float64Array(capacity);
    this.#asOfMs = new Float64Array(capacity);
  }

  /** What the entity `id` at `place` has borne and not forgotten at `nowMs`. */
  borneMs(place: number, id: number, nowMs: number, budgetMs: number, windowMs: number): number {
    if (this.#ids[place] !== id) return 0;
    const forgotten = ((nowMs - this.#asOfMs[place]) * budgetMs) / windowMs;
    return Math.max(0, this.#borneMs[place] - forgotten);
  }

  /** Whether the entity bears `ms` more; then they count. */
  take(place: number, id: number, ms: number, nowMs: number, budgetMs: number, windowMs: number): boolean {
    const borne = this.borneMs(place, id, nowMs, budgetMs, windowMs) + ms;
    if (borne > budgetMs) return false;
    this.#ids[place] = id;
    this.#borneMs[place] = borne;
    this.#asOfMs[place] = nowMs;
    return true;
  }
}
