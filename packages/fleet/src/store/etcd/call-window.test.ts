import assert from "node:assert/strict";
import { it } from "node:test";
import { CallWindow } from "./call-window.ts";

it("lets so many calls through at once, the others in order, and no more than may wait", async () => {
  const window = new CallWindow(2, 3);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const results = Array.from({ length: 5 }, (_, i) =>
    window.run(async () => {
      begun.push(i);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (i === 1) throw new Error("its own");
      return i;
    }),
  );
  await assert.rejects(
    window.run(async () => 0),
    { code: "refused" },
  );
  assert.deepEqual(begun, [0, 1]);
  ends[1]();
  await assert.rejects(results[1], { message: "its own" });
  assert.deepEqual(begun, [0, 1, 2]);
  for (let i = 0; i < 5; i++) {
    ends[i]?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
  assert.deepEqual(await Promise.all([results[0], results[2], results[3], results[4]]), [0, 2, 3, 4]);
  assert.equal(await window.run(async () => 7), 7);
});
