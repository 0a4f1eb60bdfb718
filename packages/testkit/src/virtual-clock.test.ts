import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./virtual-clock.ts";

test("callbacks run in order of time, then of being added, each at its own time", () => {
  const clock = new VirtualClock(1000);
  const log: string[] = [];
  clock.schedule(20, () => log.push(`b@${clock.now}`));
  clock.schedule(10, () => {
    log.push(`a@${clock.now}`);
    clock.schedule(15, () => log.push(`nested@${clock.now}`));
  });
  clock.schedule(20, () => log.push(`c@${clock.now}`));
  clock.schedule(31, () => log.push("too late"));
  assert.equal(clock.nextTimeout(), 10);
  clock.advanceTo(30);
  assert.deepEqual(log, ["a@10", "nested@15", "b@20", "c@20"]);
  assert.equal(clock.now, 30);
  assert.equal(clock.unixSeconds, 1000.03);
  assert.throws(() => clock.advanceTo(29), /runs forward only/);
});

test("a repeated callback does not drift, and stops", () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  const stop = clock.every(1000 / 60, () => times.push(clock.now));
  clock.advanceTo(1000.001);
  assert.equal(times.length, 60);
  assert.ok(Math.abs(times[59] - 1000) < 1e-9);
  stop();
  clock.advanceTo(2000);
  assert.equal(times.length, 60);
  assert.throws(() => clock.every(0, () => {}), RangeError);
});
