/** The least or the largest of what was noted lately: over one to two windows of ticks, in constant memory. */
export class RecentExtreme {
  readonly #isLeast: boolean;
  readonly #none: number;
  readonly #windowTicks: number;
  #startedAt = 0;
  #current: number;
  #last: number;

  constructor(kind: "least" | "largest", windowTicks: number) {
    this.#isLeast = kind === "least";
    this.#none = kind === "least" ? Infinity : 0;
    this.#windowTicks = windowTicks;
    this.#current = this.#last = this.#none;
  }

  note(tick: number, value: number): void {
    this.#turn(tick);
    if (this.#isLeast ? value < this.#current : value > this.#current) this.#current = value;
  }

  /** `Infinity` for the least and 0 for the largest of nothing. */
  at(tick: number): number {
    this.#turn(tick);
    return this.#isLeast ? Math.min(this.#current, this.#last) : Math.max(this.#current, this.#last);
  }

  clear(): void {
    this.#current = this.#last = this.#none;
  }

  #turn(tick: number): void {
    const elapsed = tick - this.#startedAt;
    if (elapsed < this.#windowTicks) return;
    this.#last = elapsed < 2 * this.#windowTicks ? this.#current : this.#none;
    this.#current = this.#none;
    this.#startedAt = tick;
  }
}
