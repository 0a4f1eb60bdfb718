import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LinkEvidence, lossRun } from "./link-evidence.ts";
import { RecentExtreme } from "./recent-extreme.ts";

const TICK_MS = 1000 / 60;

describe("what is known of a link", () => {
  it("is nothing before the connection has measured a round trip", () => {
    const link = new LinkEvidence(TICK_MS);
    link.noteReceipt(10, 8, 0);
    link.note(10, { rttMs: 0, jitterMs: 0 });
    assert.equal(link.rttMsAt(10), undefined);
    link.note(11, { rttMs: 40, jitterMs: 2 });
    assert.equal(link.rttMsAt(11), 40);
    link.clear();
    assert.equal(link.rttMsAt(12), undefined);
  });

  it("is the shortest round trip of the last two seconds, by the connection and by receipts", () => {
    const link = new LinkEvidence(TICK_MS);
    for (let tick = 60; tick < 180; tick++)
      link.note(tick, { rttMs: 200, jitterMs: 5, latestRttMs: 180 + (tick % 40) });
    assert.equal(link.rttMsAt(180), 180);
    link.noteReceipt(180, 174, 0);
    assert.ok(Math.abs((link.rttMsAt(180) ?? 0) - 7 * TICK_MS) < 1e-9, "within the seventh tick");
    for (let tick = 181; tick < 320; tick++) link.note(tick, { rttMs: 200, jitterMs: 5 });
    assert.equal(link.rttMsAt(320), 200, "what was two seconds ago is forgotten");
    assert.equal(link.rttMsAt(10_000), 200, "the last word stays");
  });

  it("remembers jitter for twelve seconds, but for the guess that RFC 9002 begins with", () => {
    const link = new LinkEvidence(TICK_MS);
    link.note(0, { rttMs: 100, jitterMs: 50 });
    assert.equal(link.jitterMsAt(0), 50);
    link.note(60, { rttMs: 100, jitterMs: 3 });
    assert.equal(link.jitterMsAt(60), 3);
    link.note(120, { rttMs: 100, jitterMs: 30 });
    link.note(180, { rttMs: 100, jitterMs: 3 });
    assert.equal(link.jitterMsAt(120 + 12 * 60), 30);
    link.note(120 + 25 * 60, { rttMs: 100, jitterMs: 3 });
    assert.equal(link.jitterMsAt(120 + 25 * 60), 3);
  });

  it("believes as many losses in a row as the connection's own loss makes likely", () => {
    const link = new LinkEvidence(TICK_MS);
    link.note(0, { rttMs: 40, jitterMs: 1 });
    link.noteReceipt(1, 0, 7);
    assert.equal(link.lostInARowAt(1), 7, "nothing is known of the loss");
    link.note(2, { rttMs: 40, jitterMs: 1, lossRate: 0 });
    assert.equal(link.lostInARowAt(2), 0);
    link.note(3, { rttMs: 40, jitterMs: 1, lossRate: 0.05, receiveLossRate: 0 });
    assert.equal(link.lostInARowAt(3), lossRun(0.05, 1, 1e-3));
    assert.equal(link.inputsLostInARowAt(3), 0);
  });
});

describe("losses in a row", () => {
  it("are as many as are not rarer than asked", () => {
    assert.equal(lossRun(0, 1, 1e-3), 0);
    assert.equal(lossRun(1e-3, 1, 1e-3), 0);
    assert.equal(lossRun(0.01, 1, 1e-3), 2);
    assert.equal(lossRun(0.1, 1, 1e-3), 3);
    assert.equal(lossRun(0.1, 3, 1e-3), 13);
    assert.ok(Number.isFinite(lossRun(1, 1e9, 1e-3)));
  });
});

describe("the extreme of the last ticks", () => {
  it("is remembered for one to two windows", () => {
    const least = new RecentExtreme("least", 10);
    assert.equal(least.at(0), Infinity);
    least.note(1, 5);
    least.note(9, 7);
    assert.equal(least.at(11), 5);
    least.note(19, 6);
    assert.equal(least.at(19), 5);
    assert.equal(least.at(21), 6);
    assert.equal(least.at(60), Infinity);
    const largest = new RecentExtreme("largest", 10);
    largest.note(3, 5);
    largest.note(25, 2);
    assert.equal(largest.at(25), 2);
  });
});
