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

const cheats: readonly (Cheat & { readonly inSpaceOnly?: boolean })[] = [
  ...[1.06, 1.1, 1.2, 1.5, 2, 5].map((factor): Cheat => ({ name: `${factor} times as fast`, speed: () => factor })),
  ...[1.06, 1.1, 1.2, 1.5, 2].map((clock): Cheat => ({ name: `its clock ${clock} times as fast`, clock })),
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
  { name: "going on where it was not put", speed: () => 1.06, disobeys: true },
  { name: "flying up slowly", flies: 4, inSpaceOnly: true },
  { name: "flying up", flies: 8, inSpaceOnly: true },
  { name: "hovering", flies: 0, inSpaceOnly: true },
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

  for (const { inSpaceOnly, ...cheat } of cheats) {
    it(`flags ${cheat.name} within ${FLAGGED_WITHIN_SEC} s`, (test) => {
      let slowest = 0;
      fc.assert(
        fc.property(fc.noShrink(fc.integer()), fc.boolean(), (seed, tall) => {
          const result = playSession({ seed, seconds: 22, tall: tall || inSpaceOnly === true, cheat });
          assert.ok(result.flaggedAfterSec >= 0, unlike(result));
          slowest = Math.max(slowest, result.flaggedAfterSec);
          assert.ok(result.flaggedAfterSec <= FLAGGED_WITHIN_SEC, unlike(result));
        }),
        { seed: 72, numRuns: 15, endOnFailure: true },
      );
      test.diagnostic(`${cheat.name}: flagged after ${slowest.toFixed(2)} s at most`);
    });
  }
});
