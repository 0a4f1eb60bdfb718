import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HitReason } from "./hit-validation.ts";
import { LagCompensationStats, REWIND_BUCKETS_MS } from "./lag-compensation-stats.ts";

function verdict(
  outcome: "hit" | "miss" | "rejected",
  reasons: readonly HitReason[] = [],
  more: { rewindMs?: number; claim?: "none" | "agrees" | "differs"; isViewCut?: boolean } = {},
) {
  return {
    outcome,
    reasons,
    claim: more.claim ?? "none",
    isViewCut: more.isViewCut ?? false,
    rewindMs: more.rewindMs ?? 0,
  };
}

describe("LagCompensationStats", () => {
  it("counts verdicts by outcome and reason, for all and for each player", () => {
    const stats = new LagCompensationStats();
    stats.note({ ...verdict("hit"), hit: { table: "players" } }, 0, false, 1, 3);
    stats.note(verdict("miss", ["team", "blocked"]), 1, true, 8, 5);
    stats.note(verdict("rejected", ["fireRate", "angle"]), 1, false, 0, 0);
    stats.note(verdict("miss"), -1, false, 1, 0);
    stats.noteTooLate(1, 2);
    const { reasons, ...report } = stats.report();
    const all = {
      verdicts: 4,
      hits: 1,
      hitsByTable: { players: 1 },
      misses: 2,
      rejected: 1,
      claimsAgreed: 0,
      claimsDiffered: 0,
      cutViews: 0,
    };
    const rewindCounts = REWIND_BUCKETS_MS.map((_, i) => (i === 0 ? 3 : 0)).concat(0);
    assert.deepEqual(report, { ...all, lateVerdicts: 1, rewindCounts, rays: 10, examined: 8, seconds: 0 });
    const given = Object.entries(reasons).filter(([, times]) => times > 0);
    assert.deepEqual(Object.fromEntries(given), { fireRate: 1, angle: 1, tooLate: 2, team: 1, blocked: 1 });
    const one = stats.playerReport(1);
    assert.deepEqual([one.verdicts, one.hits, one.rejected, one.reasons.tooLate], [2, 0, 1, 2]);
    stats.forget(1);
    assert.equal(stats.playerReport(1).verdicts, 0);
    assert.equal(stats.report().verdicts, 4);
  });

  it("sorts shots that were fired by how far back they look", () => {
    const stats = new LagCompensationStats();
    for (const rewindMs of [0, 0.1, 25, 26, 140, 500, 501, 9999])
      stats.note(verdict("hit", [], { rewindMs }), 0, false, 1, 1);
    stats.note(verdict("rejected", ["budget"], { rewindMs: 60 }), 0, false, 0, 0);
    assert.deepEqual(stats.report().rewindCounts, [1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 1, 2]);
  });

  it("suspects who asks for what no honest client does, and forgets it", () => {
    const stats = new LagCompensationStats();
    const after = (times: number, what: ReturnType<typeof verdict>): number => {
      for (let i = 0; i < times; i++) stats.note(what, 3, false, 1, 1);
      return stats.playerReport(3).suspicion;
    };
    assert.equal(after(100, verdict("hit", [], { claim: "agrees" })), 0);
    assert.equal(after(100, verdict("rejected", ["fireRate"])), 0, "a trigger that is held asks in every tick");
    assert.equal(after(100, verdict("miss", ["gone"], { claim: "differs" })), 0);
    assert.ok(after(200, verdict("miss", [], { claim: "differs" })) > 0.9);
    assert.ok(after(300, verdict("hit")) < 0.05);
    for (const suspicious of [
      verdict("rejected", ["angle"]),
      verdict("rejected", ["budget"]),
      verdict("hit", [], { isViewCut: true }),
    ])
      assert.ok(after(64, suspicious) > 0.5);
  });

  it("times every 16th verdict", () => {
    let now = 0;
    const stats = new LagCompensationStats(() => now);
    for (let i = 0; i < 32; i++) {
      stats.begin();
      now += i % 16 === 0 ? 2 : 1000;
      stats.note(verdict("hit"), 0, false, 1, 1);
    }
    assert.equal(stats.report().seconds, 2 * 0.002 * 16);
  });
});
