/** Rays against one shape of `boundsOf`'s numbers. */
import { rayBox, rayCircle, rayCylinder, rayTallBox } from "./rays.ts";

/** In the plan: shapes of all heights are met. */
export function rayFlatShape(
  bounds: Float64Array,
  at: number,
  isBox: boolean,
  x: number,
  y: number,
  dx: number,
  dy: number,
): number {
  const minX = bounds[at];
  const minY = bounds[at + 1];
  const width = bounds[at + 2] - minX;
  if (isBox) return rayBox(x, y, dx, dy, minX, minY, width, bounds[at + 3] - minY);
  const radius = width / 2;
  return rayCircle(x, y, dx, dy, minX + radius, minY + radius, radius);
}

/** In space. */
export function rayTallShape(
  bounds: Float64Array,
  at: number,
  isBox: boolean,
  x: number,
  y: number,
  z: number,
  dx: number,
  dy: number,
  dz: number,
): number {
  const minX = bounds[at];
  const minY = bounds[at + 1];
  const maxX = bounds[at + 2];
  const bottom = bounds[at + 4];
  const top = bounds[at + 5];
  if (isBox) return rayTallBox(x, y, z, dx, dy, dz, minX, minY, maxX, bounds[at + 3], bottom, top);
  const radius = (maxX - minX) / 2;
  return rayCylinder(x, y, z, dx, dy, dz, minX + radius, minY + radius, radius, bottom, top);
}
