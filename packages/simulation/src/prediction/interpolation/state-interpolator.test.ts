import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { emptySample, StateInterpolator } from "../index.ts";
import type { StateSample, UpdatedTable } from "../index.ts";

/** One entity at index 0 with a record of one word. */
function state(id: number, word: number, updatedAt: number): UpdatedTable {
  return {
    present: Uint8Array.of(id >= 0 ? 1 : 0),
    ids: Int32Array.of(id),
    owners: Int32Array.of(-1),
    words: Int32Array.of(word),
    updatedAt: [updatedAt],
    highWater: id >= 0 ? 1 : 0,
  };
}

const sample: StateSample = emptySample();

function valueAt(interpolator: StateInterpolator, view: number): number | undefined {
  if (!interpolator.sample(0, view, 6, sample)) return undefined;
  const from = interpolator.words[sample.from];
  return from + (interpolator.words[sample.to] - from) * sample.fraction;
}

describe("StateInterpolator", () => {
  it("blends between updates and goes on for a short time behind the last", () => {
    const interpolator = new StateInterpolator(4, 1);
    for (let tick = 10; tick <= 20; tick += 2) interpolator.update(tick, state(0, tick * 10, tick));
    assert.equal(valueAt(interpolator, 9.9), undefined, "not born yet");
    assert.equal(valueAt(interpolator, 10), 100);
    assert.equal(valueAt(interpolator, 13), 130);
    assert.equal(valueAt(interpolator, 20), 200);
    assert.equal(valueAt(interpolator, 22), 220);
    assert.equal(valueAt(interpolator, 23), 230, "at full speed for 3 ticks");
    assert.ok(Math.abs((valueAt(interpolator, 24.5) ?? 0) - 241.25) < 1e-9, "then more and more slowly");
    assert.equal(valueAt(interpolator, 26), 245, "and it stops after 6 ticks");
    assert.equal(valueAt(interpolator, 100), 245);
  });

  it("keeps an entity until the view reaches its end, and starts a successor afresh", () => {
    const interpolator = new StateInterpolator(4, 1);
    interpolator.update(10, state(0, 100, 10));
    interpolator.update(12, state(0, 120, 12));
    interpolator.update(14, state(-1, 0, 0));
    assert.equal(valueAt(interpolator, 11), 110);
    assert.equal(valueAt(interpolator, 13), 120, "no extrapolation towards an end");
    assert.equal(valueAt(interpolator, 14), undefined);
    assert.equal(interpolator.highWater, 0);
    interpolator.update(16, state(1 << 16, 500, 16));
    assert.equal(valueAt(interpolator, 15), undefined);
    assert.equal(valueAt(interpolator, 16), 500);
  });

  it("does not blend across a time in which the entity was out of sight", () => {
    const interpolator = new StateInterpolator(4, 1);
    interpolator.update(10, state(0, 100, 10));
    interpolator.update(12, state(-1, 0, 0));
    interpolator.update(30, state(0, 900, 30));
    assert.equal(valueAt(interpolator, 20), undefined);
    assert.equal(valueAt(interpolator, 30), 900);
  });

  it("holds the oldest it knows of where the view is farther back, but shows nobody before they came", () => {
    const interpolator = new StateInterpolator(4, 1, 4);
    for (let tick = 10; tick <= 24; tick += 2) interpolator.update(tick, state(0, tick * 10, tick));
    assert.equal(valueAt(interpolator, 19), 190);
    assert.equal(valueAt(interpolator, 14), 180, "18 is the oldest of four");
    assert.equal(valueAt(interpolator, 10), 180);
    assert.equal(valueAt(interpolator, 9), undefined);
  });

  it("has room for as many entities as the table, when they come", () => {
    const interpolator = new StateInterpolator(1000, 1, 2);
    const many = {
      present: new Uint8Array(1000).fill(1),
      ids: Int32Array.from({ length: 1000 }, (_, index) => index),
      owners: new Int32Array(1000),
      words: Int32Array.from({ length: 1000 }, (_, index) => index),
      updatedAt: Array.from({ length: 1000 }, () => 10),
      highWater: 3,
    };
    interpolator.update(10, many);
    interpolator.update(12, { ...many, updatedAt: many.updatedAt.map(() => 12), highWater: 1000 });
    for (const [index, at] of [
      [2, 11],
      [999, 12],
    ]) {
      assert.ok(interpolator.sample(index, at, 6, sample));
      assert.equal(interpolator.words[sample.from], index);
    }
    assert.ok(interpolator.words.length <= 2000);
  });

  it("knows how old its knowledge is when the server had no room for news", () => {
    const interpolator = new StateInterpolator(4, 1);
    interpolator.update(10, state(0, 100, 10));
    interpolator.update(12, state(0, 100, 10));
    assert.equal(interpolator.newestTick(0), 10);
    assert.equal(interpolator.newestTick(1), -1);
  });
});
