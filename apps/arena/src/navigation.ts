/** The way round the walls for bots: for each known goal a field of walking distances over one-metre cells. */
import { arenaStatics, spawnPoints } from "./map.ts";
import type { Point } from "./map.ts";
import { FIELD, PLAYER_RADIUS } from "./rules.ts";

const SIDE = FIELD * 2;
const UNREACHED = 0xffff;
const AROUND: readonly (readonly [number, number])[] = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [1, -1],
  [-1, 1],
  [-1, -1],
];

/** Where bots may want to go. */
export const goals: readonly Point[] = [...spawnPoints, { x: 0, y: 0 }];

const open = new Uint8Array(SIDE * SIDE);
for (let cell = 0; cell < open.length; cell++) {
  if (!arenaStatics.overlaps(centerOf(cell % SIDE), centerOf(Math.floor(cell / SIDE)), PLAYER_RADIUS)) open[cell] = 1;
}
const fields = new Map<number, Uint16Array>();

/** Writes into `way` the point to walk to next on the way from (x, y) to `goals[goal]`; false when there is none. */
export function nextStep(x: number, y: number, goal: number, way: { x: number; y: number }): boolean {
  return descend(fieldOf(goal), x, y, way);
}

/** The goal nearest to a place, as the crow flies. */
export function goalNear(x: number, y: number): number {
  let best = 0;
  for (let i = 1; i < goals.length; i++) {
    if (Math.hypot(goals[i].x - x, goals[i].y - y) < Math.hypot(goals[best].x - x, goals[best].y - y)) best = i;
  }
  return best;
}

/** Whether nothing stands between two places, for something `radius` thick. */
export function clearLine(x: number, y: number, toX: number, toY: number, radius = 0): boolean {
  const length = Math.hypot(toX - x, toY - y);
  const angle = Math.atan2(toY - y, toX - x);
  if (arenaStatics.raycast(x, y, angle, length) < length) return false;
  if (radius === 0) return true;
  const asideX = -Math.sin(angle) * radius;
  const asideY = Math.cos(angle) * radius;
  return (
    arenaStatics.raycast(x + asideX, y + asideY, angle, length) >= length &&
    arenaStatics.raycast(x - asideX, y - asideY, angle, length) >= length
  );
}

/** A path from one place to another, corner by corner, without the start. */
export function pathBetween(from: Point, to: Point): Point[] {
  const field = flood(cellOf(to.x, to.y));
  const path: Point[] = [];
  const at = { x: from.x, y: from.y };
  for (let i = 0; i < SIDE * 4 && Math.hypot(at.x - to.x, at.y - to.y) > 1.5; i++) {
    if (!descend(field, at.x, at.y, at)) break;
    path.push({ x: at.x, y: at.y });
  }
  return path;
}

function fieldOf(goal: number): Uint16Array {
  let field = fields.get(goal);
  if (field === undefined) {
    field = flood(cellOf(goals[goal].x, goals[goal].y));
    fields.set(goal, field);
  }
  return field;
}

/** Distances to `start`, straight steps 5 and slanted ones 7. */
function flood(start: number): Uint16Array {
  const distance = new Uint16Array(SIDE * SIDE).fill(UNREACHED);
  distance[start] = 0;
  let edge = [start];
  while (edge.length > 0) {
    const next: number[] = [];
    for (const cell of edge) {
      for (const [dx, dy] of AROUND) {
        const neighbour = stepFrom(cell, dx, dy);
        const cost = distance[cell] + (dx !== 0 && dy !== 0 ? 7 : 5);
        if (neighbour < 0 || distance[neighbour] <= cost) continue;
        distance[neighbour] = cost;
        next.push(neighbour);
      }
    }
    edge = next;
  }
  return distance;
}

function descend(field: Uint16Array, x: number, y: number, way: { x: number; y: number }): boolean {
  let cell = cellOf(x, y);
  if (field[cell] === 0) return false;
  if (field[cell] === UNREACHED) {
    // Leaning on a wall: the nearest open cell will do.
    for (const [dx, dy] of AROUND) {
      const column = (cell % SIDE) + dx;
      const row = Math.floor(cell / SIDE) + dy;
      const other = row * SIDE + column;
      if (column < 0 || row < 0 || column >= SIDE || row >= SIDE || field[other] === UNREACHED) continue;
      way.x = centerOf(column);
      way.y = centerOf(row);
      return true;
    }
    return false;
  }
  for (let i = 0; i < 2; i++) {
    let best = cell;
    for (const [dx, dy] of AROUND) {
      const neighbour = stepFrom(cell, dx, dy);
      if (neighbour >= 0 && field[neighbour] < field[best]) best = neighbour;
    }
    cell = best;
  }
  way.x = centerOf(cell % SIDE);
  way.y = centerOf(Math.floor(cell / SIDE));
  return true;
}

/** The neighbour of a cell, or -1 when a wall is there or cuts the corner. */
function stepFrom(cell: number, dx: number, dy: number): number {
  const column = (cell % SIDE) + dx;
  const row = Math.floor(cell / SIDE) + dy;
  if (column < 0 || row < 0 || column >= SIDE || row >= SIDE) return -1;
  const target = row * SIDE + column;
  if (open[target] === 0) return -1;
  if (dx !== 0 && dy !== 0 && (open[cell + dx] === 0 || open[cell + dy * SIDE] === 0)) return -1;
  return target;
}

function cellOf(x: number, y: number): number {
  const column = Math.max(0, Math.min(SIDE - 1, Math.floor(x + FIELD)));
  const row = Math.max(0, Math.min(SIDE - 1, Math.floor(y + FIELD)));
  return row * SIDE + column;
}

function centerOf(index: number): number {
  return index - FIELD + 0.5;
}
