import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { shareFairly } from "./fair-share.ts";
import type { Want } from "./fair-share.ts";

function share(seats: number, wanted: readonly number[], maxShare = 1, leastPart = 1): number[] {
  const wants = wanted.map((one, i): Want => ({ wanted: one, tieBreak: i, target: -1 }));
  shareFairly(Array.from(wants), seats, maxShare, leastPart);
  return wants.map(({ target }) => target);
}

function withGroups(seats: number, wants: readonly (readonly [wanted: number, group: number])[]): number[] {
  const list = wants.map(([wanted, group], i): Want => ({ wanted, group, tieBreak: i, target: -1 }));
  shareFairly(Array.from(list), seats, 0.5);
  return list.map(({ target }) => target);
}

describe("shareFairly", () => {
  it("gives what is wanted where there is enough", () => {
    assert.deepEqual(share(100, [10, 0, 30]), [10, 0, 30]);
  });

  it("gives equal parts of what there is not enough of, after those who want less", () => {
    assert.deepEqual(share(100, [1000, 10, 1000]), [45, 10, 45]);
    assert.deepEqual(share(10, [1000, 1000, 1000]), [3, 3, 4]);
  });

  it("gives one to each, where there are as many, and the last ones to those who want most", () => {
    assert.deepEqual(share(3, [1, 500, 1]), [1, 1, 1]);
    assert.deepEqual(share(1, [8, 40, 8]), [0, 1, 0]);
    assert.deepEqual(share(0, [8, 40]), [0, 0]);
    assert.deepEqual(share(-5, [8, 40]), [0, 0]);
  });

  it("leaves something for others where there are any", () => {
    assert.deepEqual(share(100, [80, 1], 0.5), [50, 1]);
    assert.deepEqual(share(100, [80], 0.5), [80]);
    assert.deepEqual(share(3, [9, 1], 0.5), [2, 1]);
  });

  it("gives parts that a group can use, where equal ones would be too small, and one to each of the others", () => {
    assert.deepEqual(share(4, [8, 8, 8], 0.5, 4), [0, 0, 4]);
    assert.deepEqual(share(6, [8, 8, 8], 0.5, 4), [1, 1, 4]);
    assert.deepEqual(share(7, [8, 8, 8], 0.5, 4), [1, 2, 4]);
    assert.deepEqual(share(9, [8, 8, 8], 0.5, 4), [1, 4, 4]);
    assert.deepEqual(share(12, [8, 8, 8], 0.5, 4), [4, 4, 4]);
    assert.deepEqual(share(3, [8, 8, 8], 0.5, 4), [1, 1, 1]);
    assert.deepEqual(share(7, [2, 8, 8], 0.5, 4), [2, 1, 4]);
    assert.deepEqual(share(5, [8], 0.5, 4), [5]);
  });

  it("gives one group all its seats, however many others are wanted, and none to a group that does not fit", () => {
    const most = withGroups(64, [
      [72, 64],
      [8, 0],
    ]);
    assert.deepEqual(most, [64, 0]);
    const two = withGroups(64, [
      [72, 64],
      [72, 64],
    ]);
    assert.deepEqual(two, [0, 64], "not half to each");
    const tooLarge = withGroups(60, [
      [72, 64],
      [8, 0],
    ]);
    assert.deepEqual(tooLarge, [30, 8]);
    const enough = withGroups(100, [
      [28, 20],
      [8, 0],
    ]);
    assert.deepEqual(enough, [28, 8]);
  });

  it("gives nobody more than it wants, never more than there is, and no less to who wants more", () => {
    const wants = fc.array(fc.nat(100), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(wants, fc.nat(300), fc.constantFrom(0.25, 0.5, 1), fc.integer({ min: 1, max: 8 }), (...given) => {
        const [wanted, seats, maxShare, leastPart] = given;
        const targets = share(seats, wanted, maxShare, leastPart);
        assert.ok(targets.reduce((sum, target) => sum + target, 0) <= seats);
        for (const [i, target] of targets.entries()) {
          assert.ok(target >= 0 && target <= wanted[i]);
          if (leastPart > 1) continue;
          if (wanted[i] >= 1 && seats >= wanted.length) assert.ok(target >= 1);
          for (const [k, other] of targets.entries()) if (wanted[k] > wanted[i]) assert.ok(other >= target);
        }
      }),
      { seed: 74, numRuns: 500 },
    );
  });
});
