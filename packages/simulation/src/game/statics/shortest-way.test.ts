import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { StaticGeometry } from "./static-geometry.ts";

const number = (min: number, max: number) =>
  fc.integer({ min: Math.round(min * 4096), max: Math.round(max * 4096) }).map((n) => n / 4096);

const side = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });

describe("shortestWay", () => {
  it("goes around the nearer end of a wall", () => {
    const statics = new StaticGeometry({ boxes: [{ x: 0, y: 0, width: 8, height: 0.2 }] });
    const radius = 0.5;
    const corner = 0.1 + radius * Math.SQRT1_2;
    const expected = 2 * Math.hypot(4 + radius * Math.SQRT1_2 - 3, 2 - corner) + 2 * corner;
    assert.ok(Math.abs(statics.shortestWay(3, 2, 3, -2, radius, 20) - expected) < 1e-9);
    assert.equal(statics.shortestWay(3, 2, 3, -2, radius, expected - 0.01), Infinity);
    assert.equal(statics.shortestWay(3, 2, -3, 2, radius, 6), 6, "nothing in the way");
    assert.equal(statics.shortestWay(3, 2, 3, -2, radius, 3.9), Infinity, "not even straight");
  });

  it("finds no way out of a closed room, and none to where a wall is", () => {
    const statics = new StaticGeometry({
      boxes: [side(0, 3, 6.2, 0.2), side(0, -3, 6.2, 0.2), side(3, 0, 0.2, 6.2), side(-3, 0, 0.2, 6.2)],
    });
    assert.equal(statics.shortestWay(0, 0, 5, 0, 0.4, 1000), Infinity);
    assert.equal(statics.shortestWay(0, 0, 2, 1, 0.4, 1000), Math.sqrt(5));
  });

  it("looks at no wall that is over or under what it is asked about", () => {
    const statics = new StaticGeometry({ boxes: [{ x: 0, y: 0, width: 80, height: 1, bottom: 0, top: 1 }] });
    assert.equal(statics.shortestWay(0, 2, 0, -2, 0.5, 6, 0.5, 2), Infinity);
    assert.equal(statics.shortestWay(0, 2, 0, -2, 0.5, 6, 1.5, 2), 4);
  });

  it("is never longer than a way that was really gone", () => {
    const maps = fc.record({
      boxes: fc.array(
        fc.record({ x: number(-8, 8), y: number(-8, 8), width: number(0.1, 4), height: number(0.1, 4) }),
        { maxLength: 12 },
      ),
      circles: fc.array(fc.record({ x: number(-8, 8), y: number(-8, 8), radius: number(0.1, 2) }), { maxLength: 6 }),
    });
    let around = 0;
    fc.assert(
      fc.property(maps, fc.array(fc.tuple(number(-1, 1), number(-1, 1)), { maxLength: 20 }), (map, moves) => {
        const statics = new StaticGeometry(map);
        if (statics.overlaps(0, 0, 0.5)) return;
        const point = { x: 0, y: 0 };
        let gone = 0;
        for (const [dx, dy] of moves) {
          for (let i = 0; i < 10; i++) {
            const { x, y } = point;
            statics.moveCircle(point, 0.5, dx / 5, dy / 5);
            gone += Math.hypot(point.x - x, point.y - y);
          }
          // A slide goes along two sides within one move.
          const limit = gone * Math.SQRT2 + 1e-6;
          const way = statics.shortestWay(0, 0, point.x, point.y, 0.49, limit);
          assert.ok(way <= limit, `went ${gone}, but ${way} is the least`);
          if (way > Math.hypot(point.x, point.y) + 1e-6) around++;
        }
      }),
      { seed: 51, numRuns: 1000 },
    );
    assert.ok(around > 100, `${around} ways around something`);
  });
});
