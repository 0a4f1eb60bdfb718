/** Named traces: how long something took, from its start to its end. */

/** One that has ended. */
export interface FinishedTrace {
  readonly name: string;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
}

export interface TraceSummary {
  readonly name: string;
  readonly count: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Begun and not ended. */
  readonly open: number;
}

interface Entry {
  count: number;
  totalMs: number;
  minMs: number;
  maxMs: number;
  /** When those that have not ended began, oldest first. */
  readonly open: number[];
}

/** Names kept; a further one is not recorded. */
const MAX_NAMES = 1000;
/** Traces of one name that have not ended; at the limit the oldest is forgotten. */
const MAX_OPEN = 1000;
/** Finished traces kept one by one. */
const MAX_FINISHED = 1024;

export class NamedTraces {
  readonly #entries: Map<string, Entry> = new Map();
  readonly #finished: FinishedTrace[] = [];
  #finishedCount = 0;

  start(name: string, now: number): void {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      if (this.#entries.size === MAX_NAMES) return;
      entry = { count: 0, totalMs: 0, minMs: Infinity, maxMs: 0, open: [] };
      this.#entries.set(name, entry);
    }
    if (entry.open.length === MAX_OPEN) entry.open.shift();
    entry.open.push(now);
  }

  /** Ends the one of that name that began at `startedAt`, or last; how long it took, `undefined` when there is none. */
  end(name: string, now: number, startedAt?: number): number | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const index = startedAt === undefined ? entry.open.length - 1 : entry.open.lastIndexOf(startedAt);
    if (index < 0) return undefined;
    const [began] = entry.open.splice(index, 1);
    const durationMs = now - began;
    entry.count++;
    entry.totalMs += durationMs;
    entry.minMs = Math.min(entry.minMs, durationMs);
    entry.maxMs = Math.max(entry.maxMs, durationMs);
    this.#finished[this.#finishedCount++ % MAX_FINISHED] = { name, startedAt: began, durationMs };
    return durationMs;
  }

  summaries(): TraceSummary[] {
    return Array.from(this.#entries, ([name, { count, totalMs, minMs, maxMs, open }]) => ({
      name,
      count,
      totalMs,
      meanMs: count === 0 ? 0 : totalMs / count,
      minMs: count === 0 ? 0 : minMs,
      maxMs,
      open: open.length,
    }));
  }

  /** The newest, oldest first. */
  finished(): FinishedTrace[] {
    const start = this.#finishedCount > MAX_FINISHED ? this.#finishedCount % MAX_FINISHED : 0;
    return [...this.#finished.slice(start), ...this.#finished.slice(0, start)];
  }
}
