import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PredictedHits } from "./predicted-hits.ts";
import type { HitGuess } from "./predicted-hits.ts";

const HEAD: HitGuess = { target: 7, hitbox: "head" };
const BODY: HitGuess = { target: 7, hitbox: "body" };
const OTHER: HitGuess = { target: 8, hitbox: "body" };

function play() {
  const heard: string[] = [];
  const hits = new PredictedHits({
    tickRate: 60,
    confirmWithinMs: 500,
    listener: {
      predicted: ({ tick, target }) => void heard.push(`predicted ${tick} ${target}`),
      confirmed: ({ tick, hitbox }) => void heard.push(`confirmed ${tick} ${hitbox}`),
      revoked: ({ tick }, reason) => void heard.push(`revoked ${tick} ${reason}`),
      surprised: ({ tick, target }) => void heard.push(`surprised ${tick} ${target}`),
    },
  });
  return { hits, heard };
}

describe("PredictedHits", () => {
  it("foresees a hit once, however often its tick is replayed", () => {
    const { hits, heard } = play();
    let cast = 0;
    const fire = (): unknown =>
      hits.fire(100, () => {
        cast++;
        return HEAD;
      });
    assert.deepEqual(fire(), { tick: 100, shot: 0, ...HEAD });
    assert.deepEqual(fire(), { tick: 100, shot: 0, ...HEAD }, "a replay has the same");
    assert.equal(cast, 1);
    assert.deepEqual(heard, ["predicted 100 7"]);
    hits.judge({ tick: 100, hit: HEAD });
    assert.equal(fire(), undefined, "nor does a replay after the verdict");
    assert.deepEqual(heard, ["predicted 100 7", "confirmed 100 head"]);
  });

  it("tells the same number of two tables apart", () => {
    const { hits, heard } = play();
    const monster = { ...HEAD, table: "monsters" };
    assert.deepEqual(
      hits.fire(100, () => monster),
      { tick: 100, shot: 0, ...monster },
    );
    hits.fire(101, () => monster);
    heard.length = 0;
    hits.judge({ tick: 100, hit: monster });
    hits.judge({ tick: 101, hit: { ...monster, table: "players" } });
    assert.deepEqual(heard, ["confirmed 100 head", "revoked 101 otherTarget", "surprised 101 7"]);
  });

  it("tells what came of it", () => {
    const { hits, heard } = play();
    hits.fire(100, () => HEAD);
    hits.fire(101, () => HEAD);
    hits.fire(102, () => HEAD);
    hits.fire(103, () => undefined);
    hits.fire(104, () => undefined);
    heard.length = 0;
    hits.judge({ tick: 100, hit: BODY });
    hits.judge({ tick: 101, hit: undefined });
    hits.judge({ tick: 102, hit: OTHER });
    hits.judge({ tick: 103, hit: OTHER });
    hits.judge({ tick: 104, hit: undefined });
    assert.deepEqual(heard, [
      "confirmed 100 body",
      "revoked 101 missed",
      "revoked 102 otherTarget",
      "surprised 102 8",
      "surprised 103 8",
    ]);
    assert.equal(hits.waiting, 0);
    assert.deepEqual(hits.stats, { predicted: 3, confirmed: 1, revoked: 2, surprised: 2 });
  });

  it("takes back in time what the server is silent about", () => {
    const { hits, heard } = play();
    hits.fire(100, () => HEAD);
    hits.advance(129);
    assert.deepEqual(heard, ["predicted 100 7"]);
    hits.advance(130);
    assert.deepEqual(heard, ["predicted 100 7", "revoked 100 silence"]);
    assert.equal(
      hits.fire(100, () => HEAD),
      undefined,
      "nor does a late replay bring it back",
    );
    assert.equal(heard.length, 2);
  });

  it("knows the shots of one tick apart, and never keeps many", () => {
    const { hits } = play();
    for (let shot = 0; shot < 1000; shot++) hits.fire(5, () => HEAD, shot);
    assert.equal(hits.waiting, 256);
    assert.equal(hits.stats.revoked, 744);
    hits.judge({ tick: 5, shot: 999, hit: HEAD });
    assert.equal(hits.stats.confirmed, 1);
    assert.throws(() => new PredictedHits({ tickRate: 60, confirmWithinMs: 0 }), RangeError);
  });
});
