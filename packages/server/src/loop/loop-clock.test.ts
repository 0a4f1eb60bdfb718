import assert from "node:assert/strict";
import { it } from "node:test";
import { systemClock } from "./loop-clock.ts";

it("systemClock sees the CPU time of what takes half a millisecond", () => {
  const clock = systemClock();
  for (let i = 0; i < 50; i++) {
    const before = clock.cpuMs();
    const until = clock.now() + 0.5;
    while (clock.now() < until);
    assert.ok(clock.cpuMs() > before);
  }
});
