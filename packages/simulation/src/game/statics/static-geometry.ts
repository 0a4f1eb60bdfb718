/**
 * Geometry that never moves: axis-aligned boxes and circles in the plan, which in a game with heights stand from a
 * bottom to a top, on a floor. Movement and rays use the same shapes, so that what stops a player stops a shot.
 *
 * Bodies are circles, or capsules that lie in the plan. They are swept: a move ends where the body first touches a
 * shape and goes on along it, so nothing is jumped over at any speed. Heights are intervals: a query with (low, high)
 * meets the shapes that reach into it, one without meets all.
 *
 * Shapes are kept in a uniform grid; a query looks at the cells it touches. Nothing is allocated by a query: results
 * come as numbers or in an object that the caller owns. Only +, -, *, /, sqrt and our own sines are used,
 * so the same query has the same bits in every engine.
 */
import { cos, sin } from "../../math/index.ts";
import { rayBox } from "./rays.ts";
import { separateFromBox, separateFromCircle } from "./separation.ts";
import { ShapeGrid } from "./shape-grid.ts";
import { rayFlatShape, rayTallShape } from "./shape-rays.ts";
import { ShortestWay } from "./shortest-way.ts";
import { BOUNDS, boundsOf } from "./shapes.ts";
import type { BoxShape, CircleShape, StaticsOptions } from "./shapes.ts";

/** A position that a movement query corrects in place. */
export interface MovablePoint {
  x: number;
  y: number;
}

/** Nearer than this is touching; deeper than this is overlapping. World units. */
const CONTACT = 1e-9;
/** Less than this share of a move against a normal is along the wall. */
const ALONG = 1e-12;
const PUSH_PASSES = 8;
const MAX_SLIDES = 5;
const MAX_SWEEP_STEPS = 32;

export class StaticGeometry {
  readonly boxes: readonly BoxShape[];
  readonly circles: readonly CircleShape[];
  readonly floor: number;
  /** Number of the shape that the last ray met, boxes first; -1: none. */
  metShape = -1;
  readonly #bounds: Float64Array;
  readonly #boxCount: number;
  readonly #grid: ShapeGrid;
  readonly #found: Int32Array;
  /** Separation and normal of the shape looked at last. */
  readonly #contact: Float64Array = new Float64Array(3);
  readonly #scratch: MovablePoint = { x: 0, y: 0 };
  readonly #way: ShortestWay = new ShortestWay();

  /** Throws `RangeError` for a shape without a place or a size, and for a floor that is no height. */
  constructor(options: StaticsOptions = {}) {
    this.boxes = options.boxes ?? [];
    this.circles = options.circles ?? [];
    this.floor = options.floor ?? 0;
    if (!(this.floor < Infinity)) throw new RangeError(`floor must be a height, got ${this.floor}`);
    this.#boxCount = this.boxes.length;
    this.#bounds = boundsOf(this.boxes, this.circles);
    this.#grid = new ShapeGrid(this.#bounds, options.cellSize);
    this.#found = new Int32Array(this.boxes.length + this.circles.length);
  }

  /** The six numbers of a shape: least and greatest x and y as minX, minY, maxX, maxY; bottom, top. */
  boundsOfShape(shape: number): Float64Array {
    return this.#bounds.slice(shape * BOUNDS, (shape + 1) * BOUNDS);
  }

  /** How far a ray from (x, y) at `angle` (radians) gets before it meets a shape; `Infinity` when nothing is within `range`. */
  raycast(x: number, y: number, angle: number, range: number): number {
    return this.raycastAlong(x, y, cos(angle), sin(angle), range);
  }

  /** `raycast` with a unit direction. Shapes of all heights are met. */
  raycastAlong(x: number, y: number, dx: number, dy: number, range: number): number {
    return this.#cast(x, y, 0, dx, dy, 0, range, true);
  }

  /** `raycastAlong` in space: (dx, dy, dz) is a unit direction. Shapes have their heights, and the floor stops the ray, too. */
  raycastInSpace(x: number, y: number, z: number, dx: number, dy: number, dz: number, range: number): number {
    const ground = z <= this.floor ? 0 : dz < 0 ? (this.floor - z) / dz : Infinity;
    const reach = ground < range ? ground : range;
    const found = this.#cast(x, y, z, dx, dy, dz, reach, false);
    return found < Infinity ? found : ground <= range ? ground : Infinity;
  }

  /**
   * Moves a circle at `point` by (dx, dy), sliding along what it meets. It ends neither inside a shape nor behind one,
   * however far it goes (coordinates to 1e6); one that begins inside is first pushed out. Returns true when it touched
   * a shape. A move that is not finite is none.
   */
  moveCircle(
    point: MovablePoint,
    radius: number,
    dx: number,
    dy: number,
    low: number = -Infinity,
    high: number = Infinity,
  ): boolean {
    return this.moveCapsule(point, radius, 0, 0, dx, dy, low, high);
  }

  /** `moveCircle` for a capsule: a segment from `point` - axis to `point` + axis, `radius` thick, that does not turn. */
  moveCapsule(
    point: MovablePoint,
    radius: number,
    axisX: number,
    axisY: number,
    dx: number,
    dy: number,
    low: number = -Infinity,
    high: number = Infinity,
  ): boolean {
    const length = Math.sqrt(dx * dx + dy * dy);
    if (!(length < Infinity)) return false;
    let count = this.#gather(point.x, point.y, radius + length, axisX, axisY, low, high);
    if (count === 0) {
      point.x += dx;
      point.y += dy;
      return false;
    }
    let touched = false;
    if (this.#pushClear(point, count, radius, axisX, axisY, low, high)) {
      touched = true;
      count = this.#gather(point.x, point.y, radius + length, axisX, axisY, low, high);
    }
    let { x, y } = point;
    let restX = dx;
    let restY = dy;
    const along = length * ALONG;
    for (let slide = 0; slide < MAX_SLIDES; slide++) {
      let first = 1;
      let normalX = 0;
      let normalY = 0;
      let hit = false;
      for (let i = 0; i < count; i++) {
        const time = this.#sweep(this.#found[i], x, y, axisX, axisY, restX, restY, radius, first, along);
        if (time < 0) continue;
        hit = true;
        first = time;
        normalX = this.#contact[1];
        normalY = this.#contact[2];
      }
      x += restX * first;
      y += restY * first;
      if (!hit) break;
      touched = true;
      const left = 1 - first;
      const into = restX * normalX + restY * normalY;
      restX = (restX - normalX * into) * left;
      restY = (restY - normalY * into) * left;
      // In a corner, or turned back by one.
      if (restX * dx + restY * dy <= along * length) break;
    }
    point.x = x;
    point.y = y;
    return touched;
  }

  /**
   * Moves a circle's centre `point` out of every shape it overlaps, along the shortest way. Returns true when it
   * overlapped one. Where there is no room for it, it still does afterwards.
   */
  pushOut(point: MovablePoint, radius: number, low: number = -Infinity, high: number = Infinity): boolean {
    return this.pushOutCapsule(point, radius, 0, 0, low, high);
  }

  /** `pushOut` for a capsule. */
  pushOutCapsule(
    point: MovablePoint,
    radius: number,
    axisX: number,
    axisY: number,
    low: number = -Infinity,
    high: number = Infinity,
  ): boolean {
    let touched = false;
    for (let pass = 0; pass < PUSH_PASSES; pass++) {
      let moved = false;
      const count = this.#gather(point.x, point.y, radius, axisX, axisY, low, high);
      for (let i = 0; i < count; i++) {
        this.#separate(this.#found[i], point.x, point.y, axisX, axisY);
        const depth = radius - this.#contact[0];
        if (!(depth > CONTACT)) continue;
        point.x += this.#contact[1] * depth;
        point.y += this.#contact[2] * depth;
        moved = true;
      }
      if (!moved) break;
      touched = true;
    }
    return touched;
  }

  /** Whether a circle overlaps any shape; one that touches does not. */
  overlaps(x: number, y: number, radius: number, low: number = -Infinity, high: number = Infinity): boolean {
    return this.overlapsCapsule(x, y, radius, 0, 0, low, high);
  }

  /** `overlaps` for a capsule. */
  overlapsCapsule(
    x: number,
    y: number,
    radius: number,
    axisX: number,
    axisY: number,
    low: number = -Infinity,
    high: number = Infinity,
  ): boolean {
    const count = this.#gather(x, y, radius, axisX, axisY, low, high);
    for (let i = 0; i < count; i++) {
      if (this.#meets(this.#found[i], x, y, axisX, axisY, radius)) return true;
    }
    return false;
  }

  /** The height on which a circle at (x, y) would land that falls from `z`: the highest top under it not above `z`, or the floor. */
  groundBelow(x: number, y: number, radius: number, z: number): number {
    let ground = this.floor;
    const count = this.#gather(x, y, radius, 0, 0, -Infinity, Infinity);
    for (let i = 0; i < count; i++) {
      const top = this.#bounds[this.#found[i] * BOUNDS + 5];
      if (top > z || top <= ground) continue;
      if (this.#meets(this.#found[i], x, y, 0, 0, radius)) ground = top;
    }
    return ground;
  }

  /** The height against which a circle at (x, y) would bump that rises from `z`: the lowest bottom over it not below `z`, or `Infinity`. */
  ceilingAbove(x: number, y: number, radius: number, z: number): number {
    let ceiling = Infinity;
    const count = this.#gather(x, y, radius, 0, 0, z, Infinity);
    for (let i = 0; i < count; i++) {
      const bottom = this.#bounds[this.#found[i] * BOUNDS + 4];
      if (bottom < z || bottom >= ceiling) continue;
      if (this.#meets(this.#found[i], x, y, 0, 0, radius)) ceiling = bottom;
    }
    return ceiling;
  }

  /**
   * A lower bound of the length of a circle's way from one place to another around the shapes that reach from below
   * `high` to above `low`; `Infinity` when it is longer than `limit`. A circle that was never nearer to a shape than
   * `radius` has gone at least this far. Where more than 16 shapes are in reach it is the straight line.
   */
  shortestWay(
    fromX: number,
    fromY: number,
    toX: number,
    toY: number,
    radius: number,
    limit: number,
    low: number = -Infinity,
    high: number = Infinity,
  ): number {
    const byX = toX - fromX;
    const byY = toY - fromY;
    const straight = Math.sqrt(byX * byX + byY * byY);
    if (!(straight <= limit)) return Infinity;
    // Whatever is in reach is within half of the limit of the middle.
    const count = this.#gather(fromX + byX / 2, fromY + byY / 2, limit / 2 + radius, 0, 0, low, high);
    this.#way.clear();
    for (let i = 0; i < count; i++) {
      const shape = this.#found[i];
      const at = shape * BOUNDS;
      const minX = this.#bounds[at];
      const minY = this.#bounds[at + 1];
      const maxX = this.#bounds[at + 2];
      const maxY = this.#bounds[at + 3];
      // The corners of this box are at most `radius` from the shape.
      const half = ((maxX - minX) / 2 + radius) * Math.SQRT1_2;
      const grow = shape < this.#boxCount ? radius * Math.SQRT1_2 : half - (maxX - minX) / 2;
      if (!this.#way.addWall(minX - grow, minY - grow, maxX + grow, maxY + grow)) return straight;
    }
    return this.#way.find(fromX, fromY, toX, toY, limit);
  }

  /** Pushes the body out of the gathered shapes if it overlaps any, which it returns; where there is no room it stays. */
  #pushClear(
    point: MovablePoint,
    count: number,
    radius: number,
    axisX: number,
    axisY: number,
    low: number,
    high: number,
  ): boolean {
    let inside = false;
    for (let i = 0; i < count && !inside; i++) {
      inside = this.#meets(this.#found[i], point.x, point.y, axisX, axisY, radius);
    }
    if (!inside) return false;
    const to = this.#scratch;
    to.x = point.x;
    to.y = point.y;
    this.pushOutCapsule(to, radius, axisX, axisY, low, high);
    if (this.overlapsCapsule(to.x, to.y, radius, axisX, axisY, low, high)) return true;
    point.x = to.x;
    point.y = to.y;
    return true;
  }

  /**
   * When, from 0 to `limit`, the moving body first touches a shape; -1 when it does not. The normal is left in
   * `#contact`. Newton's method from the outside: the distance to a convex shape is convex along a line, so no step
   * goes past the contact. One that does not converge stops short of it.
   */
  #sweep(
    shape: number,
    x: number,
    y: number,
    axisX: number,
    axisY: number,
    dx: number,
    dy: number,
    radius: number,
    limit: number,
    along: number,
  ): number {
    let time = 0;
    for (let step = 0; step < MAX_SWEEP_STEPS; step++) {
      this.#separate(shape, x + dx * time, y + dy * time, axisX, axisY);
      const approach = -(dx * this.#contact[1] + dy * this.#contact[2]);
      if (approach <= along) return -1;
      const gap = this.#contact[0] - radius;
      if (gap <= CONTACT) return time;
      time += gap / approach;
      if (time >= limit) return -1;
    }
    return time;
  }

  #meets(shape: number, x: number, y: number, axisX: number, axisY: number, radius: number): boolean {
    this.#separate(shape, x, y, axisX, axisY);
    return radius - this.#contact[0] > CONTACT;
  }

  #separate(shape: number, x: number, y: number, axisX: number, axisY: number): void {
    const at = shape * BOUNDS;
    const bounds = this.#bounds;
    const minX = bounds[at];
    const minY = bounds[at + 1];
    if (shape < this.#boxCount) {
      separateFromBox(this.#contact, x, y, axisX, axisY, minX, minY, bounds[at + 2], bounds[at + 3]);
    } else {
      const radius = (bounds[at + 2] - minX) / 2;
      separateFromCircle(this.#contact, x, y, axisX, axisY, minX + radius, minY + radius, radius);
    }
  }

  #gather(x: number, y: number, reach: number, axisX: number, axisY: number, low: number, high: number): number {
    const reachX = reach + Math.abs(axisX);
    const reachY = reach + Math.abs(axisY);
    return this.#grid.gather(x - reachX, y - reachY, x + reachX, y + reachY, low, high, this.#found);
  }

  #cast(x: number, y: number, z: number, dx: number, dy: number, dz: number, range: number, flat: boolean): number {
    const grid = this.#grid;
    this.metShape = -1;
    if (this.#found.length === 0 || !(range >= 0)) return Infinity;
    const size = grid.cellSize;
    // The part of the ray inside the grid.
    const enter = rayBox(x, y, dx, dy, grid.originX, grid.originY, grid.columns * size, grid.rows * size);
    if (!(enter <= range)) return Infinity;
    const query = grid.beginQuery();
    let column = grid.column(x + dx * enter);
    let row = grid.row(y + dy * enter);
    const stepX = dx > 0 ? 1 : -1;
    const stepY = dy > 0 ? 1 : -1;
    const perColumn = dx === 0 ? Infinity : size / Math.abs(dx);
    const perRow = dy === 0 ? Infinity : size / Math.abs(dy);
    let nextColumn = dx === 0 ? Infinity : (grid.originX + (column + (dx > 0 ? 1 : 0)) * size - x) / dx;
    let nextRow = dy === 0 ? Infinity : (grid.originY + (row + (dy > 0 ? 1 : 0)) * size - y) / dy;
    let nearest = Infinity;
    let met = -1;
    for (;;) {
      const cell = row * grid.columns + column;
      for (let k = grid.starts[cell]; k < grid.starts[cell + 1]; k++) {
        const shape = grid.shapes[k];
        if (!grid.meet(shape, query)) continue;
        const at = shape * BOUNDS;
        const isBox = shape < this.#boxCount;
        const distance = flat
          ? rayFlatShape(this.#bounds, at, isBox, x, y, dx, dy)
          : rayTallShape(this.#bounds, at, isBox, x, y, z, dx, dy, dz);
        if (distance >= nearest) continue;
        nearest = distance;
        met = shape;
      }
      const leave = nextColumn < nextRow ? nextColumn : nextRow;
      if (nearest <= leave || leave > range) break;
      if (nextColumn < nextRow) {
        column += stepX;
        nextColumn += perColumn;
        if (column < 0 || column >= grid.columns) break;
      } else {
        row += stepY;
        nextRow += perRow;
        if (row < 0 || row >= grid.rows) break;
      }
    }
    if (!(nearest <= range)) return Infinity;
    this.metShape = met;
    return nearest;
  }
}
