/**
 * One client's inputs on their way into the simulation, on the server: a ring by tick.
 *
 * The first input that arrives for a tick counts; nothing can change it later. A tick without an
 * input repeats the last one for a few ticks and is neutral from then on. Inputs for ticks too far
 * ahead are dropped and counted; those for ticks that are over are kept for a while, to be judged late.
 */
import { INTERPOLATION_MODES, modeNumber } from "../interpolation/interpolation-mode.ts";
import { copyViewStamp, createViewStamp } from "./player-input.ts";
import type { ViewStamp } from "./player-input.ts";

export interface InputBufferOptions {
  /** Words of one input record. */
  readonly wordCount: number;
  /** Ticks that an input may be ahead of the simulation. Default 64; rounded up to a power of two. */
  readonly maxLeadTicks?: number;
  /** Missing inputs repeat the last one for this many ticks. Default 6. */
  readonly repeatTicks?: number;
  /** Inputs this many ticks late are kept for `takeLate`. Default 0: none. */
  readonly lateTicks?: number;
}

export class InputBuffer {
  /** Newest tick for which an input was received, -1 before the first. */
  newestTick = -1;
  /** Inputs that came after their tick was simulated and had not come before. */
  late = 0;
  /** Of these, that came too late, or too many, for `takeLate`. */
  tooLate = 0;
  /** Inputs for ticks too far ahead. */
  early = 0;
  /** Simulated ticks without an input, after the first input. */
  missed = 0;
  readonly #wordCount: number;
  readonly #repeatTicks: number;
  readonly #mask: number;
  readonly #lead: number;
  readonly #ticks: Int32Array;
  readonly #words: Int32Array;
  /** Four numbers for each input: view tick, snapshot, receipts, number of the mode. */
  readonly #stamps: Float64Array;
  /** The newest input known, also when it came too late for its own tick: what is repeated, and its picture. */
  readonly #lastWords: Int32Array;
  readonly #lastStamp: ViewStamp = createViewStamp();
  #lastTick = -1;
  /** Whether that is the input taken last, which is still in the ring and nowhere else. */
  #isLastInRing = false;
  #currentTick = -1;
  readonly #lateTicks: number;
  /** Ticks of the inputs that wait for `takeLate`, by rising tick; their records are in the ring. */
  readonly #waitingLate: Int32Array;
  #lateCount = 0;
  /** The last input that was too far ahead; -1 when the last ones were not. */
  #earlyTick = -1;

  constructor(options: InputBufferOptions) {
    this.#lateTicks = options.lateTicks ?? 0;
    const lead = 1 << (32 - Math.clz32(Math.max(2, options.maxLeadTicks ?? 64, this.#lateTicks + 1) - 1));
    // Half of the ring is for what is over: a late input must not overwrite one that is still to come.
    const size = lead * 2;
    this.#wordCount = options.wordCount;
    this.#repeatTicks = options.repeatTicks ?? 6;
    this.#mask = size - 1;
    this.#lead = lead;
    this.#ticks = new Int32Array(size).fill(-1);
    this.#words = new Int32Array(size * options.wordCount);
    this.#stamps = new Float64Array(size * 4);
    this.#lastWords = new Int32Array(options.wordCount);
    this.#waitingLate = new Int32Array(this.#lateTicks);
  }

  /**
   * How far the newest input is ahead of the simulation, also when it was too far ahead to be kept: a client
   * that runs too far ahead must hear so, or it would take the silence for starving and run farther.
   */
  get depth(): number {
    const newest = this.newestTick > this.#earlyTick ? this.newestTick : this.#earlyTick;
    return newest < 0 ? 0 : newest - this.#currentTick;
  }

  /** The tick that was taken last. */
  get currentTick(): number {
    return this.#currentTick;
  }

  /** Whether an input of `tick` would change nothing: it was received before, or is too old to be of use. */
  knows(tick: number): boolean {
    return this.#ticks[tick & this.#mask] === tick || tick <= this.#currentTick - this.#lead;
  }

  /** Stores the record at `words[offset...]`, which must be settled, as the input of `tick`. */
  put(tick: number, words: Int32Array, offset: number, stamp: Readonly<ViewStamp>): void {
    if (tick > this.#currentTick + this.#lead) return this.refuse(tick);
    // The client is in reach again.
    if (tick > this.#currentTick) this.#earlyTick = -1;
    const at = tick & this.#mask;
    if (tick <= this.#currentTick) {
      // A repetition of what was used is no news; the ring still knows the recent ones.
      if (tick > this.#currentTick - this.#lead && this.#ticks[at] !== tick) {
        this.#ticks[at] = tick;
        this.late++;
        if (tick > this.newestTick) this.newestTick = tick;
        if (this.#lateTicks > 0) this.#putLate(tick, words, offset, stamp);
        // A held key goes on from the newest input known.
        if (tick > this.#lastTick) this.#keep(tick, words, offset, stamp);
      }
      return;
    }
    if (this.#ticks[at] === tick) return;
    this.#ticks[at] = tick;
    this.#store(at, words, offset, stamp);
    if (tick > this.newestTick) this.newestTick = tick;
  }

  /** An input of `tick` came and is not taken, because that is too far ahead. It counts for the depth. */
  refuse(tick: number): void {
    this.early++;
    this.#earlyTick = tick;
  }

  /** Copies the newest input known, also when it came too late for its own tick; false when there is none. */
  copyNewest(words: Int32Array, offset: number): boolean {
    if (this.#lastTick < 0) return false;
    this.#saveLast();
    for (let i = 0; i < this.#wordCount; i++) words[offset + i] = this.#lastWords[i];
    return true;
  }

  /**
   * Takes the oldest input that came after its tick was simulated, up to `lateTicks` before the tick that is simulated now;
   * each is given once. Copies it as `take` does and returns its tick; -1 when there is none.
   */
  takeLate(words: Int32Array, offset: number, stamp: ViewStamp): number {
    const waiting = this.#waitingLate;
    while (this.#lateCount > 0) {
      const tick = waiting[0];
      waiting.copyWithin(0, 1, this.#lateCount--);
      if (this.#currentTick - tick > this.#lateTicks) {
        this.tooLate++;
        continue;
      }
      const at = tick & this.#mask;
      for (let i = 0; i < this.#wordCount; i++) words[offset + i] = this.#words[at * this.#wordCount + i];
      this.#copyStamp(at, stamp);
      return tick;
    }
    return -1;
  }

  /**
   * The input of `tick`, copied to `words[offset...]`; ticks must be taken in order. Returns 0 when
   * it was received, 1 when the last one is repeated (`stamp` is filled in both cases), 2 when the caller
   * should use the neutral input (nothing is written).
   */
  take(tick: number, words: Int32Array, offset: number, stamp: ViewStamp): 0 | 1 | 2 {
    this.#currentTick = tick;
    const at = tick & this.#mask;
    const count = this.#wordCount;
    if (this.#ticks[at] === tick) {
      for (let i = 0; i < count; i++) words[offset + i] = this.#words[at * count + i];
      this.#copyStamp(at, stamp);
      this.#lastTick = tick;
      this.#isLastInRing = true;
      return 0;
    }
    if (this.newestTick < 0) return 2;
    this.missed++;
    this.#saveLast();
    if (this.#lastTick < 0 || tick - this.#lastTick > this.#repeatTicks) return 2;
    for (let i = 0; i < count; i++) words[offset + i] = this.#lastWords[i];
    copyViewStamp(this.#lastStamp, stamp);
    // The picture went on as well as far as anyone knows.
    if (stamp.viewTick >= 0) stamp.viewTick += tick - this.#lastTick;
    return 1;
  }

  /** For debugging: the inputs that wait for their tick, by rising tick. The words are copies. */
  *waiting(): IterableIterator<{ readonly tick: number; readonly words: Int32Array }> {
    for (let tick = this.#currentTick + 1; tick <= this.newestTick; tick++) {
      const at = tick & this.#mask;
      if (this.#ticks[at] !== tick) continue;
      yield { tick, words: this.#words.slice(at * this.#wordCount, (at + 1) * this.#wordCount) };
    }
  }

  /** Back to empty, at a simulation that has reached `tick`. */
  reset(tick: number): void {
    this.newestTick = -1;
    this.#lastTick = -1;
    this.#isLastInRing = false;
    this.#earlyTick = -1;
    this.#currentTick = tick;
    this.#ticks.fill(-1);
    this.#lateCount = 0;
  }

  #putLate(tick: number, words: Int32Array, offset: number, stamp: Readonly<ViewStamp>): void {
    const waiting = this.#waitingLate;
    // It is taken with the next tick.
    if (this.#currentTick + 1 - tick > this.#lateTicks || this.#lateCount === waiting.length) {
      this.tooLate++;
      return;
    }
    this.#store(tick & this.#mask, words, offset, stamp);
    let at = this.#lateCount++;
    for (; at > 0 && waiting[at - 1] > tick; at--) waiting[at] = waiting[at - 1];
    waiting[at] = tick;
  }

  #store(at: number, words: Int32Array, offset: number, stamp: Readonly<ViewStamp>): void {
    const count = this.#wordCount;
    for (let i = 0; i < count; i++) this.#words[at * count + i] = words[offset + i];
    this.#stamps[at * 4] = stamp.viewTick;
    this.#stamps[at * 4 + 1] = stamp.snapshotTick;
    this.#stamps[at * 4 + 2] = stamp.receiptMask;
    this.#stamps[at * 4 + 3] = modeNumber(stamp.mode);
  }

  /** Before the ring goes on to other ticks. */
  #saveLast(): void {
    if (!this.#isLastInRing) return;
    const at = this.#lastTick & this.#mask;
    this.#copyStamp(at, this.#lastStamp);
    this.#keep(this.#lastTick, this.#words, at * this.#wordCount, this.#lastStamp);
  }

  #copyStamp(at: number, stamp: ViewStamp): void {
    stamp.viewTick = this.#stamps[at * 4];
    stamp.snapshotTick = this.#stamps[at * 4 + 1];
    stamp.receiptMask = this.#stamps[at * 4 + 2];
    stamp.mode = INTERPOLATION_MODES[this.#stamps[at * 4 + 3]];
  }

  #keep(tick: number, words: Int32Array, offset: number, stamp: Readonly<ViewStamp>): void {
    this.#lastTick = tick;
    this.#isLastInRing = false;
    for (let i = 0; i < this.#wordCount; i++) this.#lastWords[i] = words[offset + i];
    copyViewStamp(stamp, this.#lastStamp);
  }
}
