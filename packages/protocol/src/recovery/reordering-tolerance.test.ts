import assert from "node:assert/strict";
import { test } from "node:test";
import { ReorderingTolerance } from "./reordering-tolerance.ts";

test("starts at RFC 9002's thresholds and rises to what a reordered packet needed", () => {
  const tolerance = new ReorderingTolerance();
  assert.equal(tolerance.packetThreshold, 3);
  assert.equal(tolerance.timeThreshold, 9 / 8);
  tolerance.onSpuriousLoss(7, 1.2);
  assert.equal(tolerance.packetThreshold, 8);
  assert.equal(tolerance.timeThreshold, 1.2 * (9 / 8));
  tolerance.onSpuriousLoss(2, 1);
  assert.equal(tolerance.packetThreshold, 8, "never falls for a packet that needed less");
  tolerance.onSpuriousLoss(2, 50);
  assert.equal(tolerance.timeThreshold, 2, "two round trips at most");
});

test("sixteen real losses without a spurious one bring the thresholds back", () => {
  const tolerance = new ReorderingTolerance();
  tolerance.onSpuriousLoss(9, 1.5);
  for (let i = 0; i < 15; i++) tolerance.onLoss();
  tolerance.onSpuriousLoss(4, 1);
  for (let i = 0; i < 15; i++) tolerance.onLoss();
  assert.equal(tolerance.packetThreshold, 10);
  tolerance.onLoss();
  assert.equal(tolerance.packetThreshold, 3);
  assert.equal(tolerance.timeThreshold, 9 / 8);
});
