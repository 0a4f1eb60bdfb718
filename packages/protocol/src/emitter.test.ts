import assert from "node:assert/strict";
import { test } from "node:test";
import { Emitter } from "./emitter.ts";

interface Events {
  hit: { damage: number };
  end: undefined;
}

test("listeners are called in order and can be removed one at a time", () => {
  const emitter = new Emitter<Events>(() => assert.fail("no error expected"));
  const calls: string[] = [];
  const listener = ({ damage }: { damage: number }): void => void calls.push(`a${damage}`);
  const off = emitter.on("hit", listener);
  emitter.on("hit", listener);
  emitter.on("hit", ({ damage }) => calls.push(`b${damage}`));
  emitter.emit("hit", { damage: 1 });
  off();
  off();
  emitter.emit("hit", { damage: 2 });
  emitter.emit("end", undefined);
  assert.deepEqual(calls, ["a1", "a1", "b1", "a2", "b2"]);
});

test("a listener that throws, or rejects, is reported and hurts nobody", async () => {
  const reported: string[] = [];
  const emitter = new Emitter<Events>((error, event) => {
    reported.push(`${event}: ${(error as Error).message}`);
    throw new Error("the reporter is broken too");
  });
  let reached = false;
  emitter.on("hit", () => {
    throw new Error("sync");
  });
  emitter.on("hit", async () => {
    throw new Error("async");
  });
  emitter.on("hit", () => {
    reached = true;
  });
  emitter.emit("hit", { damage: 1 });
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(reached, true);
  assert.deepEqual(reported, ["hit: sync", "hit: async"]);
});

test("a listener removed during delivery still sees that event, one added does not", () => {
  const emitter = new Emitter<Events>(() => undefined);
  const calls: string[] = [];
  emitter.on("hit", () => {
    off();
    emitter.on("hit", () => calls.push("late"));
  });
  const off = emitter.on("hit", () => calls.push("second"));
  emitter.emit("hit", { damage: 1 });
  assert.deepEqual(calls, ["second"]);
  emitter.emit("hit", { damage: 1 });
  assert.deepEqual(calls, ["second", "late"]);
});
