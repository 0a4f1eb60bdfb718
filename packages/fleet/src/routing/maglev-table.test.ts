import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hash } from "../registry/rendezvous.ts";
import { MaglevTable } from "./maglev-table.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `node-${n}`);

function shares(table: MaglevTable, count: number): number[] {
  const places = Array.from({ length: count }, () => 0);
  for (const name of table.places) places[name]++;
  return places.map((n) => n / table.places.length);
}

test("each of 500 names has its share of the places, within 2 %", () => {
  for (const share of shares(new MaglevTable(names(500)), 500)) assert.ok(Math.abs(share * 500 - 1) < 0.02, `${share}`);
});

test("keys spread as evenly as chance lets them", () => {
  const table = new MaglevTable(names(20));
  const keys = Array.from({ length: 20 }, () => 0);
  for (let n = 0; n < 40_000; n++) keys[table.at(hash(String(n)))]++;
  // 2000 each; four standard deviations are 175.
  for (const count of keys) assert.ok(Math.abs(count - 2000) < 175, `${count}`);
});

test("weights are shares", () => {
  const weights = [1, 2, 4, 0.5, 2.5];
  const found = shares(new MaglevTable(names(5), weights), 5);
  for (const [i, weight] of weights.entries()) assert.ok(Math.abs(found[i] - weight / 10) < 0.002, `${found[i]}`);
});

test("when one of 200 goes, all of its keys move and hardly any others", () => {
  const all = names(200);
  const before = new MaglevTable(all);
  const left = all.filter((name) => name !== "node-77");
  const after = new MaglevTable(left);
  let moved = 0;
  for (let place = 0; place < before.places.length; place++) {
    const name = all[before.places[place]];
    if (name !== "node-77" && left[after.places[place]] !== name) moved++;
  }
  // The paper's figure 12: some 2 % of the others at this ratio of places to names.
  assert.ok(moved / before.places.length < 0.03, `${moved / before.places.length}`);
  assert.ok(moved > 0);
});

test("whoever knows the same names builds the same table, in whatever order", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 20 }), fc.nat(), (some, turn) => {
      const turned = [...some.slice(turn % some.length), ...some.slice(0, turn % some.length)];
      const [a, b] = [new MaglevTable(some, undefined, 251), new MaglevTable(turned, undefined, 251)];
      assert.deepEqual(
        Array.from(a.places, (name) => some[name]),
        Array.from(b.places, (name) => turned[name]),
      );
    }),
    { numRuns: 50 },
  );
});

test("other attempts find other names", () => {
  const table = new MaglevTable(names(10));
  const found = new Set(Array.from({ length: 60 }, (_, attempt) => table.at(hash("key"), attempt)));
  assert.equal(found.size, 10);
  assert.equal(new MaglevTable([]).places.length, 0);
});
