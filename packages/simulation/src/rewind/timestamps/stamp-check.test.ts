import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { ViewStamp } from "../../prediction/input/player-input.ts";
import { FavorTheShooter } from "../fairness/favor-the-shooter.ts";
import { SentSnapshots } from "../sent-snapshots.ts";
import { ViewResolver } from "../view-resolver.ts";
import { RecentExtreme } from "./recent-extreme.ts";
import { StampCheck } from "./stamp-check.ts";

const TICK_MS = 1000 / 60;

/** A check of a client that has had every second tick's snapshot up to 594, on a link of 40 ms. */
function createCheck() {
  const sent = new SentSnapshots(0);
  const resolver = new ViewResolver(sent, 12);
  const counters = { clampedViews: 0, implausibleViews: 0, viewSuspicion: 0 };
  const check = new StampCheck({
    tickMs: TICK_MS,
    snapshotMs: 2 * TICK_MS,
    inputLeadMs: 100,
    maxExtrapolationTicks: 12,
    maxRewindMs: 500,
    lateness: new RecentExtreme("largest", 720),
    sent,
    resolver,
    counters,
  });
  for (let tick = 2; tick < 600; tick += 2) {
    sent.note(tick, { lastSent: () => assert.fail("there are no tables") });
    check.noteSent(tick);
    if (tick > 594) continue;
    sent.noteReceived(tick, 0xaaaaaaaa | 0);
    check.link.noteReceipt(tick + 3, tick, 0);
    check.link.note(tick + 3, { rttMs: 40, jitterMs: 1, lossRate: 0 });
  }
  return { check, counters, resolver };
}

const honest: ViewStamp = { viewTick: 591.5, snapshotTick: 594, receiptMask: 0xaaaaaaaa | 0, mode: "linear" };
const all = new FavorTheShooter(500).of();

describe("the check of a stamp", () => {
  it("leaves an honest one as it is", () => {
    const { check, counters, resolver } = createCheck();
    assert.deepEqual(check.check(600, honest, all), honest);
    assert.equal(resolver.known, true);
    assert.deepEqual(counters, { clampedViews: 0, implausibleViews: 0, viewSuspicion: 0 });
  });

  it("cuts what the link does not account for, once a tick, and looks at what really was", () => {
    const { check, counters, resolver } = createCheck();
    const bound = 600 - check.honestAgeMs(600) / TICK_MS;
    const checked = check.check(600, { ...honest, viewTick: 575 }, all);
    assert.equal(checked.viewTick, bound);
    assert.ok(bound > 585 && bound < 590, `${bound}`);
    assert.equal(checked.snapshotTick, -1);
    assert.equal(resolver.known, false);
    check.check(600, { ...honest, viewTick: 575 }, all);
    assert.deepEqual([counters.clampedViews, counters.implausibleViews], [1, 1]);
    assert.ok(counters.viewSuspicion > 0);
  });

  it("goes on from one weapon's settings to another's in the same tick, and counts the claim once", () => {
    const { check, counters } = createCheck();
    const favor = new FavorTheShooter(500, {
      weapons: {
        bow: { maxRewindMs: 50 },
        sling: { latencyBands: [{ rttMs: 0, favor: 0.5 }] },
        fist: { maxRewindMs: 0 },
      },
    });
    const ofWeapon = (weapon: string): number => check.check(600, honest, favor.of(weapon)).viewTick;
    assert.equal(ofWeapon("rifle"), 591.5);
    assert.equal(ofWeapon("bow"), 597);
    assert.equal(ofWeapon("sling"), 599 - 7.5 / 2);
    assert.equal(ofWeapon("fist"), 600);
    assert.equal(ofWeapon("rifle"), 591.5);
    assert.equal(check.isCut, false);
    assert.equal(counters.clampedViews, 0);
  });

  it("keeps every view within the bounds, whatever is claimed", () => {
    const { check } = createCheck();
    let tick = 600;
    fc.assert(
      fc.property(
        fc.record({
          viewTick: fc.oneof(
            fc.integer({ min: 0, max: 2 ** 31 }),
            fc.integer({ min: 0, max: 700 * 256 }).map((n) => n / 256),
          ),
          snapshotTick: fc.oneof(
            fc.constant(-1),
            fc.integer({ min: 0, max: 2 ** 31 - 1 }),
            fc.integer({ min: 560, max: 610 }),
          ),
          receiptMask: fc.integer(),
          mode: fc.constantFrom("linear", "none", "hermite", "extrapolation"),
        }),
        (stamp) => {
          const { viewTick, snapshotTick } = check.check(++tick, stamp, all);
          assert.ok(viewTick >= tick - check.honestAgeMs(tick) / TICK_MS - 1e-9, "not older");
          assert.ok(viewTick <= Math.max(tick, 598 + 12), "not newer");
          assert.ok(snapshotTick === -1 || snapshotTick === stamp.snapshotTick);
        },
      ),
      { seed: 5, numRuns: 1000 },
    );
  });

  it("knows nothing of an earlier connection", () => {
    const { check } = createCheck();
    check.clear();
    assert.equal(check.honestAgeMs(600), Infinity);
    check.noteSent(598);
    assert.equal(check.check(600, { ...honest, viewTick: 575 }, all).viewTick, 575);
  });
});
