import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DelayMeter } from "./delay-meter.ts";
import { peekersAdvantageMs, peekersAdvantages } from "./peekers-advantage.ts";

describe("peeker's advantage", () => {
  const near = { inputDelayMs: 30, viewDelayMs: 60 };
  const far = { inputDelayMs: 120, viewDelayMs: 150 };

  it("is the delay of one's input and of the other's view", () => {
    assert.equal(peekersAdvantageMs(near, far), 180);
    assert.equal(peekersAdvantageMs(far, near), 180);
    assert.equal(peekersAdvantageMs(near, near), 90);
  });

  it("is told over all pairs", () => {
    const players = new Map([
      [3, near],
      [5, near],
      [8, far],
    ]);
    const { pairs, meanMs, medianMs, p95Ms, mostMs, peeker, holder } = peekersAdvantages(players);
    assert.deepEqual(
      { pairs, meanMs, medianMs, p95Ms, mostMs },
      {
        pairs: 6,
        meanMs: (2 * 90 + 4 * 180) / 6,
        medianMs: 180,
        p95Ms: 180,
        mostMs: 180,
      },
    );
    assert.ok(peeker !== holder && [peeker, holder].includes(8));
    assert.deepEqual(peekersAdvantages(new Map([[1, near]])), {
      pairs: 0,
      meanMs: 0,
      medianMs: 0,
      p95Ms: 0,
      mostMs: 0,
      peeker: -1,
      holder: -1,
    });
  });

  it("is told of a bounded number of pairs", () => {
    const many = new Map(Array.from({ length: 1000 }, (_, i) => [i, near]));
    const { pairs, medianMs } = peekersAdvantages(many);
    assert.ok(pairs > 10_000 && pairs <= 128 * 127);
    assert.equal(medianMs, 90);
  });
});

describe("the delays of a player", () => {
  it("are half a round trip and the stock of inputs, and what is left of the age of the picture", () => {
    const meter = new DelayMeter();
    assert.equal(meter.isKnown, false);
    for (let i = 0; i < 10; i++) meter.note(80, 20, 150);
    assert.deepEqual([meter.inputDelayMs, meter.viewDelayMs], [60, 90]);
    for (let i = 0; i < 1000; i++) meter.note(80, -20, 20);
    assert.ok(Math.abs(meter.inputDelayMs - 40) < 0.1 && meter.viewDelayMs < 0.1);
    meter.clear();
    assert.equal(meter.isKnown, false);
  });
});
