import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigBook } from "./config-book.ts";
import type { ConfigAuthor } from "./config-book.ts";
import { DEFAULT_CONFIG } from "./config-defaults.ts";
import { ConfigError } from "./config-rules.ts";

const author: ConfigAuthor = { changedBy: "ada", changedAt: "2023-11-14T22:13:20.000Z" };

function problemsOf(patch: unknown, book = new ConfigBook()): readonly string[] {
  const before = book.current;
  try {
    book.change(patch, author);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(book.current, before, "a refused change changes nothing");
    return error.problems.map(({ path, problem }) => `${path}: ${problem}`);
  }
  return [];
}

describe("ConfigBook, what is refused", () => {
  it("names the path, the value and what is allowed", () => {
    assert.deepEqual(
      problemsOf({ routing: { strategy: "nearest", panicThreshold: 1.5 }, health: { checkEveryMs: "1s" } }),
      [
        'routing.strategy: "nearest", must be one of geographic, latency, leastLoad, powerOfTwo, weighted, consistentHash, sticky, composite',
        "routing.panicThreshold: 1.5, must be a number from 0 to 1",
        'health.checkEveryMs: "1s", must be a number from 100 to 86400000',
      ],
    );
    assert.deepEqual(problemsOf({ routing: { sampledNodes: 2.5 }, queue: { admissionsPerSec: -1 } }), [
      "routing.sampledNodes: 2.5, must be a whole number from 1 to 64",
      "queue.admissionsPerSec: -1, must be a number from 0 to 1000000000, or null for no limit",
    ]);
    assert.deepEqual(problemsOf({ queue: 3 }), [
      "queue: 3, must be an object with maxWaiting, admissionsPerSec, patienceMs",
    ]);
    assert.deepEqual(problemsOf([]).length, 1);
    assert.deepEqual(problemsOf({ queue: { maxWaiting: NaN } }).length, 1);
  });

  it("refuses unknown settings, and JSON's own traps", () => {
    assert.deepEqual(problemsOf({ queue: { maxwaiting: 5 } }), [
      "queue.maxwaiting: no such setting; there are maxWaiting, admissionsPerSec, patienceMs",
    ]);
    for (const text of ['{"__proto__":{"x":1}}', '{"constructor":{}}', '{"scaling":{"__proto__":{"minNodes":1}}}']) {
      assert.equal(problemsOf(JSON.parse(text)).length, 1, text);
    }
    assert.deepEqual(problemsOf({ scaling: { constructor: { maxNodes: 2 } } }), [], "a region may be called so");
  });

  it("refuses what does not go together", () => {
    assert.deepEqual(problemsOf({ seats: { ttlMs: 30_000 } }), [
      "seats.ttlMs: 30000, must be at least 40000: tokenExpireSeconds and tokenTimeoutSeconds, or a player finds the seat gone",
    ]);
    assert.match(problemsOf({ seats: { rememberMs: 50_000 } })[0], /^seats\.rememberMs: 50000, must be at least 60000/);
    assert.match(problemsOf({ health: { loseAfterMs: 900 } })[0], /^health\.loseAfterMs/);
    assert.match(problemsOf({ health: { checkTimeoutMs: 2000 } })[0], /^health\.checkEveryMs/);
    assert.match(problemsOf({ scaling: { "eu.west": { minNodes: 50 } } })[0], /^scaling\["eu\.west"\]\.maxNodes: 10/);
    const schedule = [{ days: [], from: "18:00", to: "23:00", minNodes: 11 }];
    assert.match(problemsOf({ scaling: { eu: { schedule } } })[0], /^scaling\.eu\.maxNodes: 10.*schedule\[0\]/);
  });

  it("looks into schedules, and bounds lists, regions and problems", () => {
    assert.deepEqual(problemsOf({ scaling: { eu: { schedule: [{ days: [7], from: "24:00", to: "08:00" }] } } }), [
      "scaling.eu.schedule[0].days[0]: 7, must be a whole number from 0 to 6",
      'scaling.eu.schedule[0].from: "24:00", must be "00:00" to "23:59"',
    ]);
    assert.deepEqual(problemsOf({ scaling: { eu: { schedule: [{ days: [], from: "08:00" }] } } }), [
      'scaling.eu.schedule[0].to: missing, must be "00:00" to "23:59"',
    ]);
    assert.equal(problemsOf({ scaling: { eu: { schedule: Array.from({ length: 17 }, () => ({})) } } }).length, 1);
    const regions = Object.fromEntries(Array.from({ length: 301 }, (_, i) => [`r${i}`, {}]));
    assert.deepEqual(problemsOf({ scaling: regions }), ["scaling: 301 regions, must be at most 300"]);
    assert.equal(problemsOf(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`x${i}`, 1]))).length, 20);
    assert.equal(problemsOf({ scaling: { "no spaces": {} } }).length, 1);
  });
});

describe("ConfigBook, versions", () => {
  it("lays a change over what is in force and says what is different", () => {
    const book = new ConfigBook({ initial: { queue: { maxWaiting: 500 } } });
    assert.equal(book.config.queue.maxWaiting, 500);
    const patch = {
      routing: { weights: { load: -40 } },
      queue: { admissionsPerSec: 25 },
      scaling: { "eu.west": { maxNodes: 4 } },
    };
    const { version, diff } = book.change(patch, { ...author, comment: "pack" });
    assert.deepEqual(diff, [
      "routing.weights.load: 40 -> -40",
      "queue.admissionsPerSec: no limit -> 25",
      'scaling["eu.west"]: (none) -> {"targetFreeSeats":100,"minNodes":1,"maxNodes":4,"scaleOutCooldownMs":30000,"scaleInCooldownMs":300000,"scaleInMargin":0.25,"maxStarting":10,"startTimeoutMs":300000,"maxDrainMs":null,"seatsPerNode":64,"schedule":[],"predict":true}',
    ]);
    assert.equal(version.version, 1);
    assert.equal(version.changedAt, "2023-11-14T22:13:20.000Z");
    assert.equal(version.comment, "pack");
    assert.equal(book.current.version, 1);
    assert.equal(book.config.routing.weights.latency, 1);
    const back = book.change({ queue: { admissionsPerSec: null }, scaling: { "eu.west": null } }, author);
    assert.equal(back.diff[0], "queue.admissionsPerSec: 25 -> no limit");
    assert.match(back.diff[1], /^scaling\["eu\.west"\]: \{.*\} -> \(none\)$/);
    assert.deepEqual(book.config.scaling, {});
  });

  it("makes no version of a change that changes nothing", () => {
    const book = new ConfigBook();
    const { version, diff } = book.change({ seats: { ttlMs: 60_000 } }, author);
    assert.deepEqual([version.version, diff], [0, []]);
    assert.equal(book.versions().length, 1);
  });

  it("takes a time that sorts as a text", () => {
    const change = { queue: { maxWaiting: 1 } };
    assert.throws(() => new ConfigBook().prepare(change, { changedBy: "ada", changedAt: "yesterday" }), RangeError);
  });

  it("prepares without changing", () => {
    const book = new ConfigBook();
    const { version } = book.prepare({ queue: { maxWaiting: 1 } }, author);
    assert.equal(book.current.version, 0);
    book.accept(version);
    assert.equal(book.config.queue.maxWaiting, 1);
  });

  it("rolls back by a new version", () => {
    const book = new ConfigBook();
    for (const maxWaiting of [1, 2, 3]) book.change({ queue: { maxWaiting } }, author);
    const rolled = book.rollBack(1, author);
    assert.deepEqual(rolled?.diff, ["queue.maxWaiting: 3 -> 1"]);
    assert.deepEqual([book.current.version, book.current.comment], [4, "back to version 1"]);
    assert.equal(book.config.queue.maxWaiting, 1);
    assert.equal(book.rollBack(9, author), undefined);
  });

  it("keeps so many versions", () => {
    const book = new ConfigBook({ maxVersions: 3 });
    for (let maxWaiting = 1; maxWaiting <= 5; maxWaiting++) book.change({ queue: { maxWaiting } }, author);
    assert.deepEqual(
      book.versions().map(({ version }) => version),
      [3, 4, 5],
    );
    const { version } = book.prepare({ queue: { maxWaiting: 6 } }, author);
    assert.deepEqual(book.accept(version).dropped, [3]);
    assert.equal(book.rollBack(3, author), undefined);
    assert.throws(() => new ConfigBook({ maxVersions: 0 }), RangeError);
  });
});

describe("ConfigBook, with others", () => {
  it("goes through the store as text, with limits that JSON cannot say", () => {
    const [a, b] = [new ConfigBook(), new ConfigBook()];
    const { version } = a.change({ routing: { strategy: "latency" }, limits: { challengeAbovePerSec: 900 } }, author);
    const accepted = b.accept(ConfigBook.toText(version));
    assert.deepEqual(accepted, { isNew: true, unknown: [], dropped: [] });
    assert.deepEqual(b.current, a.current);
    assert.equal(b.config.queue.admissionsPerSec, Infinity);
    assert.equal(b.accept(version).isNew, false);
  });

  it("takes the larger version, and the smaller into the history", () => {
    const source = new ConfigBook();
    const texts = [1, 2, 3].map((maxWaiting) =>
      ConfigBook.toText(source.change({ queue: { maxWaiting } }, author).version),
    );
    const book = new ConfigBook();
    assert.equal(book.accept(texts[2]).isNew, true);
    assert.equal(book.accept(texts[0]).isNew, false);
    assert.equal(book.accept(texts[1]).isNew, false);
    assert.deepEqual(
      book.versions().map(({ version }) => version),
      [0, 1, 2, 3],
    );
    assert.equal(book.config.queue.maxWaiting, 3);
    assert.equal(book.rollBack(2, author)?.version.version, 4);
  });

  it("comes to the same of two versions with one number, in either order", () => {
    const [a, b] = [new ConfigBook(), new ConfigBook()];
    const first = a.change({ queue: { maxWaiting: 1 } }, author).version;
    const second = b.change({ queue: { maxWaiting: 2 } }, { ...author, changedBy: "bob" }).version;
    assert.equal(a.accept(second).isNew, true);
    assert.equal(b.accept(first).isNew, false);
    assert.deepEqual(a.current, b.current);
  });

  it("takes what an older or newer balancer wrote: defaults for what is missing, the rest left out", () => {
    const book = new ConfigBook();
    const config = { queue: { maxWaiting: 7 }, weather: { rain: true } };
    const stored = { version: 5, config, changedBy: "x", changedAt: "2026-01-01T00:00:00.000Z" };
    assert.deepEqual(book.accept(stored).unknown, ["weather"]);
    assert.deepEqual(book.config, { ...DEFAULT_CONFIG, queue: { ...DEFAULT_CONFIG.queue, maxWaiting: 7 } });
  });

  it("refuses what is not a version and stays as it is", () => {
    const book = new ConfigBook();
    const good = { version: 1, config: {}, changedBy: "x", changedAt: "2026-01-01T00:00:00.000Z" };
    const bad = ["{", "null", "[]", { ...good, version: -1 }, { ...good, version: 1.5 }, { ...good, changedAt: "now" }];
    for (const stored of [...bad, { ...good, changedBy: 1 }, { ...good, config: { queue: { maxWaiting: -1 } } }]) {
      assert.throws(() => book.accept(stored), ConfigError, JSON.stringify(stored));
    }
    assert.equal(book.current.version, 0);
  });
});
