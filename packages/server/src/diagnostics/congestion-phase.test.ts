import assert from "node:assert/strict";
import { test } from "node:test";
import { CongestionPhase } from "./congestion-phase.ts";

test("of an algorithm that names no state, the window tells", () => {
  const phase = new CongestionPhase();
  const names: string[] = [];
  for (const window of [12_000, 14_000, 20_000, 10_000, 10_000, 10_400, 11_000, 5_500]) {
    if (phase.observe("newReno", "", window)) names.push(phase.name);
  }
  assert.deepEqual(names, ["slow_start", "recovery", "congestion_avoidance", "recovery"]);
});

test("of one that does, its own words; and another algorithm is a change, whatever it does", () => {
  const phase = new CongestionPhase();
  assert.equal(phase.observe("bbr", "startup", 12_000), true);
  assert.equal(phase.observe("bbr", "startup", 24_000), false);
  assert.equal(phase.observe("bbr", "probeBwUp", 24_000), true);
  assert.equal(phase.name, "probe_bw_up");
  assert.equal(phase.observe("cubic", "", 12_000), true);
  assert.deepEqual([phase.algorithm, phase.name], ["cubic", "slow_start"]);
});
