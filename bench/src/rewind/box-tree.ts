/** A tree of bounding volumes in the plan over boxes: halved by count along its longer side, up to four places in a leaf. */

const BOX_NUMBERS = 6;
const LEAF_PLACES = 4;
const MAX_DEPTH = 64;

export class BoxTree {
  list: Int32Array;
  start = 0;
  end = 0;
  readonly #boxes: Float32Array;
  readonly #margin: number;
  /** Of each node: the least x and y, the largest; and its places, or the first of its two children when it has any. */
  readonly #areas: Float32Array;
  readonly #begins: Int32Array;
  readonly #ends: Int32Array;
  readonly #children: Int32Array;
  #nodes = 0;
  readonly #middles: Float32Array;
  readonly #stack = new Int32Array(MAX_DEPTH);
  readonly #enters = new Float64Array(MAX_DEPTH);
  #depth = 0;
  #x = 0;
  #y = 0;
  #inverseX = 0;
  #inverseY = 0;

  constructor(boxes: Float32Array, places: number, margin: number) {
    this.#boxes = boxes;
    this.#margin = margin;
    this.list = Int32Array.from({ length: places }, (_, place) => place);
    this.#areas = new Float32Array(places * 4);
    this.#begins = new Int32Array(places);
    this.#ends = new Int32Array(places);
    this.#children = new Int32Array(places);
    this.#middles = new Float32Array(places);
  }

  get bytes(): number {
    const own = [this.list, this.#areas, this.#begins, this.#ends, this.#children, this.#middles];
    return own.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  build(): void {
    this.#nodes = 1;
    this.#split(0, 0, this.list.length);
    this.refit();
  }

  /** Children come after their parents. */
  refit(): void {
    const areas = this.#areas;
    for (let node = this.#nodes - 1; node >= 0; node--) {
      const at = node * 4;
      const child = this.#children[node];
      if (child === 0) this.#measure(node);
      else
        for (let k = 0; k < 4; k++) {
          const a = areas[child * 4 + k];
          const b = areas[child * 4 + 4 + k];
          areas[at + k] = k < 2 === a < b ? a : b;
        }
    }
  }

  /** Everybody is in one leaf only. */
  isNew(): boolean {
    return true;
  }

  forgetMoved(): void {
    // Nobody is met beside the tree.
  }

  begin(x: number, y: number, dx: number, dy: number): void {
    this.#x = x;
    this.#y = y;
    this.#inverseX = 1 / dx;
    this.#inverseY = 1 / dy;
    this.#stack[0] = 0;
    this.#enters[0] = this.#enterAt(0);
    this.#depth = 1;
  }

  next(nearest: number): boolean {
    while (this.#depth > 0) {
      let node = this.#stack[--this.#depth];
      let enter = this.#enters[this.#depth];
      // Down to a leaf by the nearer child; the other is for later.
      while (enter <= nearest) {
        const child = this.#children[node];
        if (child === 0) {
          this.start = this.#begins[node];
          this.end = this.#ends[node];
          return true;
        }
        const a = this.#enterAt(child);
        const b = this.#enterAt(child + 1);
        const far = a <= b ? b : a;
        if (far <= nearest) {
          this.#stack[this.#depth] = a <= b ? child + 1 : child;
          this.#enters[this.#depth++] = far;
        }
        node = a <= b ? child : child + 1;
        enter = a <= b ? a : b;
      }
    }
    return false;
  }

  /** How far along the ray it enters a node's area; `Infinity` when it does not. */
  #enterAt(node: number): number {
    const areas = this.#areas;
    const at = node * 4;
    const ax = (areas[at] - this.#x) * this.#inverseX;
    const bx = (areas[at + 2] - this.#x) * this.#inverseX;
    const ay = (areas[at + 1] - this.#y) * this.#inverseY;
    const by = (areas[at + 3] - this.#y) * this.#inverseY;
    const enter = Math.max(Math.min(ax, bx), Math.min(ay, by), 0);
    const leave = Math.min(Math.max(ax, bx), Math.max(ay, by));
    return enter <= leave ? enter : Infinity;
  }

  #split(node: number, begin: number, end: number): void {
    this.#begins[node] = begin;
    this.#ends[node] = end;
    this.#children[node] = 0;
    if (end - begin <= LEAF_PLACES) return;
    this.#measure(node);
    const areas = this.#areas;
    const at = node * 4;
    const axis = areas[at + 2] - areas[at] > areas[at + 3] - areas[at + 1] ? 0 : 1;
    const middle = (begin + end) >> 1;
    this.#select(axis, begin, end - 1, middle);
    const child = this.#nodes;
    this.#nodes += 2;
    this.#children[node] = child;
    this.#split(child, begin, middle);
    this.#split(child + 1, middle, end);
  }

  #measure(node: number): void {
    const boxes = this.#boxes;
    const areas = this.#areas;
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let i = this.#begins[node]; i < this.#ends[node]; i++) {
      const at = this.list[i] * BOX_NUMBERS;
      if (boxes[at] < minX) minX = boxes[at];
      if (boxes[at + 1] < minY) minY = boxes[at + 1];
      if (boxes[at + 3] > maxX) maxX = boxes[at + 3];
      if (boxes[at + 4] > maxY) maxY = boxes[at + 4];
    }
    areas[node * 4] = minX - this.#margin;
    areas[node * 4 + 1] = minY - this.#margin;
    areas[node * 4 + 2] = maxX + this.#margin;
    areas[node * 4 + 3] = maxY + this.#margin;
  }

  /** Puts the places of the lower middles before `k`, and the others behind (Hoare's selection). */
  #select(axis: number, low: number, high: number, k: number): void {
    const { list } = this;
    const boxes = this.#boxes;
    const middles = this.#middles;
    for (let i = low; i <= high; i++)
      middles[list[i]] = boxes[list[i] * BOX_NUMBERS + axis] + boxes[list[i] * BOX_NUMBERS + axis + 3];
    while (low < high) {
      const pivot = middles[list[(low + high) >> 1]];
      let i = low;
      let j = high;
      while (i <= j) {
        while (middles[list[i]] < pivot) i++;
        while (middles[list[j]] > pivot) j--;
        if (i > j) break;
        const place = list[i];
        list[i++] = list[j];
        list[j--] = place;
      }
      if (k <= j) high = j;
      else if (k >= i) low = i;
      else return;
    }
  }
}
