/** How many shots of each player are judged: a bucket each, filled by ticks. */
import type { WeaponKit } from "./weapon-kit.ts";

export class ValidationBudget {
  readonly #perTick: number;
  readonly #burst: number;
  /** By seat. */
  #left = new Float64Array(64);
  #ticks = new Int32Array(64).fill(-1);

  constructor({ validationsPerTick, validationBurst }: Pick<WeaponKit, "validationsPerTick" | "validationBurst">) {
    this.#perTick = validationsPerTick;
    this.#burst = validationBurst;
  }

  /** Takes one; false when there is none. What nobody owns has no limit. */
  take(seat: number, tick: number): boolean {
    if (seat < 0) return true;
    if (seat >= this.#ticks.length) this.#grow(seat);
    const last = this.#ticks[seat];
    const filled = last < 0 ? this.#burst : this.#left[seat] + (tick - last) * this.#perTick;
    this.#ticks[seat] = tick;
    const left = Math.min(filled, this.#burst);
    this.#left[seat] = left < 1 ? left : left - 1;
    return left >= 1;
  }

  #grow(seat: number): void {
    const left = new Float64Array(seat * 2);
    const ticks = new Int32Array(seat * 2).fill(-1);
    left.set(this.#left);
    ticks.set(this.#ticks);
    this.#left = left;
    this.#ticks = ticks;
  }
}
