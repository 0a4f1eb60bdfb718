import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { rayBox, rayCircle } from "./rays.ts";
import { StaticGeometry } from "./static-geometry.ts";

const around = fc.double({ min: -40, max: 40, noNaN: true });
const size = fc.double({ min: 0.5, max: 12, noNaN: true });
const shapes = fc.record({
  boxes: fc.array(fc.record({ x: around, y: around, width: size, height: size }), { maxLength: 20 }),
  circles: fc.array(fc.record({ x: around, y: around, radius: size }), { maxLength: 8 }),
});

describe("StaticGeometry", () => {
  it("finds the same ray hits as looking at every shape", () => {
    let hits = 0;
    fc.assert(
      fc.property(shapes, around, around, fc.double({ min: -7, max: 7, noNaN: true }), (options, x, y, angle) => {
        const geometry = new StaticGeometry(options);
        const dx = Math.cos(angle);
        const dy = Math.sin(angle);
        let expected = Infinity;
        for (const box of options.boxes) {
          const left = box.x - box.width / 2;
          const top = box.y - box.height / 2;
          expected = Math.min(expected, rayBox(x, y, dx, dy, left, top, box.width, box.height));
        }
        for (const circle of options.circles)
          expected = Math.min(expected, rayCircle(x, y, dx, dy, circle.x, circle.y, circle.radius));
        const found = geometry.raycast(x, y, angle, 60);
        if (expected > 60) assert.equal(found, Infinity);
        else assert.ok(Math.abs(found - expected) < 1e-6, `${found} instead of ${expected}`);
        if (found < Infinity) hits++;
      }),
      { seed: 21, numRuns: 2000 },
    );
    assert.ok(hits > 300);
  });

  it("hits a box from either side, at the right distance", () => {
    const geometry = new StaticGeometry({ boxes: [{ x: 10, y: 0, width: 2, height: 4 }] });
    assert.ok(Math.abs(geometry.raycast(0, 0, 0, 100) - 9) < 1e-9);
    assert.ok(Math.abs(geometry.raycast(20, 0, Math.PI, 100) - 9) < 1e-9);
    assert.equal(geometry.raycast(0, 0, 0, 8.9), Infinity);
    assert.equal(geometry.raycast(0, 3, 0, 100), Infinity);
    assert.equal(geometry.raycast(Number.NaN, 0, 0, 100), Infinity);
    assert.equal(new StaticGeometry().raycast(0, 0, 0, 100), Infinity);
  });

  it("lets no circle that starts outside walk into a wall, however fast", () => {
    const geometry = new StaticGeometry({
      boxes: [
        { x: 0, y: 5, width: 40, height: 1 },
        { x: 0, y: -5, width: 40, height: 1 },
      ],
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(around, around), { maxLength: 30 }), (moves) => {
        const point = { x: 0, y: 0 };
        for (const [dx, dy] of moves) {
          geometry.moveCircle(point, 0.5, dx / 4, dy / 4);
          if (Math.abs(point.x) > 20) break;
          assert.ok(Math.abs(point.y) <= 4 + 1e-9, `went to ${point.x}, ${point.y}`);
        }
      }),
      { seed: 22, numRuns: 500 },
    );
  });

  it("slides along a wall instead of stopping", () => {
    const geometry = new StaticGeometry({ boxes: [{ x: 0, y: 5, width: 40, height: 2 }] });
    const point = { x: 0, y: 3 };
    assert.equal(geometry.moveCircle(point, 0.5, 1, 1), true);
    assert.ok(Math.abs(point.x - 1) < 1e-9);
    assert.ok(Math.abs(point.y - 3.5) < 1e-9);
    assert.equal(geometry.moveCircle(point, 0.5, 0, -1), false);
  });

  it("rejects shapes without a size", () => {
    assert.throws(() => new StaticGeometry({ circles: [{ x: 0, y: 0, radius: 0 }] }), RangeError);
    assert.throws(() => new StaticGeometry({ boxes: [{ x: Number.NaN, y: 0, width: 1, height: 1 }] }), RangeError);
  });
});
