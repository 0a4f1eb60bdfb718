import assert from "node:assert/strict";
import { test } from "node:test";
import { RttEstimator } from "./rtt-estimator.ts";

test("samples follow RFC 9002 section 5.3", () => {
  const rtt = new RttEstimator();
  assert.equal(rtt.smoothedMs, 333);
  rtt.update(100, 20);
  // The first sample is taken as it is.
  assert.deepEqual([rtt.latestMs, rtt.minMs, rtt.smoothedMs, rtt.variationMs], [100, 100, 100, 50]);
  rtt.update(160, 20);
  // adjusted 140: variation 3/4 * 50 + 1/4 * |100 - 140|, smoothed 7/8 * 100 + 1/8 * 140
  assert.deepEqual([rtt.latestMs, rtt.minMs, rtt.smoothedMs, rtt.variationMs], [160, 100, 105, 47.5]);
  rtt.update(90, 25);
  // A delay that would bring the sample below the minimum does not count.
  assert.equal(rtt.minMs, 90);
  assert.equal(rtt.smoothedMs, 0.875 * 105 + 0.125 * 90);
});
