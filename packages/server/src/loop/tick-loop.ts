/**
 * A fixed time step that does not drift: tick n is due at `start + n * step`, whatever the timers do.
 *
 * Node's timers count whole milliseconds, so a tick may start up to a millisecond early or late; the
 * error never adds up. After a stall the loop catches up, at most `maxCatchUpTicks` in one wake-up;
 * what is older is skipped, counted and reported, and the schedule moves by that much. Clients follow,
 * since they take their clock from the ticks they receive.
 */

import { DurationHistogram } from "./duration-histogram.ts";
import type { DurationSummary } from "./duration-histogram.ts";
import { systemClock } from "./loop-clock.ts";
import type { LoopClock } from "./loop-clock.ts";

export interface TickLoopOptions {
  /** Ticks per second. */
  readonly tickRate: number;
  /** One step of everything. `now` is when it started, `lateMs` after it was due. Must not throw. */
  readonly tick: (now: number, lateMs: number) => void;
  /** After the ticks of one wake-up: send what they produced. */
  readonly flush: (now: number) => void;
  /** Ticks were skipped because the loop fell behind by more than the limit. */
  readonly overrun?: (skippedTicks: number, behindMs: number) => void;
  /** Ticks made up in one wake-up before the rest is skipped. Default: a quarter of a second's worth, at least 2. */
  readonly maxCatchUpTicks?: number;
  readonly clock?: LoopClock;
}

/** How a loop keeps time. Durations and lateness are those of the last 30 to 60 s. */
export interface TickLoopStats {
  readonly ticks: number;
  /** Ticks that were never run, see `maxCatchUpTicks`. */
  readonly skippedTicks: number;
  /** Ticks that started more than one step after they were due. */
  readonly lateTicks: number;
  /** Time spent in one tick, without the flush. */
  readonly duration: DurationSummary;
  /** CPU time that the thread used in one tick: far less than `duration` where the machine gave the core to somebody else. */
  readonly cpu: DurationSummary;
  /** Time spent in one flush. */
  readonly flush: DurationSummary;
  /** How long after its due time a tick started. */
  readonly lateness: DurationSummary;
}

/** A tick that is due within this time is run at once: timers cannot wait for less. */
const TIMER_GRANULARITY_MS = 1;

export class TickLoop {
  readonly stepMs: number;
  readonly #options: TickLoopOptions;
  readonly #clock: LoopClock;
  readonly #maxCatchUpTicks: number;
  readonly #duration: DurationHistogram = new DurationHistogram();
  readonly #cpu: DurationHistogram = new DurationHistogram();
  readonly #flushDuration: DurationHistogram = new DurationHistogram();
  readonly #lateness: DurationHistogram = new DurationHistogram();
  readonly #wake: () => void = () => this.#run();
  #running = false;
  /** Tick `#scheduled` is due at `#origin + #scheduled * stepMs`. */
  #origin = 0;
  #scheduled = 0;
  #ticks = 0;
  #skippedTicks = 0;
  #lateTicks = 0;

  constructor(options: TickLoopOptions) {
    const { tickRate } = options;
    if (!(tickRate >= 1 && tickRate <= 1000)) throw new RangeError(`tickRate must be 1 to 1000, got ${tickRate}`);
    this.#options = options;
    this.stepMs = 1000 / tickRate;
    this.#maxCatchUpTicks = options.maxCatchUpTicks ?? Math.max(2, Math.round(tickRate / 4));
    if (!(this.#maxCatchUpTicks >= 1)) {
      throw new RangeError(`maxCatchUpTicks must be at least 1, got ${this.#maxCatchUpTicks}`);
    }
    this.#clock = options.clock ?? systemClock();
  }

  get stats(): TickLoopStats {
    return {
      ticks: this.#ticks,
      skippedTicks: this.#skippedTicks,
      lateTicks: this.#lateTicks,
      duration: this.#duration.summary(),
      cpu: this.#cpu.summary(),
      flush: this.#flushDuration.summary(),
      lateness: this.#lateness.summary(),
    };
  }

  resetStats(): void {
    this.#lateTicks = 0;
    this.#skippedTicks = 0;
    this.#duration.reset();
    this.#cpu.reset();
    this.#flushDuration.reset();
    this.#lateness.reset();
  }

  /** The first tick is due one step from now. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#origin = this.#clock.now();
    this.#scheduled = 1;
    this.#schedule();
  }

  stop(): void {
    this.#running = false;
    this.#clock.cancel();
  }

  #schedule(): void {
    const delay = this.#dueAt() - this.#clock.now();
    this.#clock.schedule(this.#wake, delay > 0 ? delay : 0);
  }

  #dueAt(): number {
    return this.#origin + this.#scheduled * this.stepMs;
  }

  #run(): void {
    if (!this.#running) return;
    let now = this.#clock.now();
    let budget = this.#maxCatchUpTicks;
    let ran = false;
    while (budget > 0 && this.#running) {
      const lateMs = now - this.#dueAt();
      if (lateMs < -TIMER_GRANULARITY_MS) break;
      this.#lateness.record(lateMs, now);
      if (lateMs > this.stepMs) this.#lateTicks++;
      this.#scheduled++;
      this.#ticks++;
      budget--;
      ran = true;
      const cpuBefore = this.#clock.cpuMs();
      this.#options.tick(now, Math.max(0, lateMs));
      const after = this.#clock.now();
      this.#duration.record(after - now, after);
      this.#cpu.record(this.#clock.cpuMs() - cpuBefore, after);
      now = after;
    }
    if (!this.#running) return;
    if (ran) {
      this.#options.flush(now);
      const after = this.#clock.now();
      this.#flushDuration.record(after - now, after);
      now = after;
    }
    const behindMs = now - this.#dueAt();
    if (budget === 0 && behindMs > 0) this.#skip(behindMs);
    this.#schedule();
  }

  /** Moves the schedule so that the next tick is due within one step. */
  #skip(behindMs: number): void {
    const skipped = Math.ceil(behindMs / this.stepMs);
    this.#scheduled += skipped;
    this.#skippedTicks += skipped;
    this.#options.overrun?.(skipped, behindMs);
  }
}
