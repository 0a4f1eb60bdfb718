import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { honestAgeMs, isTimestampValid, timestampBounds } from "./is-timestamp-valid.ts";
import type { TimestampEvidence } from "./is-timestamp-valid.ts";

/** At 60 ticks and 30 snapshots a second, on a steady link of 40 ms. */
const steady: TimestampEvidence = {
  tick: 600,
  tickMs: 1000 / 60,
  rttMs: 40,
  jitterMs: 0,
  lostInARow: 0,
  inputsLostInARow: 0,
  serverLateMs: 0,
  snapshotMs: 1000 / 30,
  inputLeadMs: 100,
  isStarting: false,
  newestSentTick: 598,
  maxExtrapolationTicks: 12,
  maxAheadTicks: 12,
};

describe("a timestamp", () => {
  it("is valid as far back as the link accounts for, and no farther", () => {
    // 40 there and back, 100 of lead, an interval of 33, and 45 of slack.
    assert.ok(Math.abs(honestAgeMs(steady) - (40 + 100 + 1000 / 30 + 45)) < 1e-9);
    const oldest = 600 - (honestAgeMs(steady) * 60) / 1000;
    assert.equal(isTimestampValid(oldest + 1e-6, steady), true);
    assert.equal(isTimestampValid(oldest - 1e-6, steady), false);
  });

  it("is valid as far back as it may be when nothing was measured", () => {
    assert.equal(honestAgeMs({ ...steady, rttMs: undefined }), Infinity);
    assert.equal(isTimestampValid(0, { ...steady, rttMs: undefined }), true);
    assert.equal(isTimestampValid(599, { ...steady, rttMs: undefined }), true, "the state after the tick before");
    assert.equal(isTimestampValid(599.1, { ...steady, rttMs: undefined }), false);
    const silent = { ...steady, rttMs: undefined, newestSentTick: 560 };
    assert.equal(isTimestampValid(584, silent), true, "400 ms beyond what was sent");
    assert.equal(isTimestampValid(584.1, silent), false);
  });

  it("may be older by what jitter and losses cost, and not by more than jitter is believed", () => {
    const age = honestAgeMs(steady);
    const more = (evidence: Partial<TimestampEvidence>): number =>
      Math.round(honestAgeMs({ ...steady, ...evidence }) - age);
    assert.equal(more({ jitterMs: 10 }), 40);
    assert.equal(more({ jitterMs: 1000 }), 200);
    assert.equal(more({ lostInARow: 2 }), 67);
    assert.equal(more({ lostInARow: 1000 }), Math.round(500 - 1000 / 30));
    assert.equal(more({ inputsLostInARow: 2 }), 67);
    assert.equal(more({ isStarting: true }), 100);
    assert.equal(more({ serverLateMs: 60 }), 60);
    assert.equal(more({ serverLateMs: 2000 }), 250);
  });

  it("is not valid when it is farther ahead of what can have come than clients draw, or ahead of the tick", () => {
    const far = { ...steady, rttMs: 300 };
    assert.equal(isTimestampValid(600 - (55 * 60) / 1000, far), true, "255 ms for the news, 200 less ahead of them");
    assert.equal(isTimestampValid(600 - (50 * 60) / 1000, far), false);
    assert.equal(isTimestampValid(600 - (255 * 60) / 1000, { ...far, maxAheadTicks: 0 }), true);
    assert.equal(isTimestampValid(600 - (250 * 60) / 1000, { ...far, maxAheadTicks: 0 }), false);
    assert.equal(isTimestampValid(599, steady), true);
    assert.equal(isTimestampValid(599.1, steady), false);
  });

  it("has bounds that are in order, whatever is measured", () => {
    const bounds = { oldestTick: 0, newestTick: 0 };
    for (const newestSentTick of [-1, 0, 300, 599])
      for (const rttMs of [undefined, 1, 500, 1e6])
        for (const tick of [0, 10, 600]) {
          timestampBounds({ ...steady, tick, newestSentTick, rttMs }, bounds);
          assert.ok(bounds.oldestTick >= 0 && bounds.newestTick <= Math.max(0, newestSentTick) + 24);
        }
  });
});
