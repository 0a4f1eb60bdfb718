/**
 * The two clocks of a client: the one of its inputs, ahead of the server, and the one of its view, behind it. Snapshots tell
 * them where the server is; they move on once a frame.
 */
import { InputTimeline } from "../../time/input-timeline.ts";
import { ViewTimeline } from "../../time/view-timeline.ts";
import type { ClientStats } from "./client-stats.ts";

export class ClientClocks {
  /** The connection's round trip, for the first guess of the input clock. */
  rttMs = 100;
  readonly #tickMs: number;
  readonly #stats: ClientStats;
  readonly #inputs: InputTimeline;
  readonly #view: ViewTimeline;
  /** Tick of a snapshot that says that the input clock must start over; -1: none did. */
  #restartTick = -1;

  constructor(tickMs: number, stats: ClientStats) {
    this.#tickMs = tickMs;
    this.#stats = stats;
    this.#inputs = new InputTimeline({ tickMs });
    this.#view = new ViewTimeline({ tickMs });
  }

  /** Starts over with the server at `tick`. */
  start(tick: number): void {
    this.#restartTick = -1;
    this.#view.reset();
    this.#inputs.start(tick, this.rttMs);
  }

  /** Where the player acts, in ticks. */
  get inputTicks(): number {
    return this.#inputs.clock.ticks;
  }

  /** Where the others are drawn, in ticks; -1 before the first snapshot. */
  get viewTicks(): number {
    return this.#view.clock.started ? this.#view.clock.ticks : -1;
  }

  /** The server's tick now as far as news of it could have come. */
  heardTick(now: number): number {
    return this.#view.heardTick(now);
  }

  /** Whether the view is to be at the present as far as it can be known, and not behind it. */
  get atPresent(): boolean {
    return this.#view.atPresent;
  }

  set atPresent(atPresent: boolean) {
    this.#view.atPresent = atPresent;
  }

  /** How far ahead of that it is to be (ms), but not beyond the input clock: there the next input is judged. */
  set aheadMs(aheadMs: number) {
    this.#view.aheadMs = aheadMs;
  }

  /** Puts the view at `tick`; it gets to where it should be by its rate. */
  setView(tick: number): void {
    this.#view.clock.ticks = tick;
  }

  /** The input of `tick` leaves now. */
  noteInput(tick: number): void {
    this.#inputs.noteSent(tick);
  }

  /** The newest snapshot, of `tick`, came at `now` and says how inputs arrive: see `SnapshotIntake`. */
  noteSnapshot(tick: number, depth: number, origin: number, now: number): void {
    this.#view.noteSnapshot(tick, now);
    if (depth === MAX_DEPTH) this.#restartTick = tick;
    else if (depth !== -128) {
      this.#inputs.noteDepth(tick, tick + depth);
      if (origin !== 0) this.#stats.starvedTicks++;
    }
  }

  /** Moves both on to `now`. `newestTick`: the newest snapshot's; `isPlaying`: whether a jump is one for the player, too. */
  advance(now: number, elapsedMs: number, newestTick: number, isPlaying: boolean): void {
    const { clock } = this.#inputs;
    const stats = this.#stats;
    if (elapsedMs > STALL_MS) {
      // A hidden tab or a suspended process: time has passed and nothing was measured.
      this.#inputs.forget();
      if (elapsedMs > LONG_STALL_MS) this.#view.forget(now);
      else this.#view.pause(now);
      stats.jumps++;
    }
    if (this.#inputs.advance(elapsedMs)) stats.jumps++;
    // The server's past is our future, or it has more inputs in stock than it can count: the clock is plainly wrong.
    const restartTick = newestTick > clock.ticks ? newestTick : this.#restartTick;
    if (restartTick >= 0) {
      const before = clock.ticks;
      this.#inputs.start(restartTick, this.rttMs);
      if (isPlaying && Math.abs(clock.ticks - before) * this.#tickMs > STALL_MS) stats.jumps++;
    }
    this.#restartTick = -1;
    stats.inputRate = clock.rate;
    stats.clockErrorMs = clock.errorMs;
    stats.inputBufferDepth = this.#inputs.depth;
    this.#view.latestTick = clock.ticks;
    if (this.#view.advance(now, elapsedMs)) stats.jumps++;
    stats.viewRate = this.#view.clock.rate;
  }
}

/** A longer pause between two frames is a stall. */
export const STALL_MS = 250;
/** After a longer one the link may be another. */
const LONG_STALL_MS = 1000;
/** The largest depth that a snapshot can tell. */
const MAX_DEPTH = 127;
