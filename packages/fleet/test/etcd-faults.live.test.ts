/**
 * A store in an etcd of three members while each of them is killed and frozen, all are gone for a while (`npm run soak`: for
 * a minute), and all come back from nothing.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { endOfPrefix, watchMethod } from "../src/store/etcd/etcd-api.ts";
import { EtcdMembers } from "../src/store/etcd/etcd-members.ts";
import { EtcdStore } from "../src/store/etcd-store.ts";
import { StoreError } from "../src/store/state-store.ts";
import type { StateStore } from "../src/store/state-store.ts";
import { systemClock } from "../src/store/store-clock.ts";
import { peerOrSkip } from "../../../scripts/peers.mjs";
import { EtcdCluster } from "./etcd-cluster.ts";
import { keysOf, putAll, record } from "./store-compliance.ts";
import { until } from "./until.ts";

const { skip } = peerOrSkip("etcd");

const GONE_FOR_MS = process.env.SOAK === "true" ? 60_000 : 500;
const WRITE_EVERY_MS = 10;
const WRITES_GO_ON_WITHIN_MS = 5000;
const WATCH_HEARS_WITHIN_MS = 6000;
const AWAY_WITHIN_MS = 3500;

describe("a store in an etcd of three members", { skip }, () => {
  let cluster: EtcdCluster;
  before(async () => {
    cluster = await EtcdCluster.start();
  });
  after(() => cluster[Symbol.asyncDispose]());

  for (const fault of ["kill -9", "SIGSTOP"] as const) {
    it(`goes on through ${fault} of each member, the leader first`, async (t) => {
      await using store = await EtcdStore.open({ endpoints: cluster.endpoints });
      await using watcher = await EtcdStore.open({ endpoints: cluster.endpoints });
      const events = record(watcher, `${fault[0]}/`);
      const leased = record(watcher, "balancers/");
      await using writer = new SteadyWriter(store, `${fault[0]}/`);
      const leader = await cluster.leader();
      for (const member of [leader, (leader + 1) % 3, (leader + 2) % 3]) {
        const written = writer.acknowledged.length;
        if (fault === "SIGSTOP") cluster.freeze(member);
        else await cluster.kill(member);
        const goesOnMs = await until(() => writer.acknowledged.length >= written + 10, WRITES_GO_ON_WITHIN_MS);
        const heardMs = await until(() => events.length >= writer.acknowledged.length - 1, WATCH_HEARS_WITHIN_MS);
        t.diagnostic(
          `${fault} of ${member === leader ? "the leader" : "a follower"}: ten writes in ${goesOnMs.toFixed(0)} ms, ` +
            `all heard ${heardMs.toFixed(0)} ms later`,
        );
        if (fault === "SIGSTOP") cluster.thaw(member);
        else cluster.start(member);
        await cluster.ready();
      }
      await writer[Symbol.asyncDispose]();
      t.diagnostic(
        `${writer.acknowledged.length} writes, at most ${writer.longestGapMs.toFixed(0)} ms between two, ` +
          `${writer.again.size} asked for again`,
      );
      await until(() => new Set(keysOf(events)).size >= writer.acknowledged.length);
      // Each once; what was refused and asked for again may have come twice.
      const heard = keysOf(events).filter((key, i, all) => all.indexOf(key) === i || !writer.again.has(key));
      assert.deepEqual(heard, writer.acknowledged);
      assert.equal(store.status, "connected");
      assert.equal(watcher.status, "connected");
      assert.ok(leased.every((event) => "put" in event));
    });
  }

  it("hears nothing from a member that has lost the others, and hears that", async () => {
    const alone = cluster.endpoints[0];
    const members = new EtcdMembers({ endpoints: [alone], clock: systemClock, attemptMs: 1000 });
    const { call } = await members.open(watchMethod, 1000);
    const ended = new Promise<Error>((resolve) => call.on("error", resolve));
    const began = new Promise((resolve) => call.on("data", resolve));
    const key = Buffer.from("riposte/");
    call.write({ createRequest: { key, rangeEnd: endOfPrefix(key), startRevision: 0, fragment: true } });
    await began;
    cluster.freeze(1);
    cluster.freeze(2);
    assert.match((await ended).message, /no leader/);
    cluster.thaw(1);
    cluster.thaw(2);
    members.close();
    await cluster.ready();
  });

  it("says that it is away when all members are gone, and when they are back", async (t) => {
    await using store = await EtcdStore.open({ endpoints: cluster.endpoints });
    const events = record(store, "nodes/");
    const leads: boolean[] = [];
    await using stack = new AsyncDisposableStack();
    const campaign = stack.adopt(
      store.campaign("scaling", "one", 1000, (is) => leads.push(is)),
      (adopted) => adopted.close(),
    );
    await store.put("nodes/a", "1");
    await until(() => campaign.leads && events.length === 1);
    for (let member = 0; member < 3; member++) cluster.freeze(member);
    const running = assert.rejects(store.put("nodes/b", "1"), StoreError);
    const ledMs = await until(() => !campaign.leads);
    const awayMs = await until(() => store.status === "away");
    t.diagnostic(`away after ${(ledMs + awayMs).toFixed(0)} ms, no leader after ${ledMs.toFixed(0)} ms`);
    assert.ok(ledMs <= 1000 && ledMs + awayMs <= AWAY_WITHIN_MS);
    await running;
    const askedAt = performance.now();
    await assert.rejects(store.get("nodes/a"), (error) => error instanceof StoreError && error.code === "away");
    assert.ok(performance.now() - askedAt < 100);
    const backAt = askedAt + GONE_FOR_MS;
    await until(() => performance.now() >= backAt, GONE_FOR_MS + 1000);
    for (let member = 0; member < 3; member++) cluster.thaw(member);
    const backMs = await until(() => store.status === "connected");
    await until(async () => (await store.put("nodes/c", "1").catch(() => undefined)) !== undefined);
    await until(() => events.some((event) => "put" in event && event.put.key === "nodes/c"));
    await until(() => campaign.leads);
    t.diagnostic(`back ${backMs.toFixed(0)} ms after the members`);
    assert.deepEqual(leads, [true, false, true]);
  });

  it("tells everything that was lost when it comes back from nothing, and takes it again", async () => {
    await using store = await EtcdStore.open({ endpoints: cluster.endpoints, name: "wiped" });
    await using other = await EtcdStore.open({ endpoints: cluster.endpoints, name: "wiped" });
    const entries = new Map(Array.from({ length: 300 }, (_, i) => [`nodes/${i}`, `registration ${i}`]));
    await putAll(store, entries);
    await other.put("balancers/b", "here", { leaseMs: 60_000 });
    const lost: string[] = [];
    // What a balancer does: whatever is lost and is its own, it puts again.
    store.watch("nodes/", (event) => {
      if ("put" in event || event.lost !== true) return;
      lost.push(event.deleted);
      const value = entries.get(event.deleted) ?? "";
      void until(() =>
        store.put(event.deleted, value).then(
          () => true,
          () => false,
        ),
      );
    });
    const heard = record(other, "nodes/");
    await until(() => heard.length === entries.size);
    await cluster.wipe();
    await cluster.startAll();
    // One that is lost, put again and lost once more is told twice.
    await until(() => new Set(lost).size === entries.size);
    // Others may hear that a key is lost, or only that it has been put again.
    await until(
      () => new Set(keysOf(heard.slice(entries.size)).filter((key) => entries.has(key))).size === entries.size,
    );
    assert.ok(heard.every((event) => "put" in event || event.lost === true));
    await until(async () => (await other.list("nodes/")).length === entries.size);
    assert.deepEqual(await listed(store), entries);
    // The lease went with the store: put again, it has another.
    assert.ok((await other.put("balancers/b", "here", { leaseMs: 60_000 })) !== undefined);
    assert.equal((await store.get("balancers/b"))?.value, "here");
  });
});

/** Puts one new key after the other, each until it is acknowledged, and renews a leased one meanwhile. */
class SteadyWriter implements AsyncDisposable {
  readonly acknowledged: string[] = [];
  /** Keys that were not acknowledged the first time. */
  readonly again = new Set<string>();
  longestGapMs = 0;
  readonly #store: StateStore;
  readonly #prefix: string;
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(store: StateStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
    this.#done = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    let acknowledgedAt = performance.now();
    for (let i = 0; !this.#stopped;) {
      const key = `${this.#prefix}${i}`;
      try {
        await this.#store.put(key, String(i));
        if (i % 20 === 0) await this.#store.put("balancers/a", "here", { leaseMs: 10_000 });
        this.acknowledged.push(key);
        const now = performance.now();
        this.longestGapMs = Math.max(this.longestGapMs, now - acknowledgedAt);
        acknowledgedAt = now;
        i++;
      } catch (error) {
        assert.ok(error instanceof StoreError && error.code !== "refused");
        this.again.add(key);
      }
      await new Promise((resolve) => setTimeout(resolve, WRITE_EVERY_MS));
    }
  }
}

async function listed(store: StateStore): Promise<Map<string, string>> {
  return new Map((await store.list("nodes/")).map(({ key, value }) => [key, value]));
}
