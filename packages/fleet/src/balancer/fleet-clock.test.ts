import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FleetClock } from "./fleet-clock.ts";

const HOUR_MS = 3_600_000;
const UNIX_MS = 1_700_000_000_000;

describe("FleetClock", () => {
  it("is this machine's, as long as no node says otherwise", () => {
    const clock = new FleetClock({ unixMs: () => UNIX_MS });
    assert.equal(clock.read(5), UNIX_MS);
    assert.equal(clock.ofNode(3, 5), UNIX_MS);
    clock.note(3, UNIX_MS - 900, 1000);
    assert.equal(clock.read(1000), UNIX_MS, "a late report is no other clock");
    assert.equal(clock.ofNode(3, 1500), UNIX_MS - 400);
  });

  it("goes by what half of the nodes say when this machine's clock jumps", () => {
    let unixMs = UNIX_MS;
    const clock = new FleetClock({ unixMs: () => unixMs });
    for (let node = 0; node < 3; node++) clock.note(node, UNIX_MS + node, 1000);
    assert.equal(clock.read(1000), UNIX_MS);
    for (const jump of [HOUR_MS, -HOUR_MS]) {
      unixMs = UNIX_MS + jump;
      assert.equal(clock.read(2000), UNIX_MS + 1001);
    }
  });

  it("believes a node whose clock is wrong for its own tokens only", () => {
    const clock = new FleetClock({ unixMs: () => UNIX_MS });
    for (let node = 0; node < 3; node++) clock.note(node, UNIX_MS, 0);
    clock.note(3, UNIX_MS - HOUR_MS, 0);
    clock.note(4, Number.MAX_SAFE_INTEGER, 0);
    assert.equal(clock.read(10), UNIX_MS);
    assert.equal(clock.ofNode(3, 10), UNIX_MS - HOUR_MS + 10);
    clock.forget(3);
    assert.equal(clock.ofNode(3, 10), UNIX_MS);
  });
});
