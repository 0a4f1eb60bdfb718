/**
 * Rays against single shapes: the distance along a ray to where it enters, 0 from inside, `Infinity` when it misses.
 * The first two are in the plan, with unit directions; the others in space, where `dx, dy, dz` together are a unit.
 */

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

/** A box from `bottom` to `top`. */
export function rayTallBox(
  x: number,
  y: number,
  z: number,
  dx: number,
  dy: number,
  dz: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
  bottom: number,
  top: number,
): number {
  const plan = rayBox(x, y, dx, dy, minX, minY, maxX - minX, maxY - minY);
  if (plan === Infinity) return Infinity;
  let leave = Infinity;
  if (dx !== 0) leave = ((dx > 0 ? maxX : minX) - x) / dx;
  if (dy !== 0) leave = Math.min(leave, ((dy > 0 ? maxY : minY) - y) / dy);
  return withinHeights(z, dz, bottom, top, plan, leave);
}

/** An upright cylinder from `bottom` to `top`. */
export function rayCylinder(
  x: number,
  y: number,
  z: number,
  dx: number,
  dy: number,
  dz: number,
  centreX: number,
  centreY: number,
  radius: number,
  bottom: number,
  top: number,
): number {
  const toX = centreX - x;
  const toY = centreY - y;
  const off = toX * toX + toY * toY - radius * radius;
  const squared = dx * dx + dy * dy;
  if (squared === 0) return off <= 0 ? withinHeights(z, dz, bottom, top, 0, Infinity) : Infinity;
  const along = toX * dx + toY * dy;
  const root = along * along - off * squared;
  if (root < 0) return Infinity;
  const half = Math.sqrt(root);
  const leave = (along + half) / squared;
  if (leave < 0) return Infinity;
  return withinHeights(z, dz, bottom, top, Math.max(0, (along - half) / squared), leave);
}

/** Where a ray that is inside the plan of a shape from `enter` to `leave` first is between its heights, too. */
function withinHeights(z: number, dz: number, bottom: number, top: number, enter: number, leave: number): number {
  if (dz === 0) return z >= bottom && z <= top ? enter : Infinity;
  const a = (bottom - z) / dz;
  const b = (top - z) / dz;
  const from = Math.max(enter, Math.min(a, b));
  return from <= Math.min(leave, Math.max(a, b)) ? from : Infinity;
}
