/**
 * The broadphase: a grid over the boxes of `SweptBounds`, so that a query looks at few entities whatever moments of the
 * window it mixes for each of them. It is brought up to date when a query comes after new ticks, in some 20 us for a
 * thousand entities. A query walks from cell to cell along its way. docs/lag-compensation.md says what else was measured.
 */
import { GridCells } from "./grid-cells.ts";
import { BOX_NUMBERS } from "./swept-bounds.ts";
import type { SweptBounds } from "./swept-bounds.ts";

/** So many cells that are not empty are looked for at a time. */
const CELLS_AHEAD = 16;

export class HistoryGrid {
  /** What `next` has come to: the places `list[start]` to `list[end - 1]`. */
  list: Int32Array;
  start = 0;
  end = 0;
  readonly #bounds: Pick<SweptBounds, "boxes" | "version">;
  readonly #usedPlaces: () => number;
  readonly #cells: GridCells;
  #version = -1;
  /** Behind the wide places of the cells: places that are met by every query until `forgetMoved`. */
  #movedCount = 0;
  /** All places, once somebody has asked for them. */
  #everybody: Int32Array = new Int32Array(0);
  /** The query that a place was last met by, so that each is met once. */
  readonly #met: Int32Array;
  #query = 0;
  // The walk: along x (or y), column by column, and over the rows of each.
  #alongX = true;
  #from = 0;
  #across = 0;
  #slope = 0;
  /** How far it goes along x (or y), and by how much that is multiplied to get a distance along the query. */
  #length = 0;
  #inverse = 0;
  /** How wide the query is on each side, across the columns and along. */
  #padAcross = 0;
  #padAlong = 0;
  #column = 0;
  #lastColumn = 0;
  #step = 1;
  #row = 0;
  #lastRow = -1;
  /** How far along the query everything is that was met before the column it is in, and all that is met in it, too. */
  #before = 0;
  #leave = 0;
  #isAtList = false;
  /** Begin and end of the next cells' entries, and `#before` of their columns. */
  readonly #ahead = new Int32Array(2 * CELLS_AHEAD);
  readonly #aheadBefore = new Float64Array(CELLS_AHEAD);
  #aheadCount = 0;
  #aheadNext = 0;

  /** `margin`: how far hitboxes reach around a position. */
  constructor(bounds: Pick<SweptBounds, "boxes" | "version">, margin: number, usedPlaces: () => number) {
    this.#bounds = bounds;
    this.#usedPlaces = usedPlaces;
    this.#cells = new GridCells(bounds.boxes, margin);
    this.#met = new Int32Array(bounds.boxes.length / BOX_NUMBERS);
    this.list = this.#cells.entries;
  }

  get bytes(): number {
    const own = [this.#met, this.#everybody, this.#ahead, this.#aheadBefore];
    return own.reduce((sum, { byteLength }) => sum + byteLength, this.#cells.bytes);
  }

  /** Whether this is the first time in this query that a place is met. */
  isNew(place: number): boolean {
    const met = this.#met;
    if (met[place] === this.#query) return false;
    met[place] = this.#query;
    return true;
  }

  /** A place that is met by every query from now on: somebody who may not be where the boxes say. */
  meetAlways(place: number): void {
    this.#update();
    this.#cells.setWide(this.#cells.wideCount + this.#movedCount++, place);
  }

  forgetMoved(): void {
    this.#movedCount = 0;
  }

  /** Begins a walk that meets everybody. */
  beginAll(): void {
    const places = this.#usedPlaces();
    if (this.#everybody.length < places)
      this.#everybody = Int32Array.from({ length: this.#met.length }, (_, place) => place);
    this.#query = (this.#query + 1) | 0;
    this.#beginList(this.#everybody, places);
    this.#column = this.#lastColumn = 0;
    this.#row = 0;
    this.#lastRow = -1;
  }

  /**
   * Begins the walk along a ray in the plan from (x, y), `pad` wide on each side: (dx, dy) need not be a unit, a distance
   * along it is one of `range`'s units.
   */
  begin(x: number, y: number, dx: number, dy: number, range: number, pad = 0): void {
    this.#update();
    const cells = this.#cells;
    this.#query = (this.#query + 1) | 0;
    this.#beginList(cells.wide, cells.wideCount + this.#movedCount);
    const alongX = Math.abs(dx) >= Math.abs(dy);
    const along = alongX ? dx : dy;
    const from = alongX ? x : y;
    const slope = along === 0 ? 0 : (alongX ? dy : dx) / along;
    const step = along < 0 ? -1 : 1;
    this.#alongX = alongX;
    this.#from = from;
    this.#across = alongX ? y : x;
    this.#slope = slope;
    const length = along === 0 ? 0 : along * range;
    this.#length = length;
    this.#inverse = along === 0 ? 0 : 1 / along;
    this.#padAlong = pad;
    this.#padAcross = pad * Math.sqrt(1 + slope * slope);
    this.#step = step;
    const to = from + length;
    const origin = alongX ? cells.minX : cells.minY;
    const begin = Math.max(Math.min(from, to) - pad, origin);
    const end = Math.min(Math.max(from, to) + pad, alongX ? cells.maxX : cells.maxY);
    const low = begin <= end ? ((begin - origin) * cells.perUnit) | 0 : 0;
    const high = begin <= end ? ((end - origin) * cells.perUnit) | 0 : -1;
    // One before the first: the search moves on.
    this.#column = step > 0 ? low - 1 : high + 1;
    this.#lastColumn = step > 0 ? high : low;
    this.#row = 0;
    this.#lastRow = -1;
    this.#leave = -Infinity;
  }

  /**
   * Goes on to the next places; false when there are none among whom anything can be that is not farther than `nearest` along
   * the query.
   * Wide entities come first.
   */
  next(nearest: number): boolean {
    if (this.#isAtList) {
      this.#isAtList = false;
      if (this.end > 0) return true;
    }
    if (this.#aheadNext === this.#aheadCount && !this.#look()) return false;
    const at = this.#aheadNext++;
    this.list = this.#cells.entries;
    this.start = this.#ahead[at * 2];
    this.end = this.#ahead[at * 2 + 1];
    return nearest >= this.#aheadBefore[at];
  }

  #update(): void {
    if (this.#version === this.#bounds.version) return;
    this.#version = this.#bounds.version;
    this.#movedCount = 0;
    this.#cells.update(this.#usedPlaces());
  }

  #beginList(list: Int32Array, count: number): void {
    this.list = list;
    this.start = 0;
    this.end = count;
    this.#isAtList = true;
    this.#aheadNext = this.#aheadCount = 0;
  }

  /** Looks for the next cells in which there is somebody; false when there are none. */
  #look(): boolean {
    const { ends, columnMask, rowMask, rowShift, cellSize, perUnit, minX, minY, maxX, maxY } = this.#cells;
    const ahead = this.#ahead;
    const aheadBefore = this.#aheadBefore;
    const alongX = this.#alongX;
    const least = alongX ? minY : minX;
    const most = alongX ? maxY : maxX;
    const origin = (alongX ? minX : minY) - this.#from;
    const across = this.#across;
    const slope = this.#slope;
    const start = this.#length < 0 ? this.#length : 0;
    const end = this.#length < 0 ? 0 : this.#length;
    const padAlong = this.#padAlong;
    const padAcross = this.#padAcross;
    const step = this.#step;
    const inverse = this.#inverse;
    const lastColumn = this.#lastColumn;
    let column = this.#column;
    let row = this.#row;
    let lastRow = this.#lastRow;
    let before = this.#before;
    let leave = this.#leave;
    let found = 0;
    while (found < CELLS_AHEAD) {
      if (row <= lastRow) {
        const bucket = alongX
          ? (column & columnMask) | ((row & rowMask) << rowShift)
          : (row & columnMask) | ((column & rowMask) << rowShift);
        row++;
        const first = ends[bucket] + 1;
        const last = ends[bucket + 1];
        if (first === last) continue;
        ahead[found * 2] = first;
        ahead[found * 2 + 1] = last;
        aheadBefore[found++] = before;
        continue;
      }
      if (column === lastColumn) break;
      column += step;
      const near = column * cellSize + origin;
      const far = near + cellSize;
      // The part of the query that is in this column, or beside it.
      const low = near - padAlong;
      const high = far + padAlong;
      const a = across + (low > start ? low : start) * slope;
      const b = across + (high < end ? high : end) * slope;
      const bottom = (a < b ? a : b) - padAcross;
      const top = (a < b ? b : a) + padAcross;
      row = bottom > least ? ((bottom - least) * perUnit) | 0 : 0;
      lastRow = top < least ? -1 : (((top < most ? top : most) - least) * perUnit) | 0;
      before = leave;
      leave = inverse === 0 ? -Infinity : (step > 0 ? far - padAlong : near + padAlong) * inverse;
    }
    this.#column = column;
    this.#row = row;
    this.#lastRow = lastRow;
    this.#before = before;
    this.#leave = leave;
    this.#aheadNext = 0;
    this.#aheadCount = found;
    return found > 0;
  }
}
