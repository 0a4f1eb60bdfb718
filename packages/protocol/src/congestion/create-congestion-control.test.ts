import assert from "node:assert/strict";
import { test } from "node:test";
import { CONGESTION_CONTROL_NAMES, congestionControlFactory, createCongestionControl } from "./index.ts";
import type { CongestionControlName } from "./index.ts";

test("each name gives its own algorithm, with the options passed on", () => {
  for (const name of CONGESTION_CONTROL_NAMES) {
    const control = createCongestionControl(name, { packetBytes: 1000, initialWindowBytes: 7000 });
    assert.equal(control.name, name);
    assert.equal(control.windowBytes, 7000);
  }
});

test("a factory gives fresh controllers and refuses a wrong name at once", () => {
  const create = congestionControlFactory("cubic");
  const [first, second] = [create(), create()];
  assert.notEqual(first, second);
  first.onPacketsLost(1200, 5, true, 10);
  assert.ok(first.windowBytes < second.windowBytes);
  assert.throws(() => congestionControlFactory("vegas" as CongestionControlName), /newReno, cubic, bbr, got vegas/);
});
