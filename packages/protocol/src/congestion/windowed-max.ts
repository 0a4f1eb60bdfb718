/**
 * Running maximum over a window of (virtual) time by Kathleen Nichols' method: the best three
 * samples, each later than the one before, so that the maximum can be forgotten without a list.
 */
export class WindowedMax {
  readonly #values: Float64Array;
  readonly #times: Float64Array;

  constructor() {
    this.#values = new Float64Array(3);
    this.#times = new Float64Array(3).fill(-Infinity);
  }

  /** Adds a sample and returns the maximum of those at most `window` old. */
  update(value: number, time: number, window: number): number {
    const values = this.#values;
    const times = this.#times;
    if (value >= values[0] || time - times[2] > window) {
      values.fill(value);
      times.fill(time);
      return value;
    }
    if (value >= values[1]) {
      this.#set(1, value, time);
      this.#set(2, value, time);
    } else if (value >= values[2]) {
      this.#set(2, value, time);
    }
    if (time - times[0] > window) {
      this.#set(0, values[1], times[1]);
      this.#set(1, values[2], times[2]);
      this.#set(2, value, time);
      if (time - times[0] > window) {
        this.#set(0, values[1], times[1]);
        this.#set(1, values[2], times[2]);
      }
    } else if (times[1] === times[0] && time - times[1] > window / 4) {
      // A quarter of the window without a better second: this one will do.
      this.#set(1, value, time);
      this.#set(2, value, time);
    } else if (times[2] === times[1] && time - times[2] > window / 2) {
      this.#set(2, value, time);
    }
    return values[0];
  }

  #set(index: number, value: number, time: number): void {
    this.#values[index] = value;
    this.#times[index] = time;
  }
}
