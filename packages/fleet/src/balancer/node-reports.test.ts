import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReportError, readNodeReport } from "./node-reports.ts";

const report = {
  seats: { epoch: 7, report: 3, session: 0, turn: 0, grants: [{ block: 1, seats: 32 }] },
  load: { sessions: 1, players: 2, reserved: 3, cpu: 0.5, tickMs: 4 },
  state: "ready",
  arrived: 5,
  expired: 6,
};

describe("a node's report", () => {
  it("is taken as it is", () => {
    assert.equal(readNodeReport(report, 32), report);
    assert.ok(readNodeReport({ ...report, unixMs: 1_700_000_000_000 }, 32));
  });

  it("is refused with what is wrong", () => {
    const { seats, load } = report;
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [undefined, /the report/],
      ["x", /the report/],
      [{ ...report, seats: undefined }, /seats/],
      [{ ...report, load: null }, /load/],
      [{ ...report, state: "full" }, /state/],
      [{ ...report, expired: -1 }, /expired/],
      [{ ...report, unixMs: 1.5 }, /unixMs/],
      [{ ...report, seats: { ...seats, epoch: 2 ** 53 } }, /epoch/],
      [{ ...report, load: { ...load, players: "many" } }, /players/],
      [{ ...report, load: { ...load, cpu: Infinity } }, /cpu/],
      [{ ...report, seats: { ...seats, grants: [{ block: 1, seats: 33 }] } }, /grants/],
      [
        { ...report, seats: { ...seats, grants: Array.from({ length: 65 }, (_, block) => ({ block, seats: 1 })) } },
        /grants/,
      ],
    ];
    for (const [value, message] of wrong)
      assert.throws(
        () => readNodeReport(value, 32),
        (error) => error instanceof ReportError && message.test(error.message),
      );
  });

  it("lends no more seats than there are", () => {
    assert.throws(() => readNodeReport(report, 31), /32 seats are lent, of a node that registered 31/);
  });
});
