/** The store in a real etcd as every store, and what only etcd has: users, TLS, compaction, members that wake up late. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { EtcdStore } from "../src/store/etcd-store.ts";
import { StoreError } from "../src/store/state-store.ts";
import { peerOrSkip } from "../../../scripts/peers.mjs";
import { EtcdCluster } from "./etcd-cluster.ts";
import { SilentProxy } from "./silent-proxy.ts";
import { keysOf, record, testRemoteStore } from "./store-compliance.ts";
import { until } from "./until.ts";
import type { RemoteSubject } from "./store-compliance.ts";

const { skip } = peerOrSkip("etcd");

describe("store in etcd", { skip }, () => {
  let cluster: EtcdCluster;
  before(async () => {
    cluster = await EtcdCluster.start({ members: 1 });
  });
  after(() => cluster[Symbol.asyncDispose]());

  testRemoteStore("etcd store", () => makeSubject(cluster));

  it("does nothing twice, and nothing late: a write that arrives after its successors", async () => {
    await using proxy = await SilentProxy.start(cluster.endpoints[0]);
    const name = randomUUID();
    await using other = await EtcdStore.open({ endpoints: cluster.endpoints, name });
    await using store = await openThrough(proxy, [proxy.endpoint, cluster.endpoints[0]], name);
    const keys = Array.from({ length: 20 }, (_, i) => `nodes/${i}`);
    await Promise.all(keys.map((key) => store.put(key, "0")));
    const resume = proxy.cut();
    const puts = keys.map((key) => store.put(key, "1"));
    await until(() => proxy.heldRequests >= keys.length);
    // That the store has given up does not arrive.
    proxy.lose();
    await Promise.all(puts);
    await Promise.all(keys.map((key, i) => (i % 2 === 0 ? store.put(key, "2") : store.delete(key))));
    const meant = await other.list("nodes/");
    assert.deepEqual(new Set(meant.map(({ value }) => value)), new Set(["2"]));
    resume();
    await until(() => proxy.answerHeaders >= 2 * keys.length);
    await other.put("elsewhere", "");
    assert.deepEqual(await other.list("nodes/"), meant);
  });

  it("knows its own write when the answer was lost", async () => {
    await using proxy = await SilentProxy.start(cluster.endpoints[0]);
    const name = randomUUID();
    await using other = await EtcdStore.open({ endpoints: cluster.endpoints, name });
    await using store = await EtcdStore.open({ endpoints: [proxy.endpoint], name });
    await store.put("config/current", "0");
    const resume = proxy.cut("answers");
    const put = store.put("config/versions/1", "1", { ifRevision: 0 });
    const made = record(other, "config/versions/");
    await until(() => made.length === 1);
    proxy.break();
    resume();
    assert.deepEqual({ put: await put }, made[0]);
    assert.equal(await store.put("config/versions/1", "1", { ifRevision: 0 }), undefined);
    const resumeAgain = proxy.cut("answers");
    const again = store.put("config/versions/1", "2");
    await until(() => made.length === 2);
    proxy.break();
    resumeAgain();
    assert.deepEqual({ put: await again }, made[1]);
    await store.put("config/versions/2", "1");
    await until(() => made.length >= 3);
    assert.deepEqual(keysOf(made), ["config/versions/1", "config/versions/1", "config/versions/2"]);
  });

  it("hears what changed while its connection was gone, and the history since then was compacted", async () => {
    await using proxy = await SilentProxy.start(cluster.endpoints[0]);
    const name = randomUUID();
    await using other = await EtcdStore.open({ endpoints: cluster.endpoints, name });
    await using store = await EtcdStore.open({ endpoints: [proxy.endpoint], name });
    await other.put("nodes/a", "1");
    await other.put("nodes/b", "1");
    const events = record(store, "nodes/");
    await until(() => events.length === 2);
    const resume = proxy.cut();
    proxy.break();
    await other.delete("nodes/a");
    for (let i = 2; i < 10; i++) await other.put("nodes/b", String(i));
    await other.put("nodes/c", "1");
    const { header } = (await cluster.post("/v3/kv/range", { key: base64("a") })) as { header: { revision: string } };
    await cluster.post("/v3/kv/compaction", { revision: header.revision });
    resume();
    await until(() => events.length >= 5);
    assert.deepEqual(keysOf(events.slice(2)), ["nodes/b", "nodes/c", "-nodes/a"]);
    assert.equal(store.status, "connected");
  });

  it("finds a member that starts later, and what is lost when it comes back from nothing", async () => {
    await using late = await EtcdCluster.start({ members: 1 });
    await late.kill(0);
    await using store = await EtcdStore.open({ endpoints: late.endpoints, timeoutMs: 500 });
    assert.equal(store.status, "away");
    await assert.rejects(store.get("nodes/a"), (error) => error instanceof StoreError && error.code === "away");
    const events = record(store, "nodes/");
    late.start(0);
    await until(() => store.status === "connected");
    const lost = await store.put("nodes/a", "1");
    await store.put("nodes/b", "1");
    await until(() => events.length === 2);
    await late.wipe();
    late.start(0);
    await until(() => events.length === 4);
    assert.deepEqual(keysOf(events.slice(2)), ["-nodes/a", "-nodes/b"]);
    assert.ok(events.slice(2).every((event) => "lost" in event && event.lost));
    await until(async () => (await store.put("nodes/a", "2").catch(() => undefined)) !== undefined);
    // etcd's own revisions begin anew, and come to the same number.
    let again = await store.get("nodes/a");
    while ((again!.revision - lost!.revision) % 4096 !== 0) again = await store.put("nodes/a", "2");
    assert.ok(again!.revision > lost!.revision);
    assert.equal(await store.put("nodes/a", "3", { ifRevision: lost!.revision }), undefined);
    await store.delete("nodes/a");
    await until(() => events.length > 5 && "deleted" in events[events.length - 1]);
    assert.ok(!("lost" in events[events.length - 1]));
  });

  it("tells users apart, and gets a new token when a member has forgotten the old one", async () => {
    await using guarded = await EtcdCluster.start({ members: 1 });
    for (const [path, body] of [
      ["user/add", { name: "root", password: "r" }],
      ["user/grant", { user: "root", role: "root" }],
      ["user/add", { name: "balancer", password: "b" }],
      ["role/add", { name: "fleet" }],
      [
        "role/grant",
        { name: "fleet", perm: { permType: "READWRITE", key: base64("riposte"), range_end: base64("ripostf") } },
      ],
      ["user/grant", { user: "balancer", role: "fleet" }],
      ["enable", {}],
    ] as const)
      await guarded.post(`/v3/auth/${path}`, body);
    const { endpoints } = guarded;
    const user = { name: "balancer", password: "b" };
    await using store = await EtcdStore.open({ endpoints, user });
    const events = record(store, "nodes/");
    await store.put("nodes/a", "1", { leaseMs: 5000 });
    await until(() => events.length === 1);

    const said: string[] = [];
    const log = (message: string): void => void said.push(message);
    for (const options of [{}, { user: { ...user, password: "x" } }, { user, name: "elsewhere" }]) {
      await using refused = await EtcdStore.open({ endpoints, log, ...options });
      assert.equal(refused.status, "away");
    }
    assert.deepEqual(
      said.map((message) => message.replace(/^etcd refuses this store: etcdserver: /, "")),
      ["user name is empty", "authentication failed, invalid user ID or password", "permission denied"],
    );

    await guarded.kill(0);
    guarded.start(0);
    await until(async () => (await store.put("nodes/b", "1").catch(() => undefined)) !== undefined);
    await until(() => events.length === 2);
  });

  it("speaks TLS, and not to somebody else", async () => {
    await using secure = await EtcdCluster.start({ members: 1, tls: true });
    const { endpoints } = secure;
    await using store = await EtcdStore.open({ endpoints, tls: { ca: secure.certificate }, timeoutMs: 10_000 });
    assert.equal((await store.put("nodes/a", "1"))?.value, "1");
    await using stranger = await EtcdStore.open({ endpoints, timeoutMs: 500 });
    assert.equal(stranger.status, "away");
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

async function makeSubject(cluster: EtcdCluster): Promise<RemoteSubject> {
  const name = randomUUID();
  const proxy = await SilentProxy.start(cluster.endpoints[0]);
  const store = await EtcdStore.open({ endpoints: [proxy.endpoint], name });
  const other = await EtcdStore.open({ endpoints: cluster.endpoints, name });
  return {
    store,
    other,
    now: () => performance.now(),
    tick: () => new Promise((resolve) => setTimeout(resolve, 10)),
    cutOff: () => proxy.cut(),
    async [Symbol.asyncDispose]() {
      await Promise.all([store[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** A store that uses the way through the proxy first: it takes one of its endpoints at random. */
async function openThrough(proxy: SilentProxy, endpoints: readonly string[], name: string): Promise<EtcdStore> {
  for (;;) {
    const store = await EtcdStore.open({ endpoints, name });
    if (proxy.connections > 0) return store;
    await store[Symbol.asyncDispose]();
  }
}
