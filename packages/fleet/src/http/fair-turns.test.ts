import assert from "node:assert/strict";
import { it } from "node:test";
import { FairTurns } from "./fair-turns.ts";

it("does a few things a turn, and lets keys alternate", () => {
  const turns: (() => void)[] = [];
  const done: string[] = [];
  const fair = new FairTurns({ perTurn: 3, nextTurn: (turn) => turns.push(turn) });
  for (let i = 0; i < 7; i++) fair.submit("a", () => done.push(`a${i}`));
  for (let i = 0; i < 2; i++) fair.submit("b", () => done.push(`b${i}`));
  assert.deepEqual(done.splice(0), ["a0", "a1", "a2"]);
  turns.shift()!();
  assert.deepEqual(done.splice(0), ["a3", "b0", "a4"]);
  fair.submit("c", () => done.push("c"));
  turns.shift()!();
  assert.deepEqual(done.splice(0), ["b1", "a5", "c"]);
  turns.shift()!();
  assert.deepEqual(done.splice(0), ["a6"]);
  assert.equal(fair.waiting, 0);
  assert.equal(turns.length, 1);
  turns.shift()!();
  assert.equal(turns.length, 0);
  fair.submit("a", () => done.push("at once"));
  assert.deepEqual(done, ["at once"]);
});
