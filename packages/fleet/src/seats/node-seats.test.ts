import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { PoolFixture, numbers } from "../../test/seats/pool-fixture.ts";
import { CLAIM_MS, LEASE_MS } from "./exchange.ts";

describe("a node's seats at a balancer", () => {
  it("counts a lease from when the answer was sent that the node echoes", () => {
    const balancer = new PoolFixture();
    balancer.exchange({});
    const sentAt = balancer.now;
    balancer.now += 1900;
    balancer.report({ 0: 3 });
    assert.equal(balancer.seats, 3);
    assert.equal(balancer.take("a")?.answerBy, sentAt + LEASE_MS + CLAIM_MS);
    balancer.now = sentAt + LEASE_MS;
    assert.equal(balancer.seats, 0);
    assert.equal(balancer.take("b"), undefined);
  });

  it("renews it with each exchange, and knows what is left of each block", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 3 });
    balancer.take("a");
    balancer.now += 2500;
    balancer.exchange({ 0: 3, 1: 1 });
    assert.equal(balancer.seats, 3);
    balancer.exchange({ 1: 1 });
    assert.equal(balancer.seats, 1);
    balancer.exchange({ 0: 3, 1: 1 });
    assert.equal(balancer.seats, 1, "a block that was called back does not come back");
  });

  it("takes nothing under an echo of long ago, of another session, or made up", () => {
    const balancer = new PoolFixture();
    balancer.exchange({});
    const { session, turn } = balancer;
    balancer.report({ 0: 3 }, { session: session + 1 });
    assert.equal(balancer.seats, 0);
    balancer.report({ 0: 3 }, { turn: turn + 1 });
    assert.equal(balancer.seats, 0);
    balancer.report({ 0: 3 }, { turn: 0 });
    assert.equal(balancer.seats, 0);
    for (let i = 0; i < 16; i++) balancer.pool.answer(0, balancer.now);
    balancer.report({ 0: 3 }, { turn });
    assert.equal(balancer.seats, 0);
  });

  it("ignores old and doubled reports", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 3 }, { report: 10 });
    balancer.take("a", 2);
    balancer.exchange({ 0: 3, 1: 9 }, { report: 9 });
    assert.equal(balancer.seats, 1);
    balancer.exchange({ 0: 3, 1: 9 }, { report: 10 });
    assert.equal(balancer.seats, 1);
  });

  it("starts anew with a node that was started anew, and does not listen to the one before", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 3 });
    const taken = balancer.take("a");
    balancer.exchange({}, { epoch: 8, report: 1 });
    assert.equal(balancer.seats, 0);
    assert.deepEqual(balancer.told, [], "the seats are lost with it");
    balancer.exchange({ 0: 3 }, { epoch: 8, report: 2 });
    assert.equal(balancer.seats, 3);
    balancer.exchange({ 0: 9 }, { epoch: 7, report: 99 });
    assert.equal(balancer.seats, 3);
    assert.ok(!balancer.pool.isKept(taken!));
    balancer.pool.giveBack(taken!);
    assert.deepEqual(balancer.told, []);
  });

  it("tells what was taken until it is confirmed", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 9 });
    const a = balancer.take("a")!;
    assert.deepEqual(balancer.told, [0]);
    const b = balancer.take("b")!;
    assert.deepEqual(balancer.told, [0, 1]);
    assert.ok(!balancer.pool.isKept(a));
    balancer.report({ 0: 9 }, { turn: balancer.turn + 1 });
    assert.ok(balancer.pool.isKept(a), "the answer that told it was echoed");
    assert.ok(!balancer.pool.isKept(b));
    assert.deepEqual(balancer.told, [1]);
    balancer.exchange({ 0: 9 });
    assert.ok(balancer.pool.isKept(b));
    assert.deepEqual(balancer.told, []);
  });

  it("asks for a report at once where a player waits for it", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 9 });
    const taken = balancer.take("a")!;
    const asksNow = (): boolean => balancer.pool.answer(0, balancer.now).reportNow === true;
    assert.ok(!asksNow());
    balancer.pool.hurry(taken);
    assert.ok(asksNow());
    balancer.exchange({ 0: 9 });
    assert.ok(balancer.pool.isKept(taken));
    assert.ok(!asksNow());
  });

  it("tells how much longer a seat is kept, and nothing when that is over", () => {
    const balancer = new PoolFixture();
    balancer.exchange({ 0: 9 });
    balancer.take("a");
    balancer.now += 50_000;
    const { taken } = balancer.pool.answer(0, balancer.now);
    assert.deepEqual(taken, [{ seat: 0, key: "a", clientId: "a.0", ttlMs: 10_000 }]);
    balancer.now += 10_000;
    assert.deepEqual(balancer.told, []);
  });

  it("tells more than fits in several answers, the oldest first, and says so", () => {
    const balancer = new PoolFixture();
    balancer.exchange(Object.fromEntries(Array.from({ length: 20 }, (_, block) => [block, 32])));
    for (let i = 0; i < 10; i++) assert.ok(balancer.take(`k${i}`, 50) !== undefined);
    const first = balancer.pool.answer(0, balancer.now);
    assert.equal(first.taken.length, 256);
    assert.ok(first.more);
    balancer.report({}, { turn: first.turn });
    const second = balancer.pool.answer(0, balancer.now);
    assert.equal(second.taken.length, 500 - 256);
    assert.ok(!second.more);
    assert.equal(new Set([...first.taken, ...second.taken].map(({ seat }) => seat)).size, 500);
  });

  it("is not confused by whatever a node says, and takes no seat twice", () => {
    const grant = fc.record({
      block: fc.oneof(fc.nat(12), fc.constantFrom(-1, 0.5, NaN, 2 ** 60)),
      seats: fc.oneof(fc.integer({ min: 1, max: 32 }), fc.constantFrom(0, -1, 33, NaN)),
    });
    const step = fc.record({
      report: fc.nat(20),
      turn: fc.integer({ min: -2, max: 2 }),
      grants: fc.array(grant, { maxLength: 8 }),
      players: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const balancer = new PoolFixture();
        const seen = new Set<number>();
        for (const { report, turn, grants, players } of steps) {
          const { session, turn: newest } = balancer.pool.answer(0, balancer.now);
          balancer.pool.receive(0, { epoch: 7, report, session, turn: newest + turn, grants });
          const before = balancer.seats;
          const seats = numbers(balancer.take("k", players)) ?? [];
          assert.equal(before - balancer.seats, seats.length);
          for (const seat of seats) {
            assert.ok(Number.isSafeInteger(seat) && seat >= 0 && !seen.has(seat), `seat ${seat}`);
            seen.add(seat);
          }
        }
      }),
      { seed: 75, numRuns: 500 },
    );
  });
});
