import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SampleRing } from "./index.ts";

describe("SampleRing", () => {
  it("keeps the newest samples", () => {
    const ring = new SampleRing(3);
    assert.equal(ring.at(0), Number.NaN);
    for (const sample of [1, -5, 2, 3]) ring.push(sample);
    assert.deepEqual([ring.at(0), ring.at(1), ring.at(2), ring.at(3), ring.at(-1)], [3, 2, -5, NaN, NaN]);
    assert.equal(ring.count, 3);
    assert.equal(ring.peak, 5);
    ring.clear();
    assert.equal(ring.peak, 0);
    assert.throws(() => new SampleRing(0), RangeError);
  });
});
