import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProjectileRewind } from "./projectile-rewind.ts";

describe("ProjectileRewind", () => {
  it("comes from the shooter's picture to the present", () => {
    const rewind = new ProjectileRewind({ tickRate: 60, catchUpMs: 100 });
    assert.deepEqual(
      [-1, 0, 3, 6, 60].map((age) => rewind.towardsNow(age)),
      [0, 0, 0.5, 1, 1],
    );
    assert.equal(new ProjectileRewind({ tickRate: 60, catchUpMs: 0 }).towardsNow(0), 1);
  });

  it("flies what came late through the ticks that it has missed", () => {
    const rewind = new ProjectileRewind({ tickRate: 60, catchUpMs: 100, maxFastForwardMs: 250 });
    const flown: number[][] = [];
    const age = rewind.fastForward(4, (...at) => {
      flown.push(at);
      return true;
    });
    assert.equal(age, 4);
    assert.deepEqual(flown, [
      [0, 0, 0],
      [1, 1, 1 / 6],
      [2, 2, 2 / 6],
      [3, 3, 0.5],
    ]);
    flown.length = 0;
    assert.equal(
      rewind.fastForward(100, (...at) => flown.push(at) > 0),
      15,
      "no longer than it may",
    );
    assert.deepEqual(
      [flown[0], flown[14]],
      [
        [0, 85, 0],
        [14, 99, 1],
      ],
      "as if it had been shot so long ago",
    );
    assert.equal(
      rewind.fastForward(10, (ticks) => ticks < 2),
      3,
      "until it meets something",
    );
    assert.equal(
      rewind.fastForward(-3, () => true),
      0,
    );
  });

  it("refuses times that cannot be", () => {
    assert.throws(() => new ProjectileRewind({ tickRate: 60, catchUpMs: -1 }), /catchUpMs/);
    assert.throws(() => new ProjectileRewind({ tickRate: 0 }), /tickRate/);
  });
});
