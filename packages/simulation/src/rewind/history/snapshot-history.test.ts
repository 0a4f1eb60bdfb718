import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { defineHitboxes } from "../hitboxes/hitbox-set.ts";
import { packRotation, unpackRotation } from "./packed-rotation.ts";
import { SnapshotHistory } from "./snapshot-history.ts";
import type { SnapshotHistoryOptions } from "./snapshot-history.ts";

const hitboxes = defineHitboxes({ body: { shape: "sphere", radius: 0.5 }, head: { shape: "sphere", radius: 0.2 } });
const posed = defineHitboxes(
  { a: { shape: "sphere", radius: 0.5 }, b: { shape: "sphere", radius: 0.5 }, c: { shape: "sphere", radius: 0.5 } },
  { pose: "posed", extent: { radius: 2, low: -2, high: 2 } },
);

function history(options: Partial<SnapshotHistoryOptions> = {}): SnapshotHistory {
  return new SnapshotHistory({ capacity: 10, hitboxes, tickMs: 10, ...options });
}

describe("SnapshotHistory", () => {
  it("is limited by time, by count and by bytes", () => {
    assert.equal(history().maxSnapshots, 51, "half a second, both ends");
    assert.equal(history({ windowMs: 100 }).maxSnapshots, 11);
    assert.equal(history({ maxSnapshots: 20 }).maxSnapshots, 20);
    const small = history({ maxBytes: 5000 });
    assert.ok(small.maxSnapshots > 5 && small.maxSnapshots < 12, `${small.maxSnapshots}`);
    for (const maxBytes of [3800, 5000, 7777, 12_345]) assert.ok(history({ maxBytes }).bytes <= maxBytes);
    assert.equal(history({ maxBytes: 1 }).maxSnapshots, 2, "at least two");
    assert.throws(() => history({ windowMs: 0 }), RangeError);
    assert.throws(() => history({ maxBytes: -1 }), RangeError);
  });

  it("takes 24 bytes for an entity and tick, and 56 with three hitboxes posed", () => {
    assert.equal(history().stride * 4, 24);
    assert.equal(history({ hitboxes: posed }).stride * 4, 56);
    assert.equal(history({ paths: ["told", "told", "estimated"] }).stride * 4, 32, "4 for each told speed");
    assert.equal(history({ paths: ["told", "told", "told"], hitboxes: posed }).stride * 4, 68);
  });

  it("keeps told speeds apart from poses", () => {
    const past = history({ paths: ["told", "line", "told"], hitboxes: posed });
    past.begin(0);
    past.set(0, 0, 1, 2, 3, 0);
    past.setVelocity(-5, 9, 7);
    for (let i = 0; i < 3; i++) past.setPose(i, 1, 2, i);
    const entry = past.at(0, 0);
    assert.deepEqual([past.speedAt(entry, 0), past.speedAt(entry, 2)], [-5, 7]);
    assert.deepEqual(
      [...past.snapshot(0)][0].poses?.map(({ offset }) => offset),
      [
        [1, 2, 0],
        [1, 2, 1],
        [1, 2, 2],
      ],
    );
  });

  it("keeps who was where, until it is overwritten", () => {
    const past = history({ maxSnapshots: 4 });
    for (let tick = 100; tick < 107; tick++) {
      past.begin(tick);
      if (tick < 105) past.set(3, 0x10003, tick, -tick, 1, 0.5, tick === 104);
      else past.setNobody(3);
      past.set(4, 4, 0, 0, 0, 0);
      past.setDisabled(tick === 106 ? 2 : 0);
    }
    assert.equal(past.oldestTick, 103);
    assert.equal(past.snapshots, 4);
    const seen = [103, 104, 105, 106].map((tick) => Array.from(past.snapshot(tick)));
    assert.deepEqual(
      seen.map((all) => all.length),
      [2, 2, 1, 1],
    );
    const [first] = seen[1];
    assert.deepEqual([first.id, first.generation, first.position], [0x10003, 1, [104, -104, 1]]);
    assert.equal(seen[1][0].jumps, seen[0][0].jumps + 1);
    assert.deepEqual(seen[3][0].disabled, ["head"]);
    assert.deepEqual([...past.snapshot(102)], []);
    assert.deepEqual([...past.snapshot(107)], []);
  });

  it("begins anew after a gap", () => {
    const past = history();
    past.begin(5);
    past.set(0, 0, 1, 1, 0, 0);
    past.begin(9);
    assert.equal(past.oldestTick, 9);
    assert.deepEqual([...past.snapshot(5)], []);
  });

  it("keeps poses to a millimetre and a fifth of a degree", () => {
    const past = history({ hitboxes: posed });
    past.begin(0);
    past.set(2, 2, 0, 0, 0, 0);
    const half = Math.SQRT1_2;
    for (let i = 0; i < 3; i++) past.setPose(i, i + 0.1234, -i, -3.3, 0, half, 0, -half);
    const [{ poses = [] }] = past.snapshot(0);
    poses.forEach(({ offset, turn = [0, 0, 0, 1] }, i) => {
      assert.ok(Math.hypot(offset[0] - i - 0.1234, offset[1] + i, (offset[2] ?? 0) + 3.3) < 0.001);
      assert.ok(Math.abs(Math.abs(turn[1] * half - turn[3] * half) - 1) < 1e-5);
    });
    assert.throws(() => past.setPose(0, 40, 0, 0), RangeError);
    assert.throws(() => past.setPose(0, Number.NaN, 0, 0), RangeError);
  });

  it("knows a box around everywhere that somebody was", () => {
    const moves = fc.array(fc.record({ x: fc.integer({ min: -50, max: 50 }), here: fc.boolean() }), { maxLength: 80 });
    fc.assert(
      fc.property(moves, (all) => {
        const past = history({ maxSnapshots: 9 });
        all.forEach(({ x, here }, tick) => {
          past.begin(tick);
          if (here) past.set(6, 6, x, 2 * x, 0, 0);
          else past.setNobody(6);
          const window = all.slice(past.oldestTick, tick + 1).filter((move) => move.here);
          const at = 6 * 6;
          for (const move of window) {
            assert.ok(past.bounds.boxes[at] <= move.x && past.bounds.boxes[at + 3] >= move.x);
            assert.ok(past.bounds.boxes[at + 1] <= 2 * move.x && past.bounds.boxes[at + 4] >= 2 * move.x);
          }
          // And is no larger than the last 17 ticks were.
          const longer = all.slice(Math.max(0, tick - 16), tick + 1).filter((move) => move.here);
          if (past.bounds.boxes[at] <= past.bounds.boxes[at + 3])
            assert.ok(past.bounds.boxes[at] >= Math.min(...longer.map((move) => move.x)));
        });
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});

describe("packed rotations", () => {
  it("are a fifth of a degree fine at worst", () => {
    const part = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(part, part, part, part, (x, y, z, w) => {
        const length = Math.hypot(x, y, z, w);
        fc.pre(length > 0.1);
        const out = { x: 0, y: 0, z: 0, w: 0 };
        unpackRotation(packRotation(x / length, y / length, z / length, w / length), out);
        const dot = Math.abs(out.x * x + out.y * y + out.z * z + out.w * w) / length;
        assert.ok(2 * Math.acos(Math.min(1, dot)) < 0.2 * (Math.PI / 180), `${dot}`);
      }),
      { seed: 2, numRuns: 2000 },
    );
  });
});
