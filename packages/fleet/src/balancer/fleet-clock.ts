/**
 * What time it is (Unix ms), by the clocks of the nodes: each says it in its reports. A token is good or expired by the clock of
 * the node that it is for, so it is made by that clock. All else goes by what half of the nodes say, where this machine's own
 * clock is far from it: so one machine whose clock was set wrongly, or jumps, changes nothing.
 */
export interface FleetClockOptions {
  /** Of this machine. */
  readonly unixMs: () => number;
}

/** The own clock is good when it is as near to the others'. */
const MAX_ERROR_MS = 2000;
const COUNTED_FOR_MS = 500;

export class FleetClock {
  readonly #unixMs: () => number;
  /** By node: its Unix time less the monotonic one of this process, when its report came. */
  readonly #offsets: Map<number, number> = new Map();
  #median: number | undefined;
  #countedAt = -Infinity;

  constructor(options: FleetClockOptions) {
    this.#unixMs = options.unixMs;
  }

  note(index: number, unixMs: number, now: number): void {
    this.#offsets.set(index, unixMs - now);
  }

  forget(index: number): void {
    this.#offsets.delete(index);
  }

  /** Of one node; the fleet's, where it has not said anything. */
  ofNode(index: number, now: number): number {
    const offset = this.#offsets.get(index);
    return offset === undefined ? this.read(now) : Math.max(0, Math.floor(offset + now));
  }

  /** Of the fleet. */
  read(now: number): number {
    const own = this.#unixMs();
    if (now - this.#countedAt > COUNTED_FOR_MS) {
      this.#countedAt = now;
      this.#median = medianOf(this.#offsets.values());
    }
    const median = this.#median === undefined ? own : this.#median + now;
    return Math.max(0, Math.floor(Math.abs(median - own) <= MAX_ERROR_MS ? own : median));
  }
}

/** The lower one of two. */
function medianOf(values: Iterable<number>): number | undefined {
  const sorted = Float64Array.from(values).sort();
  return sorted.length === 0 ? undefined : sorted[(sorted.length - 1) >> 1];
}
