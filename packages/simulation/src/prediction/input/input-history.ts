/**
 * A client's own inputs of the last ticks, with what was drawn when each was given: what is sent
 * again for safety, and what replays use.
 */
export class InputHistory {
  /** Ticks kept; a power of two. */
  readonly ringTicks: number;
  readonly wordCount: number;
  readonly words: Int32Array;
  /** What was drawn, in ticks; a whole number of 1/256; -1: nothing. */
  readonly viewTicks: Float64Array;
  readonly #ticks: Int32Array;

  constructor(wordCount: number, ringTicks: number) {
    this.ringTicks = ringTicks;
    this.wordCount = wordCount;
    this.words = new Int32Array(wordCount * ringTicks);
    this.viewTicks = new Float64Array(ringTicks);
    this.#ticks = new Int32Array(ringTicks).fill(-1);
  }

  has(tick: number): boolean {
    return this.#ticks[tick & (this.ringTicks - 1)] === tick;
  }

  /** Makes room for `tick` and returns where its record goes in `words`. */
  add(tick: number, viewTick: number): number {
    const at = tick & (this.ringTicks - 1);
    this.#ticks[at] = tick;
    this.viewTicks[at] = viewTick;
    return at * this.wordCount;
  }

  /** Where the record of `tick` is in `words`. */
  offsetOf(tick: number): number {
    return (tick & (this.ringTicks - 1)) * this.wordCount;
  }

  viewTickOf(tick: number): number {
    return this.viewTicks[tick & (this.ringTicks - 1)];
  }

  clear(): void {
    this.#ticks.fill(-1);
  }
}
