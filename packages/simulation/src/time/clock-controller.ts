/**
 * Steers one timeline (measured in ticks) after a target by changing how fast it runs.
 *
 * The controller never changes the length of a step: it scales the elapsed time that a driver
 * feeds in. Small errors are worked off within 2 % of the normal rate, which nobody sees; larger
 * ones within 10 %, until they are gone; an error above 250 ms is one jump, which is counted.
 *
 * Every error that is no jump is gone within two seconds. At 10 % that is enough for 200 ms; the
 * last fifth of the range is worked off at what it takes, up to 12.5 %.
 */

export interface ClockControllerOptions {
  /** Length of one tick. */
  readonly tickMs: number;
  /** Largest change of rate while the error is small. Default 0.02. */
  readonly steadyRate?: number;
  /** Largest change of rate while catching up, up to errors that this would not work off in two seconds. Default 0.1. */
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
  /** The largest error since catching up began; 0 while not catching up. Its sign is that of the error. */
  #caughtMs = 0;
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
    this.#caughtMs = 0;
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
      this.#caughtMs = 0;
      this.jumps++;
      return true;
    }
    const size = Math.abs(errorMs);
    if (size < GONE_MS || errorMs * this.#caughtMs < 0) this.#caughtMs = 0;
    if (size > this.#catchUpMs && size > Math.abs(this.#caughtMs)) this.#caughtMs = errorMs;
    const catchingUp = this.#caughtMs !== 0;
    const limit = catchingUp
      ? Math.max(this.#catchUpRate, Math.abs(this.#caughtMs) / GONE_WITHIN_MS)
      : this.#steadyRate;
    // Never past the target, however long the frame was.
    const wanted = errorMs / Math.max(elapsedMs, catchingUp ? CLOSING_MS : SETTLING_MS);
    const change = wanted > limit ? limit : wanted < -limit ? -limit : wanted;
    this.rate = 1 + change;
    this.ticks += elapsedTicks * this.rate;
    this.shift += elapsedTicks * change;
    return false;
  }
}

/** Half a second to close a small error: slow enough not to chase noise. */
const SETTLING_MS = 500;
/** The end of a large one. */
const CLOSING_MS = 50;
const GONE_MS = 1;
const GONE_WITHIN_MS = 2000;
