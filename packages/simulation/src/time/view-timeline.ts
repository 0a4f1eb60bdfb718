/**
 * The timeline on which a client draws the others: behind the newest snapshot by just enough that
 * nearly every frame lies between two snapshots.
 *
 * Each frame measures how new the newest snapshot is; the timeline is kept at a low quantile of
 * that, so snapshot interval, jitter and loss are all in it, and no model of the link is needed.
 *
 * A frame that is late itself says nothing about the link: while a page is busy, what has arrived
 * waits. From the last moment at which it was not busy, such a frame counts as one of usual length.
 */
import { ClockController } from "./clock-controller.ts";
import { SampleWindow } from "./sample-window.ts";

export interface ViewTimelineOptions {
  readonly tickMs: number;
  /** Fraction of frames that may lack a newer snapshot. Default 0.01. */
  readonly lateFraction?: number;
  /** Delay to begin with, before there are measurements. Default 100 ms. */
  readonly startDelayMs?: number;
  /** Farther behind the freshest news than this it does not aim to be, however irregular the link. Default 500 ms. */
  readonly maxDelayMs?: number;
}

export class ViewTimeline {
  readonly clock: ClockController;
  /** Tick of the newest snapshot. */
  newestTick = -1;
  /** Whether the view is to be at the present as far as it can be known, and not behind it. */
  atPresent = false;
  /** How far ahead of that it is to be, in ms. It gets there, and back, at `AHEAD_RATE`. */
  aheadMs = 0;
  /** Where that ends, in ticks, at the time of the next `advance`. */
  latestTick: number = Infinity;
  readonly #tickMs: number;
  readonly #fraction: number;
  readonly #startDelayMs: number;
  readonly #maxDelayMs: number;
  /** Newest snapshot tick minus local time in ticks, one sample a frame. */
  readonly #samples = new SampleWindow(WINDOW);
  /** The worst of the frames since the last sample. */
  #oldest = Infinity;
  #lastSampleAt = -Infinity;
  /** When something was last handled: a frame, or a snapshot. */
  #awakeAt = -Infinity;
  /** Running median of the frames' lengths; 0 before the first. */
  #usualFrameMs = 0;
  #startedAt = 0;
  #low = Number.NaN;
  #high = Number.NaN;
  #sinceLow = 0;
  /** When the newest snapshot was first seen by a frame. */
  #newestSeenAt = -Infinity;
  #seenTick = -1;
  #stale = false;
  /** How far ahead it is to be just now, in ticks. */
  #ahead = 0;

  constructor(options: ViewTimelineOptions) {
    this.clock = new ClockController({ tickMs: options.tickMs });
    this.#tickMs = options.tickMs;
    this.#fraction = options.lateFraction ?? 0.01;
    this.#startDelayMs = options.startDelayMs ?? 100;
    this.#maxDelayMs = options.maxDelayMs ?? MAX_VIEW_DELAY_MS;
  }

  /** `now`: when it was received, by the clock of `advance`. Default: just before the next frame. */
  noteSnapshot(tick: number, now: number = Infinity): void {
    if (tick > this.newestTick) this.newestTick = tick;
    if (now > this.#awakeAt) this.#awakeAt = now;
  }

  /** Moves on to `now`; returns true when the timeline jumped. */
  advance(now: number, elapsedMs: number): boolean {
    if (this.newestTick < 0) return false;
    const clock = this.clock;
    const localTicks = now / this.#tickMs;
    if (!clock.started) {
      clock.start(this.newestTick - this.#startDelayMs / this.#tickMs);
      this.#startedAt = now;
      this.#awakeAt = now;
    }
    if (this.newestTick !== this.#seenTick) {
      this.#seenTick = this.newestTick;
      this.#newestSeenAt = now;
      if (this.#stale) this.forget(now);
      this.#stale = false;
    } else if (now - this.#newestSeenAt > STALE_MS) {
      // The stream stopped. That is no measurement of its jitter: time goes on as it was.
      this.#stale = true;
    }
    this.#noteFrame(elapsedMs);
    const frameAt = Math.min(now, this.#awakeAt + this.#usualFrameMs * LATE_FRAME);
    this.#awakeAt = now;
    if (now >= this.#lastSampleAt) this.#oldest = Math.min(this.#oldest, this.newestTick - frameAt / this.#tickMs);
    if (!this.#stale && now - this.#lastSampleAt >= MIN_SAMPLE_MS) {
      this.#lastSampleAt = now;
      this.#samples.push(this.#oldest);
      this.#oldest = Infinity;
      if (--this.#sinceLow <= 0) {
        this.#sinceLow = LOW_EVERY;
        if (this.#samples.hasRisen(RISEN, RISE_MS / this.#tickMs)) this.#samples.keepNewest(RISEN);
        // What comes is not what was: half of the fraction is kept in reserve, and a millisecond for frames that come in step.
        this.#low = this.#samples.low(this.#fraction / 2) - 1 / this.#tickMs;
        this.#high = this.#samples.high(RECENT);
      }
    }
    let target = this.atPresent ? this.#high : Math.max(this.#low, this.#high - this.#maxDelayMs / this.#tickMs);
    // Few samples know nothing of loss yet: begin with at least the start delay, which fades out.
    const age = now - this.#startedAt;
    if (age < FADE_MS && !this.atPresent) {
      const delay = (this.#startDelayMs / this.#tickMs) * (1 - age / FADE_MS);
      target = Math.min(target, this.#high - delay);
    }
    this.#moveAhead(elapsedMs);
    if (this.#ahead > 0) target = Math.max(target, Math.min(target + this.#ahead, this.latestTick - localTicks));
    // Nothing measured yet (a stall right at the start): time goes on as it was.
    if (Number.isNaN(target)) return clock.advance(elapsedMs, 0);
    // The sample is taken before the time passes: the error is at the end of the elapsed time.
    const error = target + localTicks - (clock.ticks + elapsedMs / this.#tickMs);
    return clock.advance(elapsedMs, error);
  }

  /** The server's tick now as far as news of it could have come: the freshest news, carried on in time. */
  heardTick(now: number): number {
    return Number.isNaN(this.#high) ? this.newestTick : Math.max(this.newestTick, this.#high + now / this.#tickMs);
  }

  /** How far the view is behind `heardTick`, in milliseconds. */
  delayMs(now: number): number {
    return (this.heardTick(now) - this.clock.ticks) * this.#tickMs;
  }

  #moveAhead(elapsedMs: number): void {
    const most = (elapsedMs / this.#tickMs) * AHEAD_RATE;
    const missing = this.aheadMs / this.#tickMs - this.#ahead;
    this.#ahead += Math.min(most, Math.max(-most, missing));
  }

  #noteFrame(elapsedMs: number): void {
    if (elapsedMs <= 0) return;
    if (this.#usualFrameMs === 0) this.#usualFrameMs = elapsedMs;
    else this.#usualFrameMs *= elapsedMs > this.#usualFrameMs ? MEDIAN_STEP : 1 / MEDIAN_STEP;
  }

  /** Takes no measurements for a moment after a stall, until what waited in queues meanwhile has been read. */
  pause(now: number): void {
    this.#oldest = Infinity;
    this.#lastSampleAt = now + DRAIN_MS;
    this.#newestSeenAt = now;
  }

  /**
   * Forgets the measurements: after a long stall they say nothing about the present. New ones are
   * taken a little later: see `pause`.
   */
  forget(now: number): void {
    this.#samples.clear();
    this.#sinceLow = 0;
    this.pause(now);
  }

  /** Back to before the first snapshot. */
  reset(): void {
    this.forget(0);
    this.#lastSampleAt = -Infinity;
    this.#awakeAt = -Infinity;
    this.#stale = false;
    this.#ahead = 0;
    this.newestTick = -1;
    this.#seenTick = -1;
    this.clock.started = false;
    this.#low = Number.NaN;
    this.#high = Number.NaN;
  }
}

/** A longer delay would only put shots farther back than servers judge them (`maxRewindMs`). */
export const MAX_VIEW_DELAY_MS = 500;

/** Ten to twelve seconds of frames: four of them are the late half percent. */
const WINDOW = 768;
/** Two seconds of them: how fresh the freshest news is now. A route that got worse is no reason to hope for longer. */
const RECENT = 128;
const MIN_SAMPLE_MS = 12;
const LOW_EVERY = 6;
/** As many samples on a higher level, by so much, are a better route. */
const RISEN = 60;
const RISE_MS = 34;
const FADE_MS = 3000;
const STALE_MS = 300;
/** As fast as a `ClockController` catches up: an error of all that is ahead might be a jump. */
const AHEAD_RATE = 0.1;
const DRAIN_MS = 150;
/** A frame that is longer than the usual one by this factor is late: more than a display's picture was left out. */
const LATE_FRAME = 2.1;
/** The running median goes up or down by this factor with each frame: in a second at 60 frames, by up to 3. */
const MEDIAN_STEP = 1.02;
