import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StaticGeometry } from "../game/statics/static-geometry.ts";
import type { ViewStamp } from "../prediction/index.ts";
import { capsule, circle, defineState, float, StateTable, uint } from "../state/index.ts";
import type { Fields, Hitbox } from "../state/index.ts";
import { HistoryRecorder } from "./history-recorder.ts";
import { RewindContext } from "./rewind-context.ts";
import { RewindQuery } from "./rewind-query.ts";
import { RewoundSight } from "./rewound-sight.ts";
import type { SeenOptions } from "./seen-by.ts";

const coordinate = float({ min: -1000, max: 1000, step: 1 / 256 });
const Jumps = defineState({ x: coordinate, y: coordinate, hop: uint({ max: 1, teleport: 0 }) }, { capacity: 8 });

/** Two entities, the second of which moved by 8 a tick and jumped once, with a history of ticks 1 to 100. */
function scene(hitbox: Hitbox = circle({ radius: 0.5 }), statics = new StaticGeometry()) {
  const state = defineState(Jumps.fields, { capacity: 8, hitbox });
  const table = new StateTable<Fields>(state);
  const shooter = table.spawn(0, { x: 0, y: 0 });
  const target = table.spawn(1, { x: 0, y: 0 });
  const recorder = new HistoryRecorder(state, table, { tickMs: 10, windowMs: 300 });
  const { history, reader } = recorder;
  for (let tick = 1; tick <= 100; tick++) {
    target.x = tick * 8;
    target.y = 5;
    // What it has jumped across at 90, no client blends.
    target.hop = tick < 90 ? 0 : 1;
    table.settle();
    recorder.record(tick);
  }
  const stamp: ViewStamp = { viewTick: -1, snapshotTick: -1, receiptMask: 0, mode: "linear" };
  const late = { tick: -1 };
  const asked = { times: 0 };
  const stampOf = (): ViewStamp => {
    asked.times++;
    return stamp;
  };
  const source = new RewoundSight({
    table,
    number: 0,
    history,
    reader,
    stamps: { stampOf, resolverOf: () => undefined, lateTickOf: () => late.tick },
    maxExtrapolationTicks: 6,
    prediction: { sharedRadius: 0, remoteRadius: 0 },
    snapDistance: 4,
  });
  const sight = new RewindContext(table, new RewindQuery(history), source, { statics, blockers: [] }, () => 101);
  return { table, shooter, target, history, stamp, late, asked, sight };
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
    assert.ok(seenAt(test, 3, -1, 0) >= (100 - test.history.maxSnapshots) * 8);
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

  it("looks at the shooter's own entities as they were at the tick of an input that is judged late", () => {
    const test = scene();
    test.table.setOwner(test.target, 0);
    test.late.tick = 93;
    assert.equal(seenAt(test, 80, 85, -1), 93 * 8);
    test.late.tick = -1;
    assert.equal(seenAt(test, 80, 85, -1), 100 * 8);
  });

  it("looks at the shooter's own entities as they are now", () => {
    const test = scene();
    test.table.setOwner(test.target, 0);
    assert.equal(seenAt(test, 90, 99, -1), 100 * 8);
  });

  it("looks nearer to the present for what flies on", () => {
    const test = scene();
    Object.assign(test.stamp, { viewTick: 96, snapshotTick: 99, receiptMask: -1 });
    const sight = test.sight.seenBy(test.shooter);
    const isThere = (x: number, options: SeenOptions<Fields>): boolean =>
      sight.performOverlap({ ax: x, ay: 5, az: 0, bx: x, by: 5, bz: 0, radius: 0.1 }, options).length === 1;
    assert.ok(isThere(96 * 8, {}));
    assert.ok(isThere(98 * 8, { towardsNow: 0.5 }));
    assert.ok(!isThere(96 * 8, { towardsNow: 0.5 }));
    assert.ok(isThere(100 * 8, { towardsNow: 1 }));
    assert.ok(isThere(97 * 8, { laterTicks: 1 }));
    assert.ok(isThere(98.5 * 8, { laterTicks: 1, towardsNow: 0.5 }));
    assert.ok(isThere(100 * 8, { laterTicks: 30 }), "no farther than now");
    assert.ok(isThere(96 * 8, {}), "and what was seen is as before");
  });

  it("takes for now, while an input is judged late, when what flies would have been there", () => {
    const test = scene();
    Object.assign(test.stamp, { viewTick: 80, snapshotTick: 84, receiptMask: -1 });
    test.late.tick = 87;
    const sight = test.sight.seenBy(test.shooter);
    const isThere = (x: number, options: SeenOptions<Fields>): boolean =>
      sight.performOverlap({ ax: x, ay: 5, az: 0, bx: x, by: 5, bz: 0, radius: 0.1 }, options).length === 1;
    assert.ok(isThere(83 * 8, { towardsNow: 0.5 }), "half way to 86, the tick before the input's");
    assert.ok(isThere(82 * 8, { laterTicks: 2 }));
    assert.ok(isThere(88 * 8, { laterTicks: 2, towardsNow: 1 }));
    assert.ok(isThere(100 * 8, { laterTicks: 20, towardsNow: 1 }), "no farther than now");
    // What its client predicts is so much later, too.
    test.table.setOwner(test.target, 0);
    assert.ok(isThere(87 * 8, {}));
    assert.ok(isThere(89 * 8, { laterTicks: 2, towardsNow: 0.5 }));
    assert.ok(isThere(100 * 8, { laterTicks: 20 }));
  });

  it("works out what was seen once, and only for the moment that is asked for", () => {
    const test = scene();
    Object.assign(test.stamp, { viewTick: 96, snapshotTick: 99, receiptMask: -1 });
    const sight = test.sight.seenBy(test.shooter);
    assert.equal(test.asked.times, 0);
    for (let i = 0; i < 3; i++) sight.raycast(0, 5, 0, 100, { towardsNow: 0.5 });
    assert.equal(test.asked.times, 1);
    assert.equal(sight.viewTick, 96);
    assert.equal(test.asked.times, 2);
  });

  it("knows capsules", () => {
    const test = scene(capsule({ radius: 1, length: 6 }));
    Object.assign(test.stamp, { viewTick: 95, snapshotTick: 99, receiptMask: -1 });
    // From above onto the flat side, off the centre.
    const hit = test.sight.seenBy(test.shooter).raycast(95 * 8 + 2, 50, -Math.PI / 2, 100);
    assert.ok(Math.abs((hit?.distance ?? 0) - 44) < 1e-9);
  });
});
