/**
 * Steers one timeline (measured in ticks) after a target by changing how fast it runs.
 *
 * The controller never changes the length of a step: it scales the elapsed time that a driver
 * feeds in. Small errors are worked off within 2 % of the normal rate, which nobody sees; larger
 * ones within 10 %; an error above 250 ms is one jump, which is counted.
 */

export interface ClockControllerOptions {
  /** Length of one tick. */
  readonly tickMs: number;
  /** Largest change of rate while the error is small. Default 0.02. */
  readonly steadyRate?: number;
  /** Largest change of rate while catching up. Default 0.1. */
  readonly catchUpRate?: number;
  /** Errors above this are catching up. Default 25 ms. */
  readonly catchUpMs?: number;
  /** Errors above this are one jump. Default 250 ms. */
  readonly jumpMs?: number;
}

export class ClockController {
  /** Where the timeline is, in ticks. */
  ticks = 0;
  /** The rate in force: 1 is real time. */
  rate = 1;
  /** How often the timeline jumped since it was started. */
  jumps = 0;
  /** How far it has been shifted against real time since it was started, in ticks; jumps included. */
  shift = 0;
  /** The error that the last `advance` was given, in milliseconds. */
  errorMs = 0;
  started = false;
  readonly #tickMs: number;
  readonly #steadyRate: number;
  readonly #catchUpRate: number;
  readonly #catchUpMs: number;
  readonly #jumpMs: number;

  constructor(options: ClockControllerOptions) {
    if (!(options.tickMs > 0)) throw new RangeError(`tickMs must be positive, got ${options.tickMs}`);
    this.#tickMs = options.tickMs;
    this.#steadyRate = options.steadyRate ?? 0.02;
    this.#catchUpRate = options.catchUpRate ?? 0.1;
    this.#catchUpMs = options.catchUpMs ?? 25;
    this.#jumpMs = options.jumpMs ?? 250;
  }

  /** Puts the timeline at `ticks`; does not count as a jump. */
  start(ticks: number): void {
    this.ticks = ticks;
    this.rate = 1;
    this.errorMs = 0;
    this.shift = 0;
    this.jumps = 0;
    this.started = true;
  }

  /**
   * Moves on by `elapsedMs` of real time. `errorTicks` is how far the target is ahead of the
   * timeline (negative: behind). Returns true when the timeline jumped.
   */
  advance(elapsedMs: number, errorTicks: number): boolean {
    const errorMs = errorTicks * this.#tickMs;
    this.errorMs = errorMs;
    const elapsedTicks = elapsedMs / this.#tickMs;
    if (Math.abs(errorMs) > this.#jumpMs) {
      this.ticks += elapsedTicks + errorTicks;
      this.shift += errorTicks;
      this.rate = 1;
      this.jumps++;
      return true;
    }
    const limit = Math.abs(errorMs) > this.#catchUpMs ? this.#catchUpRate : this.#steadyRate;
    // Half a second to close a small error: slow enough not to chase noise.
    const wanted = errorMs / SETTLING_MS;
    const change = wanted > limit ? limit : wanted < -limit ? -limit : wanted;
    this.rate = 1 + change;
    this.ticks += elapsedTicks * this.rate;
    this.shift += elapsedTicks * change;
    return false;
  }
}

const SETTLING_MS = 500;
