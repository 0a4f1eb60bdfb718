/** Time that moves only when told to: monotonic milliseconds from 0, with callbacks on the way. */
export class VirtualClock {
  /** Unix time at `now` 0. */
  readonly startUnixSeconds: number;
  #now = 0;
  #added = 0;
  /** Sorted by time, then by the order they were added. */
  readonly #due: { readonly at: number; readonly order: number; readonly callback: () => void }[] = [];

  constructor(startUnixSeconds = 1_700_000_000) {
    this.startUnixSeconds = startUnixSeconds;
  }

  get now(): number {
    return this.#now;
  }

  get unixSeconds(): number {
    return this.startUnixSeconds + this.#now / 1000;
  }

  /** Calls back when the clock reaches `at`. */
  schedule(at: number, callback: () => void): void {
    const entry = { at, order: this.#added++, callback };
    let i = this.#due.length;
    while (i > 0 && this.#due[i - 1].at > at) i -= 1;
    this.#due.splice(i, 0, entry);
  }

  /** Calls back every `intervalMs` without drift, first after one interval, until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void {
    if (!(intervalMs > 0)) throw new RangeError(`intervalMs must be above 0, not ${intervalMs}`);
    const start = this.#now;
    let count = 0;
    let stopped = false;
    const tick = (): void => {
      if (stopped) return;
      callback();
      count += 1;
      this.schedule(start + (count + 1) * intervalMs, tick);
    };
    this.schedule(start + intervalMs, tick);
    return () => {
      stopped = true;
    };
  }

  /** When the next callback is due, or `Infinity`. */
  nextTimeout(): number {
    return this.#due.length === 0 ? Infinity : this.#due[0].at;
  }

  /** Moves to `time` and calls back what is due by then, in order, each at its own time. */
  advanceTo(time: number): void {
    if (!(time >= this.#now)) throw new RangeError(`time runs forward only: ${time} is before ${this.#now}`);
    while (this.#due.length > 0 && this.#due[0].at <= time) {
      const entry = this.#due.shift();
      if (entry === undefined) break;
      this.#now = Math.max(this.#now, entry.at);
      entry.callback();
    }
    this.#now = Math.max(this.#now, time);
  }
}
