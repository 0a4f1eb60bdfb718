import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Deadlines } from "./deadlines.ts";
import { ReadyRing } from "./netcode/ready-ring.ts";

const IDS = 20;

test("the heap agrees with a list", () => {
  const at = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(Infinity));
  const action = fc.record({
    kind: fc.constantFrom("set", "advance", "clear"),
    id: fc.integer({ min: 0, max: IDS - 1 }),
    at,
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200, size: "max" }), (actions) => {
      const heap = new Deadlines(IDS);
      const list = Array.from({ length: IDS }, () => Infinity);
      for (const { kind, id, at: when } of actions) {
        if (kind === "set") heap.set(id, (list[id] = when));
        else if (kind === "advance") heap.advance(id, (list[id] = Math.min(list[id], when)));
        else {
          heap.clear(id);
          list[id] = Infinity;
        }
        assert.equal(heap.earliest, Math.min(...list));
        assert.equal(heap.of(id), list[id]);
      }
      const order: number[] = [];
      for (let id = heap.due(1000); id >= 0; id = heap.due(1000)) {
        order.push(heap.of(id));
        heap.clear(id);
      }
      assert.deepEqual(
        order,
        list.filter((when) => when < Infinity).toSorted((a, b) => a - b),
      );
    }),
    { seed: 8, numRuns: 200 },
  );
});

test("nothing is due before its time", () => {
  const heap = new Deadlines(2);
  heap.set(1, 10);
  assert.equal(heap.due(9.99), -1);
  assert.equal(heap.due(10), 1);
});

test("the ring gives every id once, first come first served", () => {
  const action = fc.oneof(fc.integer({ min: 0, max: IDS - 1 }), fc.constant(-1));
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300, size: "max" }), (actions) => {
      const ring = new ReadyRing(IDS);
      const list: number[] = [];
      for (const id of actions) {
        if (id < 0) assert.equal(ring.shift(), list.shift() ?? -1);
        else {
          ring.push(id);
          if (!list.includes(id)) list.push(id);
        }
      }
      while (list.length > 0) assert.equal(ring.shift(), list.shift());
      assert.equal(ring.shift(), -1);
    }),
    { seed: 9, numRuns: 200 },
  );
});
