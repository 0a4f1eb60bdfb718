import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TokenBucket } from "./token-bucket.ts";

/** Takes one at a time for as long as there are any. */
function drain(bucket: TokenBucket, now: number): number {
  let taken = 0;
  for (; bucket.isReady(now) && taken < 10_000; taken++) bucket.spend(1, now);
  return taken;
}

describe("TokenBucket", () => {
  it("gives a second's worth at once and then the rate", () => {
    const bucket = new TokenBucket(50, 0);
    assert.equal(drain(bucket, 0), 50);
    assert.equal(drain(bucket, 100), 5);
    assert.equal(drain(bucket, 60_000), 50);
  });

  it("has no limit at Infinity and gives nothing at 0", () => {
    const bucket = new TokenBucket(Infinity, 0);
    bucket.spend(1e9, 0);
    assert.ok(bucket.isReady(0));
    bucket.setRate(0, 0);
    assert.ok(!bucket.isReady(1e9));
    bucket.setRate(Infinity, 1e9);
    assert.ok(bucket.isReady(1e9));
  });

  it("changes its rate from now on", () => {
    const bucket = new TokenBucket(10, 0);
    drain(bucket, 0);
    bucket.setRate(100, 1000);
    assert.equal(drain(bucket, 1000), 10);
    assert.equal(drain(bucket, 1100), 10);
  });

  it("lets a large group go, and pays the debt before the next", () => {
    const bucket = new TokenBucket(1, 0);
    bucket.spend(4, 0);
    assert.ok(!bucket.isReady(3900));
    assert.ok(bucket.isReady(4000));
  });
});
