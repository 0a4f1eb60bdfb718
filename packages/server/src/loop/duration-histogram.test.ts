import assert from "node:assert/strict";
import { test } from "node:test";
import { DurationHistogram } from "./duration-histogram.ts";

test("quantiles are within 5 % of the exact ones", () => {
  const histogram = new DurationHistogram();
  for (let i = 1; i <= 1000; i++) histogram.record(i / 100, i);
  const { count, p50Ms, p99Ms, maxMs } = histogram.summary();
  assert.equal(count, 1000);
  assert.ok(Math.abs(p50Ms - 5) <= 0.25, `p50 ${p50Ms}`);
  assert.ok(Math.abs(p99Ms - 9.9) <= 0.5, `p99 ${p99Ms}`);
  assert.equal(maxMs, 10);
});

test("a bad second is forgotten after two windows", () => {
  const histogram = new DurationHistogram(1000);
  histogram.record(500, 0);
  histogram.record(1, 1500);
  assert.equal(histogram.summary().maxMs, 500);
  histogram.record(1, 2600);
  assert.equal(histogram.summary().maxMs, 1);
  histogram.record(1, 9000);
  assert.equal(histogram.summary().count, 1);
});

test("zero, negative, huge and NaN durations stay inside the buckets", () => {
  const histogram = new DurationHistogram();
  for (const value of [0, -5, 1e12, Number.NaN]) histogram.record(value, 0);
  const summary = histogram.summary();
  assert.equal(summary.count, 4);
  assert.equal(summary.p50Ms <= 0.001, true);
  histogram.reset();
  assert.deepEqual(histogram.summary(), { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
});
