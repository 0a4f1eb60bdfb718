import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLog } from "./event-log.ts";

test("the newest events stay, oldest first, and all are counted by name", () => {
  const log = new EventLog(3);
  for (let i = 0; i < 5; i++) log.add(i % 2 === 0 ? "even" : "odd", { i }, 100 + i);
  assert.deepEqual(
    log.events().map(({ at, name, details }) => [at, name, details]),
    [
      [102, "even", '{"i":2}'],
      [103, "odd", '{"i":3}'],
      [104, "even", '{"i":4}'],
    ],
  );
  assert.equal(log.total, 5);
  assert.deepEqual(
    [...log.counts],
    [
      ["even", 3],
      ["odd", 2],
    ],
  );
});

test("details are kept as they were, whatever they are, and never more than 2 KiB of them", () => {
  const log = new EventLog(8);
  const details = { n: 1, id: 5n };
  log.add("object", details, 0);
  details.n = 2;
  log.add("text", "just words", 0);
  log.add("none", undefined, 0);
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  log.add("circle", circle, 0);
  log.add("nothing", { toJSON: () => undefined }, 0);
  log.add("long", { text: "x".repeat(100_000) }, 0);
  log.add("n".repeat(1_000), undefined, 0);
  const events = log.events();
  assert.deepEqual(
    events.slice(0, 3).map((event) => event.details),
    ['{"n":1,"id":"5"}', '"just words"', ""],
  );
  assert.match(events[3].details, /notSerializable.*circular/i);
  assert.equal(events[4].details, "null");
  assert.ok(events[5].details.length < 2_200 && JSON.parse(events[5].details).cut.length === 2_048);
  assert.equal(events[6].name.length, 128);
});

test("however many names there are, a thousand are counted apart", () => {
  const log = new EventLog(4);
  for (let i = 0; i < 1_200; i++) log.add(`event ${i}`, undefined, 0);
  assert.equal(log.counts.size, 1_001);
  assert.equal(log.counts.get("(other)"), 200);
});
