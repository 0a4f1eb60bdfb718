import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LedgerFixture, TTL_MS, taken } from "../../test/seats/ledger-fixture.ts";
import { SeatLedger } from "./seat-ledger.ts";

describe("SeatLedger", () => {
  it("lends nothing before it was answered, then what is wanted", () => {
    const fleet = new LedgerFixture();
    assert.equal(fleet.exchange("a").seats, 0);
    assert.equal(fleet.exchange("a").seats, 10);
    assert.equal(fleet.ledger.lent, 10);
    assert.equal(fleet.ledger.free, 90);
  });

  it("shares what is free, and calls back from who has too much", () => {
    const fleet = new LedgerFixture({ capacity: 20, maxShare: 1 });
    assert.deepEqual(fleet.settle({ a: 50 }), { a: 20 });
    assert.deepEqual(fleet.settle({ a: 50, b: 50 }), { a: 10, b: 10 });
    assert.deepEqual(fleet.settle({ a: 50, b: 50, c: 4 }), { a: 8, b: 8, c: 4 });
    const { a, b, c } = fleet.settle({ a: 1, b: 50, c: 1 });
    assert.ok(a <= 2 && c <= 2 && b >= 16, JSON.stringify({ a, b, c }));
  });

  it("gives one to each of many where one has all, in one block", () => {
    const fleet = new LedgerFixture({ capacity: 2, maxShare: 1 });
    assert.deepEqual(fleet.settle({ a: 2 }), { a: 2 });
    assert.deepEqual(fleet.settle({ a: 2, b: 2 }), { a: 1, b: 1 });
  });

  it("never uses a block's number again", () => {
    const fleet = new LedgerFixture({ capacity: 4 });
    const seen = new Set<number>();
    let last: number[] = [];
    for (let i = 0; i < 50; i++) {
      const { blocks } = fleet.exchange("a", { wanted: i % 3 === 0 ? 0 : 4 });
      for (const block of blocks) assert.ok(last.includes(block) || !seen.has(block), `${block} is lent again`);
      for (const block of blocks) seen.add(block);
      last = blocks;
      fleet.now += 250;
    }
    assert.ok(seen.size > 10);
  });

  it("keeps a taken seat until its player comes, sits and leaves", () => {
    const fleet = new LedgerFixture();
    fleet.exchange("a");
    fleet.exchange("a");
    fleet.exchange("a", { taken: [taken(1)] });
    assert.equal(fleet.ledger.reserved, 1);
    assert.ok(fleet.ledger.arrive({ clientId: "client-1", seat: 1, epoch: 7 }, fleet.now));
    assert.equal(fleet.ledger.reserved, 0);
    assert.ok(fleet.ledger.arrive({ clientId: "client-1", seat: 1, epoch: 7 }, fleet.now), "again");
    assert.equal(fleet.ledger.seated, 1);
    assert.ok(fleet.ledger.leave("client-1"));
    assert.ok(!fleet.ledger.leave("client-1"));
    assert.equal(fleet.sum, 100);
    fleet.exchange("b", { taken: [taken(1)] });
    assert.equal(fleet.ledger.reserved, 0, "what is told late and again changes nothing");
  });

  it("frees a seat whose player does not come, when its time is over", () => {
    const fleet = new LedgerFixture();
    fleet.exchange("a");
    fleet.exchange("a");
    fleet.exchange("a", { taken: [taken(0), taken(1, { ttlMs: 5000 })] });
    fleet.now += 5000;
    fleet.ledger.sweep(fleet.now);
    assert.equal(fleet.ledger.reserved, 1);
    fleet.now += TTL_MS;
    fleet.ledger.sweep(fleet.now);
    assert.equal(fleet.ledger.reserved, 0);
    assert.equal(fleet.ledger.counts.expired, 2);
  });

  it("frees a seat that is given back, whichever it hears first", () => {
    const fleet = new LedgerFixture();
    fleet.exchange("a");
    fleet.exchange("a");
    fleet.exchange("a", { taken: [taken(0), taken(1, { ttlMs: 0 })] });
    fleet.exchange("a", { taken: [taken(0, { ttlMs: 0 }), taken(1)] });
    assert.equal(fleet.ledger.reserved, 0);
    assert.equal(fleet.ledger.counts.givenBack, 2);
    fleet.exchange("b", { taken: [taken(0), taken(1)] });
    assert.equal(fleet.ledger.reserved, 0);
  });

  it("lets in a player of whose seat it has not heard, if that was lent", () => {
    const fleet = new LedgerFixture({ capacity: 2, maxShare: 1 });
    fleet.settle({ a: 2 });
    const { blocks } = fleet.exchange("a", { wanted: 2 });
    const seat = blocks[0] * 32;
    assert.equal(fleet.ledger.free, 0);
    assert.ok(!fleet.ledger.arrive({ clientId: "x", seat: 999, epoch: 7 }, fleet.now), "no such seat");
    assert.ok(!fleet.ledger.arrive({ clientId: "x", seat, epoch: 8 }, fleet.now), "of the process before");
    assert.ok(!fleet.ledger.arrive({ clientId: "x" }, fleet.now), "without a seat");
    assert.ok(fleet.ledger.arrive({ clientId: "x", seat, epoch: 7 }, fleet.now));
    assert.ok(!fleet.ledger.arrive({ clientId: "y", seat, epoch: 7 }, fleet.now), "it is taken");
    fleet.exchange("a", { taken: [taken(seat, { clientId: "x" })] });
    assert.equal(fleet.ledger.reserved, 0);
    assert.equal(fleet.ledger.counts.arrivedUntold, 1);
    assert.equal(fleet.sum, 2);
  });

  it("gives a kept seat only to whom it is kept for", () => {
    const fleet = new LedgerFixture({ capacity: 1, maxShare: 1 });
    fleet.settle({ a: 1 });
    fleet.exchange("a", { taken: [taken(0, { clientId: "x" })], wanted: 0 });
    assert.ok(!fleet.ledger.arrive({ clientId: "y", seat: 0, epoch: 7 }, fleet.now));
    assert.ok(fleet.ledger.arrive({ clientId: "x" }, fleet.now), "known by its id");
  });

  it("frees the other seats of a player who has come", () => {
    const fleet = new LedgerFixture();
    fleet.exchange("a");
    fleet.exchange("a");
    fleet.exchange("a", { taken: [taken(0, { clientId: "x", key: "k1" }), taken(1, { clientId: "x", key: "k2" })] });
    assert.equal(fleet.ledger.reserved, 2);
    assert.ok(fleet.ledger.arrive({ clientId: "x", seat: 1, epoch: 7 }, fleet.now));
    assert.equal(fleet.ledger.reserved, 0);
  });

  it("lends nothing while draining, and has everything back after an exchange", () => {
    const fleet = new LedgerFixture();
    fleet.settle({ a: 10, b: 10 });
    fleet.exchange("a", { taken: [taken(0)] });
    fleet.ledger.setLending(false);
    assert.equal(fleet.exchange("a").seats + fleet.exchange("b").seats, 0);
    assert.equal(fleet.ledger.lent, 0);
    assert.ok(fleet.ledger.arrive({ clientId: "client-0", seat: 0, epoch: 7 }, fleet.now), "who was told to come may");
    assert.ok(!fleet.ledger.arrive({ clientId: "walk-in" }, fleet.now), "nobody else");
    fleet.ledger.setLending(true);
    assert.equal(fleet.exchange("a").seats, 10);
  });

  it("follows its capacity, and sends nobody away", () => {
    const fleet = new LedgerFixture({ capacity: 8, maxShare: 1 });
    fleet.settle({ a: 8 });
    for (let seat = 0; seat < 2; seat++)
      assert.ok(fleet.ledger.arrive({ clientId: `${seat}`, seat, epoch: 7 }, fleet.now));
    fleet.ledger.setCapacity(3);
    assert.deepEqual(fleet.settle({ a: 8 }), { a: 1 });
    fleet.ledger.setCapacity(1);
    assert.deepEqual(fleet.settle({ a: 8 }), { a: 0 });
    assert.equal(fleet.ledger.free, -1);
    assert.equal(fleet.ledger.seated, 2);
    assert.ok(!fleet.ledger.arrive({ clientId: "new" }, fleet.now));
    fleet.ledger.setCapacity(20);
    assert.deepEqual(fleet.settle({ a: 8 }), { a: 8 });
    assert.throws(() => fleet.ledger.setCapacity(-1), RangeError);
    assert.throws(() => new SeatLedger({ epoch: 1, capacity: 1.5 }), RangeError);
  });

  it("ignores answers that are old, doubled, or for another process", () => {
    const fleet = new LedgerFixture();
    fleet.exchange("a");
    fleet.exchange("a");
    const answer = {
      session: 1,
      epoch: 7,
      report: 2,
      turn: 2,
      taken: [taken(0)],
      more: false,
      wanted: 10,
      alone: false,
    };
    fleet.ledger.receive("a", answer, fleet.now);
    fleet.ledger.receive("a", { ...answer, turn: 9, epoch: 8 }, fleet.now);
    fleet.ledger.receive("stranger", { ...answer, turn: 9 }, fleet.now);
    assert.equal(fleet.ledger.reserved, 0);
    fleet.ledger.receive("a", { ...answer, turn: 3 }, fleet.now);
    assert.equal(fleet.ledger.reserved, 1);
  });

  it("treats a balancer that has forgotten everything as a new one; its old seats are waited for", () => {
    const fleet = new LedgerFixture({ maxShare: 1 });
    fleet.settle({ a: 10, b: 1 });
    const before = fleet.exchange("a", { session: 2 }).blocks;
    const after = fleet.exchange("a", { session: 2 }).blocks;
    assert.ok(after.length > 0 && after.every((block) => !before.includes(block)));
    assert.equal(fleet.ledger.lent, 10 + 1 + 10);
    fleet.exchange("a", { session: 1, taken: [taken(0)], turn: 999 });
    assert.equal(fleet.ledger.reserved, 0, "the process before says nothing any more");
    fleet.settle({ b: 1 });
    for (let i = 0; i < 14; i++) {
      fleet.now += 250;
      fleet.exchange("a", { session: 2 });
      fleet.exchange("b", { wanted: 1 });
    }
    assert.equal(fleet.ledger.lent, 11);
  });

  it("is bounded in balancers and remembered blocks, and forgets who is gone", () => {
    const fleet = new LedgerFixture({ capacity: 1000 });
    for (let i = 0; i < 64; i++) fleet.exchange(`b${i}`);
    assert.equal(fleet.exchange("one more").seats, 0);
    assert.equal(fleet.exchange("one more").seats, 0);
    fleet.now += TTL_MS + 10_000;
    for (let i = 0; i < 3; i++) fleet.exchange("one more");
    assert.equal(fleet.exchange("one more").seats, 10);
    for (let i = 0; i < 40_000; i++) {
      fleet.now += 1;
      fleet.exchange("one more", { wanted: i % 2 === 0 ? 0 : 1 });
    }
    assert.ok(fleet.ledger.blocks <= 16_384 + 64, `${fleet.ledger.blocks} blocks`);
    assert.equal(fleet.sum, 1000);
  });
});
