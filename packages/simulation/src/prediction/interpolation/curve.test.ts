import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { InterpolationUtils } from "./interpolation-utils.ts";

const { extrapolatedTicks, hermite, speedAfter } = InterpolationUtils;

const number = fc.double({ min: -100, max: 100, noNaN: true });
const ticks = fc.double({ min: 0.5, max: 20, noNaN: true });

describe("extrapolatedTicks", () => {
  it("goes at full speed, then ever slower, and stops at three quarters of the limit", () => {
    fc.assert(
      fc.property(ticks, fc.double({ min: 0, max: 40, noNaN: true }), (limit, over) => {
        const at = extrapolatedTicks(over, limit);
        const speed = (extrapolatedTicks(over + 1e-4, limit) - at) / 1e-4;
        const later = (extrapolatedTicks(over + 0.1 + 1e-4, limit) - extrapolatedTicks(over + 0.1, limit)) / 1e-4;
        if (over <= limit / 2) assert.equal(at, over);
        assert.ok(at <= limit * 0.75 + 1e-9);
        assert.ok(speed >= -1e-6 && speed <= 1 + 1e-6 && later <= speed + 1e-6, `speed ${speed}, then ${later}`);
        if (over >= limit) assert.ok(Math.abs(at - limit * 0.75) < 1e-9);
      }),
      { seed: 71 },
    );
    assert.equal(extrapolatedTicks(-3, 6), 0);
    assert.equal(extrapolatedTicks(5, 0), 0);
  });
});

describe("hermite", () => {
  it("is every cubic exactly, with its speeds at both ends", () => {
    fc.assert(
      fc.property(number, number, number, number, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, c, d, t) => {
        const at = (x: number): number => a + b * x + c * x * x + d * x * x * x;
        assert.ok(Math.abs(hermite(at(0), at(1), b, b + 2 * c + 3 * d, t) - at(t)) < 1e-9);
      }),
      { seed: 72 },
    );
  });
});

describe("speedAfter", () => {
  it("is the speed of the parabola through three points, where that goes on", () => {
    fc.assert(
      fc.property(number, number, ticks, ticks, (speed, bend, before, after) => {
        const at = (x: number): number => speed * x + bend * x * x;
        const earlier = at(before) / before;
        const mean = (at(before + after) - at(before)) / after;
        const exact = speed + 2 * bend * (before + after);
        const guess = speedAfter(mean, after, earlier, before);
        if (exact * mean <= 0) assert.equal(guess, 0);
        else assert.ok(Math.abs(guess - Math.sign(mean) * Math.min(Math.abs(exact), Math.abs(3 * mean))) < 1e-6);
      }),
      { seed: 73 },
    );
    assert.equal(speedAfter(0, 2, 5, 2), 0, "what stands is not thrown back");
    assert.equal(speedAfter(3, 2, 3, 9), 3);
  });
});
