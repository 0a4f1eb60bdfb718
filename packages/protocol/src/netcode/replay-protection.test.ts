import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { REPLAY_WINDOW } from "./constants.ts";
import { ReplayProtection } from "./replay-protection.ts";

/** The standard's words, with no regard for cost. */
class Model {
  readonly received: Set<number> = new Set();
  newest = -1;
  isReplay(sequence: number): boolean {
    return sequence <= this.newest - REPLAY_WINDOW || this.received.has(sequence);
  }
  accept(sequence: number): void {
    this.received.add(sequence);
    this.newest = Math.max(this.newest, sequence);
  }
}

const step = fc.oneof(
  fc.record({ ahead: fc.integer({ min: -9000, max: 300 }) }),
  fc.record({ ahead: fc.integer({ min: -40, max: 40 }) }),
  fc.record({ ahead: fc.constantFrom(-8193, -8192, -8191, 8191, 8192, 8193, 31, 32, 33) }),
  fc.record({ ahead: fc.integer({ min: 0, max: 100_000 }) }),
);

test("agrees with the standard for any order of arrival", () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 8192, 2 ** 52), fc.array(step, { maxLength: 300, size: "max" }), (start, steps) => {
      const replay = new ReplayProtection();
      const model = new Model();
      let at = start;
      for (const { ahead } of steps) {
        const sequence = Math.max(0, Math.max(model.newest, at) + ahead);
        at = 0;
        assert.equal(replay.isReplay(sequence), model.isReplay(sequence), `sequence ${sequence}`);
        if (replay.isReplay(sequence)) continue;
        replay.accept(sequence);
        model.accept(sequence);
        assert.equal(replay.isReplay(sequence), true);
        assert.equal(replay.newest, model.newest);
      }
    }),
    { seed: 11, numRuns: 150 },
  );
});

test("the window is 8,192 wide, to the number", () => {
  const replay = new ReplayProtection();
  assert.equal(replay.isReplay(0), false);
  replay.accept(8192);
  assert.equal(replay.isReplay(0), true);
  assert.equal(replay.isReplay(1), false);
  replay.accept(0);
  assert.equal(replay.isReplay(8192), true, "a number out of the window marks nothing in it");
  assert.equal(replay.isReplay(1), false);
});

test("the top of the number range neither wraps nor loses exactness", () => {
  const replay = new ReplayProtection();
  const top = Number.MAX_SAFE_INTEGER;
  replay.accept(top);
  assert.equal(replay.isReplay(top), true);
  assert.equal(replay.isReplay(top - 1), false);
  assert.equal(replay.isReplay(top - 8191), false);
  assert.equal(replay.isReplay(top - 8192), true);
});

test("accepting what is too old changes nothing; reset forgets", () => {
  const replay = new ReplayProtection();
  replay.accept(20_000);
  replay.accept(20_000 - 8192);
  assert.equal(replay.newest, 20_000);
  replay.reset();
  assert.equal(replay.isReplay(20_000), false);
  assert.equal(replay.newest, -1);
});
