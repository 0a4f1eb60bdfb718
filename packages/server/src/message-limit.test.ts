import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageLimit } from "./message-limit.ts";

test("allows the burst, then the rate, in messages and in bytes", () => {
  const limit = new MessageLimit({ messagesPerSec: 10, bytesPerSec: 1000, burstSeconds: 2 }, 0);
  let passed = 0;
  for (let i = 0; i < 30; i++) if (limit.take(10, 0)) passed++;
  assert.equal(passed, 20);
  assert.equal(limit.take(10, 99), false);
  assert.equal(limit.take(10, 101), true);
  assert.equal(limit.take(10, 50), false, "a clock that steps back gives nothing");
  assert.equal(limit.take(1900, 10_000), true);
  assert.equal(limit.take(200, 10_000), false, "over the bytes");
  assert.equal(limit.take(50, 10_000), true, "what is refused costs nothing");
  assert.equal(limit.take(2001, 1e9), false, "larger than the burst");
});
