import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineHitboxes } from "./hitboxes/hitbox-set.ts";
import { mixRotations } from "./history/packed-rotation.ts";
import { SnapshotHistory } from "./history/snapshot-history.ts";
import { RewoundPoses } from "./rewound-poses.ts";
import type { FadingDifferences, RewindView } from "./rewound-poses.ts";
import type { DrawnPicture } from "./view-resolver.ts";

const ID = 7;

/** Turned by 0.2 in each tick until tick 2, and not any more. */
function turned(rotation: "angle" | "quaternion"): SnapshotHistory {
  const hitboxes = defineHitboxes({ body: { shape: "box", half: [2, 1, 1] } });
  const history = new SnapshotHistory({ capacity: 1, hitboxes, tickMs: 16, maxSnapshots: 8, rotation });
  for (let tick = 0; tick <= 4; tick++) {
    const angle = 3 + 0.2 * Math.min(tick, 2);
    history.begin(tick);
    history.set(0, ID, 0, 0, 0, rotation === "angle" ? angle : 0);
    if (rotation === "quaternion") history.setRotation(0, 0, Math.sin(angle / 2), Math.cos(angle / 2));
  }
  return history;
}

function set(out: DrawnPicture, fromTick: number, toTick: number, fraction: number, beyondTicks = 0): boolean {
  Object.assign(out, { fromTick, toTick, fraction, beyondTicks, mode: "spherical" });
  return true;
}

/** At tick 4, which was carried on from ticks 0 and 2 before the news came; half of the difference is left. */
function late(snapDistance = 5): RewindView {
  const fading: FadingDifferences = {
    count: 1,
    snapDistance,
    weightOf: () => 0.5,
    resolveFading: (_i, isBefore, _id, out) => (isBefore ? set(out, 0, 2, 2, 2) : set(out, 2, 4, 1)),
  };
  return { viewTick: 4, isWithin: false, resolve: (_id, out) => set(out, 2, 4, 1), fading };
}

function angleOf(poses: RewoundPoses): number {
  const { pose } = poses;
  const angle = poses.history.rotation === "angle" ? pose.angle : 2 * Math.atan2(pose.turn.z, pose.turn.w);
  return ((angle % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI);
}

describe("rotations on the server", () => {
  for (const rotation of ["angle", "quaternion"] as const)
    it(`slide after late news as they do on the screen: ${rotation}`, () => {
      const poses = new RewoundPoses(turned(rotation));
      poses.look(late());
      assert.ok(poses.find(0));
      poses.stand();
      // 3.8 was drawn and 3.4 is right: half of that is left.
      assert.ok(Math.abs(angleOf(poses) - 3.6) < 0.005, `${angleOf(poses)}`);
      poses.look({ viewTick: 4, isWithin: true, resolve: (_id, out) => set(out, 2, 4, 1) });
      poses.find(0);
      poses.stand();
      assert.ok(Math.abs(angleOf(poses) - 3.4) < 0.005, "and nothing of it in the next view");
    });

  it("turn at a constant rate where the mode says so", () => {
    for (const fraction of [0.25, 0.8, 1.2]) {
      const a = { x: 0, y: 0, z: 0, w: 1 };
      const b = { x: 0, y: 0, z: -Math.sin(1), w: -Math.cos(1) };
      mixRotations(a, b, fraction, true);
      assert.ok(Math.abs(2 * Math.atan2(a.z, a.w) - 2 * fraction) < 1e-12);
    }
  });
});
