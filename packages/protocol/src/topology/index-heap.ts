/**
 * A binary heap of small integers with a key each, smallest key first. An integer is in it at most once; pushing it
 * again with a smaller key moves it up. Equal keys come out by the smaller integer, so the order never depends on
 * history. Holds at most `capacity` entries and allocates nothing after construction.
 */
export class IndexHeap {
  size = 0;
  /** By place in the heap: the item, and its key beside it. */
  readonly #items: Int32Array;
  readonly #keys: Float64Array;
  /** Place of an item plus one; 0 when it is not there. */
  readonly #places: Int32Array;

  constructor(capacity: number) {
    this.#items = new Int32Array(capacity);
    this.#keys = new Float64Array(capacity);
    this.#places = new Int32Array(capacity);
  }

  push(item: number, key: number): void {
    const place = this.#places[item];
    if (place === 0) this.#rise(this.size++, item, key);
    else if (key < this.#keys[place - 1]) this.#rise(place - 1, item, key);
  }

  /** Undefined behaviour when empty: ask `size` first. */
  pop(): number {
    const first = this.#items[0];
    this.#places[first] = 0;
    this.size--;
    if (this.size > 0) this.#sink(this.#items[this.size], this.#keys[this.size]);
    return first;
  }

  clear(): void {
    for (let i = 0; i < this.size; i++) this.#places[this.#items[i]] = 0;
    this.size = 0;
  }

  #rise(start: number, item: number, key: number): void {
    const items = this.#items;
    const keys = this.#keys;
    const places = this.#places;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, key, items[parent], keys[parent])) break;
      items[at] = items[parent];
      keys[at] = keys[parent];
      places[items[at]] = at + 1;
      at = parent;
    }
    items[at] = item;
    keys[at] = key;
    places[item] = at + 1;
  }

  /** Puts `item` where the first one was. */
  #sink(item: number, key: number): void {
    const items = this.#items;
    const keys = this.#keys;
    const places = this.#places;
    const { size } = this;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const other = child + 1;
      if (other < size && isBefore(items[other], keys[other], items[child], keys[child])) child = other;
      if (!isBefore(items[child], keys[child], item, key)) break;
      items[at] = items[child];
      keys[at] = keys[child];
      places[items[at]] = at + 1;
      at = child;
    }
    items[at] = item;
    keys[at] = key;
    places[item] = at + 1;
  }
}

function isBefore(a: number, aKey: number, b: number, bKey: number): boolean {
  return aKey < bKey || (aKey === bKey && a < b);
}
