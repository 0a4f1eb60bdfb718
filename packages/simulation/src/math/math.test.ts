import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import {
  errorInUlps,
  exactAcos,
  exactAsin,
  exactAtan,
  exactAtan2,
  exactCos,
  exactExp,
  exactHypot,
  exactLog,
  exactPow,
  exactSin,
  exactTan,
} from "../../test/exact-math.ts";
import type { Exact } from "../../test/exact-math.ts";
import { hashSamples, GOLDEN } from "../../test/math-samples.ts";
import { halved } from "./half-life.ts";
import { acos, asin, atan, atan2, cos, exp, hypot, log, pow, sin, tan } from "./index.ts";

const RUNS = { numRuns: 400, seed: 10 };
const { abs } = Math;
const math = { acos, asin, atan, atan2, cos, exp, hypot, log, pow, sin, tan };
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
/** As large as angles are in games, and as near to a multiple of pi/4 as can be. */
const angle = fc.double({ noNaN: true, min: -1000, max: 1000 });
const nearTurn = fc
  .tuple(fc.integer({ min: -4_000_000, max: 4_000_000 }), fc.integer({ min: -3, max: 3 }))
  .map(([eighths, steps]) => eighths * (Math.PI / 4) * (1 + steps * Number.EPSILON));
const anyAngle = fc.oneof(angle, nearTurn, finite);
const unit = fc.double({ noNaN: true, min: -1, max: 1 });
const positive = fc.double({ noNaN: true, min: 5e-324, max: 1.7e308 });

/** Largest error in units in the last place that the documentation grants, and where to look for it. */
const ONE_ARGUMENT: [
  "sin" | "cos" | "tan" | "atan" | "asin" | "acos" | "exp" | "log",
  number,
  fc.Arbitrary<number>,
  (x: number) => Exact,
][] = [
  ["sin", 0.9, anyAngle, exactSin],
  ["cos", 0.9, anyAngle, exactCos],
  ["tan", 3, anyAngle, exactTan],
  ["atan", 0.9, fc.oneof(angle, unit, finite), exactAtan],
  ["asin", 2.5, unit, exactAsin],
  ["acos", 2.5, unit, exactAcos],
  ["exp", 1, fc.double({ noNaN: true, min: -745, max: 709.7 }), exactExp],
  ["log", 1, fc.oneof(positive, fc.double({ noNaN: true, min: 0.5, max: 2 })), exactLog],
];

describe("accuracy against exact arithmetic", () => {
  for (const [name, limit, argument, exact] of ONE_ARGUMENT) {
    it(`${name}: below ${limit} units in the last place`, (t) => {
      let worst = 0;
      fc.assert(
        fc.property(argument, (x) => {
          // So near to 0 the exact arithmetic has too few digits, and these return x, as is tested below.
          if (abs(x) < 1e-20 && name !== "log") return;
          const error = errorInUlps(math[name](x), exact(x));
          worst = Math.max(worst, error);
          assert.ok(error < limit, `${name}(${x}) = ${math[name](x)}: ${error}`);
        }),
        RUNS,
      );
      t.diagnostic(`largest error ${worst.toFixed(4)}`);
    });
  }

  it("atan2: below 1.6 units in the last place", (t) => {
    let worst = 0;
    const coordinate = fc.double({ noNaN: true, min: -1000, max: 1000 }).filter((x) => abs(x) > 1e-15);
    fc.assert(
      fc.property(coordinate, coordinate, (y, x) => {
        const error = errorInUlps(math.atan2(y, x), exactAtan2(y, x));
        worst = Math.max(worst, error);
        assert.ok(error < 1.6, `atan2(${y}, ${x}): ${error}`);
      }),
      RUNS,
    );
    t.diagnostic(`largest error ${worst.toFixed(4)}`);
  });

  it("hypot: below 1.3 units in the last place", (t) => {
    let worst = 0;
    const side = fc.oneof(angle, fc.double({ noNaN: true, min: -8e307, max: 8e307 }));
    fc.assert(
      fc.property(side, side, (x, y) => {
        if (x === 0 && y === 0) return;
        const error = errorInUlps(math.hypot(x, y), exactHypot(x, y));
        worst = Math.max(worst, error);
        assert.ok(error < 1.3, `hypot(${x}, ${y}): ${error}`);
      }),
      RUNS,
    );
    t.diagnostic(`largest error ${worst.toFixed(4)}`);
  });

  it("pow: below 1 unit in the last place, also next to overflow and among the smallest numbers", (t) => {
    let worst = 0;
    const base = fc.oneof(positive, fc.double({ noNaN: true, min: 0.5, max: 2 }));
    const exponent = fc.oneof(fc.double({ noNaN: true, min: -1, max: 1 }), angle);
    fc.assert(
      fc.property(base, exponent, (x, given) => {
        // Into the range of numbers: 2^-1073 to 2^1023.
        const largest = 1023 / abs(Math.log2(x));
        const y = Math.max(-largest, Math.min(largest, given));
        if (!Number.isFinite(y) || y === 0) return;
        const error = errorInUlps(math.pow(x, y), exactPow(x, y));
        worst = Math.max(worst, error);
        assert.ok(error < 1, `pow(${x}, ${y}): ${error}`);
      }),
      RUNS,
    );
    t.diagnostic(`largest error ${worst.toFixed(4)}`);
  });
});

const SPECIAL = [0, -0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1e20, 1e-300, 5e-324, -5e-324, 1.7e308, -1.7e308];
const ALL = [...SPECIAL, Infinity, -Infinity, NaN];

/** Zeros with their sign, infinities and NaN exactly; other numbers to the last places. */
function alike(mine: number, its: number): boolean {
  return Object.is(mine, its) || (its !== 0 && abs(mine - its) <= abs(its) * 5e-16);
}

describe("special values are those of Math", () => {
  for (const [name] of ONE_ARGUMENT)
    it(name, () => {
      for (const x of ALL) assert.ok(alike(math[name](x), Math[name](x)), `${name}(${x}) = ${math[name](x)}`);
    });
  for (const name of ["atan2", "hypot", "pow"] as const)
    it(name, () => {
      for (const x of ALL)
        for (const y of ALL)
          assert.ok(alike(math[name](x, y), Math[name](x, y)), `${name}(${x}, ${y}) = ${math[name](x, y)}`);
    });
});

describe("properties", () => {
  it("sin and atan are odd, cos is even, to the bit", () => {
    fc.assert(
      fc.property(finite, (x) => {
        assert.ok(Object.is(math.sin(-x), -math.sin(x)));
        assert.ok(Object.is(math.atan(-x), -math.atan(x)));
        assert.equal(math.cos(-x), math.cos(x));
      }),
      RUNS,
    );
  });

  it("whole powers of two are exact", () => {
    for (let n = -1074; n <= 1023; n++) assert.equal(math.pow(2, n), 2 ** n);
  });

  it("what fades by halves is halved", () => {
    assert.equal(halved(0), 1);
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: 0, max: 60 }), (times) => {
        assert.ok(abs(halved(times) / math.pow(0.5, times) - 1) < 1e-13);
      }),
      RUNS,
    );
  });

  it("a direction leads back to its angle", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -3.14, max: 3.14 }), (x) => {
        assert.ok(abs(math.atan2(math.sin(x), math.cos(x)) - x) < 1e-15);
      }),
      RUNS,
    );
  });

  it("exp never falls where x rises", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -745, max: 709 }), (x) => {
        assert.ok(math.exp(x + abs(x) * Number.EPSILON) >= math.exp(x));
      }),
      RUNS,
    );
  });

  it("results are the golden ones", () => {
    assert.deepEqual(hashSamples(), GOLDEN);
  });
});
