/**
 * The newest route requests, for dry runs. They name players and where they are: they stay in memory and go nowhere. Requests
 * are kept as they are, not copied: who records one must not change it afterwards.
 */
import type { RouteRequest } from "../routing/route-request.ts";

export interface RecordedTrafficOptions {
  /** Requests that are kept. Default 4096. */
  readonly capacity?: number;
  /**
   * Of requests that come closer together only the first is kept, so that a rush does not push out what was before it. Default
   * 10 ms: with `capacity`, at least the last 41 s.
   */
  readonly minGapMs?: number;
}

export interface RecordedRoute {
  /** Monotonic ms. */
  readonly at: number;
  readonly request: RouteRequest;
}

export class RecordedTraffic {
  readonly #capacity: number;
  readonly #minGapMs: number;
  readonly #ring: RecordedRoute[] = [];
  #next = 0;
  #lastAt = -Infinity;
  #skipped = 0;

  constructor(options: RecordedTrafficOptions = {}) {
    this.#capacity = options.capacity ?? 4096;
    this.#minGapMs = options.minGapMs ?? 10;
    if (!(this.#capacity >= 1)) throw new RangeError(`capacity ${this.#capacity}, must be at least 1`);
  }

  get size(): number {
    return this.#ring.length;
  }

  /** Requests that came too close after another one. */
  get skipped(): number {
    return this.#skipped;
  }

  record(request: RouteRequest, now: number): void {
    if (now - this.#lastAt < this.#minGapMs) {
      this.#skipped++;
      return;
    }
    this.#lastAt = now;
    this.#ring[this.#next] = { at: now, request };
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** The newest `count`, the oldest of them first. */
  newest(count: number = this.#capacity): readonly RecordedRoute[] {
    const all = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
    return count < all.length ? all.slice(all.length - count) : all;
  }

  clear(): void {
    this.#ring.length = 0;
    this.#next = 0;
  }
}
