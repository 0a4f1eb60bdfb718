import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { spreadCircles } from "./spread.ts";

const GAP = 4;

it("leaves circles that are far apart where they are", () => {
  const circles = [
    { x: 0, y: 0, radius: 10 },
    { x: 30, y: 0, radius: 10 },
  ];
  assert.deepEqual(
    spreadCircles(circles, GAP).map(({ x, y }) => [x, y]),
    [
      [0, 0],
      [30, 0],
    ],
  );
});

it("parts those that lie on each other, also in one place, and the same way each time", () => {
  const circle = fc.record({
    x: fc.integer({ min: 0, max: 40 }),
    y: fc.integer({ min: 0, max: 40 }),
    radius: fc.integer({ min: 5, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(circle, { minLength: 2, maxLength: 6 }), (circles) => {
      const places = spreadCircles(circles, GAP);
      assert.deepEqual(places, spreadCircles(circles, GAP));
      for (let i = 0; i < circles.length; i++)
        for (let j = i + 1; j < circles.length; j++) {
          const distance = Math.hypot(places[j].x - places[i].x, places[j].y - places[i].y);
          assert.ok(distance > circles[i].radius + circles[j].radius, `${distance}`);
        }
    }),
    { seed: 3, numRuns: 300 },
  );
});
