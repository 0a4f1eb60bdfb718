import assert from "node:assert/strict";
import { it } from "node:test";
import { LatencyMode } from "./latency-mode.ts";

it("draws others at the present on a line that stays long, and in the past again on one that stays short", () => {
  const mode = new LatencyMode(250);
  const run = (rttMs: number, from: number, to: number): string => {
    let chosen = "";
    for (let now = from; now <= to; now += 100) chosen = mode.choose("linear", rttMs, now);
    return chosen;
  };
  assert.equal(run(200, 0, 5000), "linear");
  assert.equal(run(300, 5000, 6900), "linear", "a peak is no reason");
  assert.equal(run(200, 7000, 7000), "linear");
  assert.equal(run(300, 7100, 9200), "extrapolation");
  assert.equal(run(220, 9300, 20_000), "extrapolation", "not short enough");
  assert.equal(run(190, 20_000, 22_100), "linear");
  assert.throws(() => new LatencyMode(0), RangeError);
  const ahead = new LatencyMode(250, "ahead");
  for (let now = 0; now <= 2000; now += 100) ahead.choose("linear", 300, now);
  assert.equal(ahead.choose("linear", 300, 2100), "ahead");
});
