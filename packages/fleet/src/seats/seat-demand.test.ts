import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeatDemand } from "./seat-demand.ts";

describe("SeatDemand", () => {
  it("wants what goes in three exchanges, and forgets it in a few seconds", () => {
    const demand = new SeatDemand();
    demand.wanted(5, 1000);
    let now = 1000;
    for (let i = 0; i < 8; i++) {
      demand.took(10);
      now += 250;
      assert.equal(demand.wanted(5, now), 30, "40 a second");
    }
    assert.ok(demand.wanted(5, now + 500) > 20);
    for (let i = 0; i < 60; i++) demand.wanted(5, (now += 250));
    assert.ok(demand.wanted(5, now) <= 1);
  });

  it("doubles what it wants as long as none are left", () => {
    const demand = new SeatDemand();
    const wants: number[] = [];
    for (let now = 250; now <= 1250; now += 250) {
      demand.took(4);
      wants.push(demand.wanted(0, now));
    }
    assert.deepEqual(wants, [12, 24, 48, 96, 192]);
  });

  it("does not take two exchanges at once for a rate", () => {
    const demand = new SeatDemand();
    demand.wanted(5, 1000);
    demand.took(1);
    assert.equal(demand.wanted(5, 1001), 0);
    assert.equal(demand.wanted(5, 1250), 3);
  });

  it("wants what a group needs for a while", () => {
    const demand = new SeatDemand();
    demand.need(12, 3000);
    assert.equal(demand.wanted(0, 2000), 12);
    assert.equal(demand.wanted(0, 3000), 0);
  });
});
