import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DemandHistory, SLOT_MS } from "./demand-history.ts";

const DAY_MS = 86_400_000;
const MONDAY = Date.UTC(2026, 0, 5);

/** Noted every minute from Monday on. */
function noted(days: number, demandAt: (unixMs: number) => number): DemandHistory {
  const history = new DemandHistory();
  for (let at = MONDAY; at < MONDAY + days * DAY_MS; at += 60_000) history.note(demandAt(at), at);
  return history;
}

/** 100 at midnight, 500 at noon. */
const diurnal = (unixMs: number): number => 300 - 200 * Math.cos(((unixMs % DAY_MS) / DAY_MS) * 2 * Math.PI);

describe("DemandHistory", () => {
  it("expects what was at this hour yesterday", () => {
    const history = noted(1.3, diurnal);
    const now = MONDAY + 1.3 * DAY_MS;
    for (const aheadMs of [60_000, 600_000, 3_600_000]) {
      const expected = history.peak(diurnal(now), now, now + aheadMs);
      assert.ok(Math.abs(expected - diurnal(now + aheadMs)) < 5, `${expected} in ${aheadMs} ms`);
    }
  });

  it("expects the same growth of twice the players to be twice as much", () => {
    const history = noted(1.3, diurnal);
    const now = MONDAY + 1.3 * DAY_MS;
    const growth = diurnal(now + 3_600_000) - diurnal(now);
    const expected = history.peak(diurnal(now) * 2, now, now + 3_600_000) - diurnal(now) * 2;
    assert.ok(Math.abs(expected - 2 * growth) < 10, `${expected} of ${growth}`);
    // And no more than that: a region that was nearly empty yesterday says little.
    assert.ok(history.peak(diurnal(now) * 50, now, now + 3_600_000) <= diurnal(now) * 50 + 2 * growth + 10);
  });

  it("trusts the same weekday more than yesterday", () => {
    const isSunday = (unixMs: number): boolean => Math.floor((unixMs - MONDAY) / DAY_MS) % 7 === 6;
    const demandAt = (unixMs: number): number => (isSunday(unixMs) ? 3 : 1) * diurnal(unixMs);
    const history = noted(13.3, demandAt);
    const now = MONDAY + 13.3 * DAY_MS;
    const expected = history.peak(demandAt(now), now, now + 3_600_000);
    const growth = demandAt(now + 3_600_000) - demandAt(now);
    assert.ok(Math.abs(expected - demandAt(now) - growth) < growth * 0.15, `${expected}, ${growth}`);
  });

  it("says the peak on the way, and never less than there is", () => {
    const history = noted(1.45, diurnal);
    const now = MONDAY + 1.45 * DAY_MS;
    assert.ok(history.peak(diurnal(now), now, now + 0.3 * DAY_MS) >= 495);
    assert.equal(new DemandHistory().peak(7, now, now + DAY_MS), 7);
    const falling = MONDAY + 1.6 * DAY_MS;
    assert.equal(noted(1.6, diurnal).peak(400, falling, falling + 3_600_000), 400);
  });

  it("goes through text, small, and goes on from there", () => {
    const history = noted(9, diurnal);
    const now = MONDAY + 9 * DAY_MS;
    const text = history.toText();
    assert.ok(text.length < 8192, `${text.length}`);
    const copy = DemandHistory.fromText(text, now)!;
    for (const one of [history, copy]) for (let i = 0; i < 60; i++) one.note(diurnal(now), now + i * 60_000);
    const [a, b] = [history, copy].map((one) => one.peak(150, now + 3_600_000, now + 7_200_000));
    assert.ok(Math.abs(a - b) < 2, `${a}, ${b}`);
  });

  it("forgets what was while nobody noted anything", () => {
    const history = noted(7, () => 1000);
    const later = MONDAY + 10 * DAY_MS;
    history.note(10, later);
    assert.equal(history.peak(10, later, later + 3_600_000), 10);
    history.note(10, later - 2 * DAY_MS);
    assert.equal(history.toText().match(/10/g)?.length, 1, "the clock was set back: begins anew");
  });

  it("never throws for text that is none", () => {
    const bad = ["", "null", "[]", '{"version":2,"last":1,"means":[]}', '{"version":1,"last":2,"means":[1,2,3,4]}'];
    for (const text of [...bad, '{"version":1,"last":9,"means":["x"]}', '{"version":1,"last":1e300,"means":[]}'])
      assert.equal(DemandHistory.fromText(text, MONDAY), undefined, text);
    assert.equal(DemandHistory.fromText(noted(3, diurnal).toText(), MONDAY), undefined, "of a time to come");
    fc.assert(
      fc.property(fc.string(), (text) => void DemandHistory.fromText(text, MONDAY)),
      { seed: 4 },
    );
  });

  it("is finite and not below 0, whatever is noted", () => {
    const notes = fc.array(fc.tuple(fc.nat(100_000), fc.nat(4 * DAY_MS)), { maxLength: 50 });
    fc.assert(
      fc.property(notes, fc.nat(10 * DAY_MS), (entries, aheadMs) => {
        const history = new DemandHistory();
        let at = MONDAY;
        for (const [demand, passed] of entries) history.note(demand, (at += passed - SLOT_MS));
        const peak = history.peak(50, at, at + aheadMs);
        assert.ok(peak >= 50 && peak < 1e6, `${peak}`);
        DemandHistory.fromText(history.toText(), at)!.note(1, at);
      }),
      { seed: 5 },
    );
  });
});
