import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentMap } from "./recent-map.ts";

test("what was set last is there, what was set long ago is not", () => {
  const map = new RecentMap<number>(1000);
  for (let i = 0; i < 5000; i++) map.set(String(i), i);
  for (let i = 4500; i < 5000; i++) assert.equal(map.get(String(i)), i);
  for (let i = 0; i < 4000; i++) assert.equal(map.get(String(i)), undefined);
});

test("an entry that is set again stays, with its new value", () => {
  const map = new RecentMap<number>(100);
  for (let i = 0; i < 1000; i++) {
    map.set("kept", i);
    map.set(String(i), i);
  }
  assert.equal(map.get("kept"), 999);
  map.set("kept", -1);
  assert.equal(map.get("kept"), -1);
});
