import assert from "node:assert/strict";
import { test } from "node:test";
import { isSampled } from "./diagnostics-options.ts";

test("a share of the ids is chosen, evenly, the same for the same seed", () => {
  for (const share of [0.01, 0.1, 0.5]) {
    for (const seed of [1, 2, 99]) {
      const chosen = Array.from({ length: 10_000 }, (_, i) => isSampled(i + 1, share, seed));
      const count = chosen.filter(Boolean).length;
      assert.ok(Math.abs(count - 10_000 * share) < 4 * Math.sqrt(10_000 * share), `${count} at ${share}, seed ${seed}`);
      assert.deepEqual(
        chosen.slice(0, 100),
        Array.from({ length: 100 }, (_, i) => isSampled(i + 1, share, seed)),
      );
    }
  }
  assert.equal(isSampled(5, 1, 1), true);
  assert.equal(isSampled(5, 0, 1), false);
});
