/** A uniform grid over the plan that says which shapes are near a place. Built once; a query allocates nothing. */
import { BOUNDS } from "./shapes.ts";

const MAX_CELLS_PER_SIDE = 256;

export class ShapeGrid {
  readonly cellSize: number;
  readonly originX: number;
  readonly originY: number;
  readonly columns: number;
  readonly rows: number;
  /** Shapes of cell c are `shapes[starts[c], starts[c + 1])`. */
  readonly starts: Int32Array;
  readonly shapes: Int32Array;
  readonly #bounds: Float64Array;
  /** Query number that last met a shape, so that no query meets it twice. */
  readonly #seen: Int32Array;
  #query = 0;

  constructor(bounds: Float64Array, cellSize: number | undefined) {
    this.#bounds = bounds;
    const count = bounds.length / BOUNDS;
    this.#seen = new Int32Array(count);
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let at = 0; at < bounds.length; at += BOUNDS) {
      minX = Math.min(minX, bounds[at]);
      minY = Math.min(minY, bounds[at + 1]);
      maxX = Math.max(maxX, bounds[at + 2]);
      maxY = Math.max(maxY, bounds[at + 3]);
    }
    if (count === 0) minX = minY = maxX = maxY = 0;
    const width = maxX - minX;
    const height = maxY - minY;
    const chosen = cellSize ?? Math.sqrt((width * height) / Math.max(1, count));
    this.cellSize = Math.max(chosen, Math.max(width, height) / MAX_CELLS_PER_SIDE, 1e-6);
    this.originX = minX;
    this.originY = minY;
    this.columns = Math.max(1, Math.ceil(width / this.cellSize));
    this.rows = Math.max(1, Math.ceil(height / this.cellSize));
    const cells: number[][] = Array.from({ length: this.columns * this.rows }, () => []);
    for (let shape = 0; shape < count; shape++) {
      const at = shape * BOUNDS;
      const lastColumn = this.column(bounds[at + 2]);
      const lastRow = this.row(bounds[at + 3]);
      for (let row = this.row(bounds[at + 1]); row <= lastRow; row++)
        for (let column = this.column(bounds[at]); column <= lastColumn; column++)
          cells[row * this.columns + column].push(shape);
    }
    this.starts = new Int32Array(cells.length + 1);
    for (let c = 0; c < cells.length; c++) this.starts[c + 1] = this.starts[c] + cells[c].length;
    this.shapes = Int32Array.from(cells.flat());
  }

  column(x: number): number {
    const column = Math.floor((x - this.originX) / this.cellSize);
    return column < 0 ? 0 : column >= this.columns ? this.columns - 1 : column;
  }

  row(y: number): number {
    const row = Math.floor((y - this.originY) / this.cellSize);
    return row < 0 ? 0 : row >= this.rows ? this.rows - 1 : row;
  }

  /** Opens a query that meets shapes one by one, see `meet`. */
  beginQuery(): number {
    this.#query = (this.#query + 1) & 0x3fffffff;
    return this.#query;
  }

  /** Whether the query meets this shape for the first time. */
  meet(shape: number, query: number): boolean {
    if (this.#seen[shape] === query) return false;
    this.#seen[shape] = query;
    return true;
  }

  /**
   * Writes to `found` the shapes whose bounds reach into a rectangle and whose heights reach into (low, high), and
   * returns how many. `found` holds as many as there are shapes.
   */
  gather(minX: number, minY: number, maxX: number, maxY: number, low: number, high: number, found: Int32Array): number {
    const bounds = this.#bounds;
    const query = this.beginQuery();
    const firstColumn = this.column(minX);
    const lastColumn = this.column(maxX);
    const lastRow = this.row(maxY);
    let count = 0;
    for (let row = this.row(minY); row <= lastRow; row++) {
      for (let column = firstColumn; column <= lastColumn; column++) {
        const cell = row * this.columns + column;
        const end = this.starts[cell + 1];
        for (let k = this.starts[cell]; k < end; k++) {
          const shape = this.shapes[k];
          const at = shape * BOUNDS;
          if (bounds[at] > maxX || bounds[at + 2] < minX || bounds[at + 1] > maxY || bounds[at + 3] < minY) continue;
          if (bounds[at + 5] <= low || bounds[at + 4] >= high) continue;
          if (this.meet(shape, query)) found[count++] = shape;
        }
      }
    }
    return count;
  }
}
