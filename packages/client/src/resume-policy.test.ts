import assert from "node:assert/strict";
import { test } from "node:test";
import { ResumePolicy } from "./resume-policy.ts";

test("a path that falls silent is given up after two seconds, and tried again at growing distance", () => {
  const policy = new ResumePolicy();
  assert.equal(policy.dueAt(1_000), 3_000);
  assert.equal(policy.dueAt(5_000), 7_000, "it spoke again");
  policy.onAttempt(7_000);
  assert.equal(policy.dueAt(5_000), 7_250);
  policy.onAttempt(7_250);
  assert.equal(policy.dueAt(5_000), 7_750);
  for (let i = 0; i < 5; i++) policy.onAttempt(8_000);
  assert.equal(policy.dueAt(5_000), 10_000, "two seconds at most");
  assert.equal(policy.dueAt(9_000), 11_000, "the old path spoke again");
});

test("another way is needed while there is none, or silence, and not any more when all is well", () => {
  const policy = new ResumePolicy({ silenceMs: 500 });
  assert.equal(policy.isNeeded(1_000, 1_400), false);
  assert.equal(policy.isNeeded(1_000, 1_500), true, "silence");
  assert.equal(policy.isNeeded(1_600, 1_700), false, "the old path spoke again");
  policy.onInterrupted(1_800);
  policy.onAttempt(1_800);
  assert.equal(policy.isNeeded(1_790, 1_900), true);
  policy.onMigrated(2_000);
  assert.equal(policy.isNeeded(2_000, 2_100), false, "a second attempt comes too late");
});

test("a carrier that closes is replaced at once, and after a move all is as at first", () => {
  const policy = new ResumePolicy({ silenceMs: 500 });
  policy.onInterrupted(100);
  assert.equal(policy.dueAt(90), 100);
  policy.onAttempt(100);
  assert.equal(policy.dueAt(90), 350);
  assert.equal(policy.attempts, 1);
  policy.onMigrated(400);
  assert.deepEqual([policy.attempts, policy.dueAt(390)], [0, 900]);
});
