import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_REGION_SCALING } from "../config/config-defaults.ts";
import type { ScheduledTarget } from "../config/load-balancer-config.ts";
import { targetsAt, targetsUntil } from "./scaling-targets.ts";

/** 2026-01-05 was a Monday. */
const at = (day: number, hours: number, minutes = 0): number => Date.UTC(2026, 0, 4 + day, hours, minutes);
const under = (...schedule: ScheduledTarget[]): typeof DEFAULT_REGION_SCALING => ({
  ...DEFAULT_REGION_SCALING,
  schedule,
});

describe("targetsAt", () => {
  it("takes the first entry that matches, and what it does not say from the settings", () => {
    const config = under(
      { days: [6, 0], from: "12:00", to: "18:00", minNodes: 8 },
      { days: [], from: "10:00", to: "20:00", targetFreeSeats: 500 },
    );
    assert.deepEqual(targetsAt(config, at(6, 12)), { freeSeats: 100, minNodes: 8 });
    assert.deepEqual(targetsAt(config, at(0, 17, 59)), { freeSeats: 100, minNodes: 8 });
    assert.deepEqual(targetsAt(config, at(6, 18)), { freeSeats: 500, minNodes: 1 });
    assert.deepEqual(targetsAt(config, at(1, 12)), { freeSeats: 500, minNodes: 1 });
    assert.deepEqual(targetsAt(config, at(1, 9, 59)), { freeSeats: 100, minNodes: 1 });
    assert.deepEqual(targetsAt(config, at(1, 20)), { freeSeats: 100, minNodes: 1 });
  });

  it("goes over midnight into the next day, whatever that is", () => {
    const config = under({ days: [5], from: "22:00", to: "02:00", minNodes: 4 });
    const hits = [at(5, 22), at(5, 23, 59), at(6, 0), at(6, 1, 59)];
    for (const time of hits) assert.equal(targetsAt(config, time).minNodes, 4);
    for (const time of [at(5, 1), at(5, 21, 59), at(6, 2), at(6, 22), at(4, 23)])
      assert.equal(targetsAt(config, time).minNodes, 1);
  });

  it("is the whole day where the end is the beginning, and never above maxNodes", () => {
    const config = under({ days: [3], from: "00:00", to: "00:00", minNodes: 99 });
    assert.equal(targetsAt(config, at(3, 0)).minNodes, 10);
    assert.equal(targetsAt(config, at(3, 23, 59)).minNodes, 10);
    assert.equal(targetsAt(config, at(4, 0)).minNodes, 1);
  });

  it("looks ahead, and keeps what is still in force", () => {
    const config = under({ days: [], from: "12:00", to: "13:00", minNodes: 4, targetFreeSeats: 50 });
    assert.deepEqual(targetsUntil(config, at(1, 11, 58), at(1, 12, 1)), { freeSeats: 100, minNodes: 4 });
    assert.deepEqual(targetsUntil(config, at(1, 12, 58), at(1, 13, 1)), { freeSeats: 100, minNodes: 4 });
  });
});
