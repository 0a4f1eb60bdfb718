/**
 * What the checks on claimed movement promise: no honest player is ever flagged, on links to 15 % loss and 200 ms of
 * jitter, and every cheat above 5 % is, within three seconds. `npm run soak -- claims` plays 10,000 honest minutes.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { playSession } from "./claim-session.ts";
import type { Cheat, SessionResult } from "./claim-session.ts";

/** 50 sessions in CI, 1,000 in the soak, which are longer too. */
const SESSION_SEC = process.env.SOAK === "true" ? 600 : 180;
const FLAGGED_WITHIN_SEC = 3;
/** Of a cheat's sessions, so that none of CI's 600 may be: the jitter can hide one for longer by chance. */
const LATER_SHARE = 0.001;

interface InjectedCheat extends Cheat {
  readonly inSpaceOnly?: boolean;
  /** The 3 s run from when the first claim comes in. Before that nobody can know. */
  readonly sinceClaim?: boolean;
}

const cheats: readonly InjectedCheat[] = [
  ...[1.051, 1.06, 1.1, 1.2, 1.5, 2, 5].map((factor): Cheat => ({
    name: `${factor} times as fast`,
    speed: () => factor,
  })),
  ...[1.051, 1.06, 1.1, 1.2, 1.5, 2].map((clock): Cheat => ({ name: `its clock ${clock} times as fast`, clock })),
  { name: "bursts of twice the speed", speed: (sec) => (sec % 0.8 < 0.3 ? 2 : 1) },
  { name: "now faster, now slower", speed: (sec) => (sec % 0.5 < 0.25 ? 1.6 : 0.4) },
  { name: "a little faster every other half second", speed: (sec) => (sec % 1 < 0.5 ? 1.15 : 1) },
  { name: "jumps of half a metre", jumps: [0.5, 4] },
  { name: "jumps of three metres", jumps: [3, 1.5] },
  { name: "jumps of 20 metres", jumps: [20, 0.5] },
  { name: "through walls", clips: true },
  { name: "claims kept back for over a second", withholdsMs: 1200 },
  { name: "claims kept back, and too fast", withholdsMs: 300, speed: () => 1.3 },
  { name: "claims kept back by a fast clock", withholdsMs: 400, clock: 1.3 },
  { name: "claims kept back for 0.8 s, 1.051 times as fast", withholdsMs: 800, speed: () => 1.051 },
  {
    name: "claims kept back for 0.8 s by a clock 1.051 times as fast",
    withholdsMs: 800,
    clock: 1.051,
    sinceClaim: true,
  },
  { name: "going on where it was not put", speed: () => 1.051, disobeys: true },
  { name: "flying up slowly", flies: 4, inSpaceOnly: true },
  { name: "flying up", flies: 8, inSpaceOnly: true },
  { name: "hovering", flies: 0, inSpaceOnly: true },
];

/** What now and then takes longer, and why is in docs/movement.md: seconds in the median, and at most. */
const slower: readonly (Cheat & { readonly median: number; readonly most: number })[] = [
  {
    name: "1.026 times as fast by a clock 1.026 times as fast",
    speed: () => 1.026,
    clock: 1.026,
    median: 1.6,
    most: 4,
  },
  {
    name: "1.015 times as fast by a clock 1.036 times as fast",
    speed: () => 1.015,
    clock: 1.036,
    median: 2.2,
    most: 5,
  },
  {
    name: "claims kept back for 0.3 s by a clock 1.051 times as fast",
    withholdsMs: 300,
    clock: 1.051,
    median: 2.5,
    most: 9,
  },
  {
    name: "claims kept back for 0.5 s by a clock 1.051 times as fast",
    withholdsMs: 500,
    clock: 1.051,
    median: 2.8,
    most: 9,
  },
];

const unlike = (result: SessionResult): string => JSON.stringify(result);

describe("claimed movement", () => {
  it("flags no honest player, and puts next to none back, in the plan and with heights", (test) => {
    let sessions = 0;
    let claims = 0;
    let accepted = 0;
    const faults: Record<string, number> = {};
    fc.assert(
      fc.property(fc.noShrink(fc.integer()), (seed) => {
        const result = playSession({ seed, seconds: SESSION_SEC, tall: ++sessions % 2 === 0 });
        claims += result.claims;
        accepted += result.accepted;
        for (const [fault, times] of Object.entries(result.faults)) faults[fault] = (faults[fault] ?? 0) + times;
        assert.equal(result.flaggedAfterSec, -1, unlike(result));
      }),
      { seed: 71, numRuns: 50, endOnFailure: true },
    );
    test.diagnostic(
      `${(sessions * SESSION_SEC) / 60} honest minutes: ${claims} claims, ${accepted} accepted, no flag; ${JSON.stringify(faults)}`,
    );
    assert.ok(accepted > claims * 0.7, `${accepted} of ${claims}`);
    const total = Object.values(faults).reduce((sum, times) => sum + times, 0);
    assert.ok(total <= sessions / 50, `${total} faults that were none`);
  });

  for (const { inSpaceOnly = false, sinceClaim = false, ...cheat } of cheats) {
    const since = sinceClaim ? " of its first claim" : "";
    it(`flags ${cheat.name} within ${FLAGGED_WITHIN_SEC} s${since}`, (test) => {
      const seconds = flaggedAfter(cheat, inSpaceOnly, sinceClaim);
      const later = seconds.filter((sec) => sec > FLAGGED_WITHIN_SEC).length;
      test.diagnostic(
        `${cheat.name}: ${summary(seconds)}, ${later} of ${seconds.length} after ${FLAGGED_WITHIN_SEC} s`,
      );
      assert.ok(later <= seconds.length * LATER_SHARE, `${later} of ${seconds.length} later: ${summary(seconds)}`);
    });
  }

  for (const { median, most, ...cheat } of slower) {
    it(`flags ${cheat.name} within ${most} s`, (test) => {
      const seconds = flaggedAfter(cheat, false, false);
      const later = seconds.filter((sec) => sec > FLAGGED_WITHIN_SEC).length;
      test.diagnostic(
        `${cheat.name}: ${summary(seconds)}, ${later} of ${seconds.length} after ${FLAGGED_WITHIN_SEC} s`,
      );
      assert.ok(seconds[seconds.length >> 1] <= median && seconds[seconds.length - 1] <= most, summary(seconds));
    });
  }
});

/** In ascending order, of 600 sessions. */
function flaggedAfter(cheat: Cheat, inSpaceOnly: boolean, sinceClaim: boolean): number[] {
  const all: number[] = [];
  fc.assert(
    fc.property(fc.noBias(fc.noShrink(fc.integer())), fc.boolean(), (seed, tall) => {
      const result = playSession({ seed, seconds: 22, tall: tall || inSpaceOnly, cheat });
      assert.ok(result.flaggedAfterSec >= 0, unlike(result));
      all.push(sinceClaim ? result.flaggedAfterClaimSec : result.flaggedAfterSec);
    }),
    { seed: 72, numRuns: 600, endOnFailure: true },
  );
  return all.sort((a, b) => a - b);
}

function summary(seconds: readonly number[]): string {
  return `flagged after ${seconds[seconds.length >> 1].toFixed(2)} s in the median, ${seconds[seconds.length - 1].toFixed(2)} s at most`;
}
