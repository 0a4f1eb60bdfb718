import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FavorChange } from "./favor-settings.ts";
import { favorAt, FavorTheShooter } from "./favor-the-shooter.ts";

describe("the settings", () => {
  it("favour the shooter fully to begin with", () => {
    const favor = new FavorTheShooter(500);
    const { version, maxRewindMs, behindCoverMs, coverBudgetMs } = favor.settings;
    assert.deepEqual(
      { version, maxRewindMs, behindCoverMs, coverBudgetMs },
      {
        version: 1,
        maxRewindMs: 500,
        behindCoverMs: "off",
        coverBudgetMs: "off",
      },
    );
    for (const rttMs of [0, 100, 1000]) assert.equal(favorAt(favor.of("rifle"), rttMs), 1);
  });

  it("change as a whole and count their versions", () => {
    const favor = new FavorTheShooter(500, { maxRewindMs: 300 });
    assert.equal(favor.settings.version, 1);
    const bands = [{ rttMs: 100, favor: 1 }];
    assert.equal(favor.change({ latencyBands: bands, version: 1 }).version, 2);
    bands[0].favor = 7;
    assert.deepEqual(favor.settings.latencyBands, [{ rttMs: 100, favor: 1 }], "a copy");
    assert.equal(favor.settings.maxRewindMs, 300);
    assert.throws(() => favor.change({ maxRewindMs: 200, version: 1 }), /at version 2, not 1: read them again/);
    assert.equal(favor.settings.maxRewindMs, 300);
  });

  it("may be others for a weapon, which follows the rest", () => {
    const favor = new FavorTheShooter(500, { weapons: { sniper: { maxRewindMs: 150 } } });
    assert.equal(favor.of("sniper").maxRewindMs, 150);
    assert.equal(favor.of("rifle").maxRewindMs, 500);
    assert.equal(favor.of().maxRewindMs, 500);
    favor.change({ behindCoverMs: 80 });
    assert.equal(favor.of("sniper").behindCoverMs, 80);
    assert.equal(favor.of("sniper").maxRewindMs, 150);
    favor.change({ weapons: {} });
    assert.equal(favor.of("sniper").maxRewindMs, 500);
  });

  it("refuse what cannot be and say what can, and nothing has changed", () => {
    const favor = new FavorTheShooter(500);
    const refused: readonly [unknown, RegExp][] = [
      [{ maxRewindMs: 501 }, /maxRewindMs must be from 0 to 500: for more, start the match with a larger/],
      [{ maxRewindMs: Number.NaN }, /got NaN/],
      [{ maxRewindMs: "100" }, /got "100"/],
      [{ behindCoverMs: -1 }, /or "off"/],
      [{ latencyBands: [] }, /1 to 16 bands/],
      [
        {
          latencyBands: [
            { rttMs: 10, favor: 1 },
            { rttMs: 10, favor: 0 },
          ],
        },
        /must rise/,
      ],
      [{ latencyBands: [{ rttMs: 0, favor: 1.5 }] }, /from 0 \(judged at the present\) to 1/],
      [{ latencyBands: [null] }, /must rise/],
      [{ betweenBands: "cubic" }, /"linear" or "steps"/],
      [{ coverWindowMs: 0 }, /from 100/],
      [{ spareDashing: 1 }, /true or false/],
      [{ weapons: { axe: { reach: 3 } } }, /no setting weapons.axe.reach: it is one of maxRewindMs/],
      [{ weapons: { axe: { coverWindowMs: 300 } } }, /no setting weapons.axe.coverWindowMs/],
      [{ weapons: [] }, /by name/],
      [{ maxRewind: 100 }, /no setting maxRewind: it is one of/],
      [{ version: 0 }, /whole number from 1/],
      [null, /an object/],
    ];
    for (const [change, message] of refused)
      assert.throws(
        () => favor.change(change as FavorChange),
        (error: unknown) => error instanceof RangeError && message.test(error.message),
      );
    assert.equal(favor.settings.version, 1);
    assert.throws(() => new FavorTheShooter(200, { maxRewindMs: 300 }), RangeError);
  });
});

describe("the favour of a latency", () => {
  const bands = [
    { rttMs: 100, favor: 1 },
    { rttMs: 200, favor: 0.5 },
    { rttMs: 300, favor: 0 },
  ];
  const favors = (betweenBands: "linear" | "steps"): number[] => {
    const favor = new FavorTheShooter(500, { latencyBands: bands, betweenBands }).of();
    return [0, 100, 150, 200, 290, 300, 1000].map((rttMs) => Math.round(favorAt(favor, rttMs) * 1000) / 1000);
  };

  it("changes evenly between bands, or at each", () => {
    assert.deepEqual(favors("linear"), [1, 1, 0.75, 0.5, 0.05, 0, 0]);
    assert.deepEqual(favors("steps"), [1, 1, 1, 0.5, 0.5, 0, 0]);
  });
});
