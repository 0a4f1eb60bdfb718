/** Region numbers by how far they are, nearest first. Equals come out by the lower number. */
export class RegionHeap {
  size = 0;
  /** By place in the heap: the region, and how far it is beside it. */
  readonly #regions: Uint16Array;
  readonly #keys: Float64Array;

  constructor(capacity: number) {
    this.#regions = new Uint16Array(capacity);
    this.#keys = new Float64Array(capacity);
  }

  /** Of the nearest; undefined behaviour when empty. */
  get leastKey(): number {
    return this.#keys[0];
  }

  clear(): void {
    this.size = 0;
  }

  push(region: number, key: number): void {
    const regions = this.#regions;
    const keys = this.#keys;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(key, region, keys[parent], regions[parent])) break;
      regions[at] = regions[parent];
      keys[at] = keys[parent];
      at = parent;
    }
    regions[at] = region;
    keys[at] = key;
  }

  /** -1: none is left. */
  pop(): number {
    if (this.size === 0) return -1;
    const first = this.#regions[0];
    this.size--;
    this.#sink(this.#regions[this.size], this.#keys[this.size]);
    return first;
  }

  #sink(region: number, key: number): void {
    const regions = this.#regions;
    const keys = this.#keys;
    const { size } = this;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const other = child + 1;
      if (other < size && isBefore(keys[other], regions[other], keys[child], regions[child])) child = other;
      if (!isBefore(keys[child], regions[child], key, region)) break;
      regions[at] = regions[child];
      keys[at] = keys[child];
      at = child;
    }
    regions[at] = region;
    keys[at] = key;
  }
}

function isBefore(key: number, region: number, otherKey: number, otherRegion: number): boolean {
  return key < otherKey || (key === otherKey && region < otherRegion);
}
