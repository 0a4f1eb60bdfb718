/** Moves, pushes, heights and rays in space against looking at every shape, and at every point of a way. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { separateFromBox, separateFromCircle } from "./separation.ts";
import { StaticGeometry } from "./static-geometry.ts";
import type { BoxShape, CircleShape, StaticsOptions } from "./shapes.ts";

/** Evenly spread, unlike `fc.double`, whose numbers are mostly next to nothing. */
const number = (min: number, max: number) =>
  fc.integer({ min: Math.round(min * 4096), max: Math.round(max * 4096) }).map((n) => n / 4096);
const around = number(-12, 12);
const size = number(0.0625, 2.5);
/** Bottom, and how far up from there. */
const heights = fc.oneof(fc.tuple(number(-2, 4), number(0.1, 4)), fc.constant([-Infinity, Infinity] as const));
const maps = fc.record({
  boxes: fc.array(
    fc
      .tuple(around, around, size, size, heights)
      .map(([x, y, width, height, tall]): BoxShape => ({ x, y, width, height, bottom: tall[0], top: topOf(tall) })),
    { maxLength: 8 },
  ),
  circles: fc.array(
    fc
      .tuple(around, around, size, heights)
      .map(([x, y, radius, tall]): CircleShape => ({ x, y, radius, bottom: tall[0], top: topOf(tall) })),
    { maxLength: 4 },
  ),
});

/** The distance of a capsule from the nearest shape that reaches into (low, high), shape by shape. */
function clearance(
  { boxes = [], circles = [] }: StaticsOptions,
  x: number,
  y: number,
  axisX: number,
  axisY: number,
  low = -Infinity,
  high = Infinity,
): number {
  const out = new Float64Array(3);
  let nearest = Infinity;
  const reaches = ({ bottom = -Infinity, top = Infinity }: BoxShape | CircleShape): boolean =>
    top > low && bottom < high;
  for (const box of boxes.filter(reaches)) {
    const halfWidth = box.width / 2;
    const halfHeight = box.height / 2;
    separateFromBox(
      out,
      x,
      y,
      axisX,
      axisY,
      box.x - halfWidth,
      box.y - halfHeight,
      box.x + halfWidth,
      box.y + halfHeight,
    );
    nearest = Math.min(nearest, out[0]);
  }
  for (const circle of circles.filter(reaches)) {
    separateFromCircle(out, x, y, axisX, axisY, circle.x, circle.y, circle.radius);
    nearest = Math.min(nearest, out[0]);
  }
  return nearest;
}

function topOf([bottom, tall]: readonly [number, number]): number {
  return bottom === -Infinity ? Infinity : bottom + tall;
}

/** Two posts with a gap between them. */
function gate(gap: number): StaticGeometry {
  return new StaticGeometry({
    circles: [
      { x: 0, y: 3 + gap / 2, radius: 3 },
      { x: 0, y: -3 - gap / 2, radius: 3 },
    ],
  });
}

describe("separation", () => {
  it("is the distance of the nearest two points, for segments and points", () => {
    const out = new Float64Array(3);
    fc.assert(
      fc.property(around, around, number(-3, 3), number(-3, 3), size, size, (x, y, axisX, axisY, width, height) => {
        separateFromBox(out, x, y, axisX, axisY, -width, -height, width, height);
        const [found, normalX, normalY] = out;
        assert.ok(Math.abs(Math.hypot(normalX, normalY) - 1) < 1e-9);
        let least = Infinity;
        for (let i = 0; i <= 400; i++) {
          const px = x + axisX * (i / 200 - 1);
          const py = y + axisY * (i / 200 - 1);
          least = Math.min(least, Math.hypot(Math.max(0, Math.abs(px) - width), Math.max(0, Math.abs(py) - height)));
        }
        if (found > 0) {
          assert.ok(least >= found - 1e-9 && least < found + 0.05, `${found}, but ${least} by sampling`);
        } else {
          // Just out along the normal, and not before.
          separateFromBox(out, x - normalX * found, y - normalY * found, axisX, axisY, -width, -height, width, height);
          assert.ok(Math.abs(out[0]) < 1e-9, `${out[0]} left`);
        }
      }),
      { seed: 31, numRuns: 3000 },
    );
  });
});

describe("moving bodies", () => {
  it("ends no move inside a shape, however far it goes, for circles and capsules at any height", () => {
    let touching = 0;
    fc.assert(
      fc.property(
        maps,
        fc.tuple(around, around, number(-2, 2), number(-2, 2), number(0.1, 1.5)),
        fc.array(fc.tuple(around, around, fc.constantFrom(0.01, 0.1, 1, 100, 1000)), { minLength: 1, maxLength: 12 }),
        fc.option(fc.tuple(number(-1, 4), number(0.5, 2)), { nil: undefined }),
        fc.boolean(),
        (map, [x, y, alongX, alongY, radius], moves, tall, isCircle) => {
          const geometry = new StaticGeometry(map);
          const axisX = isCircle ? 0 : alongX;
          const axisY = isCircle ? 0 : alongY;
          const low = tall === undefined ? -Infinity : tall[0];
          const high = tall === undefined ? Infinity : tall[0] + tall[1];
          if (clearance(map, x, y, axisX, axisY, low, high) < radius) return;
          const point = { x, y };
          for (const [dx, dy, factor] of moves) {
            const from = { ...point };
            const touched = geometry.moveCapsule(point, radius, axisX, axisY, dx * factor, dy * factor, low, high);
            const left = clearance(map, point.x, point.y, axisX, axisY, low, high) - radius;
            assert.ok(left > -1e-8, `${-left} deep after ${dx * factor}, ${dy * factor}`);
            assert.ok(Math.hypot(point.x - from.x, point.y - from.y) <= Math.hypot(dx, dy) * factor + 1e-6);
            if (touched) touching++;
            // What did not touch anything went straight, and nothing was in the way.
            if (touched || factor > 1) continue;
            assert.ok(Math.hypot(point.x - from.x - dx * factor, point.y - from.y - dy * factor) < 1e-9);
            for (let i = 0; i <= 50; i++) {
              const at = clearance(
                map,
                from.x + (dx * factor * i) / 50,
                from.y + (dy * factor * i) / 50,
                axisX,
                axisY,
                low,
                high,
              );
              assert.ok(at > radius - 1e-8, `passed through ${radius - at} of a shape`);
            }
          }
        },
      ),
      { seed: 32, numRuns: 2000 },
    );
    assert.ok(touching > 400, `${touching} contacts`);
  });

  it("lets nothing out of a closed room with thin walls, at any speed", () => {
    const room = new StaticGeometry({
      boxes: [
        { x: 0, y: 5, width: 10.02, height: 0.02 },
        { x: 0, y: -5, width: 10.02, height: 0.02 },
        { x: 5, y: 0, width: 0.02, height: 10.02 },
        { x: -5, y: 0, width: 0.02, height: 10.02 },
        { x: 1, y: 1, width: 2, height: 0.02 },
      ],
      circles: [{ x: -2, y: -2, radius: 0.7 }],
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(around, around, fc.constantFrom(0.01, 0.3, 10, 10_000)), { maxLength: 60 }),
        fc.constantFrom(0, 0.6),
        (moves, axis) => {
          const point = { x: 0, y: 0 };
          for (const [dx, dy, factor] of moves) {
            room.moveCapsule(point, 0.3, axis, axis / 2, dx * factor, dy * factor);
            assert.ok(Math.max(Math.abs(point.x), Math.abs(point.y)) < 4.7, `got out to ${point.x}, ${point.y}`);
          }
        },
      ),
      { seed: 33, numRuns: 500 },
    );
  });

  it("never squeezes through a gap that is too narrow, and always goes through one that is not", () => {
    for (const speed of [0.05, 0.7, 5, 100]) {
      for (const [gap, through] of [
        [0.96, false],
        [1.04, true],
      ] as const) {
        const geometry = gate(gap);
        const point = { x: -4, y: 0.03 };
        for (let way = 0; way < 8; way += speed) geometry.moveCircle(point, 0.5, speed, 0);
        assert.equal(point.x > 0, through, `gap ${gap}, ${speed} a step: ${point.x}, ${point.y}`);
      }
    }
  });

  it("slides round a corner and along a circle without losing what is along them", () => {
    const geometry = new StaticGeometry({
      boxes: [{ x: 0, y: 2, width: 4, height: 2 }],
      circles: [{ x: 10, y: 0, radius: 2 }],
    });
    const point = { x: 1.9, y: 0.5 };
    assert.ok(geometry.moveCircle(point, 0.5, 0.4, 0.4));
    geometry.moveCircle(point, 0.5, 0.4, 0.4);
    assert.ok(Math.abs(point.x - 2.7) < 0.05 && point.y > 0.5, `${point.x}, ${point.y}`);
    const other = { x: 7, y: 0.2 };
    for (let i = 0; i < 200; i++) geometry.moveCircle(other, 0.5, 0.1, 0);
    assert.ok(other.x > 10 && other.y > 2, "went round the circle");
  });

  it("frees a body that rounding put into a wall, and keeps one that has no room", () => {
    const geometry = new StaticGeometry({
      boxes: [
        { x: 0, y: 2, width: 10, height: 2 },
        { x: 20, y: 0.7, width: 2, height: 0.4 },
        { x: 20, y: -0.7, width: 2, height: 0.4 },
      ],
    });
    const point = { x: 0, y: 0.502 };
    assert.ok(geometry.moveCircle(point, 0.5, 0, 0));
    assert.ok(Math.abs(point.y - 0.5) < 1e-9);
    const stuck = { x: 20, y: 0.1 };
    assert.ok(geometry.moveCircle(stuck, 0.6, 0, 0));
    assert.ok(Number.isFinite(stuck.x) && Math.abs(stuck.x - 20) < 1e-9);
    const nowhere = { x: 0, y: -5 };
    assert.equal(geometry.moveCircle(nowhere, 0.5, Number.NaN, 1), false);
    assert.equal(geometry.moveCircle(nowhere, 0.5, Infinity, 1), false);
    assert.deepEqual(nowhere, { x: 0, y: -5 });
  });
});

describe("heights", () => {
  it("finds the ground and the ceiling that looking at every shape finds", () => {
    fc.assert(
      fc.property(maps, around, around, number(0.1, 2), number(-3, 8), (map, x, y, radius, z) => {
        const geometry = new StaticGeometry({ ...map, floor: -1 });
        let ground = -1;
        let ceiling = Infinity;
        for (const shape of [
          ...map.boxes.map((box) => ({ boxes: [box] })),
          ...map.circles.map((circle) => ({ circles: [circle] })),
        ]) {
          if (clearance(shape, x, y, 0, 0) >= radius - 1e-9) continue;
          const { bottom = -Infinity, top = Infinity } = "boxes" in shape ? shape.boxes[0] : shape.circles[0];
          if (top <= z) ground = Math.max(ground, top);
          if (bottom >= z) ceiling = Math.min(ceiling, bottom);
        }
        assert.equal(geometry.groundBelow(x, y, radius, z), ground);
        assert.equal(geometry.ceilingAbove(x, y, radius, z), ceiling);
      }),
      { seed: 34, numRuns: 2000 },
    );
  });

  it("meets only what reaches into the heights of a query", () => {
    const geometry = new StaticGeometry({ boxes: [{ x: 0, y: 0, width: 2, height: 2, bottom: 1, top: 2 }] });
    assert.ok(geometry.overlaps(0, 0, 0.5));
    assert.ok(geometry.overlaps(0, 0, 0.5, 0, 1.5));
    assert.ok(!geometry.overlaps(0, 0, 0.5, 0, 1), "under it");
    assert.ok(!geometry.overlaps(0, 0, 0.5, 2, 3), "over it");
    assert.throws(
      () => new StaticGeometry({ boxes: [{ x: 0, y: 0, width: 1, height: 1, bottom: 2, top: 1 }] }),
      RangeError,
    );
    assert.throws(() => new StaticGeometry({ floor: Number.NaN }), RangeError);
  });
});

describe("rays in space", () => {
  it("stop where walking along them first comes into a shape or to the floor", () => {
    let hits = 0;
    fc.assert(
      fc.property(maps, around, around, number(0, 6), number(-4, 4), number(-1.5, 1.5), (map, x, y, z, turn, tilt) => {
        const geometry = new StaticGeometry({ ...map, floor: -2 });
        const dx = Math.cos(turn) * Math.cos(tilt);
        const dy = Math.sin(turn) * Math.cos(tilt);
        const dz = Math.sin(tilt);
        const range = 20;
        const inside = (t: number): boolean =>
          z + dz * t < -2 || clearance(map, x + dx * t, y + dy * t, 0, 0, z + dz * t + 1e-6, z + dz * t - 1e-6) < -1e-4;
        const found = geometry.raycastInSpace(x, y, z, dx, dy, dz, range);
        for (let i = 0; i < 400; i++) {
          const t = (Math.min(found, range) * i) / 400;
          assert.ok(!inside(t) || found === 0, `inside at ${t}, reported ${found}`);
        }
        if (found === Infinity) return;
        hits++;
        const px = x + dx * found;
        const py = y + dy * found;
        const pz = z + dz * found;
        const near = clearance(map, px, py, 0, 0, pz - 1e-6, pz + 1e-6);
        assert.ok(near < 1e-6 || Math.abs(pz + 2) < 1e-6 || found === 0, `${near} away from what it hit`);
      }),
      { seed: 35, numRuns: 1000 },
    );
    assert.ok(hits > 300, `${hits} hits`);
  });

  it("goes straight up and down", () => {
    const geometry = new StaticGeometry({ boxes: [{ x: 0, y: 0, width: 2, height: 2, bottom: 3, top: 4 }] });
    assert.equal(geometry.raycastInSpace(0, 0, 1, 0, 0, 1, 10), 2);
    assert.equal(geometry.raycastInSpace(0, 0, 9, 0, 0, -1, 10), 5);
    assert.equal(geometry.raycastInSpace(5, 0, 9, 0, 0, -1, 10), 9);
    assert.equal(geometry.raycastInSpace(5, 0, 9, 0, 0, -1, 8), Infinity);
  });
});
