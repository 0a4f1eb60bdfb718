import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@riposte/protocol";
import * as fc from "fast-check";
import type { QueueConfig } from "../config/load-balancer-config.ts";
import { WaitingQueue } from "./waiting-queue.ts";
import type { QueuePlace } from "./waiting-queue.ts";

const config: QueueConfig = { maxWaiting: 100, admissionsPerSec: Infinity, patienceMs: 15_000 };

function setUp(changes: Partial<QueueConfig> = {}): WaitingQueue<undefined> {
  return new WaitingQueue<undefined>({ ...config, ...changes }, new Random(1), 0);
}

interface Asked {
  readonly filterKey?: string;
  readonly seats?: number;
  readonly since?: number;
  readonly ticket?: boolean;
}

function ask(queue: WaitingQueue<undefined>, key: string, now: number, asked: Asked = {}): QueuePlace | undefined {
  const { filterKey = "", seats = 1, since = now, ticket = asked.since !== undefined } = asked;
  return queue.ask({ key, filterKey, seats, request: undefined }, since, ticket, now);
}

/** Serves at most `seats` seats; whose filter is among `unservable` is not. */
function serve(
  queue: WaitingQueue<undefined>,
  seats: number,
  now: number,
  unservable: readonly string[] = [],
): string[] {
  const served: string[] = [];
  let left = seats;
  for (let player = queue.next(now); player !== undefined; player = queue.next(now)) {
    if (player.seats > left || unservable.includes(player.filterKey)) queue.unplaced(player.key, now);
    else {
      left -= player.seats;
      served.push(player.key);
      queue.placed(player.key, now);
    }
  }
  return served;
}

describe("WaitingQueue", () => {
  it("serves who has waited longest, wherever that was", () => {
    const queue = setUp();
    ask(queue, "a", 1000);
    ask(queue, "b", 1100);
    ask(queue, "from elsewhere", 1200, { since: 500 });
    assert.equal(ask(queue, "b", 1300)?.position, 3);
    assert.deepEqual(serve(queue, 2, 1300), ["from elsewhere", "a"]);
    assert.deepEqual(serve(queue, 2, 1400), ["b"]);
    assert.equal(queue.waiting, 0);
  });

  it("takes the older time of one who waited elsewhere first, and never a later one", () => {
    const queue = setUp();
    ask(queue, "a", 1000);
    ask(queue, "b", 1100);
    ask(queue, "b", 1200, { since: 900 });
    ask(queue, "b", 1300);
    assert.deepEqual(serve(queue, 1, 1300), ["b"]);
  });

  it("is not held up by those who cannot be served", () => {
    const queue = setUp();
    ask(queue, "a", 1000, { filterKey: "mars" });
    ask(queue, "b", 1100, { filterKey: "mars" });
    ask(queue, "c", 1200, { filterKey: "eu" });
    assert.deepEqual(serve(queue, 9, 1300, ["mars"]), ["c"]);
    assert.deepEqual(serve(queue, 9, 1600), ["a", "b"]);
  });

  it("lets a newcomer pass only where nobody waits for the same", () => {
    const queue = setUp();
    ask(queue, "a", 1000, { filterKey: "eu", seats: 2 });
    assert.ok(queue.mayPass("us", 1, 1000));
    assert.ok(queue.mayPass("eu", 1, 1000), "a smaller group may fit where a larger one does not");
    assert.ok(!queue.mayPass("eu", 2, 1000));
    assert.ok(!queue.mayPass("eu", 3, 1000));
  });

  it("does not let smaller groups overtake a large one for ever", () => {
    const queue = setUp();
    ask(queue, "group", 900, { seats: 4 });
    let singles = 0;
    let free = 0;
    for (let now = 1000; now < 60_000; now += 250) {
      ask(queue, "group", now, { seats: 4 });
      ask(queue, `single ${now}`, now);
      free++;
      const served = serve(queue, free, now);
      if (served.includes("group")) break;
      singles += served.length;
      free -= served.length;
    }
    assert.equal(singles, 32);
  });

  it("holds smaller ones up only for a while for a group that never fits", () => {
    const queue = setUp();
    ask(queue, "group", 0, { seats: 4 });
    let singles = 0;
    let longestMs = 0;
    let servedAt = 0;
    for (let now = 0; now < 120_000; now += 200) {
      ask(queue, "group", now, { seats: 4 });
      if (queue.waiting < 50) ask(queue, `single ${now}`, now);
      const served = serve(queue, 1, now);
      singles += served.length;
      if (served.length > 0) {
        longestMs = Math.max(longestMs, now - servedAt);
        servedAt = now;
      }
    }
    assert.ok(longestMs >= 2000 && longestMs <= 3500, `held up for ${longestMs} ms`);
    assert.ok(singles > 350, `${singles}`);
  });

  it("holds newcomers up as well, when they have overtaken a group often enough", () => {
    const queue = setUp();
    ask(queue, "group", 0, { seats: 4 });
    for (let i = 0; i < 32; i++) {
      assert.ok(queue.mayPass("", 1, 100));
      queue.passed("", 1, 100);
    }
    assert.ok(!queue.mayPass("", 1, 100));
    assert.ok(queue.mayPass("", 1, 3100));
  });

  it("passes over who does not ask when it should, and forgets who has not for longer", () => {
    const queue = setUp();
    const place = ask(queue, "absent", 0);
    assert.ok(place !== undefined && place.askAgainMs >= 270 && place.askAgainMs <= 330);
    const later = ask(queue, "absent", 0, { ticket: true });
    assert.ok(later !== undefined && later.askAgainMs >= 900 && later.askAgainMs <= 5500);
    ask(queue, "b", 100);
    let now = 100;
    for (; now < 11_000; now += 1000) ask(queue, "b", now);
    assert.deepEqual(serve(queue, 1, now), ["b"]);
    assert.equal(queue.waiting, 1);
    assert.equal(ask(queue, "c", now)?.position, 1);
    assert.equal(ask(queue, "absent", now)?.position, 1, "it keeps its place");
    assert.deepEqual(serve(queue, 1, now), ["absent"]);
    ask(queue, "d", now);
    queue.sweep(now + 15_001);
    assert.equal(queue.waiting, 0);
    assert.equal(queue.gone, 2);
  });

  it("estimates the wait by how fast it goes", () => {
    const queue = setUp();
    for (let i = 0; i < 60; i++) ask(queue, `k${i}`, i);
    assert.equal(ask(queue, "k59", 100)?.waitMs, undefined, "nobody knows yet");
    let now = 100;
    for (let i = 0; i < 20; i++) {
      now += 500;
      for (let k = i; k < 60; k++) ask(queue, `k${k}`, now);
      serve(queue, 1, now);
    }
    const place = ask(queue, "k59", now);
    assert.equal(place?.position, 40);
    const { waitMs = 0 } = place ?? {};
    assert.ok(waitMs > 15_000 && waitMs < 25_000, `at two a second: ${waitMs}`);
  });

  it("lets in no more than the rate says, and follows it when it is changed", () => {
    const queue = setUp({ admissionsPerSec: 10, maxWaiting: 1000 });
    for (let i = 0; i < 500; i++) ask(queue, `k${i}`, 0);
    const admitted = (from: number, to: number): number => {
      let count = 0;
      for (let now = from; now < to; now += 50) {
        for (let i = 0; i < 500; i++) if (now % 1000 === 0) ask(queue, `k${i}`, now);
        count += serve(queue, 1000, now).length;
      }
      return count;
    };
    assert.equal(admitted(0, 1000), 10 + 9);
    queue.configure({ ...config, admissionsPerSec: 100 }, 1000);
    assert.equal(admitted(1000, 3000), 1 + 195);
    queue.configure({ ...config, admissionsPerSec: 0 }, 3000);
    assert.equal(admitted(3000, 6000), 0);
    assert.ok(!queue.mayPass("", 1, 6000));
  });

  it("counts newcomers who pass against the rate, and gives back what was not used", () => {
    const queue = setUp({ admissionsPerSec: 1 });
    assert.ok(queue.mayPass("", 1, 0));
    queue.passed("", 1, 0);
    assert.ok(!queue.mayPass("", 1, 0));
    ask(queue, "a", 1000);
    assert.deepEqual(serve(queue, 0, 1000), []);
    assert.deepEqual(serve(queue, 1, 1100), ["a"]);
  });

  it("is bounded, with room for those whose balancer is gone", () => {
    const queue = setUp({ maxWaiting: 3 });
    for (let i = 0; i < 3; i++) assert.ok(ask(queue, `k${i}`, 0) !== undefined);
    assert.equal(ask(queue, "k3", 0), undefined);
    assert.ok(ask(queue, "k0", 10) !== undefined, "who is in stays in");
    for (let i = 0; i < 3; i++) assert.ok(ask(queue, `t${i}`, 20, { since: 5 }) !== undefined);
    assert.equal(ask(queue, "t3", 20, { since: 5 }), undefined);
    assert.equal(queue.refused, 2);
    queue.leave("k1");
    assert.equal(queue.waiting, 5);
  });

  it("is bounded in filters; those that nobody waits with give way", () => {
    const queue = setUp({ maxWaiting: 1000 });
    for (let i = 0; i < 256; i++) ask(queue, `k${i}`, 0, { filterKey: `f${i}` });
    // The rest wait together.
    for (const filterKey of ["g", "h", "i"]) assert.ok(ask(queue, filterKey, 0, { filterKey }) !== undefined);
    assert.equal(ask(queue, "i", 0, { filterKey: "i" })?.position, 3);
    queue.leave("k7");
    assert.equal(ask(queue, "j", 0, { filterKey: "j" })?.position, 1);
    const served = new Set<string>();
    for (let next = queue.next(1); next !== undefined; next = queue.next(1)) {
      served.add(next.key);
      queue.placed(next.key, 1);
    }
    assert.equal(served.size, 259);
  });

  it("serves, whatever happens, each at most once, and of each line the oldest first", () => {
    const action = fc.record({
      kind: fc.constantFrom("ask", "ask", "ask", "serve", "leave", "wait"),
      who: fc.nat(30),
      seats: fc.constantFrom(1, 1, 1, 2, 5),
      filterKey: fc.constantFrom("", "eu", "mars"),
      amount: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const queue = setUp({ maxWaiting: 20 });
        const since = new Map<string, number>();
        let now = 0;
        for (const { kind, who, seats, filterKey, amount } of actions) {
          const key = `${filterKey} ${seats} ${who}`;
          if (kind === "wait") now += amount * 500;
          if (kind === "leave") queue.leave(key);
          if (kind === "leave") since.delete(key);
          if (kind === "ask" && ask(queue, key, now, { seats, filterKey }) !== undefined && !since.has(key))
            since.set(key, now);
          if (kind !== "serve") continue;
          const served = serve(queue, amount, now, ["mars"]);
          for (const [i, one] of served.entries()) {
            assert.ok(since.has(one), `${one} does not wait`);
            const line = one.split(" ").slice(0, 2).join(" ");
            for (const later of served.slice(i + 1)) {
              if (later.startsWith(`${line} `)) assert.ok(since.get(later)! >= since.get(one)!);
            }
          }
          for (const one of served) since.delete(one);
          assert.ok(queue.waiting <= 20);
        }
      }),
      { seed: 82, numRuns: 300 },
    );
  });
});
