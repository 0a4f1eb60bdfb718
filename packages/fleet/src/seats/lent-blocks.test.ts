import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LedgerFixture, MARGIN_MS, TTL_MS, taken } from "../../test/seats/ledger-fixture.ts";
import { CLAIM_MS, LEASE_MS } from "./exchange.ts";

/** Balancer a says nothing any more: after how long its seats are free again. */
function silentFor(fleet: LedgerFixture, others: () => void): number {
  const since = fleet.now;
  while (fleet.ledger.lent > 0 && fleet.now < since + 200_000) {
    fleet.now += 50;
    fleet.ledger.report("a", fleet.now);
    others();
  }
  return fleet.now - since;
}

describe("what was lent to a balancer that falls silent", () => {
  it("waits for the others' word after its lease", () => {
    const fleet = new LedgerFixture();
    fleet.settle({ a: 10, b: 0 });
    fleet.exchange("a");
    const backMs = silentFor(fleet, () => fleet.exchange("b", { wanted: 0 }));
    assert.equal(backMs, LEASE_MS + CLAIM_MS + MARGIN_MS);
  });

  it("waits until one of them has told all that it knows", () => {
    const fleet = new LedgerFixture();
    fleet.settle({ a: 10, b: 0 });
    fleet.exchange("a");
    const until = fleet.now + 8000;
    const backMs = silentFor(fleet, () => fleet.exchange("b", { wanted: 0, more: fleet.now < until }));
    assert.equal(backMs, 8000);
  });

  it("waits as long as seats are kept where nobody else is, or others are silent, too", () => {
    const wholeMs = LEASE_MS + CLAIM_MS + MARGIN_MS + TTL_MS;
    const lone = new LedgerFixture();
    lone.settle({ a: 10 });
    lone.exchange("a");
    assert.equal(
      silentFor(lone, () => {}),
      wholeMs,
    );
    const two = new LedgerFixture();
    two.settle({ a: 10, b: 0 });
    two.exchange("a");
    assert.equal(
      silentFor(two, () => void two.ledger.report("b", two.now)),
      wholeMs,
    );
  });

  it("does not take the word of one that has forgotten what it knew", () => {
    const fleet = new LedgerFixture();
    fleet.settle({ a: 10, b: 0 });
    fleet.exchange("a");
    const backMs = silentFor(fleet, () => fleet.exchange("b", { wanted: 0, session: 2 }));
    assert.equal(backMs, LEASE_MS + CLAIM_MS + MARGIN_MS + TTL_MS);
  });

  it("does not take others' word for one that was alone", () => {
    const fleet = new LedgerFixture();
    fleet.settle({ a: 10, b: 0 });
    fleet.exchange("a", { alone: true });
    fleet.exchange("a", { alone: true });
    const backMs = silentFor(fleet, () => fleet.exchange("b", { wanted: 0 }));
    assert.equal(backMs, LEASE_MS + CLAIM_MS + MARGIN_MS + TTL_MS);
  });

  it("does so no longer than until it is not alone any more", () => {
    const fleet = new LedgerFixture();
    fleet.exchange("a", { alone: true });
    const before = fleet.exchange("a", { alone: true }).blocks;
    fleet.exchange("b", { wanted: 0 });
    fleet.exchange("a");
    const after = fleet.exchange("a");
    assert.equal(after.seats, 10);
    assert.ok(before.length > 0 && after.blocks.every((block) => !before.includes(block)));
    const backMs = silentFor(fleet, () => fleet.exchange("b", { wanted: 0 }));
    assert.equal(backMs, LEASE_MS + CLAIM_MS + MARGIN_MS);
  });

  it("keeps what others tell of its seats", () => {
    const fleet = new LedgerFixture();
    fleet.settle({ a: 10, b: 0 });
    fleet.exchange("a");
    silentFor(fleet, () => fleet.exchange("b", { wanted: 0, taken: [taken(33)] }));
    assert.equal(fleet.ledger.reserved, 1);
    assert.equal(fleet.ledger.free, 99);
  });

  it("has everything back at once when it returns, and hears of what was taken", () => {
    const fleet = new LedgerFixture({ capacity: 10, maxShare: 1 });
    fleet.settle({ a: 10 });
    fleet.now += 10_000;
    fleet.exchange("a", { taken: [taken(1)], wanted: 0 });
    assert.equal(fleet.ledger.lent, 0);
    assert.equal(fleet.ledger.reserved, 1);
  });

  it("keeps what is told too late only while there is a free seat", () => {
    const fleet = new LedgerFixture({ capacity: 2, maxShare: 1 });
    fleet.settle({ a: 2 });
    fleet.now += LEASE_MS + CLAIM_MS + MARGIN_MS + TTL_MS;
    fleet.ledger.sweep(fleet.now);
    assert.equal(fleet.ledger.free, 2);
    assert.ok(fleet.ledger.arrive({ clientId: "walk-in" }, fleet.now));
    fleet.exchange("b", { wanted: 0, taken: [taken(0), taken(1)] });
    assert.equal(fleet.ledger.reserved, 0, "long forgotten");
  });
});
