import assert from "node:assert/strict";
import { test } from "node:test";
import { readyTable } from "../../test/fleet-model.ts";
import type { NodeTable } from "../registry/node-table.ts";
import { Ejections } from "./ejections.ts";
import { PoolSet } from "./pool-set.ts";
import { ROUTING_DEFAULTS } from "./routing-defaults.ts";

function setUp(nodes: number): {
  table: NodeTable;
  ejections: Ejections;
  readonly fail: (index: number, now: number, times?: number) => void;
} {
  const table = readyTable(nodes);
  const ejections = new Ejections(table, new PoolSet(table, 1));
  const fail = (index: number, now: number, times = 5): void => {
    for (let n = 0; n < times; n++) ejections.note(index, false, now, ROUTING_DEFAULTS);
  };
  return { table, ejections, fail };
}

test("five failures one after the other eject a node; a success in between does not let it come to that", () => {
  const { table, ejections, fail } = setUp(10);
  fail(0, 0, 4);
  ejections.note(0, true, 0, ROUTING_DEFAULTS);
  fail(0, 0, 4);
  assert.equal(table.ejectedUntil[0], 0);
  fail(0, 100, 1);
  assert.equal(table.ejectedUntil[0], 10_100);
  ejections.expire(10_099);
  assert.equal(ejections.size, 1);
  ejections.expire(10_100);
  assert.equal(table.ejectedUntil[0], 0);
  assert.equal(ejections.size, 0);
});

test("each time it is out for twice as long, until it was good for long", () => {
  const { table, fail } = setUp(10);
  let now = 0;
  const outFor = (): number => {
    fail(0, now);
    const ms = table.ejectedUntil[0] - now;
    now = table.ejectedUntil[0];
    return ms;
  };
  const times = Array.from({ length: 9 }, outFor);
  assert.deepEqual(
    times,
    [10, 20, 40, 80, 160, 320, 640, 640, 640].map((s) => s * 1000),
  );
  now += 6_399_000;
  assert.equal(outFor(), 640_000);
  now += 6_401_000;
  assert.equal(outFor(), 10_000);
});

test("no more than a fifth of a region is out at once, but one of a few", () => {
  const { table, ejections, fail } = setUp(20);
  for (let index = 0; index < 20; index++) fail(index, index);
  assert.equal(ejections.size, 4);
  // When one comes back, the next that fails goes: it had failed often enough.
  ejections.expire(10_000);
  assert.equal(ejections.size, 3);
  fail(12, 10_000, 1);
  assert.ok(table.ejectedUntil[12] > 0);
  const few = setUp(2);
  few.fail(0, 0);
  few.fail(1, 0);
  assert.equal(few.ejections.size, 1);
  const alone = setUp(1);
  alone.fail(0, 0, 50);
  assert.equal(alone.ejections.size, 0);
  const none = setUp(20);
  for (let n = 0; n < 50; n++) none.ejections.note(0, false, 0, { ...ROUTING_DEFAULTS, maxEjectedShare: 0 });
  assert.equal(none.ejections.size, 0);
});

test("what had been under way at its ejection does not count, nor what a node does that takes nobody", () => {
  const { table, fail } = setUp(10);
  fail(0, 0, 12);
  fail(0, 10_000, 4);
  assert.equal(table.ejectedUntil[0], 0);
  table.setState(1, "draining", 0);
  fail(1, 0);
  assert.equal(table.ejectedUntil[1], 0);
});

test("a node that registers anew is the same one; its successor is not", () => {
  const { table, ejections, fail } = setUp(10);
  fail(0, 0);
  const registration = table.registrationOf(0);
  table.put(registration);
  assert.equal(table.ejectedUntil[0], 10_000);
  assert.equal(ejections.size, 1);
  table.remove(registration.id);
  assert.equal(ejections.size, 0);
  table.put({ ...registration, id: "successor" });
  table.setState(0, "ready", 0);
  assert.equal(table.ejectedUntil[0], 0);
  fail(0, 1, 4);
  assert.equal(table.ejectedUntil[0], 0);
});
