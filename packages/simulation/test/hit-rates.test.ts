/** Who is hit in the picture is hit on the server, and who is missed in it is not: a small part of `bench -- hits`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MOVERS, playRange } from "./shooting-range.ts";
import type { RangeConditions } from "./shooting-range.ts";

const SECONDS = 120;

describe("a shot at what is drawn", () => {
  const cases: Readonly<Record<string, RangeConditions>> = {
    "over a short, even line": { latencyMs: 20, snapshotRate: 30 },
    "over a usual line": { latencyMs: 80, jitterMs: 20, lossRate: 0.05, snapshotRate: 30 },
    "with few updates, much jitter and loss": { latencyMs: 150, jitterMs: 50, lossRate: 0.1, snapshotRate: 15 },
    "with few updates, at 144 frames a second": {
      latencyMs: 80,
      jitterMs: 50,
      lossRate: 0.1,
      snapshotRate: 15,
      frameRate: 144,
    },
    "over a long line that loses packets three at a time": {
      latencyMs: 300,
      jitterMs: 20,
      lossRate: 0.1,
      burstPackets: 3,
      snapshotRate: 30,
      maxRewindMs: 750,
    },
    'in the mode "hermite"': { latencyMs: 80, jitterMs: 20, lossRate: 0.05, snapshotRate: 15, mode: "hermite" },
    'in the mode "extrapolation"': {
      latencyMs: 80,
      jitterMs: 20,
      lossRate: 0.05,
      snapshotRate: 30,
      mode: "extrapolation",
    },
  };
  for (const [name, conditions] of Object.entries(cases)) {
    it(`hits whom it hits in the picture, and nobody else, ${name}`, () => {
      const { total, tallies } = playRange(conditions, SECONDS);
      assert.ok(total.drawnHits > 600 && total.drawnMisses > 600, JSON.stringify(total));
      assert.ok(total.hits >= total.drawnHits * 0.995, JSON.stringify(tallies));
      assert.ok(total.falseHits <= total.drawnMisses * 0.005, JSON.stringify(tallies));
      for (const kind of MOVERS) assert.ok(tallies[kind].drawnHits > 100, `${kind}: ${JSON.stringify(tallies[kind])}`);
    });
  }

  it("is led by whoever is farther back than the limit", () => {
    const { total, rewindMaxMs } = playRange({ latencyMs: 300, snapshotRate: 30, maxRewindMs: 250 }, SECONDS);
    assert.ok(total.hits < total.drawnHits * 0.9, JSON.stringify(total));
    assert.ok(rewindMaxMs <= 250 + 1000 / 60, `${rewindMaxMs} ms`);
  });
});
