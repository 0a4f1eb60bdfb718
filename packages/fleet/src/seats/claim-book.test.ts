import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClaimBook } from "./claim-book.ts";
import type { ClaimStep, PendingClaim } from "./pending-claim.ts";
import { highestRanked, outranks } from "./rendezvous.ts";
import type { ClaimMessage, ClaimReply, SeatClaim } from "./seat-claim.ts";

type Answer = string;
const NOW = 1000;
const ids = ["a", "b", "c"];

/** Balancers that know each other. */
function setUp(options: { rememberMs?: number; maxClaims?: number } = {}): Record<string, ClaimBook<Answer>> {
  return Object.fromEntries(
    ids.map((self) => {
      const book = new ClaimBook<Answer>({ self, ...options });
      book.setLive(new Map(ids.filter((id) => id !== self).map((id) => [id, 1])));
      return [self, book];
    }),
  );
}

function claimOf(key: string, by: string, seat = 1): SeatClaim<Answer> {
  return { key, by, nodeId: "n", epoch: 7, seats: [{ seat, clientId: key }], until: NOW + 60_000, answer: `by ${by}` };
}

/** A key for which the three rank in this order. */
function keyRanking(...order: string[]): string {
  for (let i = 0; ; i++) {
    const key = `k${i}`;
    if (order.every((id, place) => order.slice(place + 1).every((other) => outranks(key, id, other)))) return key;
  }
}

const tell = (): boolean => true;

function receive(book: ClaimBook<Answer>, message: ClaimMessage<Answer>, hold = tell): ClaimReply<Answer> {
  return book.receive(message, { from: message.by, ageMs: 0, hold, now: NOW });
}

function outcomeOf(step: ClaimStep<Answer>): { answer: Answer | undefined; giveBack: boolean } {
  assert.equal(step.kind, "done");
  return { answer: step.outcome.use?.answer, giveBack: step.outcome.giveBack };
}

/** Asks as it says, until it waits or is done. */
function advance(
  books: Record<string, ClaimBook<Answer>>,
  pending: PendingClaim<Answer>,
  now = NOW,
): ClaimStep<Answer> {
  for (;;) {
    const step = pending.step(false, now);
    if (step.kind !== "ask") return step;
    const sender = books[pending.claim.by];
    pending.replied(step.peer, receive(books[step.peer], sender.toMessage(pending.claim, now)), now);
  }
}

describe("ClaimBook", () => {
  it("copies the answer of a key that is used again, not what was left of an earlier one", () => {
    const book = new ClaimBook<Answer>({ self: "a", rememberMs: 1000 });
    assert.deepEqual(outcomeOf(book.begin(claimOf("k", "a"), NOW + 500).step(true, NOW)), {
      answer: "by a",
      giveBack: false,
    });
    // Not swept meanwhile.
    const { settled, rememberMs } = book.toMessage(book.begin(claimOf("k", "a", 2), NOW + 5500).claim, NOW + 5000);
    assert.deepEqual({ settled, rememberMs }, { settled: false, rememberMs: 1000 });
  });

  it("copies an answer to the highest-ranked other, and finds it there", () => {
    const books = setUp();
    const key = keyRanking("a", "c", "b");
    const pending = books.a.begin(claimOf(key, "a"), NOW + 500);
    assert.equal(books.a.pending(key), pending);
    assert.equal(books.a.find(key, NOW), undefined);
    assert.deepEqual(outcomeOf(advance(books, pending)), { answer: "by a", giveBack: false });
    assert.equal(books.a.find(key, NOW)?.answer, "by a");
    assert.equal(books.c.find(key, NOW)?.answer, "by a");
    assert.equal(books.b.find(key, NOW), undefined);
    assert.equal(books.a.pending(key), undefined);
  });

  it("uses the earlier answer and gives its own seats back, whoever asks", () => {
    const books = setUp();
    const key = keyRanking("c", "a", "b");
    advance(books, books.a.begin(claimOf(key, "a"), NOW + 500));
    const late = books.b.begin(claimOf(key, "b", 2), NOW + 500);
    assert.deepEqual(outcomeOf(advance(books, late)), { answer: "by a", giveBack: true });
    assert.equal(books.b.find(key, NOW)?.answer, "by a", "and knows it from now on");
  });

  it("says the same of the same claim twice, and does not store another", () => {
    const { a, b, c } = setUp();
    const message = a.toMessage(claimOf("k", "a"), NOW);
    assert.equal(receive(c, message).kind, "stored");
    assert.equal(receive(c, message).kind, "stored");
    for (const other of [claimOf("k", "b", 1), claimOf("k", "a", 2), { ...claimOf("k", "a"), epoch: 8 }]) {
      const reply = receive(c, b.toMessage(other, NOW));
      assert.equal(reply.kind === "exists" && reply.claim.answer, "by a");
    }
  });

  it("goes on to the next when one is silent or busy, and keeps the seats that may be known there", () => {
    const { a } = setUp();
    const key = keyRanking("a", "b", "c");
    const pending = a.begin(claimOf(key, "a"), NOW + 500);
    assert.deepEqual(pending.step(false, NOW), { kind: "ask", peer: "b" });
    assert.equal(pending.step(false, NOW).kind, "wait");
    pending.unanswered("b");
    assert.deepEqual(pending.step(false, NOW + 200), { kind: "ask", peer: "c" });
    pending.replied("c", { kind: "exists", claim: a.toMessage(claimOf(key, "x"), NOW) }, NOW + 210);
    assert.deepEqual(outcomeOf(pending.step(false, NOW + 210)), { answer: "by x", giveBack: false });
  });

  it("gives the seats back where the claim surely reached nobody", () => {
    const { a } = setUp();
    const key = keyRanking("a", "b", "c");
    const pending = a.begin(claimOf(key, "a"), NOW + 500);
    pending.step(false, NOW);
    pending.unanswered("b", false);
    pending.step(false, NOW);
    pending.replied("c", { kind: "busy" }, NOW);
    assert.deepEqual(outcomeOf(pending.step(false, NOW + 501)), { answer: undefined, giveBack: true });
    assert.equal(a.find(key, NOW), undefined);
  });

  it("keeps the seats where a claim is still on its way", () => {
    const { a } = setUp();
    const pending = a.begin(claimOf("k", "a"), NOW + 500);
    assert.equal(pending.step(false, NOW).kind, "ask");
    assert.deepEqual(outcomeOf(pending.step(false, NOW + 5000)), { answer: undefined, giveBack: false });
  });

  it("answers without a copy only when the node keeps the seats; meanwhile it asks again", () => {
    const { a } = setUp();
    const key = keyRanking("a", "b", "c");
    const pending = a.begin(claimOf(key, "a"), NOW + 500);
    for (const peer of ["b", "c"]) {
      assert.deepEqual(pending.step(true, NOW), { kind: "ask", peer });
      assert.equal(pending.step(true, NOW).kind, "wait", "it may know an earlier answer");
      pending.unanswered(peer);
    }
    assert.equal(pending.step(false, NOW + 400).kind, "wait");
    assert.deepEqual(pending.step(false, NOW + 450), { kind: "ask", peer: "b" });
    assert.equal(pending.step(false, NOW + 450).kind, "wait");
    assert.deepEqual(outcomeOf(pending.step(true, NOW + 460)), { answer: "by a", giveBack: false });
  });

  it("does not ask those that are slow, and goes on when the node keeps the seats", () => {
    const { a } = setUp();
    const key = keyRanking("a", "b", "c");
    a.setSlow(["b"]);
    const pending = a.begin(claimOf(key, "a"), NOW + 500);
    assert.deepEqual(pending.step(false, NOW), { kind: "ask", peer: "c" });
    pending.unanswered("c");
    a.setSlow(["b", "c"]);
    assert.equal(pending.step(false, NOW).kind, "wait");
    assert.deepEqual(outcomeOf(pending.step(true, NOW + 60)), { answer: "by a", giveBack: false });
  });

  it("asks who comes or answers again meanwhile before it goes on without a copy", () => {
    const a = new ClaimBook<Answer>({ self: "a" });
    const pending = a.begin(claimOf("k", "a"), NOW + 500);
    for (const at of [NOW, NOW + 100]) assert.equal(pending.step(false, at).kind, "wait");
    a.setLive(new Map([["b", 1]]));
    assert.deepEqual(pending.step(true, NOW + 200), { kind: "ask", peer: "b" });
    pending.unanswered("b", false);
    a.setSlow(["b"]);
    assert.equal(pending.step(false, NOW + 210).kind, "wait");
    a.setSlow([]);
    assert.deepEqual(pending.step(true, NOW + 300), { kind: "ask", peer: "b" }, "it was not sent the first time");
  });

  it("does not answer too late, whatever has happened", () => {
    const { a } = setUp();
    const pending = a.begin(claimOf("k", "a"), NOW + 500);
    const step = pending.step(false, NOW);
    assert.equal(step.kind, "ask");
    pending.replied(step.peer, { kind: "stored" }, NOW + 501);
    assert.deepEqual(outcomeOf(pending.step(true, NOW + 501)), { answer: undefined, giveBack: false });
    const inTime = a.begin(claimOf("k", "a"), NOW + 500);
    const again = inTime.step(false, NOW);
    assert.equal(again.kind, "ask");
    inTime.replied(again.peer, { kind: "stored" }, NOW + 499);
    assert.deepEqual(outcomeOf(inTime.step(false, NOW + 500)), { answer: "by a", giveBack: false });
  });

  it("is alone: waits for the node, and copies when somebody comes", () => {
    const a = new ClaimBook<Answer>({ self: "a" });
    const pending = a.begin(claimOf("k", "a"), NOW + 500);
    assert.equal(pending.step(false, NOW).kind, "wait");
    assert.deepEqual(outcomeOf(pending.step(true, NOW + 300)), { answer: "by a", giveBack: false });
    assert.deepEqual(a.toCopy(10, NOW), []);
    a.setLive(new Map([["b", 1]]));
    assert.deepEqual(
      a.toCopy(10, NOW).map(({ peer, claim }) => [peer, claim.key, claim.settled]),
      [["b", "k", true]],
    );
    assert.deepEqual(a.toCopy(10, NOW), []);
  });

  describe("two that work on the same key at once", () => {
    it("get one answer from a third, whichever comes first", () => {
      const books = setUp();
      const key = keyRanking("c", "a", "b");
      const [first, second] = ["b", "a"].map((id, i) => books[id].begin(claimOf(key, id, i), NOW + 500));
      assert.deepEqual(outcomeOf(advance(books, first)), { answer: "by b", giveBack: false });
      assert.deepEqual(outcomeOf(advance(books, second)), { answer: "by b", giveBack: true });
    });

    it("get the answer of the higher-ranked where they ask each other", () => {
      const books = setUp();
      const key = keyRanking("a", "b", "c");
      const higher = books.a.begin(claimOf(key, "a", 1), NOW + 500);
      const lower = books.b.begin(claimOf(key, "b", 2), NOW + 500);
      assert.equal(advance(books, lower).kind, "wait");
      assert.deepEqual(outcomeOf(advance(books, higher)), { answer: "by a", giveBack: false });
      assert.deepEqual(outcomeOf(lower.step(false, NOW)), { answer: "by a", giveBack: true });
    });

    it("ask again where the other goes first, and go on without it when it gives up", () => {
      const books = setUp();
      const key = keyRanking("a", "b", "c");
      const higher = books.a.begin(claimOf(key, "a", 1), NOW + 50);
      const lower = books.b.begin(claimOf(key, "b", 2), NOW + 500);
      const step = advance(books, lower);
      assert.equal(step.kind, "wait");
      assert.equal(outcomeOf(higher.step(false, NOW + 51)).answer, undefined);
      assert.deepEqual(outcomeOf(advance(books, lower, step.wakeAt)), { answer: "by b", giveBack: false });
    });

    it("wait for an answer that is stored already, though it ranks lower", () => {
      const { a, b } = setUp();
      const key = keyRanking("a", "b", "c");
      const lower = b.begin(claimOf(key, "b"), NOW + 500);
      lower.step(false, NOW);
      lower.replied("c", { kind: "stored" }, NOW);
      assert.equal(receive(b, a.toMessage(claimOf(key, "a"), NOW)).kind, "pending");
      assert.equal(outcomeOf(lower.step(false, NOW)).answer, "by b");
      assert.equal(receive(b, a.toMessage(claimOf(key, "a"), NOW)).kind, "exists");
    });
  });

  it("does not store what it cannot have the node told of, unless it is an answer that stands", () => {
    const { a, c } = setUp();
    const message = a.toMessage(claimOf("k", "a"), NOW);
    assert.equal(receive(c, message, () => false).kind, "busy");
    assert.equal(c.find("k", NOW), undefined);
    assert.equal(receive(c, { ...message, settled: true }, () => false).kind, "stored");
  });

  it("copies to a third when one of the two who know is lost or has forgotten", () => {
    const books = setUp();
    const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);
    for (const key of keys) advance(books, books.a.begin(claimOf(key, "a"), NOW + 500));
    const [inB, inC] = ["b", "c"].map((id) => keys.filter((key) => books[id].find(key, NOW) !== undefined));
    assert.ok(inB.length > 5 && inC.length > 5 && inB.length + inC.length === 40);
    books.a.setLive(new Map([["c", 1]]));
    const copies: string[] = [];
    for (let part = books.a.toCopy(7, NOW); part.length > 0; part = books.a.toCopy(7, NOW)) {
      assert.ok(part.length <= 7 && part.every(({ peer }) => peer === "c"));
      copies.push(...part.map(({ claim }) => claim.key));
    }
    assert.deepEqual(copies.toSorted(), inB.toSorted());
    // The one who holds the copies does the same when the first is lost.
    books.c.setLive(new Map([["b", 1]]));
    assert.deepEqual(
      books.c
        .toCopy(99, NOW)
        .map(({ claim }) => claim.key)
        .toSorted(),
      inC.toSorted(),
    );
    // One that comes back with another epoch has forgotten.
    books.a.setLive(new Map([["c", 2]]));
    assert.equal(books.a.toCopy(99, NOW).length, 40);
    assert.equal(books.a.toCopy(99, NOW).length, 0);
    books.a.copyFailed(keys[0]);
    assert.deepEqual(
      books.a.toCopy(99, NOW).map(({ claim }) => claim.key),
      [keys[0]],
    );
  });

  it("remembers as long as it should, and a copy of a copy no longer", () => {
    const books = setUp({ rememberMs: 5000 });
    const key = keyRanking("a", "b", "c");
    advance(books, books.a.begin(claimOf(key, "a"), NOW + 500));
    books.b.setLive(new Map([["c", 1]]));
    const [copy] = books.b.toCopy(1, NOW + 3000);
    assert.equal(copy.claim.rememberMs, 2000);
    assert.equal(copy.claim.ttlMs, 57_000);
    books.c.receive(copy.claim, { from: "b", ageMs: 0, hold: tell, now: 70_000 });
    assert.notEqual(books.c.find(key, 71_999), undefined);
    assert.equal(books.c.find(key, 72_000), undefined);
    assert.equal(books.a.find(key, NOW + 5000), undefined);
    books.a.sweep(NOW + 5000);
    assert.equal(books.a.size, 0);
    books.b.setRememberMs(1);
    books.b.sweep(NOW + 5000);
    assert.equal(books.b.size, 0);
  });

  it("does not take what may have been under way until after the time to answer", () => {
    const { a, c } = setUp();
    const key = keyRanking("c", "b");
    const pending = a.begin(claimOf(key, "a"), NOW + 600);
    const message = a.toMessage(pending.claim, NOW + 100);
    assert.equal(message.answerInMs, 500);
    const arrive = (of: ClaimMessage<Answer>, ageMs: number): string =>
      c.receive(of, { from: "a", ageMs, hold: tell, now: NOW }).kind;
    assert.deepEqual([arrive(message, 501), arrive(message, Infinity)], ["busy", "busy"]);
    assert.equal(c.find(key, NOW), undefined);
    assert.equal(arrive(message, 500), "stored");
    // A copy of what stands already is as good at any time.
    const settled = { ...message, key: "another", settled: true };
    assert.equal(arrive(settled, Infinity), "stored");
  });

  it("counts what each client has been given, as long as it is remembered", () => {
    const { a } = setUp({ rememberMs: 100 });
    for (const key of ["k1", "k2", "k1"])
      receive(a, { ...claimOf("ann", "b"), key, ttlMs: 1, rememberMs: 100, settled: false, answerInMs: 0 });
    assert.deepEqual([a.countOf("ann"), a.countOf("ben")], [2, 0]);
    a.sweep(NOW + 100);
    assert.equal(a.countOf("ann"), 0);
  });

  it("is bounded", () => {
    const { a } = setUp({ maxClaims: 3 });
    for (let i = 0; i < 5; i++)
      receive(a, { ...claimOf(`k${i}`, "b"), ttlMs: 1, rememberMs: 9999, settled: false, answerInMs: 0 });
    assert.equal(a.size, 3);
    assert.equal(a.dropped, 2);
    assert.equal(a.find("k1", NOW), undefined);
    assert.notEqual(a.find("k2", NOW), undefined);
  });

  it("refuses a second claim for a key that is being worked on", () => {
    const { a } = setUp();
    a.begin(claimOf("k", "a"), NOW + 500);
    assert.throws(() => a.begin(claimOf("k", "a"), NOW + 500), RangeError);
    assert.equal(highestRanked("k", a.live) !== undefined, true);
  });
});
