/**
 * How far a body is from a shape, in the plan, and which way leads away from it. A body is a point or a segment
 * (its middle and `axis`, from the middle to one end); the caller takes its radius off. `out` receives the distance,
 * negative inside, and the unit normal.
 */

const TINY = 1e-12;
/** An axis whose square is less makes no segment. */
const SHORT = 1e-18;

/** Of a body from an axis-aligned box. */
export function separateFromBox(
  out: Float64Array,
  x: number,
  y: number,
  axisX: number,
  axisY: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): void {
  if (axisX * axisX + axisY * axisY < SHORT) pointFromBox(out, x, y, minX, minY, maxX, maxY);
  else segmentFromBox(out, x, y, axisX, axisY, minX, minY, maxX, maxY);
}

/** Of a body from a circle. */
export function separateFromCircle(
  out: Float64Array,
  x: number,
  y: number,
  axisX: number,
  axisY: number,
  centreX: number,
  centreY: number,
  radius: number,
): void {
  const along = nearestOnSegment(centreX - x, centreY - y, axisX, axisY);
  const awayX = x + axisX * along - centreX;
  const awayY = y + axisY * along - centreY;
  const distance = Math.sqrt(awayX * awayX + awayY * awayY);
  out[0] = distance - radius;
  if (distance > TINY) {
    out[1] = awayX / distance;
    out[2] = awayY / distance;
    return;
  }
  // Its centre is on the body: any way out is as good, across the segment it is the shortest.
  const length = Math.sqrt(axisX * axisX + axisY * axisY);
  out[1] = length > TINY ? -axisY / length : 1;
  out[2] = length > TINY ? axisX / length : 0;
}

function pointFromBox(
  out: Float64Array,
  x: number,
  y: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): void {
  const nearX = x < minX ? minX : x > maxX ? maxX : x;
  const nearY = y < minY ? minY : y > maxY ? maxY : y;
  const awayX = x - nearX;
  const awayY = y - nearY;
  if (awayX === 0 && awayY === 0) {
    const inX = Math.min(x - minX, maxX - x);
    const inY = Math.min(y - minY, maxY - y);
    out[0] = -Math.min(inX, inY);
    out[1] = inX <= inY ? (x - minX <= maxX - x ? -1 : 1) : 0;
    out[2] = inX <= inY ? 0 : y - minY <= maxY - y ? -1 : 1;
    return;
  }
  const distance =
    awayX === 0 ? Math.abs(awayY) : awayY === 0 ? Math.abs(awayX) : Math.sqrt(awayX * awayX + awayY * awayY);
  out[0] = distance;
  out[1] = awayX / distance;
  out[2] = awayY / distance;
}

function segmentFromBox(
  out: Float64Array,
  x: number,
  y: number,
  axisX: number,
  axisY: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): void {
  // Whether an axis separates them: along x, along y, or across the segment.
  const halfX = (maxX - minX) / 2;
  const halfY = (maxY - minY) / 2;
  const offX = x - (minX + halfX);
  const offY = y - (minY + halfY);
  const length = Math.sqrt(axisX * axisX + axisY * axisY);
  const acrossX = -axisY / length;
  const acrossY = axisX / length;
  const offAcross = offX * acrossX + offY * acrossY;
  const apartX = Math.abs(offX) - halfX - Math.abs(axisX);
  const apartY = Math.abs(offY) - halfY - Math.abs(axisY);
  const apartAcross = Math.abs(offAcross) - halfX * Math.abs(acrossX) - halfY * Math.abs(acrossY);
  const most = Math.max(apartX, apartY, apartAcross);
  out[0] = most;
  out[1] = most === apartX ? sign(offX) : most === apartY ? 0 : acrossX * sign(offAcross);
  out[2] = most === apartX ? 0 : most === apartY ? sign(offY) : acrossY * sign(offAcross);
  if (most <= TINY) return;
  // Apart: an end of the segment, or a corner of the box, is where they are nearest.
  let nearest = Infinity;
  for (let i = 0; i < 6; i++) {
    let bodyX: number;
    let bodyY: number;
    let boxX: number;
    let boxY: number;
    if (i < 2) {
      bodyX = i === 0 ? x + axisX : x - axisX;
      bodyY = i === 0 ? y + axisY : y - axisY;
      boxX = bodyX < minX ? minX : bodyX > maxX ? maxX : bodyX;
      boxY = bodyY < minY ? minY : bodyY > maxY ? maxY : bodyY;
    } else {
      boxX = (i & 1) === 0 ? minX : maxX;
      boxY = i < 4 ? minY : maxY;
      const along = nearestOnSegment(boxX - x, boxY - y, axisX, axisY);
      bodyX = x + axisX * along;
      bodyY = y + axisY * along;
    }
    const awayX = bodyX - boxX;
    const awayY = bodyY - boxY;
    const squared = awayX * awayX + awayY * awayY;
    if (squared >= nearest || squared === 0) continue;
    nearest = squared;
    const distance = Math.sqrt(squared);
    out[0] = distance;
    out[1] = awayX / distance;
    out[2] = awayY / distance;
  }
}

/** Where on the segment from -axis to axis, from -1 to 1, the point nearest to (toX, toY) is. */
function nearestOnSegment(toX: number, toY: number, axisX: number, axisY: number): number {
  const squared = axisX * axisX + axisY * axisY;
  if (squared < SHORT) return 0;
  const along = (toX * axisX + toY * axisY) / squared;
  return along < -1 ? -1 : along > 1 ? 1 : along;
}

function sign(value: number): number {
  return value < 0 ? -1 : 1;
}
