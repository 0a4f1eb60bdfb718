import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { RangeSet } from "./range-set.ts";

function listed(set: RangeSet): number[] {
  const values: number[] = [];
  for (let i = 0; i < set.count; i++) {
    assert.ok(set.end(i) > set.start(i), "no empty range");
    if (i > 0) assert.ok(set.start(i) > set.end(i - 1), "sorted and apart");
    for (let value = set.start(i); value < set.end(i); value++) values.push(value);
  }
  return values;
}

test("a range set behaves like a set of numbers", () => {
  const operation = fc.record({ add: fc.boolean(), start: fc.nat(80), length: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const set = new RangeSet(1000);
      const model = new Set<number>();
      for (const { add, start, length } of operations) {
        if (add) assert.equal(set.insert(start, start + length), true);
        else set.remove(start, start + length);
        for (let value = start; value < start + length; value++) {
          if (add) model.add(value);
          else model.delete(value);
        }
        assert.deepEqual(
          listed(set),
          [...model].sort((a, b) => a - b),
        );
        for (let value = 0; value < 95; value++) assert.equal(set.contains(value), model.has(value));
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("a full range set refuses what does not touch, and takes what does", () => {
  const set = new RangeSet(2);
  assert.equal(set.insert(0, 2), true);
  assert.equal(set.insert(10, 12), true);
  assert.equal(set.insert(20, 22), false);
  assert.equal(set.insert(2, 10), true);
  assert.deepEqual([set.count, set.start(0), set.end(0)], [1, 0, 12]);
});
