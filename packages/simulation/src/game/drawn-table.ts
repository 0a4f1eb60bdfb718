/**
 * How a client draws one table: its own entities as predicted, with corrections that fade; the others between what
 * came in of them. What is drawn of the others is also what a step sees of them.
 */
import { ColumnCopy } from "../prediction/column-copy.ts";
import { CorrectionOffsets } from "../prediction/correction-offsets.ts";
import type { StateHistory } from "../prediction/state-history.ts";
import { DrawnDifferences } from "../prediction/interpolation/drawn-differences.ts";
import type { InterpolationMode } from "../prediction/interpolation/interpolation-mode.ts";
import { emptySample, RecordBlend } from "../prediction/interpolation/record-blend.ts";
import type { StateSample } from "../prediction/interpolation/record-blend.ts";
import { StateInterpolator } from "../prediction/interpolation/state-interpolator.ts";
import type { UpdatedTable } from "../prediction/interpolation/state-interpolator.ts";
import type { AnyViewTable } from "./view.ts";
import type { AnyWorldTable } from "./world.ts";

export interface DrawnTableOptions {
  readonly tickRate: number;
  readonly smoothingHalfLifeMs: number;
  /** In world units. */
  readonly snapDistance: number;
  readonly maxExtrapolationTicks: number;
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
  readonly #offsets: CorrectionOffsets;
  readonly #copy: ColumnCopy;
  readonly #maxExtrapolationTicks: number;
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
  /** Predicted rows before a correction: ids (-1: none) and positions of the first `#remembered` indices, and records if rows may jump. */
  readonly #ids: Int32Array;
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #words: Int32Array;
  #remembered = 0;

  constructor(table: AnyWorldTable, target: AnyViewTable, history: StateHistory, options: DrawnTableOptions) {
    const { capacity, wordCount } = table;
    this.#table = table;
    this.#target = target;
    this.#history = history;
    this.#interpolator = new StateInterpolator(capacity, wordCount, options.updateDepth);
    this.#offsets = new CorrectionOffsets(capacity, options.smoothingHalfLifeMs, options.snapDistance);
    this.#copy = new ColumnCopy(target, table);
    this.#blend = new RecordBlend(target, options.tickRate);
    this.#worldBlend = this.#copy.complete ? undefined : new RecordBlend(table, options.tickRate);
    this.#differences = new DrawnDifferences(target, options.smoothingHalfLifeMs, options.snapDistance);
    this.#drawnTicks = new Float64Array(capacity);
    this.#carriedOn = new Uint8Array(capacity);
    this.#maxExtrapolationTicks = options.maxExtrapolationTicks;
    this.#ids = new Int32Array(capacity);
    this.#x = new Float64Array(capacity);
    this.#y = new Float64Array(capacity);
    this.#words = new Int32Array(table.mayJump ? capacity * wordCount : 0);
  }

  clear(): void {
    this.#interpolator.clear();
    this.#target.clear();
  }

  /** Takes in what a snapshot of `tick` said. */
  update(tick: number, state: UpdatedTable): void {
    this.#interpolator.update(tick, state);
  }

  /** Before a correction: notes where the predicted rows are. */
  remember(): void {
    const table = this.#table;
    const { positionX, positionY, simulated, highWater } = table;
    this.#remembered = highWater;
    for (let index = 0; index < highWater; index++) {
      this.#ids[index] = simulated[index] === 1 ? table.idAt(index) : -1;
      this.#x[index] = positionX?.[index] ?? 0;
      this.#y[index] = positionY?.[index] ?? 0;
      if (table.mayJump && simulated[index] === 1) table.readWords(index, this.#words, index * table.wordCount);
    }
  }

  /**
   * After it: what rows were moved by is taken back in the picture, and fades. Declared jumps are neither taken back nor
   * an error. Returns the farthest move.
   */
  correct(): number {
    const table = this.#table;
    const { positionX, positionY, simulated, highWater } = table;
    if (positionX === undefined || positionY === undefined) return 0;
    let farthest = 0;
    for (let index = 0; index < highWater; index++) {
      const known = index < this.#remembered && this.#ids[index] === table.idAt(index);
      if (simulated[index] === 0 || !known) {
        this.#offsets.clear(index);
        continue;
      }
      const at = index * table.wordCount;
      const x = positionX[index] - this.#x[index];
      const y = positionY[index] - this.#y[index];
      if (table.mayJump && table.jumps(this.#words, at, table.words, at)) {
        this.#offsets.clear(index);
        continue;
      }
      this.#offsets.add(index, x, y);
      farthest = Math.max(farthest, Math.hypot(x, y));
    }
    return farthest;
  }

  draw(moment: Readonly<DrawnMoment>, elapsedMs: number, heardAge: AgeListener): void {
    this.#offsets.fade(elapsedMs);
    const table = this.#table;
    const target = this.#target;
    const interpolator = this.#interpolator;
    const sample = this.#sample;
    const { seat, mode, view, heard } = moment;
    const end = Math.max(table.highWater, target.highWater, interpolator.highWater);
    for (let index = 0; index < end; index++) {
      if (table.simulated[index] === 1) {
        this.#drawOwn(index, moment);
        continue;
      }
      const remote =
        interpolator.owners[index] !== seat && interpolator.sample(index, view, this.#maxExtrapolationTicks, sample);
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
      this.#differences.apply(index, elapsedMs);
      if (this.#worldBlend === undefined) this.#copy.copy(index);
      else this.#worldBlend.blend(index, words, sample, mode);
      const newest = interpolator.newestTick(index);
      this.#drawnTicks[index] = newest;
      this.#carriedOn[index] = sample.beyondTicks > 0 ? 1 : 0;
      heardAge(heard - newest);
    }
    this.#mode = mode;
    this.#view = view;
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
    if (mode === "none" || mode === "step" || this.#hasJumped(index)) {
      differences.clear(index);
      return;
    }
    differences.note(index);
    if (interpolator.sample(index, Math.min(view, this.#view), this.#maxExtrapolationTicks, sample)) {
      this.#blend.blend(index, words, sample, mode);
      differences.keep(index);
    }
    interpolator.sample(index, view, this.#maxExtrapolationTicks, sample);
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
    const target = this.#target;
    const history = this.#history;
    const { seat, newest, predicted } = moment;
    const id = this.#table.idAt(index);
    if (target.indexOf(id) !== index) target.insert(id, seat);
    target.owners[index] = seat;
    const to = history.offsetOf(newest, id);
    const from = history.offsetOf(newest - 1, id);
    if (to < 0) return;
    const fraction = Math.min(1, Math.max(0, predicted - (newest - 1)));
    target.blendWords(index, history.words, from < 0 ? to : from, history.words, to, fraction);
    const { positionX, positionY } = target;
    if (positionX === undefined || positionY === undefined) return;
    positionX[index] += this.#offsets.x(index);
    positionY[index] += this.#offsets.y(index);
  }
}
