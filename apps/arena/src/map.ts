/**
 * The arena's floor plan: boxes, four-fold symmetric, so that no side has the better ground.
 * One quarter is written down and turned three times.
 */
import { StaticGeometry } from "@riposte/simulation";
import { FIELD } from "./rules.ts";

/** An axis-aligned wall: its centre and full size, in metres. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Thickness of the wall around the field; the inside begins at FIELD - BORDER. */
export const BORDER = 1.5;

/** [x, y, width, height] in the quarter x > 0, y > 0, and what reaches over the axes. */
const QUARTER: readonly (readonly [number, number, number, number])[] = [
  // The heart: a broken ring round the middle.
  [6.6, 9, 5.2, 1.2],
  [9, 6.0, 1.2, 4.8],
  // A block on each axis keeps the long lanes from being one long line of fire.
  [0, 16.5, 7, 2.4],
  // The room: three walls, two doors and a broken corner.
  [19.5, 15, 8, 1.2],
  [30, 15, 5, 1.2],
  [15, 19.5, 1.2, 8],
  [15, 30, 1.2, 5],
  [33, 21.5, 1.2, 7],
  [21.5, 33, 7, 1.2],
  [32.2, 32.2, 3.2, 3.2],
  [24, 24, 3.4, 3.4],
  // Edges: crates and fences.
  [41, 8, 1.2, 9],
  [41, 29, 5, 1.4],
  [29, 41, 1.4, 5],
  [41.5, 41.5, 4, 1.2],
  [42.9, 40, 1.2, 4.2],
  [26.5, 4.6, 6, 1.2],
  [4.6, 26.5, 1.2, 6],
  [8, 41, 9, 1.2],
  [33.5, 0, 2.4, 5],
  [0, 44.2, 2.4, 3.4],
];

const SPAWN_QUARTER: readonly (readonly [number, number])[] = [
  [45.5, 45.5],
  [19.5, 19.5],
  [28.5, 28],
  [36.8, 18],
  [18, 36.8],
  [45.5, 5],
  [37.5, 37.5],
  [24, 9.5],
  [12.5, 0],
];

function turn([x, y, width, height]: readonly [number, number, number, number], quarters: number): Box {
  for (let i = 0; i < quarters; i++) [x, y, width, height] = [-y, x, height, width];
  return { x: x + 0, y: y + 0, width, height };
}

const edge = FIELD - BORDER / 2;

/** Every wall, the four outer ones first. */
export const walls: readonly Box[] = [
  { x: 0, y: -edge, width: 2 * FIELD, height: BORDER },
  { x: 0, y: edge, width: 2 * FIELD, height: BORDER },
  { x: -edge, y: 0, width: BORDER, height: 2 * FIELD },
  { x: edge, y: 0, width: BORDER, height: 2 * FIELD },
  ...[0, 1, 2, 3].flatMap((quarters) => QUARTER.map((box) => turn(box, quarters))),
];

export const spawnPoints: readonly Point[] = [0, 1, 2, 3].flatMap((quarters) =>
  SPAWN_QUARTER.map(([x, y]) => turn([x, y, 0, 0], quarters)),
);

/** The same walls for movement, shots, bots and the picture. */
export const arenaStatics: StaticGeometry = new StaticGeometry({ boxes: walls });
