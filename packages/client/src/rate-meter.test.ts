import assert from "node:assert/strict";
import { test } from "node:test";
import { RateMeter } from "./rate-meter.ts";

test("tells the rate of the last full second", () => {
  const meter = new RateMeter();
  for (let now = 0; now <= 999; now += 10) meter.sample(now * 5, now);
  assert.equal(meter.perSec, 0);
  meter.sample(5000, 1000);
  assert.equal(meter.perSec, 5000);
  meter.sample(5000, 1990);
  assert.equal(meter.perSec, 5000);
  meter.sample(6000, 3000);
  assert.equal(meter.perSec, 500);
});
