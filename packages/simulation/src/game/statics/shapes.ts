/**
 * The shapes of a map as a game writes them down, and as queries read them: one flat record of bounds per shape.
 */

/** From what height to what height a shape stands, for games with heights. */
export interface ShapeHeights {
  /** Default -Infinity: from below everything. */
  readonly bottom?: number;
  /** Default Infinity: nobody gets over it. */
  readonly top?: number;
}

/** An axis-aligned box by its centre and full size; `height` is its size along y. */
export interface BoxShape extends ShapeHeights {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A circle; in a game with heights a cylinder. */
export interface CircleShape extends ShapeHeights {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export interface StaticsOptions {
  readonly boxes?: readonly BoxShape[];
  readonly circles?: readonly CircleShape[];
  /** Height of the ground where there is no shape. Default 0; -Infinity: a bottomless pit. */
  readonly floor?: number;
  /** Side of a grid cell in world units. Default: chosen so that there are about as many cells as shapes. */
  readonly cellSize?: number;
}

/** Numbers per shape: minX, minY, maxX, maxY, bottom, top. */
export const BOUNDS = 6;

/** The bounds of all shapes, boxes first. Throws `RangeError` for a shape without a place or a size. */
export function boundsOf(boxes: readonly BoxShape[], circles: readonly CircleShape[]): Float64Array {
  const bounds = new Float64Array((boxes.length + circles.length) * BOUNDS);
  boxes.forEach((box, i) => writeBounds(bounds, i, box, box.width / 2, box.height / 2));
  circles.forEach((circle, i) => writeBounds(bounds, boxes.length + i, circle, circle.radius, circle.radius));
  return bounds;
}

function writeBounds(
  bounds: Float64Array,
  shape: number,
  { x, y, bottom = -Infinity, top = Infinity }: BoxShape | CircleShape,
  halfWidth: number,
  halfHeight: number,
): void {
  if (!(Number.isFinite(x) && Number.isFinite(y) && halfWidth > 0 && halfHeight > 0))
    throw new RangeError(`a static shape needs a finite centre and a positive size, shape ${shape} has not`);
  if (!(bottom < top)) throw new RangeError(`a static shape's top must be above its bottom, got ${bottom} to ${top}`);
  const at = shape * BOUNDS;
  bounds[at] = x - halfWidth;
  bounds[at + 1] = y - halfHeight;
  bounds[at + 2] = x + halfWidth;
  bounds[at + 3] = y + halfHeight;
  bounds[at + 4] = bottom;
  bounds[at + 5] = top;
}
