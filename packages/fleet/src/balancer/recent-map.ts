/**
 * A map that keeps what was set last: at least `max / 2` entries, at most `max`. In two generations, of which the older one is
 * dropped as a whole: to delete the oldest entry of a `Map` one by one makes it search through all that were deleted before.
 */
export class RecentMap<V> {
  readonly #half: number;
  #young: Map<string, V> = new Map();
  #old: Map<string, V> = new Map();

  constructor(max: number) {
    this.#half = Math.ceil(max / 2);
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
