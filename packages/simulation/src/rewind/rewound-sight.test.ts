import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StaticGeometry } from "../game/statics/static-geometry.ts";
import type { ViewStamp } from "../prediction/index.ts";
import { capsule, circle, defineState, float, StateTable } from "../state/index.ts";
import type { Hitbox } from "../state/index.ts";
import { PoseHistory } from "./pose-history.ts";
import { rayCapsule } from "./ray-sight.ts";
import { RewoundSight } from "./rewound-sight.ts";

const coordinate = float({ min: -1000, max: 1000, step: 1 / 256 });
const Target = defineState({ x: coordinate, y: coordinate }, { capacity: 8 });

/** Two entities, the second of which moved by 10 a tick, with a history of ticks 1 to 100. */
function scene(hitbox: Hitbox = circle({ radius: 0.5 }), statics = new StaticGeometry()) {
  const table = new StateTable(Target);
  const shooter = table.spawn(0, { x: 0, y: 0 });
  const target = table.spawn(1, { x: 0, y: 0 });
  const history = new PoseHistory(table.capacity, 30);
  for (let tick = 1; tick <= 100; tick++) {
    target.x = tick * 8;
    target.y = 5;
    table.settle();
    history.begin(tick);
    for (const row of table) history.set(row.index, row.id, row.x, row.y, 0, tick === 90 && row === target);
  }
  const stamp: ViewStamp = { viewTick: -1, snapshotTick: -1, receiptMask: 0, mode: "linear" };
  const sight = new RewoundSight(
    table,
    0,
    hitbox,
    statics,
    history,
    { stampOf: () => stamp, resolverOf: () => undefined },
    6,
  );
  return { table, shooter, target, history, stamp, sight };
}

function seenAt(test: ReturnType<typeof scene>, viewTick: number, snapshotTick: number, mask: number): number {
  Object.assign(test.stamp, { viewTick, snapshotTick, receiptMask: mask });
  const pose = { x: Number.NaN, y: 0, angle: 0 };
  return test.sight.seenBy(test.shooter).poseOf(test.target, pose) ? pose.x : Number.NaN;
}

describe("RewoundSight", () => {
  it("blends the very snapshots that the client had", () => {
    const test = scene();
    // Every second tick arrived: 99, 97, 95, ...
    const everySecond = 0xaaaaaaaa | 0;
    assert.equal(seenAt(test, 96.5, 99, everySecond), 96.5 * 8);
    assert.equal(seenAt(test, 97, 99, everySecond), 97 * 8);
    // Only 99 and 79 did, and the entity teleported at 90: it was drawn where it was before.
    assert.equal(seenAt(test, 86, 99, 1 << 19), 79 * 8);
    assert.equal(seenAt(test, 99, 99, 1 << 19), 99 * 8);
  });

  it("extrapolates as far as clients do, and holds then", () => {
    const test = scene();
    assert.equal(seenAt(test, 97, 95, 1), 97 * 8);
    assert.equal(seenAt(test, 200, 95, 1), 99.5 * 8, "slowed down to a stop");
    assert.equal(seenAt(test, 97, 95, 0), 95 * 8, "a single snapshot says nothing of speed");
  });

  it("goes back no further than the history", () => {
    const test = scene();
    assert.ok(seenAt(test, 3, -1, 0) >= (100 - test.history.ringTicks) * 8);
    assert.equal(seenAt(test, -1, -1, 0), 100 * 8, "without a stamp: now");
  });

  it("does not see what was born later, and sees what has moved since", () => {
    const test = scene();
    const late = test.table.spawn(2, { x: 5, y: 0 });
    Object.assign(test.stamp, { viewTick: 95, snapshotTick: 99, receiptMask: -1 });
    const sight = test.sight.seenBy(test.shooter);
    assert.equal(sight.poseOf(late, { x: 0, y: 0, angle: 0 }), false);
    assert.equal(sight.raycast(0, 0, 0, 100), undefined);
    const hit = sight.raycast(0, 5, 0, 1000);
    assert.equal(hit?.entity, test.target);
    assert.ok(Math.abs((hit?.distance ?? 0) - (95 * 8 - 0.5)) < 1e-9);
    assert.equal(
      sight.raycast(0, 5, 0, 1000, (row) => row !== test.target),
      undefined,
    );
    assert.equal(sight.raycast(0, 5, 0, 95 * 8 - 1), undefined, "out of range");
  });

  it("does not see through walls", () => {
    const test = scene(undefined, new StaticGeometry({ boxes: [{ x: 100, y: 5, width: 1, height: 1 }] }));
    Object.assign(test.stamp, { viewTick: 95, snapshotTick: 99, receiptMask: -1 });
    assert.equal(test.sight.seenBy(test.shooter).raycast(0, 5, 0, 1000), undefined);
    assert.ok(test.sight.seenBy(test.shooter).raycast(200, 5, 0, 1000) !== undefined);
  });

  it("looks at the shooter's own entities as they are now", () => {
    const test = scene();
    test.table.setOwner(test.target, 0);
    assert.equal(seenAt(test, 90, 99, -1), 100 * 8);
  });

  it("knows capsules", () => {
    const test = scene(capsule({ radius: 1, length: 6 }));
    Object.assign(test.stamp, { viewTick: 95, snapshotTick: 99, receiptMask: -1 });
    // From above onto the flat side, off the centre.
    const hit = test.sight.seenBy(test.shooter).raycast(95 * 8 + 2, 50, -Math.PI / 2, 100);
    assert.ok(Math.abs((hit?.distance ?? 0) - 44) < 1e-9);
  });
});

describe("rayCapsule", () => {
  it("agrees with walking along the ray", () => {
    for (let i = 0; i < 300; i++) {
      const angle = i * 0.7;
      const bx = 3 * Math.cos(i);
      const by = 3 * Math.sin(i);
      const x = 9 * Math.cos(i * 1.3);
      const y = 9 * Math.sin(i * 1.3);
      const found = rayCapsule(x, y, Math.cos(angle), Math.sin(angle), -bx, -by, bx, by, 1);
      let walked = Infinity;
      for (let t = 0; t < 30 && walked === Infinity; t += 0.01) {
        const px = x + Math.cos(angle) * t;
        const py = y + Math.sin(angle) * t;
        const along = Math.max(-1, Math.min(1, (px * bx + py * by) / 9));
        if (Math.hypot(px - along * bx, py - along * by) <= 1) walked = t;
      }
      // Grazing rays may be missed by the walk.
      if (walked < Infinity) assert.ok(Math.abs(found - walked) < 0.02, `${i}: ${found} instead of ${walked}`);
    }
  });
});
