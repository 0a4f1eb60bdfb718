import assert from "node:assert/strict";
import { test } from "node:test";
import { NamedTraces } from "./named-traces.ts";

test("traces of one name may overlap: the last one ends first, unless it is said which", () => {
  const traces = new NamedTraces();
  traces.start("load", 100);
  traces.start("load", 110);
  traces.start("load", 120);
  assert.equal(traces.end("load", 130), 10);
  assert.equal(traces.end("load", 150, 100), 50);
  assert.equal(traces.end("load", 150, 100), undefined, "it has ended");
  assert.equal(traces.end("load", 160), 50);
  assert.equal(traces.end("load", 160), undefined);
  assert.equal(traces.end("unknown", 160), undefined);
  assert.deepEqual(traces.summaries(), [
    { name: "load", count: 3, totalMs: 110, meanMs: 110 / 3, minMs: 10, maxMs: 50, open: 0 },
  ]);
  assert.deepEqual(
    traces.finished().map(({ startedAt, durationMs }) => [startedAt, durationMs]),
    [
      [120, 10],
      [100, 50],
      [110, 50],
    ],
  );
});

test("everything has a limit", () => {
  const traces = new NamedTraces();
  for (let i = 0; i < 3_000; i++) traces.start("open", i);
  assert.equal(traces.summaries()[0].open, 1_000);
  for (let i = 0; i < 2_000; i++) traces.start(`name ${i}`, 0);
  assert.equal(traces.summaries().length, 1_000);
  for (let i = 0; i < 3_000; i++) {
    traces.start("open", i);
    traces.end("open", i + 1);
  }
  assert.equal(traces.finished().length, 1_024);
  assert.equal(traces.finished().at(-1)?.startedAt, 2_999);
});
