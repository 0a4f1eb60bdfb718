import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PoolFixture, numbers } from "../../test/seats/pool-fixture.ts";
import { LEASE_MS } from "./exchange.ts";
import { SeatPool } from "./seat-pool.ts";
import type { HeldClaim } from "./seat-pool.ts";

describe("SeatPool", () => {
  it("has no seats of a node before its first exchange, nor of one that it does not know", () => {
    const balancer = new PoolFixture();
    assert.equal(balancer.pool.seatsOf(0, 0), 0);
    assert.equal(balancer.pool.seatsOf(1_000_000, 0), 0);
    balancer.exchange({});
    balancer.exchange({ 0: 3 });
    assert.equal(balancer.seats, 3);
    assert.throws(() => balancer.pool.answer(-1, 0), RangeError);
  });

  it("takes each seat once, over the limits of blocks, all or none", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 2: 3, 5: 32 });
    assert.deepEqual(numbers(balancer.take("a")), [64]);
    assert.deepEqual(numbers(balancer.take("b", 4)), [65, 66, 160, 161]);
    assert.equal(balancer.take("c", 31), undefined);
    assert.equal(balancer.seats, 30);
    assert.equal(numbers(balancer.take("d", 30))?.at(-1), 191);
    assert.equal(balancer.take("e"), undefined);
  });

  it("gives back for good: the node is told, and the seat is not taken again", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 2 });
    const a = balancer.take("a")!;
    balancer.pool.giveBack(a);
    assert.deepEqual(numbers(balancer.take("b")), [1]);
    const { taken } = balancer.pool.answer(0, balancer.now);
    assert.deepEqual(
      taken.map(({ seat, ttlMs }) => [seat, ttlMs > 0]),
      [
        [0, false],
        [1, true],
      ],
    );
  });

  it("holds what others took only where the node waits for its word", () => {
    const balancer = new PoolFixture();
    const claim: HeldClaim = { key: "k", epoch: 7, seats: [{ seat: 77, clientId: "c" }], until: balancer.now + 60_000 };
    const hold = (changes: Partial<HeldClaim> = {}): boolean =>
      balancer.pool.hold(0, { ...claim, ...changes }, balancer.now);
    assert.ok(!hold(), "it has not heard the node");
    balancer.exchange({}, { session: 0, turn: 0 });
    assert.ok(!hold(), "the node has not heard it");
    balancer.exchange({});
    assert.ok(!hold({ epoch: 6 }));
    assert.ok(hold());
    assert.deepEqual(balancer.told, [77]);
    balancer.now += LEASE_MS;
    assert.ok(!hold(), "they have lost each other");
  });

  it("is bounded in what is to be told", () => {
    const balancer = new PoolFixture({ maxNews: 4 });
    balancer.exchange({ 0: 9 });
    assert.ok(balancer.take("a", 3) !== undefined);
    assert.equal(balancer.take("b", 2), undefined);
    const seats = [
      { seat: 77, clientId: "c" },
      { seat: 78, clientId: "d" },
    ];
    assert.ok(!balancer.pool.hold(0, { key: "k", epoch: 7, seats, until: 1e9 }, balancer.now));
    balancer.exchange({ 0: 9 });
    assert.ok(balancer.take("b", 2) !== undefined);
  });

  it("keeps seats without a copy when it is alone, once the node knows it", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 9 });
    balancer.pool.setAlone(true);
    assert.ok(!balancer.pool.isKept(balancer.take("a")!));
    balancer.exchange({ 0: 9 });
    assert.ok(balancer.pool.isKept(balancer.take("b")!));
    balancer.pool.setAlone(false);
    balancer.exchange({ 0: 9 });
    const c = balancer.take("c")!;
    assert.ok(!balancer.pool.isKept(c));
    balancer.pool.setAlone(true);
    balancer.pool.answer(0, balancer.now);
    balancer.report({ 0: 9 });
    assert.ok(
      !balancer.pool.isKept(c) && !balancer.pool.isKept(balancer.take("lost")!),
      "the answer has not arrived yet",
    );
    balancer.exchange({ 0: 9 });
    assert.ok(balancer.pool.isKept(balancer.take("d")!));
  });

  it("wants a reserve, more where players wait, nothing to spare where they wait elsewhere", () => {
    const balancer = new PoolFixture({ reserve: 5, maxWanted: 20 });
    const wanted = (): number => balancer.pool.answer(0, balancer.now).wanted;
    assert.equal(wanted(), 5);
    balancer.pool.setWaiting(3, 100);
    assert.equal(wanted(), 8);
    balancer.pool.setWaiting(1000, 0);
    assert.equal(wanted(), 20);
    balancer.pool.setWaiting(0, 1);
    assert.equal(wanted(), 0);
    balancer.pool.setWaiting(0, 0);
    balancer.exchange({ 0: 1 });
    balancer.pool.need(0, 4, balancer.now);
    assert.equal(wanted(), 9);
  });

  it("gives everything up before it stops", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 9 });
    balancer.take("a");
    balancer.pool.close();
    assert.equal(balancer.seats, 0);
    balancer.exchange({ 0: 9 });
    assert.equal(balancer.seats, 0);
    assert.equal(balancer.take("b"), undefined);
    assert.equal(balancer.pool.answer(0, balancer.now).wanted, 0);
  });

  it("forgets a node whose index is given to another", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 9 });
    const taken = balancer.take("a")!;
    const before = balancer.session;
    balancer.pool.forget(0);
    balancer.pool.forget(999);
    assert.equal(balancer.seats, 0);
    balancer.report({ 0: 9 });
    assert.equal(balancer.seats, 0, "what was lent to the session before");
    balancer.exchange({ 0: 9 });
    assert.notEqual(balancer.session, before);
    assert.ok(!balancer.pool.isKept(taken));
  });

  it("holds many nodes", () => {
    const pool = new SeatPool({ firstSession: 1 });
    for (let index = 0; index < 1000; index++) {
      const { session, turn } = pool.answer(index, 0);
      pool.receive(index, {
        epoch: index + 1,
        report: 1,
        session,
        turn,
        grants: [{ block: 0, seats: 1 + (index % 32) }],
      });
    }
    for (let index = 0; index < 1000; index++) assert.equal(pool.seatsOf(index, 1), 1 + (index % 32));
  });
});
