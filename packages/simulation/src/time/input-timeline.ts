/**
 * The timeline on which a client simulates its own player: ahead of the server by just enough
 * that inputs arrive before the tick that uses them.
 *
 * The server says in each snapshot how deep its input buffer was: newest input received minus the
 * tick it simulated. That news is a round trip old, so what the timeline has been shifted since
 * that input was sent is added to it (the idea of a Smith predictor); without this the loop
 * would swing. The aim is a low quantile of the depth, so jitter and loss are paid for as measured.
 */
import { ClockController } from "./clock-controller.ts";
import { SampleWindow } from "./sample-window.ts";

export interface InputTimelineOptions {
  readonly tickMs: number;
  /** Depth in ticks that all but `starvedFraction` of the samples should reach. Default 1. */
  readonly targetDepthTicks?: number;
  /** Default 0.04. */
  readonly starvedFraction?: number;
}

export class InputTimeline {
  readonly clock: ClockController;
  /** The newest depth that the server reported, in ticks. */
  depth = 0;
  readonly #tickMs: number;
  readonly #target: number;
  readonly #fraction: number;
  /** Depth minus the shift of the timeline when that input was sent: comparable over time. */
  readonly #samples = new SampleWindow(WINDOW);
  /** Shift of the timeline when the input of a tick was sent, by tick. */
  readonly #shiftAt = new Float64Array(RING);
  readonly #sentTick = new Int32Array(RING).fill(-1);
  #lastSentTick = -1;
  /** Newest input that the server is known to have, and the server's tick when that was new. */
  #heardInput = -1;
  #heardAtTick = -1;
  #lowDepth = Number.NaN;
  #dirty = false;
  /** After a jump, news of inputs sent before it no longer describes the timeline well; kept short. */
  #settled = false;

  constructor(options: InputTimelineOptions) {
    this.clock = new ClockController({ tickMs: options.tickMs });
    this.#tickMs = options.tickMs;
    this.#target = options.targetDepthTicks ?? 1;
    this.#fraction = options.starvedFraction ?? 0.04;
  }

  /** Starts (or starts again) at `serverTick` as just heard of, `leadMs` ahead of it. */
  start(serverTick: number, leadMs: number): void {
    this.clock.start(serverTick + leadMs / this.#tickMs + this.#target);
    this.#samples.clear();
    this.#sentTick.fill(-1);
    this.#lowDepth = Number.NaN;
    this.#settled = false;
  }

  /** Whether the server has told a depth yet. */
  get synchronised(): boolean {
    return this.#settled;
  }

  /** The input of `tick` leaves now. */
  noteSent(tick: number): void {
    const at = tick & (RING - 1);
    this.#sentTick[at] = tick;
    this.#lastSentTick = tick;
    this.#shiftAt[at] = this.clock.shift;
  }

  /** A snapshot says that at `serverTick` the newest input received was `newestInputTick`. */
  noteDepth(serverTick: number, newestInputTick: number): void {
    const at = newestInputTick & (RING - 1);
    this.depth = newestInputTick - serverTick;
    // What was sent before a jump back is still ahead of what is sent now, and says nothing of how that arrives.
    if (newestInputTick < 0 || newestInputTick > this.#lastSentTick) return;
    if (this.#sentTick[at] !== newestInputTick) return;
    if (newestInputTick !== this.#heardInput) {
      this.#heardInput = newestInputTick;
      this.#heardAtTick = serverTick;
    } else if ((serverTick - this.#heardAtTick) * this.#tickMs > OUTAGE_MS) {
      // Nothing gets through at all. Running ahead would not help.
      return;
    }
    this.#samples.push(this.depth - this.#shiftAt[at]);
    this.#dirty = true;
  }

  /** Moves on; returns true when the timeline jumped (the first synchronisation is not a jump). */
  advance(elapsedMs: number): boolean {
    const clock = this.clock;
    if (this.#dirty) {
      this.#dirty = false;
      if (this.#samples.hasRisen(RISEN, RISE_MS / this.#tickMs)) this.#samples.keepNewest(RISEN);
      // What comes is not what was: half of the fraction is kept in reserve.
      this.#lowDepth = this.#samples.low(this.#fraction / 2);
    }
    let error = 0;
    if (!Number.isNaN(this.#lowDepth)) {
      const depth = this.#lowDepth + clock.shift;
      // Depth is a whole number of ticks: between the target and one above it there is nothing to correct.
      if (depth < this.#target) error = this.#target - depth;
      else if (depth > this.#target + SLACK_TICKS) error = this.#target + SLACK_TICKS - depth;
    }
    if (!this.#settled && this.#samples.count >= FIRST_SAMPLES) {
      this.#settled = true;
      clock.ticks += error;
      clock.shift += error;
      error = 0;
    }
    return clock.advance(elapsedMs, error);
  }

  /** Forgets the measurements, not the position: after a stall they say nothing about the present. */
  forget(): void {
    this.#samples.clear();
    this.#sentTick.fill(-1);
    this.#lowDepth = Number.NaN;
  }
}

const RING = 256;
/** About four seconds of snapshots at 30 a second. */
const WINDOW = 128;
/** As many samples on a higher level, by so much, are a better route. */
const RISEN = 20;
const RISE_MS = 34;
const FIRST_SAMPLES = 3;
const SLACK_TICKS = 1.25;
const OUTAGE_MS = 150;
