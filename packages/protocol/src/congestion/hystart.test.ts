/** Values worked out from RFC 9406 section 4. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { HyStart } from "./hystart.ts";

/** One round: its first ACK, of a packet sent at its start, and seven more. True when slow start ended. */
function round(hyStart: HyStart, start: number, rttMs: number): boolean {
  let over = false;
  for (let i = 0; i < 8; i++) over = hyStart.onAck(start + i, rttMs, start + rttMs + i) || over;
  return over;
}

test("a round trip longer by an eighth, but at least 4 and at most 16 ms, begins conservative slow start", () => {
  // Threshold: 20 / 8 = 2.5, so 4 ms; 80 / 8 = 10 ms; 200 / 8 = 25, so 16 ms.
  for (const [rttMs, threshold] of [
    [20, 4],
    [80, 10],
    [200, 16],
  ]) {
    const below = new HyStart();
    round(below, 0, rttMs);
    round(below, 1000, rttMs + threshold - 0.01);
    assert.equal(below.growth, 1);
    const above = new HyStart();
    round(above, 0, rttMs);
    round(above, 1000, rttMs + threshold);
    assert.equal(above.growth, 0.25);
  }
});

test("fewer than eight samples say nothing", () => {
  const hyStart = new HyStart();
  round(hyStart, 0, 50);
  for (let i = 0; i < 7; i++) hyStart.onAck(1000 + i, 500, 1500 + i);
  for (let i = 0; i < 7; i++) hyStart.onAck(1007 + i, -1, 1507 + i);
  assert.equal(hyStart.growth, 1);
  hyStart.onAck(1020, 500, 1520);
  assert.equal(hyStart.growth, 0.25);
});

test("slow start ends after five conservative rounds", () => {
  const hyStart = new HyStart();
  round(hyStart, 0, 50);
  assert.equal(round(hyStart, 1000, 60), false);
  for (let i = 2; i < 6; i++) assert.equal(round(hyStart, i * 1000, 60), false, `round ${i}`);
  assert.equal(round(hyStart, 6000, 60), true);
});

test("a round trip that comes down again resumes slow start", () => {
  const hyStart = new HyStart();
  round(hyStart, 0, 50);
  round(hyStart, 1000, 60);
  round(hyStart, 2000, 60);
  assert.equal(hyStart.growth, 0.25);
  round(hyStart, 3000, 59);
  assert.equal(hyStart.growth, 1);
  for (let i = 4; i < 9; i++) assert.equal(round(hyStart, i * 1000, 59), false);
});
