import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { ProofOfWork, solveChallenge } from "./proof-of-work.ts";

function paid(work: ProofOfWork, now: number): boolean {
  return work.accept(solveChallenge(work.challenge("10.0.0.1", 1, now)), "10.0.0.1", `k${now}`, now);
}

describe("ProofOfWork", () => {
  const work = new ProofOfWork({ secret: new Uint8Array(32), maxUsed: 2 });

  it("takes a solution once, for one key, from the network that asked, in time", () => {
    const proof = solveChallenge(work.challenge("10.0.0.1", 10, 0));
    assert.ok(!work.accept(proof, "10.0.1.1", "a", 0), "another network");
    assert.ok(!work.accept(proof, "10.0.0.1", "a", 60_000), "late");
    assert.ok(work.accept(proof, "10.0.0.9", "a", 0));
    assert.ok(work.accept(proof, "10.0.0.9", "a", 1), "the same request again");
    assert.ok(!work.accept(proof, "10.0.0.9", "b", 1), "another request");
  });

  it("refuses wrong solutions, easier challenges and rubbish", () => {
    const { challenge, bits } = work.challenge("10.0.0.1", 10, 0);
    let wrong = 0;
    while (createHash("sha256").update(`${challenge}.${wrong}`).digest().readUInt16BE() < 1 << 6) wrong++;
    assert.ok(!work.accept({ challenge, solution: String(wrong) }, "10.0.0.1", "c", 0));
    const easier = challenge.replace("-10-", "-0-");
    assert.ok(!work.accept({ challenge: easier, solution: "" }, "10.0.0.1", "c", 0));
    for (const rubbish of ["", "-", "1-2-3", `9-0-1-${"é".repeat(32)}`, "9e9-0-1-00000000000000000000000000000000"])
      assert.ok(!work.accept({ challenge: rubbish, solution: "" }, "10.0.0.1", "c", 0));
    assert.equal(bits, 10);
  });

  it("remembers a bounded number of solutions, and forgets them when they expire", () => {
    assert.ok(paid(work, 10));
    assert.ok(!paid(work, 20));
    assert.ok(paid(work, 70_000));
  });

  it("measures the rate over the last second", () => {
    const rate = new ProofOfWork();
    for (let i = 0; i < 99; i++) rate.countAllocation(i * 10);
    assert.equal(rate.countAllocation(990), 100);
    assert.ok(Math.abs(rate.countAllocation(1500) - 51) < 0.01);
    assert.equal(rate.countAllocation(9000), 1);
  });
});
