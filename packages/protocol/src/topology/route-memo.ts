/** Answered routes, found again by both ends. */
import type { TreeStamp } from "./shortest-path-tree.ts";

/** An end of a route, the same object as long as it means the same node. */
interface End {
  readonly index: number;
}

interface Entry<Route> {
  readonly from: End;
  readonly to: End;
  /** Of the tree that the route was read from, and its version then. */
  readonly stamp: TreeStamp;
  readonly version: number;
  readonly route: Route;
}

/**
 * Remembers a route when it is asked for again: what is asked for once would only cost the garbage collector. A newer
 * one with the same hash takes the place of an older one.
 */
export class RouteMemo<Route> {
  readonly #entries: (Entry<Route> | undefined)[];
  /** By slot: hash of the pair last looked up in vain. */
  readonly #asked: Int32Array;
  #slot = 0;
  #hash = 0;

  constructor(capacity: number) {
    this.#entries = Array.from({ length: capacity }, () => undefined);
    this.#asked = new Int32Array(capacity);
  }

  /** The route, if it still holds; it counts as a use of its tree, the `use`-th. */
  find(from: End, to: End, use: number): Route | undefined {
    const hash = Math.imul(from.index, 0x9e3779b1) ^ Math.imul(to.index, 0x85ebca6b);
    this.#hash = hash;
    this.#slot = ((hash ^ (hash >>> 15)) >>> 0) % this.#entries.length;
    const entry = this.#entries[this.#slot];
    if (entry === undefined || entry.from !== from || entry.to !== to) return undefined;
    if (entry.version !== entry.stamp.version) return undefined;
    entry.stamp.usedAt = use;
    return entry.route;
  }

  /** The answer to what `find` has just not found. */
  add(from: End, to: End, stamp: TreeStamp, route: Route): void {
    if (this.#asked[this.#slot] !== this.#hash) this.#asked[this.#slot] = this.#hash;
    else this.#entries[this.#slot] = { from, to, stamp, version: stamp.version, route };
  }

  clear(): void {
    this.#entries.fill(undefined);
  }
}
