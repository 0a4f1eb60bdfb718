import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@riposte/protocol";
import { registrationOf } from "../../test/fake-balancer.ts";
import { DEFAULT_CONFIG } from "../config/config-defaults.ts";
import { HealthBook } from "../health/health-book.ts";
import { NodeTable } from "../registry/node-table.ts";
import { Router } from "../routing/router.ts";
import { SeatPool } from "../seats/seat-pool.ts";
import { EmbeddedStore } from "../store/embedded-store.ts";
import type { StateStore, StoreEntry, StoreEvent, StoreStatus } from "../store/state-store.ts";
import { FleetClock } from "./fleet-clock.ts";
import { NodeRoster } from "./node-roster.ts";
import { TokenWriter } from "./token-writer.ts";

const UNIX_MS = 1_800_000_000_000;

/** A store that answers when the test says so. */
class SlowStore {
  status: StoreStatus = "connected";
  readonly keys: string[] = [];
  readonly values: string[] = [];
  tell: (event: StoreEvent) => void = () => undefined;
  readonly #waiting: ((error?: Error) => void)[] = [];

  async put(key: string, value: string): Promise<StoreEntry | undefined> {
    this.keys.push(key);
    this.values.push(value);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push((error) => (error === undefined ? resolve() : reject(error)));
    await promise;
    return { key, value, revision: 1 };
  }

  async answer(error?: Error): Promise<void> {
    for (const settle of this.#waiting.splice(0)) settle(error);
    await new Promise((resolve) => setImmediate(resolve));
  }

  watch(_prefix: string, listener: (event: StoreEvent) => void): () => void {
    this.tell = listener;
    return () => undefined;
  }
}

function rosterWith(
  store: Pick<StateStore, "put" | "watch" | "status">,
  table = new NodeTable(),
  log: (line: string) => void = () => undefined,
): NodeRoster {
  const pool = new SeatPool({ firstSession: 1 });
  return new NodeRoster({
    table,
    pool,
    router: new Router({ table, seatsOf: () => 0, random: new Random(1) }),
    health: new HealthBook({ config: () => DEFAULT_CONFIG.health, onChange: () => undefined }),
    store,
    tokens: new TokenWriter({ fleetSecret: new Uint8Array(32), protocolId: 1n }),
    clock: new FleetClock({ unixMs: () => UNIX_MS }),
    protocolId: 1n,
    sessionSecret: new Uint8Array(32),
    reportEveryMs: 250,
    balancers: () => [],
    onReport: () => undefined,
    now: () => 1000,
    unixMs: () => UNIX_MS,
    log,
  });
}

describe("NodeRoster", () => {
  it("writes each registration once, and not all at once, however slow the store is", async () => {
    const store = new SlowStore();
    const roster = rosterWith(store);
    for (let i = 0; i < 200; i++) roster.register(registrationOf(`eu-${i}`));
    for (let tick = 0; tick < 10; tick++) roster.saveAll();
    assert.equal(store.keys.length, 64);
    for (let i = 0; i < 8; i++) {
      await store.answer();
      roster.saveAll();
    }
    assert.deepEqual([store.keys.length, new Set(store.keys).size, roster.unsaved], [200, 200, 0]);
  });

  it("says when two processes report as one node, and does not forget one that has a successor", () => {
    const lines: string[] = [];
    const table = new NodeTable();
    const roster = rosterWith(new SlowStore(), table, (line) => void lines.push(line));
    const { session } = roster.register(registrationOf("eu-1"));
    const load = { sessions: 0, players: 0, reserved: 0, cpu: 0, tickMs: 0 };
    let report = 0;
    const say = (epoch: number, state: string): unknown => {
      const seats = { epoch, report: ++report, session: 0, turn: 0, grants: [] };
      return roster.exchange("eu-1", session, { seats, load, state, arrived: 0, expired: 0 });
    };
    for (const epoch of [1, 1, 2, 2]) say(epoch, "ready");
    say(1, "stopped");
    assert.deepEqual([lines, table.size], [[], 1], "a process that was replaced");
    for (const epoch of [1, 2, 1, 2]) say(epoch, "ready");
    assert.deepEqual(lines, ["two processes report as node eu-1: give each a name of its own"]);
    say(2, "stopped");
    assert.equal(table.size, 0);
  });

  it("leaves a store alone that is away, and tries others before what was refused", async () => {
    const store = new SlowStore();
    const roster = rosterWith(store);
    for (let i = 0; i < 100; i++) roster.register(registrationOf(`eu-${i}`));
    await store.answer(new Error("refused"));
    store.status = "away";
    roster.saveAll();
    assert.equal(store.keys.length, 64);
    store.status = "connected";
    roster.saveAll();
    assert.equal(new Set(store.keys).size, 100);
    assert.equal(roster.unsaved, 100);
  });

  it("does not take a registration from an older copy of the store, nor that the node was unregistered then", async () => {
    const store = new SlowStore();
    const table = new NodeTable();
    const roster = rosterWith(store, table);
    const moved = { ...registrationOf("eu-1"), addresses: { udp: ["10.9.9.9:7777"] } };
    for (const registration of [registrationOf("eu-1"), moved]) {
      roster.register(registration);
      await store.answer();
      roster.saveAll();
      await store.answer();
    }
    assert.equal(roster.unsaved, 0);
    const [older, newest] = [store.values[0], store.values.at(-1)!];
    const gone = JSON.stringify({ ...(JSON.parse(older) as object), desired: "gone" });
    for (const value of [older, gone]) {
      store.tell({ put: { key: "nodes/eu-1", value, revision: 9 } });
      assert.deepEqual(table.registrationOf(table.indexOf("eu-1")).addresses, moved.addresses);
      await store.answer();
      assert.equal(store.values.at(-1), newest, "it is put right");
    }
    const change = (JSON.parse(newest) as { change: number }).change + 1;
    store.tell({ put: { key: "nodes/eu-1", value: JSON.stringify({ ...JSON.parse(older), change }), revision: 10 } });
    assert.deepEqual(table.registrationOf(table.indexOf("eu-1")).addresses, registrationOf("eu-1").addresses);
  });

  it("ignores what is no registration", () => {
    const store = new SlowStore();
    const table = new NodeTable();
    rosterWith(store, table);
    const { labels: _, ...without } = registrationOf("eu-1");
    const bad = ["", "null", "7", "{}", '{"desired":"gone"}'];
    for (const registration of [null, without, registrationOf("eu-2"), { ...registrationOf("eu-1"), gameModes: [7] }])
      bad.push(JSON.stringify({ desired: "ready", registration }));
    // A listener that throws ends the process.
    for (const value of bad) store.tell({ put: { key: "nodes/eu-1", value, revision: 1 } });
    assert.deepEqual([table.size, table.regions.count], [0, 0]);
    const value = JSON.stringify({ desired: "ready", registration: registrationOf("eu-1") });
    store.tell({ put: { key: "nodes/eu-1", value, revision: 2 } });
    assert.equal(table.size, 1);
  });

  it("does not write again what another balancer has written", async () => {
    await using store = await EmbeddedStore.open();
    const [a, b] = [rosterWith(store), rosterWith(store)];
    a.register(registrationOf("eu-1"));
    while ((await store.get("nodes/eu-1")) === undefined) await new Promise((resolve) => setImmediate(resolve));
    const revision = (await store.get("nodes/eu-1"))?.revision;
    b.register(registrationOf("eu-1"));
    b.register({ ...registrationOf("eu-2") });
    while ((await store.get("nodes/eu-2")) === undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await store.get("nodes/eu-1"))?.revision, revision);
  });
});
