/**
 * For players on very long lines: above a round trip of so many milliseconds others are drawn where the newest news has them,
 * carried on by their velocities ("extrapolation"), or ahead of that, instead of some time before: so the server has to go
 * back less far for their shots. What such a player aims at is a guess. The server is told the mode with each input, and judges the same
 * guess.
 */
import type { InterpolationMode } from "./interpolation-mode.ts";

export class LatencyMode {
  readonly #aboveMs: number;
  readonly #mode: InterpolationMode;
  /** Since when the line calls for the other mode; NaN: it does not. */
  #since = Number.NaN;
  #isLong = false;

  /** `mode`: on long lines. Throws `RangeError` when `aboveMs` is not above 0. */
  constructor(aboveMs: number, mode: InterpolationMode = "extrapolation") {
    if (!(aboveMs > 0)) throw new RangeError(`extrapolateAboveMs must be above 0, got ${aboveMs}`);
    this.#aboveMs = aboveMs;
    this.#mode = mode;
  }

  /**
   * The mode for a line that has the round trip `rttMs` at the time `now` (ms), in place of the one that was asked for. It
   * changes when the line has been longer for two seconds, and back when it has been a fifth shorter for as long.
   */
  choose(asked: InterpolationMode, rttMs: number, now: number): InterpolationMode {
    const calls = this.#isLong ? rttMs < this.#aboveMs * SHORTER : rttMs > this.#aboveMs;
    if (!calls) this.#since = Number.NaN;
    else if (!(this.#since <= now)) this.#since = now;
    else if (now - this.#since >= PATIENCE_MS) {
      this.#isLong = !this.#isLong;
      this.#since = Number.NaN;
    }
    return this.#isLong ? this.#mode : asked;
  }
}

const SHORTER = 0.8;
const PATIENCE_MS = 2000;
