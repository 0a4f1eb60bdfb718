import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HealthBook } from "./health-book.ts";
import type { NodeHealth } from "./health-book.ts";

const config = {
  suspectAfterMs: 1000,
  loseAfterMs: 5000,
  forgetAfterMs: 1e6,
  checkEveryMs: 1000,
  checkTimeoutMs: 500,
  trustAfterMs: 2000,
};

function createBook(): { book: HealthBook; changes: string[] } {
  const changes: string[] = [];
  const onChange = (id: string, health: NodeHealth): void => void changes.push(`${id} ${health}`);
  return { book: new HealthBook({ config: () => config, onChange }), changes };
}

const NOTHING = { suspects: [], unheard: [] };

describe("HealthBook", () => {
  it("suspects who is late, at once, and trusts it again after a while", () => {
    const { book, changes } = createBook();
    for (const id of ["a", "b", "c"]) book.add(id, 0);
    for (let now = 0; now <= 1200; now += 100) {
      book.noteReport("b", now);
      book.noteReport("c", now);
      book.update(now);
    }
    assert.deepEqual(changes, ["a suspected"]);
    assert.deepEqual(
      [book.isSilent("a", 1200), book.isSilent("b", 1200), book.isSilent("x", 1200)],
      [true, false, false],
    );
    assert.deepEqual(book.vote(1200), { suspects: ["a"], unheard: [], heard: 2 });
    book.noteReport("a", 1200);
    assert.equal(book.isSilent("a", 1200), false, "heard again, though not trusted yet");
    for (let now = 1300; now <= 3300 + 2000; now += 100) {
      for (const id of ["a", "b", "c"]) book.noteReport(id, now);
      book.update(now);
    }
    assert.deepEqual(changes, ["a suspected", "a good"]);
  });

  it("suspects by one failed check after another, and by the word of one other balancer", () => {
    const { book, changes } = createBook();
    book.add("a", 0);
    book.add("b", 0);
    book.noteCheck("a", false);
    book.update(100);
    assert.deepEqual(changes, []);
    book.noteCheck("a", false);
    book.update(200);
    book.noteVote("other", { suspects: ["b"], unheard: [] });
    book.update(300);
    assert.deepEqual(changes, ["a suspected", "b suspected"]);
    assert.deepEqual(book.vote(300).suspects, ["a"], "hearsay is not passed on");
  });

  it("loses a node only with the word of most live balancers", () => {
    const { book, changes } = createBook();
    for (const id of ["a", "b", "c"]) book.add(id, 0);
    const others = (now: number): void => {
      book.noteReport("b", now);
      book.noteReport("c", now);
      book.update(now);
    };
    book.noteVote("x", NOTHING);
    book.noteVote("y", NOTHING);
    for (let now = 0; now <= 8000; now += 250) others(now);
    assert.deepEqual(changes, ["a suspected"], "one of three");
    book.noteVote("x", { suspects: ["a"], unheard: ["a"] });
    others(8250);
    assert.deepEqual(changes, ["a suspected", "a lost"]);
  });

  it("counts live balancers only", () => {
    const { book, changes } = createBook();
    for (const id of ["a", "b", "c"]) book.add(id, 0);
    book.noteVote("x", NOTHING);
    for (let now = 0; now <= 6000; now += 250) {
      book.noteReport("b", now);
      book.noteReport("c", now);
      book.update(now);
    }
    assert.deepEqual(changes, ["a suspected"]);
    book.forgetPeer("x");
    book.update(6250);
    assert.deepEqual(changes, ["a suspected", "a lost"]);
  });

  it("says nothing about others when it hears less than half of them", () => {
    const { book } = createBook();
    for (const id of ["a", "b", "c", "d"]) book.add(id, 0);
    book.noteReport("a", 2000);
    assert.equal(book.isIsolated(2000), true);
    assert.deepEqual(book.vote(2000), { ...NOTHING, heard: 1 });
    book.noteVote("x", { ...NOTHING, heard: 3 });
    assert.equal(book.isIsolated(2000), true);
  });

  it("takes most nodes for lost where no balancer hears them", () => {
    const { book, changes } = createBook();
    for (const id of ["a", "b", "c"]) book.add(id, 0);
    for (let now = 0; now <= 6000; now += 250) {
      book.noteReport("a", now);
      book.update(now);
      // The other one is in the same place.
      book.noteVote("x", book.vote(now));
    }
    assert.deepEqual(changes, ["b suspected", "c suspected", "b lost", "c lost"]);
  });

  it("takes a node for lost again that was heard only for a moment", () => {
    const { book, changes } = createBook();
    book.add("a", 0);
    for (let now = 0; now <= 20_000; now += 250) {
      if (now === 10_000) book.noteReport("a", now);
      book.update(now);
    }
    assert.deepEqual(changes, ["a suspected", "a lost", "a suspected", "a lost"]);
  });

  it("trusts what flaps later each time, up to ten times as late, and forgets it", () => {
    const { book, changes } = createBook();
    for (const id of ["a", "b", "c"]) book.add(id, 0);
    let now = 0;
    const run = (forMs: number, isHeard: boolean): void => {
      for (const end = now + forMs; now < end; now += 100) {
        for (const id of isHeard ? ["a", "b", "c"] : ["b", "c"]) book.noteReport(id, now);
        book.update(now);
      }
    };
    const waits: number[] = [];
    for (let flap = 0; flap < 6; flap++) {
      run(1500, false);
      assert.equal(book.healthOf("a"), "suspected");
      const from = now;
      while (book.healthOf("a") !== "good") run(100, true);
      waits.push(now - from);
    }
    assert.ok(waits[1] > waits[0] * 1.5 && waits[2] > waits[1] * 1.5, waits.join(" "));
    assert.ok(waits[5] <= 20_200, waits.join(" "));
    run(130_000, true);
    run(1500, false);
    const from = now;
    while (book.healthOf("a") !== "good") run(100, true);
    assert.ok(now - from <= 2200);
    assert.equal(changes.filter((change) => change === "a suspected").length, 7);
  });
});
