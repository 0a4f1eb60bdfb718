/**
 * A binary heap of small integers with a key each, smallest key first. An integer is in it at most once; pushing it
 * again with a smaller key moves it up. Equal keys come out by the smaller integer, so the order never depends on
 * history. Holds at most `capacity` entries and allocates nothing after construction.
 */
export class IndexHeap {
  size = 0;
  readonly #items: Int32Array;
  readonly #keys: Float64Array;
  /** Place of an item in the heap plus one; 0 when it is not there. */
  readonly #places: Int32Array;

  constructor(capacity: number) {
    this.#items = new Int32Array(capacity);
    this.#keys = new Float64Array(capacity);
    this.#places = new Int32Array(capacity);
  }

  push(item: number, key: number): void {
    const place = this.#places[item];
    if (place === 0) {
      this.#keys[item] = key;
      this.#rise(this.size++, item);
    } else if (key < this.#keys[item]) {
      this.#keys[item] = key;
      this.#rise(place - 1, item);
    }
  }

  /** Undefined behaviour when empty: ask `size` first. */
  pop(): number {
    const items = this.#items;
    const first = items[0];
    this.#places[first] = 0;
    this.size--;
    if (this.size > 0) this.#sink(items[this.size]);
    return first;
  }

  clear(): void {
    for (let i = 0; i < this.size; i++) this.#places[this.#items[i]] = 0;
    this.size = 0;
  }

  #rise(start: number, item: number): void {
    const items = this.#items;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(item, items[parent])) break;
      items[at] = items[parent];
      this.#places[items[at]] = at + 1;
      at = parent;
    }
    items[at] = item;
    this.#places[item] = at + 1;
  }

  /** Puts `item` where the first one was. */
  #sink(item: number): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.#before(items[child + 1], items[child])) child++;
      if (!this.#before(items[child], item)) break;
      items[at] = items[child];
      this.#places[items[at]] = at + 1;
      at = child;
    }
    items[at] = item;
    this.#places[item] = at + 1;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#keys[a] - this.#keys[b];
    return difference < 0 || (difference === 0 && a < b);
  }
}
