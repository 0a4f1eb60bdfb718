/**
 * The picture that a client draws: all tables at the moment of the frame, in the mode that is asked for; and the stamp by
 * which the next inputs tell the server what was seen.
 */
import type { ClientPrediction } from "../../prediction/client-prediction.ts";
import { createViewStamp } from "../../prediction/input/player-input.ts";
import type { ViewStamp } from "../../prediction/input/player-input.ts";
import type { InterpolationMode } from "../../prediction/interpolation/interpolation-mode.ts";
import { MAX_EXTRAPOLATION_MS } from "../../prediction/interpolation/state-interpolator.ts";
import type { UpdatedTable } from "../../prediction/interpolation/state-interpolator.ts";
import { MAX_VIEW_DELAY_MS } from "../../time/view-timeline.ts";
import type { AnyGame } from "../define-game.ts";
import type { States } from "../world.ts";
import { STALL_MS } from "./client-clocks.ts";
import type { ClientClocks } from "./client-clocks.ts";
import { checkMode } from "./client-options.ts";
import type { ClientStats } from "./client-stats.ts";
import type { ClientWorlds } from "./client-worlds.ts";
import { DrawnTable } from "./drawn-table.ts";
import type { AgeListener, DrawnMoment } from "./drawn-table.ts";
import type { SnapshotIntake } from "./snapshot-intake.ts";
import type { View } from "./view.ts";

export interface ClientPictureParts {
  readonly game: AnyGame;
  readonly worlds: ClientWorlds;
  readonly intake: SnapshotIntake;
  readonly prediction: ClientPrediction;
  readonly clocks: ClientClocks;
  readonly stats: ClientStats;
  readonly mode: InterpolationMode;
  readonly smoothingHalfLifeMs: number;
  /** How far the mode "ahead" is ahead of the news. */
  readonly aheadMs: number;
}

export class ClientPicture {
  /** What was drawn last. */
  readonly stamp: ViewStamp = createViewStamp();
  readonly #worlds: ClientWorlds;
  readonly #view: View<States>;
  readonly #intake: SnapshotIntake;
  readonly #prediction: ClientPrediction;
  readonly #clocks: ClientClocks;
  readonly #stats: ClientStats;
  readonly #tickMs: number;
  readonly #tables: readonly DrawnTable[];
  readonly #moment: DrawnMoment = { seat: -1, mode: "linear", view: -1, predicted: -1, newest: -1, heard: -1 };
  readonly #noteAge: AgeListener;
  readonly #aheadMs: number;
  #mode: InterpolationMode;
  /** The newest input's tick minus its picture's. */
  #viewAhead = Infinity;
  /** Of the newest snapshot that went into the picture; and of the one that is held back, -1: none is. */
  #newest = -1;
  #heldTick = -1;
  #held: readonly UpdatedTable[] = [];
  /** Whether there was an input since the last frame. */
  #hasInput = false;

  constructor(parts: ClientPictureParts) {
    const { game, worlds, prediction, stats } = parts;
    this.#worlds = worlds;
    this.#view = worlds.view;
    this.#intake = parts.intake;
    this.#prediction = prediction;
    this.#clocks = parts.clocks;
    this.#stats = stats;
    this.#tickMs = game.tickMs;
    const options = {
      tickRate: game.tickRate,
      smoothingHalfLifeMs: parts.smoothingHalfLifeMs,
      snapDistance: game.snapDistance,
      snapAngle: game.snapAngle,
      slideHalfLifeMs: game.slideHalfLifeMs,
      maxExtrapolationTicks: MAX_EXTRAPOLATION_MS / game.tickMs,
      updateDepth: updateDepth(game.snapshotRate),
    };
    this.#tables = worlds.tables.map(
      (table, t) => new DrawnTable(table, worlds.viewTables[t], prediction.historyOf(t), options),
    );
    this.#noteAge = (ageTicks) => stats.noteEntityAge(ageTicks * game.tickMs);
    this.#aheadMs = parts.aheadMs;
    this.#mode = parts.mode;
    this.#setClocks();
  }

  /** A new session: nothing was drawn of it. */
  clear(): void {
    this.stamp.viewTick = -1;
    this.#viewAhead = Infinity;
    this.#newest = this.#heldTick = -1;
    for (const table of this.#tables) table.clear();
  }

  get mode(): InterpolationMode {
    return this.#mode;
  }

  /** Throws `RangeError` for a mode that does not exist. */
  set mode(mode: InterpolationMode) {
    checkMode(mode);
    const before = this.#mode;
    this.#mode = mode;
    this.#setClocks();
    // The view goes on from what is drawn, and falls back behind it by running slower.
    if (before === "none" && mode !== "none" && this.#intake.tick >= 0) this.#clocks.setView(this.#intake.tick);
  }

  #setClocks(): void {
    const mode = this.#mode;
    this.#clocks.atPresent = mode === "extrapolation" || mode === "ahead";
    this.#clocks.aheadMs = mode === "ahead" ? this.#aheadMs : 0;
  }

  /**
   * The newest snapshot. Where it is drawn what is carried on, it waits for the first frame after an input, by less than a
   * tick: then the server, which knows the pictures at which inputs were given, can tell what slides from that moment on.
   * `states` are used until `takeNews`, which comes before they change.
   */
  update(tick: number, states: readonly UpdatedTable[]): void {
    this.#heldTick = tick;
    this.#held = states;
    if (!this.#clocks.atPresent) this.takeNews();
  }

  /** Takes in what is held back. */
  takeNews(): void {
    if (this.#heldTick < 0) return;
    for (let t = 0; t < this.#held.length; t++) this.#tables[t].update(this.#heldTick, this.#held[t]);
    this.#newest = this.#heldTick;
    this.#heldTick = -1;
  }

  /** Before a correction: notes where the predicted rows are. */
  remember(): void {
    for (const table of this.#tables) table.remember();
  }

  /** After it. Returns the farthest move of an own entity, declared jumps aside. */
  correct(): number {
    let farthest = 0;
    for (const table of this.#tables) farthest = Math.max(farthest, table.correct(this.#worlds.seat));
    return farthest;
  }

  /** The input of `tick` was given at the sight of this picture. */
  noteInput(tick: number): void {
    this.#viewAhead = this.stamp.viewTick < 0 ? Infinity : tick - this.stamp.viewTick;
    this.#hasInput = true;
  }

  /** Draws the frame at `now`; `inputTick`: of the newest input. */
  draw(now: number, elapsedMs: number, inputTick: number): void {
    const { stamp } = this;
    const clocks = this.#clocks;
    const stats = this.#stats;
    const prediction = this.#prediction;
    const mode = this.#mode;
    if (this.#hasInput || !clocks.atPresent) this.takeNews();
    this.#hasInput = false;
    const newest = this.#newest;
    // The next input is judged by the state after the tick of the last one: nobody draws what is beyond.
    const view = mode === "none" ? newest : Math.min(clocks.viewTicks, inputTick);
    // What the server is told is exactly what is drawn, to 1/256 of a tick.
    // Where it is hardly off, it is drawn where the server expects it: as far behind the next input as at the last one.
    const expected = inputTick + 1 - this.#viewAhead;
    const steady = Math.abs(view - expected) <= STEADY_TICKS && expected >= stamp.viewTick;
    const drawn = steady ? expected : Math.floor(view * 256) / 256;
    stamp.viewTick = view < 0 ? -1 : drawn;
    stamp.snapshotTick = newest;
    stamp.mode = mode;
    const predicted = clocks.inputTicks - stats.inputDelayTicks;
    this.#view.tick = drawn;
    this.#view.predictedTick = predicted;
    this.#view.confirmedTick = prediction.confirmedTick;
    const heard = clocks.heardTick(now);
    stats.interpolationDelayMs = (heard - view) * this.#tickMs;
    stats.noteFrame(view <= newest);
    const moment = this.#moment;
    moment.seat = this.#worlds.seat;
    moment.view = drawn;
    moment.predicted = predicted;
    moment.newest = prediction.tick;
    moment.heard = heard;
    moment.mode = mode;
    let visible = 0;
    for (const table of this.#tables) visible = Math.max(visible, table.draw(moment, elapsedMs, this.#noteAge));
    stats.visibleCorrection.record(visible);
  }
}

/**
 * Updates from the newest snapshot back to the view (its largest delay, and the largest error that is worked off without a
 * jump), and the two before, from which speeds are estimated.
 */
function updateDepth(snapshotRate: number): number {
  const updates = ((MAX_VIEW_DELAY_MS + STALL_MS) * snapshotRate) / 1000 + 4;
  return Math.min(MAX_UPDATE_DEPTH, 1 << (32 - Math.clz32(Math.ceil(updates) - 1)));
}

/** Enough for 330 snapshots a second. */
const MAX_UPDATE_DEPTH = 256;
/** How far from the view timeline the picture may be, so that its stamp takes a single bit: half a millisecond at 60 ticks. */
const STEADY_TICKS = 8 / 256;
