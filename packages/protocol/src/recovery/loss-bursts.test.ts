import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkConditionSimulator } from "../simulator/index.ts";
import type { NetworkConditions } from "../simulator/index.ts";
import { LossBursts } from "./loss-bursts.ts";

/** Sends packets over a link, and returns the mean of what was estimated in the second half, and of the real runs there. */
function measure(bursts: LossBursts, seed: number, conditions: NetworkConditions, packets: number) {
  const link = new NetworkConditionSimulator({ seed, conditions });
  let lostBefore = false;
  let losses = 0;
  let runs = 0;
  let estimates = 0;
  let sum = 0;
  for (let number = 0; number < packets; number++) {
    const lost = !link.shouldProcessPacket();
    if (lost) bursts.onLost(lostBefore);
    if (number * 2 >= packets) {
      sum += bursts.meanPackets;
      estimates++;
      if (lost) losses++;
      if (lost && !lostBefore) runs++;
    }
    lostBefore = lost;
  }
  return { estimate: sum / estimates, real: losses / runs };
}

for (const mean of [1.5, 3, 6]) {
  test(`bursts of ${mean} packets on a Gilbert-Elliott link are measured as that`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const burst = { enterRate: 0.02, leaveRate: 1 / mean };
      const { estimate, real } = measure(new LossBursts(), seed, { burst }, 40_000);
      assert.ok(Math.abs(estimate / real - 1) < 0.1, `seed ${seed}: ${estimate}, really ${real}`);
      assert.ok(Math.abs(estimate / mean - 1) < 0.15, `seed ${seed}: ${estimate}`);
    }
  });
}

test("independent losses are hardly ever in a row, and bursts of long ago are forgotten", () => {
  const bursts = new LossBursts();
  assert.equal(bursts.meanPackets, 1);
  measure(bursts, 1, { burst: { enterRate: 0.02, leaveRate: 0.2 } }, 10_000);
  assert.ok(bursts.meanPackets > 3, `${bursts.meanPackets}`);
  const { estimate } = measure(bursts, 2, { lossRate: 0.1 }, 10_000);
  assert.ok(Math.abs(estimate - 1 / 0.9) < 0.05, `${estimate}`);
});

test("a run counts while it goes on; an outage does not count for more than it says", () => {
  const bursts = new LossBursts();
  const seen = [false, true, true].map((inRow) => {
    bursts.onLost(inRow);
    return bursts.meanPackets;
  });
  assert.deepEqual(seen, [1, 2, 3]);
  for (let i = 0; i < 31; i++) bursts.onLost(false);
  for (let i = 0; i < 10_000; i++) bursts.onLost(true);
  assert.ok(bursts.meanPackets < 2.1, `${bursts.meanPackets}`);
});

test("losses that were none are taken back", () => {
  const bursts = new LossBursts();
  bursts.onSpuriousLoss();
  for (let i = 0; i < 200; i++) {
    bursts.onLost(false);
    bursts.onLost(true);
    bursts.onSpuriousLoss();
  }
  assert.ok(Math.abs(bursts.meanPackets - 1) < 0.01, `${bursts.meanPackets}`);
});
