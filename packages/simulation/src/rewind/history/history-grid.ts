/**
 * The broadphase: a uniform grid in the plan, rolled up where the world is larger than its buckets, over the boxes of `SweptBounds`, so that a query looks at few entities
 * whatever moments of the window it mixes for each of them. It is built anew, by counting, when a query comes after new
 * ticks: for a thousand entities that costs some 20 us, and the lists lie in memory one after the other.
 *
 * A box over more than `MAX_CELLS` cells (an entity that has teleported, a huge one) is kept apart and met by every query.
 */
import { BOX_NUMBERS } from "./swept-bounds.ts";
import type { SweptBounds } from "./swept-bounds.ts";

const MAX_CELLS = 16;

export class HistoryGrid {
  /** Places of entities, cell after cell; a place may be in several. */
  entries: Int32Array;
  /** Of the cell that `next` has come to: its places are `entries[start]` to `entries[end - 1]`. */
  start = 0;
  end = 0;
  readonly #bounds: SweptBounds;
  readonly #margin: number;
  readonly #usedPlaces: () => number;
  #version = -1;
  #cellSize = 1;
  /** Columns and rows that there are buckets for, less one: powers of two; and how far a row's number is shifted. */
  #columnMask = 0;
  #rowMask = 0;
  #rowShift = 0;
  /** Where the entries of each bucket begin. */
  #starts: Int32Array = new Int32Array(2);
  /** Places whose boxes are too wide, and how many. */
  #wide: Int32Array;
  #wideCount = 0;
  /** Behind them: places that are met by every query until `forgetMoved`. */
  #movedCount = 0;
  /** By place: first and last column, first and last row. */
  readonly #cells: Int32Array;
  /** Around everybody in the grid. */
  #minX = 0;
  #minY = 0;
  #maxX = 0;
  #maxY = 0;
  /** The query that a place was last met by, so that each is met once. */
  readonly #met: Int32Array;
  #query = 0;
  // The walk: along x (or y), column by column, and over the rows of each.
  #alongX = true;
  #from = 0;
  #across = 0;
  #slope = 0;
  #inverse = 0;
  /** How wide the query is on each side, across the columns and along. */
  #padAcross = 0;
  #padAlong = 0;
  #column = 0;
  #lastColumn = 0;
  #step = 1;
  #row = 0;
  #lastRow = -1;
  #range = 0;
  /** Of the column that it is in: how far along the query everything that is met before is. */
  #leave = 0;
  #inWide = false;
  /** Everybody is met, one after the other. */
  #isAll = false;

  /** `margin`: how far hitboxes reach around a position. */
  constructor(bounds: SweptBounds, margin: number, usedPlaces: () => number) {
    this.#bounds = bounds;
    this.#margin = margin;
    this.#usedPlaces = usedPlaces;
    const capacity = bounds.boxes.length / BOX_NUMBERS;
    this.entries = new Int32Array(64);
    this.#wide = new Int32Array(16);
    this.#met = new Int32Array(capacity);
    this.#cells = new Int32Array(capacity * 4);
  }

  get bytes(): number {
    const { entries } = this;
    const own = [entries, this.#starts, this.#wide, this.#met, this.#cells];
    return own.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Whether this is the first time in this query that a place is met. */
  isNew(place: number): boolean {
    if (this.#met[place] === this.#query) return false;
    this.#met[place] = this.#query;
    return true;
  }

  /** A place that is met by every query from now on: somebody who may not be where the boxes say. */
  meetAlways(place: number): void {
    if (this.#version !== this.#bounds.version) this.#build();
    this.#append(place, this.#wideCount + this.#movedCount++);
  }

  forgetMoved(): void {
    this.#movedCount = 0;
  }

  /** Begins a walk that meets everybody. */
  beginAll(): void {
    this.#query = (this.#query + 1) | 0;
    this.#isAll = true;
    this.#inWide = true;
  }

  /**
   * Begins the walk along a ray in the plan from (x, y), `pad` wide on each side: (dx, dy) need not be a unit, a distance
   * along it is one of `range`'s units.
   */
  begin(x: number, y: number, dx: number, dy: number, range: number, pad = 0): void {
    if (this.#version !== this.#bounds.version) this.#build();
    this.#query = (this.#query + 1) | 0;
    this.#range = range;
    this.#inWide = true;
    this.#isAll = false;
    this.#leave = -Infinity;
    this.start = this.end = 0;
    this.#alongX = Math.abs(dx) >= Math.abs(dy);
    this.#row = 0;
    this.#lastRow = -1;
    const along = this.#alongX ? dx : dy;
    this.#from = this.#alongX ? x : y;
    this.#across = this.#alongX ? y : x;
    this.#slope = along === 0 ? 0 : (this.#alongX ? dy : dx) / along;
    this.#inverse = along === 0 ? 0 : 1 / along;
    this.#padAlong = pad;
    this.#padAcross = pad * Math.sqrt(1 + this.#slope * this.#slope);
    this.#step = along < 0 ? -1 : 1;
    const low = (this.#alongX ? this.#minX : this.#minY) - this.#margin;
    const high = (this.#alongX ? this.#maxX : this.#maxY) + this.#margin;
    const to = this.#from + along * range;
    const first = Math.min(this.#from, to) - pad;
    const last = Math.max(this.#from, to) + pad;
    const begin = first > low ? first : low;
    const end = last < high ? last : high;
    const size = this.#cellSize;
    const lowColumn = Math.floor(begin / size);
    const highColumn = begin > end ? lowColumn - 1 : Math.floor(end / size);
    this.#column = this.#step > 0 ? lowColumn : highColumn;
    this.#lastColumn = this.#step > 0 ? highColumn : lowColumn;
    if (highColumn < lowColumn) {
      this.#column = 0;
      this.#lastColumn = -this.#step;
    }
    // One before the first: `next` moves on.
    this.#column -= this.#step;
  }

  /**
   * Goes on to the next cell; false when there is none that anything nearer than `nearest` along the query can be in. Wide
   * entities come first.
   */
  next(nearest: number): boolean {
    if (this.#inWide) {
      this.#inWide = false;
      if (this.#isAll) {
        this.start = 0;
        this.end = this.#usedPlaces();
        return this.end > 0;
      }
      this.start = -this.#wideCount - this.#movedCount;
      this.end = 0;
      if (this.start < 0) return true;
    }
    if (this.#isAll) return false;
    while (this.#row > this.#lastRow) {
      if (this.#column === this.#lastColumn || nearest <= this.#leave) return false;
      this.#column += this.#step;
      this.#beginColumn();
    }
    const row = this.#row++;
    const bucket = this.#alongX ? this.#bucket(this.#column, row) : this.#bucket(row, this.#column);
    this.start = this.#starts[bucket];
    this.end = this.#starts[bucket + 1];
    return true;
  }

  /** The place at `entry` of `start` to `end`. */
  placeAt(entry: number): number {
    if (this.#isAll) return entry;
    return entry < 0 ? this.#wide[-1 - entry] : this.entries[entry];
  }

  #beginColumn(): void {
    const size = this.#cellSize;
    const near = this.#column * size - this.#from;
    const far = near + size;
    const length = this.#inverse === 0 ? 0 : this.#range / this.#inverse;
    // The part of the query that is in this column, or beside it.
    const low = Math.max(near - this.#padAlong, length < 0 ? length : 0);
    const high = Math.min(far + this.#padAlong, length < 0 ? 0 : length);
    const a = this.#across + low * this.#slope;
    const b = this.#across + high * this.#slope;
    const from = (a < b ? a : b) - this.#padAcross;
    const to = (a < b ? b : a) + this.#padAcross;
    const least = (this.#alongX ? this.#minY : this.#minX) - this.#margin;
    const most = (this.#alongX ? this.#maxY : this.#maxX) + this.#margin;
    this.#row = Math.floor((from > least ? from : least) / size);
    this.#lastRow = Math.floor((to < most ? to : most) / size);
    const left = this.#step > 0 ? far - this.#padAlong : near + this.#padAlong;
    this.#leave = this.#inverse === 0 ? this.#range : left * this.#inverse;
  }

  #bucket(column: number, row: number): number {
    return (column & this.#columnMask) | ((row & this.#rowMask) << this.#rowShift);
  }

  #build(): void {
    this.#version = this.#bounds.version;
    const places = this.#usedPlaces();
    this.#measure(places);
    const buckets = (this.#columnMask + 1) * (this.#rowMask + 1);
    this.#starts.fill(0, 0, buckets + 1);
    this.#wideCount = this.#movedCount = 0;
    const total = this.#count(places);
    if (total > this.entries.length) this.entries = new Int32Array(total * 2);
    let sum = 0;
    for (let bucket = 0; bucket <= buckets; bucket++) {
      sum += this.#starts[bucket];
      this.#starts[bucket] = sum;
    }
    this.#fill(places);
  }

  /** Finds the extent of everybody, and the size of cells: about that of a box, but no finer than the entities are dense. */
  #measure(places: number): void {
    const { boxes } = this.#bounds;
    this.#minX = this.#minY = Infinity;
    this.#maxX = this.#maxY = -Infinity;
    let size = 0;
    let count = 0;
    for (let place = 0, at = 0; place < places; place++, at += BOX_NUMBERS) {
      if (!(boxes[at] <= boxes[at + 3])) continue;
      if (boxes[at] < this.#minX) this.#minX = boxes[at];
      if (boxes[at + 1] < this.#minY) this.#minY = boxes[at + 1];
      if (boxes[at + 3] > this.#maxX) this.#maxX = boxes[at + 3];
      if (boxes[at + 4] > this.#maxY) this.#maxY = boxes[at + 4];
      const width = boxes[at + 3] - boxes[at];
      const height = boxes[at + 4] - boxes[at + 1];
      size += Math.min(width > height ? width : height, MAX_COUNTED_SIZE * this.#margin);
      count++;
    }
    this.#cellSize = count === 0 ? 1 : CELL_BOXES * (size / count + 2 * this.#margin);
    // As many as the world is wide, as long as they are not far more than entities: beyond, it is rolled up.
    const columns = (this.#maxX - this.#minX + 2 * this.#margin) / this.#cellSize + 1;
    const rows = (this.#maxY - this.#minY + 2 * this.#margin) / this.#cellSize + 1;
    let columnBits = bitsFor(columns);
    let rowBits = bitsFor(rows);
    const most = 4 + bitsFor(count);
    while (columnBits + rowBits > most) {
      if (columnBits > rowBits) columnBits--;
      else rowBits--;
    }
    this.#columnMask = (1 << columnBits) - 1;
    this.#rowMask = (1 << rowBits) - 1;
    this.#rowShift = columnBits;
    const buckets = 1 << (columnBits + rowBits);
    if (buckets + 1 > this.#starts.length) this.#starts = new Int32Array(buckets + 1);
  }

  /** Finds everybody's cells and counts the entries of each bucket, at the place of the next one. */
  #count(places: number): number {
    const { boxes } = this.#bounds;
    const starts = this.#starts;
    const cells = this.#cells;
    const columnMask = this.#columnMask;
    const rowMask = this.#rowMask;
    const rowShift = this.#rowShift;
    const margin = this.#margin;
    const perUnit = 1 / this.#cellSize;
    let total = 0;
    for (let place = 0; place < places; place++) {
      const at = place * BOX_NUMBERS;
      const to = place * 4;
      // Nobody: a last column before the first.
      cells[to + 1] = -1;
      cells[to] = 0;
      if (!(boxes[at] <= boxes[at + 3])) continue;
      const column = Math.floor((boxes[at] - margin) * perUnit);
      const lastColumn = Math.floor((boxes[at + 3] + margin) * perUnit);
      const row = Math.floor((boxes[at + 1] - margin) * perUnit);
      const lastRow = Math.floor((boxes[at + 4] + margin) * perUnit);
      if ((lastColumn - column + 1) * (lastRow - row + 1) > MAX_CELLS) {
        this.#append(place, this.#wideCount++);
        continue;
      }
      cells[to] = column;
      cells[to + 1] = lastColumn;
      cells[to + 2] = row;
      cells[to + 3] = lastRow;
      for (let r = row; r <= lastRow; r++)
        for (let c = column; c <= lastColumn; c++) {
          starts[(c & columnMask) | ((r & rowMask) << rowShift)]++;
          total++;
        }
    }
    return total;
  }

  /** From the sums downwards: each entry goes before those that its bucket has. */
  #fill(places: number): void {
    const { entries } = this;
    const starts = this.#starts;
    const cells = this.#cells;
    const columnMask = this.#columnMask;
    const rowMask = this.#rowMask;
    const rowShift = this.#rowShift;
    for (let place = places - 1; place >= 0; place--) {
      const lastColumn = cells[place * 4 + 1];
      const lastRow = cells[place * 4 + 3];
      for (let c = cells[place * 4]; c <= lastColumn; c++)
        for (let r = cells[place * 4 + 2]; r <= lastRow; r++)
          entries[--starts[(c & columnMask) | ((r & rowMask) << rowShift)]] = place;
    }
  }

  #append(place: number, at: number): void {
    if (at === this.#wide.length) {
      const wide = new Int32Array(at * 2);
      wide.set(this.#wide);
      this.#wide = wide;
    }
    this.#wide[at] = place;
  }
}

/** Cells are so many times as wide as a box. */
const CELL_BOXES = 2;
/** In margins: larger boxes do not make cells larger. */
const MAX_COUNTED_SIZE = 8;

/** Bits that count to so many, at most 30. */
function bitsFor(count: number): number {
  return count >= 1 << 30 || !(count >= 0) ? 30 : 32 - Math.clz32(Math.max(0, Math.ceil(count) - 1));
}
