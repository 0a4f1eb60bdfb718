/** What every `StateStore` must do, whatever is behind it. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { StoreError } from "../src/store/state-store.ts";
import type { StateStore, StoreEvent } from "../src/store/state-store.ts";

/** One empty store, and ways to it. */
export interface StoreSubject extends AsyncDisposable {
  readonly store: StateStore;
  /** Another view of the same entries: the same object where one process owns them. */
  readonly other: StateStore;
  now(): number;
  /** Lets a little time go by. */
  tick(): Promise<void>;
}

/** One that `store` can be cut off from, until the result is called; `other` is not. */
export interface RemoteSubject extends StoreSubject {
  cutOff(): () => void;
}

const PATIENCE_MS = 20_000;

export function testStore(name: string, makeSubject: () => Promise<StoreSubject>): void {
  describe(name, () => {
    let subject: StoreSubject;
    let store: StateStore;
    let other: StateStore;
    const until = (condition: () => boolean | Promise<boolean>): Promise<number> => pass(subject, condition);

    beforeEach(async () => {
      subject = await makeSubject();
      ({ store, other } = subject);
    });
    afterEach(() => subject[Symbol.asyncDispose]());

    it("gives back what was put", async () => {
      assert.equal(store.status, "connected");
      assert.equal(await store.get("nodes/a"), undefined);
      const first = await store.put("nodes/a", "one");
      const second = await store.put("nodes/a", "zwei \u{1f3ae}\n");
      assert.deepEqual(await other.get("nodes/a"), {
        key: "nodes/a",
        value: "zwei \u{1f3ae}\n",
        revision: second?.revision,
      });
      assert.ok(second!.revision > first!.revision);
      assert.deepEqual(await other.get("nodes/a"), second);
      await store.put("nodes/a", "");
      assert.equal((await other.get("nodes/a"))?.value, "");
    });

    it("lists by prefix, in order", async () => {
      for (const key of ["nodes/b", "nodes/a", "nodesmore", "balancers/x", "nodes/a/deep", "Z"])
        await store.put(key, key);
      assert.deepEqual(await listed(other, "nodes/"), ["nodes/a", "nodes/a/deep", "nodes/b"]);
      assert.deepEqual(await listed(other, "nodes/a"), ["nodes/a", "nodes/a/deep"]);
      assert.deepEqual(await listed(other, "none"), []);
      assert.deepEqual(await listed(other, ""), [
        "Z",
        "balancers/x",
        "nodes/a",
        "nodes/a/deep",
        "nodes/b",
        "nodesmore",
      ]);
    });

    it("lists and watches more than a page", async () => {
      const keys = Array.from({ length: 300 }, (_, i) => `nodes/${String(i).padStart(4, "0")}`);
      await putAll(store, new Map(keys.map((key) => [key, "x"])));
      assert.deepEqual(await listed(other, "nodes/"), keys);
      const heard = new Set<string>();
      const stop = other.watch("nodes/", (event) => "put" in event && heard.add(event.put.key));
      await until(() => heard.size === keys.length);
      stop();
    });

    it("deletes, and says whether there was something", async () => {
      await store.put("config/current", "1");
      assert.equal(await other.delete("config/current"), true);
      assert.equal(await store.delete("config/current"), false);
      assert.equal(await store.get("config/current"), undefined);
    });

    it("puts only what still has the revision", async () => {
      const made = await store.put("config/current", "1", { ifRevision: 0 });
      assert.equal(await other.put("config/current", "2", { ifRevision: 0 }), undefined);
      const next = await other.put("config/current", "2", { ifRevision: made!.revision });
      assert.equal(next?.value, "2");
      assert.equal(await store.put("config/current", "3", { ifRevision: made!.revision }), undefined);
      assert.deepEqual(await store.get("config/current"), next);
      await store.delete("config/current");
      assert.equal(await store.put("config/current", "4", { ifRevision: next.revision }), undefined);
      assert.notEqual(await store.put("config/current", "4", { ifRevision: 0 }), undefined);
    });

    it("lets one of many make the same key", async () => {
      const attempts = Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? store : other).put("config/versions/7", String(i), { ifRevision: 0 }),
      );
      const made = (await Promise.all(attempts)).filter((entry) => entry !== undefined);
      assert.equal(made.length, 1);
      assert.deepEqual(await store.get("config/versions/7"), made[0]);
    });

    it("refuses keys, values, leases and revisions that not every store takes", async () => {
      for (const key of ["", ".hidden", "a b", "ä", "/a", "x".repeat(513), "a\n"]) {
        await assert.rejects(store.put(key, ""), RangeError);
        await assert.rejects(store.get(key), RangeError);
        await assert.rejects(store.delete(key), RangeError);
      }
      await assert.rejects(store.list("a b"), RangeError);
      assert.throws(() => store.watch("a b", () => undefined), RangeError);
      await assert.rejects(store.put("a", "\ud800"), RangeError);
      await assert.rejects(store.put("a", "x".repeat(1024 * 1024 + 1)), RangeError);
      await assert.rejects(store.put("a", "x", { leaseMs: 99 }), RangeError);
      await assert.rejects(store.put("a", "x", { leaseMs: Number.NaN }), RangeError);
      await assert.rejects(store.put("a", "x", { ifRevision: -1 }), RangeError);
      await store.put("a", "x".repeat(1024 * 1024));
      assert.equal((await other.get("a"))?.value.length, 1024 * 1024);
    });

    it("keeps a leased key for its lease, and no longer", async () => {
      const started = subject.now();
      await store.put("balancers/a", "here", { leaseMs: 600 });
      await store.put("balancers/b", "there", { leaseMs: 600 });
      const events = record(other, "balancers/");
      await until(() => events.length >= 2);
      // One of two keys of the same lease goes, the other is put again and again.
      let keptAt = subject.now();
      await until(async () => {
        if (subject.now() - keptAt >= 150) {
          keptAt = subject.now();
          await store.put("balancers/b", "there", { leaseMs: 600 });
        }
        return events.length > 2;
      });
      const livedMs = subject.now() - started;
      assert.ok(livedMs >= 600, `gone after ${livedMs} ms`);
      assert.deepEqual(keysOf(events), ["balancers/a", "balancers/b", "-balancers/a"]);
      assert.equal((await other.get("balancers/b"))?.value, "there");
      await until(() => events.length > 3);
      assert.deepEqual(keysOf(events).slice(3), ["-balancers/b"]);
      assert.equal(await other.get("balancers/b"), undefined);
    });

    it("renews a leased key without a change; another value is one", async () => {
      const events = record(other, "balancers/");
      const first = await store.put("balancers/a", "1", { leaseMs: 5000 });
      assert.deepEqual(await store.put("balancers/a", "1", { leaseMs: 5000 }), first);
      assert.deepEqual(await store.put("balancers/a", "1", { leaseMs: 5000, ifRevision: first!.revision }), first);
      assert.equal(await store.put("balancers/a", "1", { leaseMs: 5000, ifRevision: first!.revision + 9 }), undefined);
      const second = await store.put("balancers/a", "2", { leaseMs: 5000 });
      assert.ok(second!.revision > first!.revision);
      await until(() => events.length >= 2);
      assert.deepEqual(events, [{ put: first }, { put: second }]);
      // Somebody deleted it: putting it again makes it again.
      await other.delete("balancers/a");
      const third = await store.put("balancers/a", "2", { leaseMs: 5000 });
      assert.ok(third!.revision > second!.revision);
    });

    it("takes a lease away from a key that is put without one", async () => {
      await store.put("nodes/a", "leased", { leaseMs: 300 });
      await store.put("nodes/b", "leased", { leaseMs: 300 });
      await store.put("nodes/a", "for good");
      await until(async () => (await other.get("nodes/b")) === undefined);
      assert.equal((await other.get("nodes/a"))?.value, "for good");
    });

    it("tells a watch of all that there is, then of every change in order", async () => {
      await store.put("nodes/b", "1");
      await store.put("nodes/a", "2");
      await store.put("elsewhere", "3");
      const events = record(other, "nodes/");
      assert.equal(events.length, 0);
      await until(() => events.length >= 2);
      for (let i = 0; i < 20; i++) await store.put("nodes/c", String(i));
      await other.delete("nodes/a");
      await store.put("elsewhere", "4");
      await store.put("nodes/a", "5");
      await until(() => events.length >= 24);
      const expected = ["nodes/b", "nodes/a", ...Array.from({ length: 20 }, () => "nodes/c"), "-nodes/a", "nodes/a"];
      assert.deepEqual(keysOf(events), expected);
      const revisions = events.map((event) => ("put" in event ? event.put.revision : event.revision));
      assert.ok(revisions.every((revision, i) => i === 0 || revision > revisions[i - 1]));
      assert.ok(events.every((event) => !("lost" in event)));
    });

    it("tells a watch nothing after it was stopped", async () => {
      const events: StoreEvent[] = [];
      const stop = store.watch("nodes/", (event) => events.push(event));
      const live = record(store, "nodes/");
      await store.put("nodes/a", "1");
      await until(() => live.length === 1 && events.length === 1);
      stop();
      await store.put("nodes/a", "2");
      await until(() => live.length === 2);
      assert.equal(events.length, 1);
    });

    it("has one leader of two candidates, and the next when it stops", async () => {
      const told: string[] = [];
      const first = store.campaign("scaling", "one", 1000, (leads) => told.push(`one ${leads}`));
      await until(() => first.leads);
      const second = other.campaign("scaling", "two", 1000, (leads) => told.push(`two ${leads}`));
      const third = other.campaign("cleaning", "two", 1000, () => undefined);
      await until(() => third.leads);
      const started = subject.now();
      await until(() => subject.now() - started > 700 || second.leads);
      assert.ok(first.leads);
      assert.ok(!second.leads);
      await first.close();
      assert.ok(!first.leads);
      const takenAfterMs = await until(() => second.leads);
      assert.ok(takenAfterMs < 900, `taken over after ${takenAfterMs} ms`);
      await second.close();
      await third.close();
      assert.deepEqual(told, ["one true", "one false", "two true", "two false"]);
    });

    it("closes: what is leased goes, watches are silent, calls are refused", async () => {
      const events = record(store, "");
      await store.put("balancers/a", "1", { leaseMs: 60_000 });
      await store.put("nodes/a", "1");
      await until(() => events.length >= 2);
      const campaign = store.campaign("scaling", "one", 1000, () => undefined);
      await store[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      assert.ok(!campaign.leads);
      for (const call of [store.put("a", "1"), store.delete("a")])
        await assert.rejects(call, (error) => error instanceof StoreError && error.code === "away");
      if (other === store) return;
      assert.equal(await other.get("balancers/a"), undefined);
      assert.equal((await other.get("nodes/a"))?.value, "1");
      assert.equal(keysOf(events).filter((key) => key === "nodes/b").length, 0);
    });
  });
}

/** What a store must do, beside that, that is somewhere else. */
export function testRemoteStore(name: string, makeSubject: () => Promise<RemoteSubject>): void {
  testStore(name, makeSubject);
  describe(`${name}, cut off`, () => {
    let subject: RemoteSubject;
    let store: StateStore;
    let other: StateStore;
    const until = (condition: () => boolean | Promise<boolean>): Promise<number> => pass(subject, condition);

    beforeEach(async () => {
      subject = await makeSubject();
      ({ store, other } = subject);
    });
    afterEach(() => subject[Symbol.asyncDispose]());

    it("tells a watch what changed meanwhile, and says that it is away", async () => {
      await Promise.all(["a", "b", "c"].map((key) => store.put(`nodes/${key}`, "1")));
      const events = record(store, "nodes/");
      await until(() => events.length >= 3);
      events.length = 0;
      const statuses: string[] = [];
      store.onStatus((status) => statuses.push(status));
      const resume = subject.cutOff();
      await other.put("nodes/b", "2");
      await other.delete("nodes/c");
      await other.put("nodes/d", "1");
      const awayAfterMs = await until(() => store.status === "away");
      assert.ok(awayAfterMs < 3500, `away after ${awayAfterMs} ms`);
      await assert.rejects(store.get("nodes/a"), (error) => error instanceof StoreError && error.code === "away");
      await assert.rejects(store.put("nodes/a", "2"), (error) => error instanceof StoreError && error.code === "away");
      assert.equal(events.length, 0);
      resume();
      await until(() => events.length >= 3);
      assert.deepEqual(keysOf(events), ["nodes/b", "nodes/d", "-nodes/c"]);
      await until(() => store.status === "connected");
      assert.deepEqual(statuses, ["away", "connected"]);
      await other.put("nodes/e", "1");
      await until(() => events.length >= 4);
    });

    it("has no leader that cannot renew when another becomes it", async () => {
      const told: string[] = [];
      const first = store.campaign("scaling", "one", 1000, (leads) => told.push(`one ${leads}`));
      await until(() => first.leads);
      const second = other.campaign("scaling", "two", 1000, (leads) => {
        assert.ok(!leads || !first.leads);
        told.push(`two ${leads}`);
      });
      const resume = subject.cutOff();
      await until(() => second.leads);
      assert.deepEqual(told, ["one true", "one false", "two true"]);
      resume();
      await until(() => store.status === "connected");
      await second.close();
      await until(() => first.leads);
      await first.close();
    });
  });
}

/** Time, until something is so. Returns how long that took. */
async function pass(subject: StoreSubject, condition: () => boolean | Promise<boolean>): Promise<number> {
  const started = subject.now();
  while (!(await condition())) {
    assert.ok(subject.now() - started < PATIENCE_MS, `not within ${PATIENCE_MS} ms: ${condition.toString()}`);
    await subject.tick();
  }
  return subject.now() - started;
}

/** However slow the machine is, each call in its time. */
export async function putAll(store: StateStore, entries: ReadonlyMap<string, string>): Promise<void> {
  const queue = entries.entries();
  const worker = async (): Promise<void> => {
    for (const [key, value] of queue) await store.put(key, value);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function listed(store: StateStore, prefix: string): Promise<string[]> {
  return (await store.list(prefix)).map(({ key }) => key);
}

/** Everything that a watch hears. */
export function record(store: StateStore, prefix: string): StoreEvent[] {
  const events: StoreEvent[] = [];
  store.watch(prefix, (event) => events.push(event));
  return events;
}

/** Put keys, and deleted ones with a minus. */
export function keysOf(events: readonly StoreEvent[]): string[] {
  return events.map((event) => ("put" in event ? event.put.key : `-${event.deleted}`));
}
