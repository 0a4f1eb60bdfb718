/**
 * Geometry that never moves: axis-aligned boxes and circles in the plane. Movement and rays use
 * the same shapes, so that what stops a player stops a shot.
 *
 * Shapes are kept in a uniform grid; a query looks at the cells it touches. Nothing is allocated
 * by a query: results come as numbers or in an object that the caller owns.
 */

/** An axis-aligned box by its centre and full size. */
export interface BoxShape {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface CircleShape {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export interface StaticsOptions {
  readonly boxes?: readonly BoxShape[];
  readonly circles?: readonly CircleShape[];
  /** Side of a grid cell in world units. Default: chosen so that there are about as many cells as shapes. */
  readonly cellSize?: number;
}

/** A position that a movement query corrects in place. */
export interface MovablePoint {
  x: number;
  y: number;
}

export class StaticGeometry {
  readonly boxes: readonly BoxShape[];
  readonly circles: readonly CircleShape[];
  /** Boxes first, then circles: minX, minY, maxX, maxY of each shape. */
  readonly #bounds: Float64Array;
  readonly #boxCount: number;
  readonly #cellSize: number;
  readonly #originX: number;
  readonly #originY: number;
  readonly #columns: number;
  readonly #rows: number;
  /** Shapes of cell c are `#cellShapes[#cellStart[c], #cellStart[c + 1])`. */
  readonly #cellStart: Int32Array;
  readonly #cellShapes: Int32Array;
  /** Query number that last looked at a shape, so that no shape is tested twice by one ray. */
  readonly #seen: Int32Array;
  #query = 0;

  constructor(options: StaticsOptions = {}) {
    this.boxes = options.boxes ?? [];
    this.circles = options.circles ?? [];
    this.#boxCount = this.boxes.length;
    const count = this.boxes.length + this.circles.length;
    this.#bounds = new Float64Array(count * 4);
    this.#seen = new Int32Array(count);
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let i = 0; i < count; i++) {
      writeBounds(this.#bounds, i, this.boxes, this.circles);
      minX = Math.min(minX, this.#bounds[i * 4]);
      minY = Math.min(minY, this.#bounds[i * 4 + 1]);
      maxX = Math.max(maxX, this.#bounds[i * 4 + 2]);
      maxY = Math.max(maxY, this.#bounds[i * 4 + 3]);
    }
    if (count === 0) minX = minY = maxX = maxY = 0;
    const width = maxX - minX;
    const height = maxY - minY;
    const span = Math.max(width, height);
    const chosen = options.cellSize ?? Math.sqrt((width * height) / Math.max(1, count));
    this.#cellSize = Math.max(chosen, span / MAX_CELLS_PER_SIDE, 1e-6);
    this.#originX = minX;
    this.#originY = minY;
    this.#columns = Math.max(1, Math.ceil(width / this.#cellSize));
    this.#rows = Math.max(1, Math.ceil(height / this.#cellSize));
    const cells: number[][] = Array.from({ length: this.#columns * this.#rows }, () => []);
    for (let i = 0; i < count; i++) {
      const x1 = this.#column(this.#bounds[i * 4 + 2]);
      const y1 = this.#row(this.#bounds[i * 4 + 3]);
      for (let y = this.#row(this.#bounds[i * 4 + 1]); y <= y1; y++)
        for (let x = this.#column(this.#bounds[i * 4]); x <= x1; x++) cells[y * this.#columns + x].push(i);
    }
    this.#cellStart = new Int32Array(cells.length + 1);
    for (let c = 0; c < cells.length; c++) this.#cellStart[c + 1] = this.#cellStart[c] + cells[c].length;
    this.#cellShapes = Int32Array.from(cells.flat());
  }

  /** How far a ray from (x, y) at `angle` (radians) gets before it meets a shape; `Infinity` when nothing is within `range`. */
  raycast(x: number, y: number, angle: number, range: number): number {
    return this.raycastAlong(x, y, Math.cos(angle), Math.sin(angle), range);
  }

  /** `raycast` with a unit direction. */
  raycastAlong(x: number, y: number, dx: number, dy: number, range: number): number {
    if (this.#seen.length === 0 || !(range >= 0)) return Infinity;
    const size = this.#cellSize;
    // The part of the ray inside the grid.
    const enter = rayBox(x, y, dx, dy, this.#originX, this.#originY, this.#columns * size, this.#rows * size);
    if (!(enter <= range)) return Infinity;
    const query = ++this.#query | 0;
    let column = this.#column(x + dx * enter);
    let row = this.#row(y + dy * enter);
    const stepX = dx > 0 ? 1 : -1;
    const stepY = dy > 0 ? 1 : -1;
    const perColumn = dx === 0 ? Infinity : size / Math.abs(dx);
    const perRow = dy === 0 ? Infinity : size / Math.abs(dy);
    let nextColumn = dx === 0 ? Infinity : (this.#originX + (column + (dx > 0 ? 1 : 0)) * size - x) / dx;
    let nextRow = dy === 0 ? Infinity : (this.#originY + (row + (dy > 0 ? 1 : 0)) * size - y) / dy;
    let nearest = Infinity;
    for (;;) {
      const cell = row * this.#columns + column;
      for (let k = this.#cellStart[cell]; k < this.#cellStart[cell + 1]; k++) {
        const shape = this.#cellShapes[k];
        if (this.#seen[shape] === query) continue;
        this.#seen[shape] = query;
        const distance = this.#rayShape(shape, x, y, dx, dy);
        if (distance < nearest) nearest = distance;
      }
      const leave = nextColumn < nextRow ? nextColumn : nextRow;
      if (nearest <= leave || leave > range) break;
      if (nextColumn < nextRow) {
        column += stepX;
        nextColumn += perColumn;
        if (column < 0 || column >= this.#columns) break;
      } else {
        row += stepY;
        nextRow += perRow;
        if (row < 0 || row >= this.#rows) break;
      }
    }
    return nearest <= range ? nearest : Infinity;
  }

  /**
   * Moves a circle's centre `point` out of every shape it overlaps, along the shortest way, so
   * that a circle moved into a wall slides along it. Returns true when it touched one.
   */
  pushOut(point: MovablePoint, radius: number): boolean {
    let touched = false;
    for (let pass = 0; pass < PUSH_PASSES; pass++) {
      let moved = false;
      const column1 = this.#column(point.x + radius);
      const row1 = this.#row(point.y + radius);
      for (let row = this.#row(point.y - radius); row <= row1; row++) {
        for (let column = this.#column(point.x - radius); column <= column1; column++) {
          const cell = row * this.#columns + column;
          for (let k = this.#cellStart[cell]; k < this.#cellStart[cell + 1]; k++)
            if (this.#push(this.#cellShapes[k], point, radius)) moved = true;
        }
      }
      if (!moved) break;
      touched = true;
    }
    return touched;
  }

  /**
   * Moves a circle of `radius` at `point` by (dx, dy), sliding along what it meets. Long moves are
   * cut into steps of less than a radius, so nothing is jumped over (at most 64 steps). Returns
   * true when it touched a shape.
   */
  moveCircle(point: MovablePoint, radius: number, dx: number, dy: number): boolean {
    const length = Math.sqrt(dx * dx + dy * dy);
    const steps = Math.min(MAX_MOVE_STEPS, Math.max(1, Math.ceil(length / Math.max(radius * 0.75, 1e-6))));
    let touched = false;
    for (let i = 0; i < steps; i++) {
      point.x += dx / steps;
      point.y += dy / steps;
      if (this.pushOut(point, radius)) touched = true;
    }
    return touched;
  }

  /** Whether a circle overlaps any shape. */
  overlaps(x: number, y: number, radius: number): boolean {
    scratchPoint.x = x;
    scratchPoint.y = y;
    return this.pushOut(scratchPoint, radius);
  }

  #column(x: number): number {
    const column = Math.floor((x - this.#originX) / this.#cellSize);
    return column < 0 ? 0 : column >= this.#columns ? this.#columns - 1 : column;
  }

  #row(y: number): number {
    const row = Math.floor((y - this.#originY) / this.#cellSize);
    return row < 0 ? 0 : row >= this.#rows ? this.#rows - 1 : row;
  }

  #rayShape(shape: number, x: number, y: number, dx: number, dy: number): number {
    const at = shape * 4;
    const minX = this.#bounds[at];
    const minY = this.#bounds[at + 1];
    const width = this.#bounds[at + 2] - minX;
    if (shape < this.#boxCount) return rayBox(x, y, dx, dy, minX, minY, width, this.#bounds[at + 3] - minY);
    const radius = width / 2;
    return rayCircle(x, y, dx, dy, minX + radius, minY + radius, radius);
  }

  #push(shape: number, point: MovablePoint, radius: number): boolean {
    const at = shape * 4;
    const minX = this.#bounds[at];
    const minY = this.#bounds[at + 1];
    const maxX = this.#bounds[at + 2];
    const maxY = this.#bounds[at + 3];
    if (shape >= this.#boxCount) {
      const wide = (maxX - minX) / 2;
      return pushFrom(point, minX + wide, minY + wide, radius + wide);
    }
    const nearX = point.x < minX ? minX : point.x > maxX ? maxX : point.x;
    const nearY = point.y < minY ? minY : point.y > maxY ? maxY : point.y;
    if (nearX !== point.x || nearY !== point.y) return pushFrom(point, nearX, nearY, radius);
    // The centre is inside the box: leave by the nearest side.
    const left = point.x - minX;
    const right = maxX - point.x;
    const top = point.y - minY;
    const bottom = maxY - point.y;
    const least = Math.min(left, right, top, bottom);
    if (least === left) point.x = minX - radius;
    else if (least === right) point.x = maxX + radius;
    else if (least === top) point.y = minY - radius;
    else point.y = maxY + radius;
    return true;
  }
}

/** Distance along a unit ray to a box, 0 from inside it, `Infinity` when it misses. */
export function rayBox(
  x: number,
  y: number,
  dx: number,
  dy: number,
  minX: number,
  minY: number,
  width: number,
  height: number,
): number {
  let enter = 0;
  let leave = Infinity;
  if (dx === 0) {
    if (x < minX || x > minX + width) return Infinity;
  } else {
    const a = (minX - x) / dx;
    const b = (minX + width - x) / dx;
    enter = Math.max(enter, Math.min(a, b));
    leave = Math.min(leave, Math.max(a, b));
  }
  if (dy === 0) {
    if (y < minY || y > minY + height) return Infinity;
  } else {
    const a = (minY - y) / dy;
    const b = (minY + height - y) / dy;
    enter = Math.max(enter, Math.min(a, b));
    leave = Math.min(leave, Math.max(a, b));
  }
  return enter <= leave ? enter : Infinity;
}

/** Distance along a unit ray to a circle, 0 from inside it, `Infinity` when it misses. */
export function rayCircle(
  x: number,
  y: number,
  dx: number,
  dy: number,
  centreX: number,
  centreY: number,
  radius: number,
): number {
  const toX = centreX - x;
  const toY = centreY - y;
  const off = toX * toX + toY * toY - radius * radius;
  if (off <= 0) return 0;
  const along = toX * dx + toY * dy;
  if (along < 0) return Infinity;
  const root = along * along - off;
  return root < 0 ? Infinity : along - Math.sqrt(root);
}

function pushFrom(point: MovablePoint, x: number, y: number, distance: number): boolean {
  const awayX = point.x - x;
  const awayY = point.y - y;
  const squared = awayX * awayX + awayY * awayY;
  if (squared >= distance * distance * (1 - 1e-12)) return false;
  const length = Math.sqrt(squared);
  if (length < 1e-9) {
    point.x = x + distance;
    return true;
  }
  point.x = x + (awayX / length) * distance;
  point.y = y + (awayY / length) * distance;
  return true;
}

function writeBounds(
  bounds: Float64Array,
  i: number,
  boxes: readonly BoxShape[],
  circles: readonly CircleShape[],
): void {
  const box = i < boxes.length ? boxes[i] : undefined;
  const circle = circles[i - boxes.length];
  const x = box?.x ?? circle.x;
  const y = box?.y ?? circle.y;
  const halfWidth = box === undefined ? circle.radius : box.width / 2;
  const halfHeight = box === undefined ? circle.radius : box.height / 2;
  if (!(Number.isFinite(x) && Number.isFinite(y) && halfWidth > 0 && halfHeight > 0))
    throw new RangeError(`a static shape needs a finite centre and a positive size, shape ${i} has not`);
  bounds[i * 4] = x - halfWidth;
  bounds[i * 4 + 1] = y - halfHeight;
  bounds[i * 4 + 2] = x + halfWidth;
  bounds[i * 4 + 3] = y + halfHeight;
}

const MAX_CELLS_PER_SIDE = 256;
const PUSH_PASSES = 4;
const MAX_MOVE_STEPS = 64;
const scratchPoint: MovablePoint = { x: 0, y: 0 };
