import assert from "node:assert/strict";
import { test } from "node:test";
import { slices } from "./write-pieces.ts";

test("pieces that take long to make are written few at a time, so that others have their turn", () => {
  let now = 0;
  let made = 0;
  function* slow(): Generator<string> {
    for (let i = 0; i < 100; i++) {
      now += 0.5;
      made++;
      yield "piece ";
    }
  }
  const chunks: string[] = [];
  let before = 0;
  for (const chunk of slices(slow(), () => now)) {
    assert.ok(made - before <= 4, `${made - before} pieces, ${0.5 * (made - before)} ms, in one turn`);
    before = made;
    chunks.push(chunk);
    now += 100; // writing
  }
  assert.equal(chunks.join(""), "piece ".repeat(100));
});

test("quick ones are joined to chunks of 64 KiB", () => {
  const piece = "x".repeat(1000);
  const chunks = [
    ...slices(
      Array.from({ length: 200 }, () => piece),
      () => 0,
    ),
  ];
  assert.deepEqual(
    chunks.map(({ length }) => length),
    [66_000, 66_000, 66_000, 2_000],
  );
  assert.deepEqual([...slices([], () => 0)], []);
});
