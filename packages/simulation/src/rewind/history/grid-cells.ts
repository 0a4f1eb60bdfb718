/**
 * A uniform grid in the plan, rolled up where the world is larger than its buckets, over boxes: which places lie in which
 * cell. Built by counting, so that the lists of all cells lie in memory one after the other, and with some room, so that it
 * is good for some ticks.
 *
 * A box over more than `MAX_CELLS` cells (an entity that has teleported, a huge one) is kept apart.
 */
import { BOX_NUMBERS } from "./swept-bounds.ts";

const MAX_CELLS = 16;
/** Cells are so many times as wide as a box. */
const CELL_BOXES = 3;
/** It is built anew after so many updates, or when a greater share of the places than this has grown out of it. */
const KEPT_UPDATES = 4;
const MOST_GROWN = 1 / 32;
/** By the mean size of boxes, which is what is gone in the window: room to grow for four ticks of some thirty. */
const ROOM = 0.12;
/** As a last column: its place is among the wide. */
const WIDE = -2;
/** Columns, and rows, at most: beyond, cells are larger. */
const MAX_COLUMNS = 1 << 15;
/** In margins: larger boxes do not make cells larger. */
const MAX_COUNTED_SIZE = 8;

export class GridCells {
  /** Places, bucket after bucket; a place may be in several. */
  entries: Int32Array = new Int32Array(64);
  /** Bucket b's are `entries[ends[b] + 1]` to `entries[ends[b + 1] - 1]`. */
  ends: Int32Array = new Int32Array(2);
  cellSize = 1;
  /** By how much a coordinate above `minX` (or `minY`) is multiplied to get a column (or a row). */
  perUnit = 1;
  /** Columns and rows that there are buckets for, less one: powers of two; and how far a row's number is shifted. */
  columnMask = 0;
  rowMask = 0;
  rowShift = 0;
  /** Around everybody, hitboxes included. */
  minX = 0;
  minY = 0;
  maxX = 0;
  maxY = 0;
  /** Places whose boxes are too wide, and how many. */
  wide: Int32Array = new Int32Array(16);
  wideCount = 0;
  #places = 0;
  /** Updates since it was built. */
  #age = 0;
  #wideWhenBuilt = 0;
  /** How far boxes may grow before they may be out of their cells. */
  #room = 0;
  readonly #boxes: Float32Array;
  readonly #margin: number;
  /** By place: first and last column, first and last row. */
  readonly #spans: Int32Array;

  /** `margin`: how far everything reaches around its box. */
  constructor(boxes: Float32Array, margin: number) {
    this.#boxes = boxes;
    this.#margin = margin;
    this.#spans = new Int32Array((boxes.length / BOX_NUMBERS) * 4);
  }

  get bytes(): number {
    const { entries, ends, wide } = this;
    return entries.byteLength + ends.byteLength + wide.byteLength + this.#spans.byteLength;
  }

  /** Makes it fit the boxes of the first `places`; those with the least above the largest are empty. */
  update(places: number): void {
    if (places !== this.#places || ++this.#age >= KEPT_UPDATES || !this.#keep()) this.#build(places);
  }

  #build(places: number): void {
    this.#places = places;
    this.#age = 0;
    this.#measure(places);
    const { ends } = this;
    const buckets = (this.columnMask + 1) * (this.rowMask + 1);
    ends.fill(0, 0, buckets + 1);
    this.wideCount = 0;
    const total = this.#count(places);
    if (total + buckets > this.entries.length) this.entries = new Int32Array(total * 2 + buckets);
    // Where each begins, which is where filling ends: one entry is free behind each.
    let begin = 0;
    for (let bucket = 1; bucket <= buckets; bucket++) {
      const count = ends[bucket];
      ends[bucket] = begin;
      begin += count + 1;
    }
    ends[0] = -1;
    this.#fill(places);
    this.#wideWhenBuilt = this.wideCount;
  }

  /**
   * Keeps the lists, and adds those to the wide ones whose boxes have grown out of their cells. False when these are too
   * many.
   */
  #keep(): boolean {
    const { cellSize } = this;
    const boxes = this.#boxes;
    const spans = this.#spans;
    const left = this.minX + this.#margin;
    const right = this.minX - this.#margin + cellSize;
    const bottom = this.minY + this.#margin;
    const top = this.minY - this.#margin + cellSize;
    const places = this.#places;
    let farX = this.maxX - this.#margin;
    let farY = this.maxY - this.#margin;
    for (let place = 0, at = 0, to = 0; place < places; place++, at += BOX_NUMBERS, to += 4) {
      // Who is in his cells may be out of what was around everybody.
      if (boxes[at + 3] > farX) farX = boxes[at + 3];
      if (boxes[at + 4] > farY) farY = boxes[at + 4];
      if (
        boxes[at] >= left + spans[to] * cellSize &&
        boxes[at + 3] < right + spans[to + 1] * cellSize &&
        boxes[at + 1] >= bottom + spans[to + 2] * cellSize &&
        boxes[at + 4] < top + spans[to + 3] * cellSize
      )
        continue;
      if (spans[to + 1] === WIDE || !(boxes[at] <= boxes[at + 3])) continue;
      spans[to + 1] = WIDE;
      this.setWide(this.wideCount++, place);
    }
    this.maxX = farX + this.#margin;
    this.maxY = farY + this.#margin;
    return this.wideCount <= this.#wideWhenBuilt + places * MOST_GROWN;
  }

  /** Writes `place` at `wide[at]`. */
  setWide(at: number, place: number): void {
    if (at === this.wide.length) {
      const wide = new Int32Array(at * 2);
      wide.set(this.wide);
      this.wide = wide;
    }
    this.wide[at] = place;
  }

  /** Finds the extent of everybody, and the size of cells: about that of a box, but no finer than the entities are dense. */
  #measure(places: number): void {
    const boxes = this.#boxes;
    const margin = this.#margin;
    const most = MAX_COUNTED_SIZE * margin;
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    let size = 0;
    let count = 0;
    for (let at = 0, end = places * BOX_NUMBERS; at < end; at += BOX_NUMBERS) {
      const left = boxes[at];
      const right = boxes[at + 3];
      if (!(left <= right)) continue;
      const bottom = boxes[at + 1];
      const top = boxes[at + 4];
      if (left < minX) minX = left;
      if (bottom < minY) minY = bottom;
      if (right > maxX) maxX = right;
      if (top > maxY) maxY = top;
      size += Math.min(Math.max(right - left, top - bottom), most);
      count++;
    }
    this.#room = count === 0 ? 0 : ROOM * (size / count);
    const reach = margin + this.#room;
    this.minX = minX - reach;
    this.minY = minY - reach;
    this.maxX = maxX + reach;
    this.maxY = maxY + reach;
    const extent = Math.max(this.maxX - this.minX, this.maxY - this.minY);
    this.cellSize = count === 0 ? 1 : Math.max(CELL_BOXES * (size / count + 2 * margin), extent / MAX_COLUMNS);
    this.perUnit = 1 / this.cellSize;
    this.#shape(count);
  }

  /** As many buckets as the world is wide, as long as they are not far more than entities: beyond, it is rolled up. */
  #shape(count: number): void {
    let columnBits = bitsFor((this.maxX - this.minX) * this.perUnit + 1);
    let rowBits = bitsFor((this.maxY - this.minY) * this.perUnit + 1);
    const most = 4 + bitsFor(count);
    while (columnBits + rowBits > most) {
      if (columnBits > rowBits) columnBits--;
      else rowBits--;
    }
    this.columnMask = (1 << columnBits) - 1;
    this.rowMask = (1 << rowBits) - 1;
    this.rowShift = columnBits;
    const buckets = 1 << (columnBits + rowBits);
    if (buckets + 1 > this.ends.length) this.ends = new Int32Array(buckets + 1);
  }

  /** Finds everybody's cells and counts the entries of each bucket, in the bucket's end. */
  #count(places: number): number {
    const { ends, columnMask, rowMask, rowShift, perUnit } = this;
    const boxes = this.#boxes;
    const spans = this.#spans;
    // Of the least and largest edges of boxes, which reach farther: where columns and rows begin.
    const reach = this.#margin + this.#room;
    const left = this.minX + reach;
    const right = this.minX - reach;
    const bottom = this.minY + reach;
    const top = this.minY - reach;
    let total = 0;
    for (let place = 0, at = 0, to = 0; place < places; place++, at += BOX_NUMBERS, to += 4) {
      // Nobody: a last column before the first.
      spans[to] = 0;
      spans[to + 1] = -1;
      if (!(boxes[at] <= boxes[at + 3])) continue;
      const column = ((boxes[at] - left) * perUnit) | 0;
      const lastColumn = ((boxes[at + 3] - right) * perUnit) | 0;
      const row = ((boxes[at + 1] - bottom) * perUnit) | 0;
      const lastRow = ((boxes[at + 4] - top) * perUnit) | 0;
      const columns = lastColumn - column;
      const rows = lastRow - row;
      const cells = (columns + 1) * (rows + 1);
      if (cells > MAX_CELLS) {
        spans[to + 1] = WIDE;
        this.setWide(this.wideCount++, place);
        continue;
      }
      total += cells;
      spans[to] = column;
      spans[to + 1] = lastColumn;
      spans[to + 2] = row;
      spans[to + 3] = lastRow;
      if ((columns | rows) > 1) {
        for (let r = row; r <= lastRow; r++)
          for (let c = column; c <= lastColumn; c++) ends[((c & columnMask) | ((r & rowMask) << rowShift)) + 1]++;
        continue;
      }
      // Nearly always one or two each way, and no guess which: counted without asking.
      const near = (row & rowMask) << rowShift;
      const far = (lastRow & rowMask) << rowShift;
      const first = (column & columnMask) + 1;
      const last = (lastColumn & columnMask) + 1;
      ends[near + first]++;
      ends[near + last] += columns;
      ends[far + first] += rows;
      ends[far + last] += columns & rows;
    }
    return total;
  }

  /** Writes each place at the ends of its buckets, which move on. */
  #fill(places: number): void {
    const { entries, ends, columnMask, rowMask, rowShift } = this;
    const spans = this.#spans;
    for (let place = 0, at = 0; place < places; place++, at += 4) {
      const column = spans[at];
      const lastColumn = spans[at + 1];
      if (lastColumn < column) continue;
      const row = spans[at + 2];
      const lastRow = spans[at + 3];
      const columns = lastColumn - column;
      const rows = lastRow - row;
      if ((columns | rows) > 1) {
        for (let r = row; r <= lastRow; r++)
          for (let c = column; c <= lastColumn; c++)
            entries[ends[((c & columnMask) | ((r & rowMask) << rowShift)) + 1]++] = place;
        continue;
      }
      const near = (row & rowMask) << rowShift;
      const far = (lastRow & rowMask) << rowShift;
      const first = (column & columnMask) + 1;
      const last = (lastColumn & columnMask) + 1;
      // Where there is no second one the end stays, and the next to come, or nobody, is there.
      entries[ends[near + first]++] = place;
      entries[ends[near + last]] = place;
      ends[near + last] += columns;
      entries[ends[far + first]] = place;
      ends[far + first] += rows;
      entries[ends[far + last]] = place;
      ends[far + last] += columns & rows;
    }
  }
}

/** Bits that count to so many, at most 30. */
function bitsFor(count: number): number {
  return count >= 1 << 30 || !(count >= 0) ? 30 : 32 - Math.clz32(Math.max(0, Math.ceil(count) - 1));
}
