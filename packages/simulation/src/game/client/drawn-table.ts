/**
 * How a client draws one table: its own entities as predicted, with corrections that fade; the others between what
 * came in of them. What is drawn of the others is also what a step sees of them.
 */
import { ColumnCopy } from "../../prediction/column-copy.ts";
import { DrawnCorrections } from "../../prediction/drawn-corrections.ts";
import type { SmoothingOptions } from "../../prediction/drawn-corrections.ts";
import type { StateHistory } from "../../prediction/state-history.ts";
import { DrawnDifferences } from "../../prediction/interpolation/drawn-differences.ts";
import { extrapolationLimit } from "../../prediction/interpolation/interpolation-mode.ts";
import type { InterpolationMode } from "../../prediction/interpolation/interpolation-mode.ts";
import { emptySample, RecordBlend } from "../../prediction/interpolation/record-blend.ts";
import type { StateSample } from "../../prediction/interpolation/record-blend.ts";
import { StateInterpolator } from "../../prediction/interpolation/state-interpolator.ts";
import type { UpdatedTable } from "../../prediction/interpolation/state-interpolator.ts";
import type { AnyViewTable } from "./view.ts";
import type { AnyWorldTable } from "../world.ts";

export interface DrawnTableOptions extends SmoothingOptions {
  readonly tickRate: number;
  readonly maxExtrapolationTicks: number;
  readonly slideHalfLifeMs: number;
  /** Updates kept of each entity of others; a power of two. */
  readonly updateDepth: number;
}

/** The moment that is drawn; times in ticks. */
export interface DrawnMoment {
  /** Seat of the client. */
  seat: number;
  /** How the pictures of the others are made. */
  mode: InterpolationMode;
  /** Where the others are drawn, and where the client's own entities are. */
  view: number;
  predicted: number;
  /** The newest tick that was predicted. */
  newest: number;
  /** The server's tick now, as far as news of it could have come. */
  heard: number;
}

/** Hears how old what is drawn is, in ticks, entity by entity. */
export type AgeListener = (ageTicks: number) => void;

export class DrawnTable {
  readonly #table: AnyWorldTable;
  readonly #target: AnyViewTable;
  readonly #history: StateHistory;
  readonly #interpolator: StateInterpolator;
  readonly #corrections: DrawnCorrections;
  readonly #copy: ColumnCopy;
  readonly #maxExtrapolationTicks: number;
  readonly #tickMs: number;
  readonly #sample: StateSample = emptySample();
  readonly #blend: RecordBlend;
  /** Only where the columns cannot simply be copied to the world's table. */
  readonly #worldBlend: RecordBlend | undefined;
  readonly #differences: DrawnDifferences;
  /** By row of others: tick of the newest update when it was drawn last, and whether it was carried on beyond that. */
  readonly #drawnTicks: Float64Array;
  readonly #carriedOn: Uint8Array;
  /** Of the last frame. */
  #mode: InterpolationMode = "linear";
  #view = -1;

  constructor(table: AnyWorldTable, target: AnyViewTable, history: StateHistory, options: DrawnTableOptions) {
    const { capacity, wordCount } = table;
    this.#table = table;
    this.#target = target;
    this.#history = history;
    this.#interpolator = new StateInterpolator(capacity, wordCount, options.updateDepth);
    this.#corrections = new DrawnCorrections(table, target, options);
    this.#copy = new ColumnCopy(target, table);
    this.#blend = new RecordBlend(target, options.tickRate);
    this.#worldBlend = this.#copy.complete ? undefined : new RecordBlend(table, options.tickRate);
    this.#differences = new DrawnDifferences(target, options.slideHalfLifeMs, options.snapDistance);
    this.#drawnTicks = new Float64Array(capacity);
    this.#carriedOn = new Uint8Array(capacity);
    this.#maxExtrapolationTicks = options.maxExtrapolationTicks;
    this.#tickMs = 1000 / options.tickRate;
  }

  clear(): void {
    this.#interpolator.clear();
    this.#target.clear();
    this.#corrections.clear();
  }

  /** Takes in what a snapshot of `tick` said. */
  update(tick: number, state: UpdatedTable): void {
    this.#interpolator.update(tick, state);
  }

  /** Before a correction: notes where the predicted rows are. */
  remember(): void {
    this.#corrections.remember();
  }

  /** After it. Returns the farthest move of an entity of `seat`, declared jumps aside. */
  correct(seat: number): number {
    return this.#corrections.correct(seat);
  }

  /** Returns how far any row's picture moved beyond what the simulation moved it. */
  draw(moment: Readonly<DrawnMoment>, elapsedMs: number, heardAge: AgeListener): number {
    const corrections = this.#corrections;
    corrections.fade(elapsedMs);
    const table = this.#table;
    const target = this.#target;
    const interpolator = this.#interpolator;
    const sample = this.#sample;
    const { seat, mode, view, heard } = moment;
    // Differences fade as the view moves on, which the server knows, and not with the frames.
    const fadeMs = Math.max(0, view - this.#view) * this.#tickMs;
    const limit = extrapolationLimit(mode, this.#maxExtrapolationTicks);
    const end = Math.max(table.highWater, target.highWater, interpolator.highWater);
    for (let index = 0; index < end; index++) {
      if (table.simulated[index] === 1) {
        this.#drawOwn(index, moment);
        continue;
      }
      const remote = interpolator.owners[index] !== seat && interpolator.sample(index, view, limit, sample);
      if (!remote) {
        table.remove(index);
        target.remove(index);
        continue;
      }
      const id = interpolator.ids[index];
      const owner = interpolator.owners[index];
      if (target.indexOf(id) !== index) {
        target.insert(id, owner);
        this.#differences.clear(index);
        this.#carriedOn[index] = 0;
      } else if (this.#isRewritten(index, mode)) this.#keepDifference(index, moment);
      if (table.indexOf(id) !== index) table.insert(id, owner);
      table.simulated[index] = 0;
      table.owners[index] = owner;
      target.owners[index] = owner;
      const { words } = interpolator;
      this.#blend.blend(index, words, sample, mode);
      this.#differences.apply(index, fadeMs);
      if (this.#worldBlend === undefined) this.#copy.copy(index);
      else this.#worldBlend.blend(index, words, sample, mode);
      const newest = interpolator.newestTick(index);
      this.#drawnTicks[index] = newest;
      this.#carriedOn[index] = sample.beyondTicks > 0 ? 1 : 0;
      corrections.applyToRemote(index);
      heardAge(heard - newest);
    }
    this.#mode = mode;
    this.#view = view;
    const { visible } = corrections;
    corrections.visible = 0;
    return visible;
  }

  /** Whether what was drawn of a row in the last frame is not what would be drawn of that moment now. */
  #isRewritten(index: number, mode: InterpolationMode): boolean {
    if (mode !== this.#mode) return true;
    return this.#carriedOn[index] === 1 && this.#interpolator.newestTick(index) !== this.#drawnTicks[index];
  }

  /** Leaves `#sample` as it is for the moment that is drawn. */
  #keepDifference(index: number, moment: Readonly<DrawnMoment>): void {
    const { mode, view } = moment;
    const interpolator = this.#interpolator;
    const differences = this.#differences;
    const sample = this.#sample;
    const { words } = interpolator;
    const limit = extrapolationLimit(mode, this.#maxExtrapolationTicks);
    if (mode === "none" || mode === "step" || this.#hasJumped(index)) {
      differences.clear(index);
      return;
    }
    differences.note(index);
    if (interpolator.sample(index, Math.min(view, this.#view), limit, sample)) {
      this.#blend.blend(index, words, sample, mode);
      differences.keep(index);
    }
    interpolator.sample(index, view, limit, sample);
  }

  /** Whether the entity has jumped since the update that was the newest when it was drawn last. */
  #hasJumped(index: number): boolean {
    const table = this.#table;
    if (!table.mayJump) return false;
    const { words } = this.#interpolator;
    const before = this.#interpolator.recordAt(index, this.#drawnTicks[index]);
    return (
      before >= 0 &&
      table.jumps(words, before, words, this.#interpolator.recordAt(index, this.#interpolator.newestTick(index)))
    );
  }

  #drawOwn(index: number, moment: Readonly<DrawnMoment>): void {
    this.#carriedOn[index] = 0;
    const target = this.#target;
    const history = this.#history;
    const { newest, predicted } = moment;
    const id = this.#table.idAt(index);
    const owner = this.#table.owners[index];
    if (target.indexOf(id) !== index) target.insert(id, owner);
    target.owners[index] = owner;
    const to = history.offsetOf(newest, id);
    const from = history.offsetOf(newest - 1, id);
    if (to >= 0) {
      const fraction = Math.min(1, Math.max(0, predicted - (newest - 1)));
      target.blendWords(index, history.words, from < 0 ? to : from, history.words, to, fraction);
    } else {
      // There was no memory to keep it: it is drawn as it is.
      const { words, wordCount } = this.#table;
      target.writeWords(index, words, index * wordCount);
    }
    this.#corrections.apply(index);
  }
}
