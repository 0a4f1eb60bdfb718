/**
 * A client's own inputs of the last ticks, with what was drawn when each was given: what is sent
 * again for safety, and what replays use.
 */
import type { InterpolationMode } from "../interpolation/interpolation-mode.ts";
import type { ViewStamp } from "./player-input.ts";

export class InputHistory {
  /** Ticks kept; a power of two. */
  readonly ringTicks: number;
  readonly wordCount: number;
  readonly words: Int32Array;
  readonly #viewTicks: Float64Array;
  readonly #snapshotTicks: Int32Array;
  readonly #modes: InterpolationMode[];
  readonly #ticks: Int32Array;

  constructor(wordCount: number, ringTicks: number) {
    this.ringTicks = ringTicks;
    this.wordCount = wordCount;
    this.words = new Int32Array(wordCount * ringTicks);
    this.#viewTicks = new Float64Array(ringTicks);
    this.#snapshotTicks = new Int32Array(ringTicks);
    this.#modes = Array.from({ length: ringTicks }, () => "linear");
    this.#ticks = new Int32Array(ringTicks).fill(-1);
  }

  has(tick: number): boolean {
    return this.#ticks[tick & (this.ringTicks - 1)] === tick;
  }

  /**
   * Makes room for `tick`, whose input is given at the sight of `view` (a view tick that is a whole number of 1/256, or
   * -1), and returns where its record goes in `words`.
   */
  add(tick: number, view: Readonly<Omit<ViewStamp, "receiptMask">>): number {
    const at = tick & (this.ringTicks - 1);
    this.#ticks[at] = tick;
    this.#viewTicks[at] = view.viewTick;
    this.#snapshotTicks[at] = view.snapshotTick;
    this.#modes[at] = view.mode;
    return at * this.wordCount;
  }

  /** Where the record of `tick` is in `words`. */
  offsetOf(tick: number): number {
    return (tick & (this.ringTicks - 1)) * this.wordCount;
  }

  viewTickOf(tick: number): number {
    return this.#viewTicks[tick & (this.ringTicks - 1)];
  }

  snapshotTickOf(tick: number): number {
    return this.#snapshotTicks[tick & (this.ringTicks - 1)];
  }

  modeOf(tick: number): InterpolationMode {
    return this.#modes[tick & (this.ringTicks - 1)];
  }

  clear(): void {
    this.#ticks.fill(-1);
  }
}
