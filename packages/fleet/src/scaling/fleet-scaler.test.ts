import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { DEFAULT_REGION_SCALING } from "../config/config-defaults.ts";
import type { RegionScaling } from "../config/load-balancer-config.ts";
import { NodeTable } from "../registry/node-table.ts";
import type { StoreEntry } from "../store/state-store.ts";
import { addReady, loadOf, registration } from "../../test/fleet-model.ts";
import { FleetScaler } from "./fleet-scaler.ts";
import type { ScalingDriver } from "./scaling-driver.ts";

const MONDAY = Date.UTC(2026, 0, 5);

/** Starts nodes when it is told to. */
class FakeDriver implements ScalingDriver {
  noted = 0;
  readonly kind = "fake";
  readonly stopped: string[] = [];
  readonly ended: Set<string> = new Set();
  readonly signals: AbortSignal[] = [];
  closed = false;
  started = 0;
  /** What a start comes to. */
  outcome: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  stopOutcome: () => Promise<void> = () => Promise.resolve();

  async start(region: string, signal: AbortSignal): Promise<string> {
    const id = `${region}-${++this.started}`;
    this.signals.push(signal);
    await this.outcome(signal);
    return id;
  }

  async stop(nodeId: string): Promise<void> {
    await this.stopOutcome();
    this.stopped.push(nodeId);
  }

  note(): void {
    this.noted++;
  }

  owns(nodeId: string): boolean {
    return nodeId.startsWith("eu-");
  }

  hasEnded(nodeId: string): Promise<boolean> {
    return Promise.resolve(this.ended.has(nodeId));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
  }
}

class FakeStore {
  readonly entries: Map<string, string> = new Map();
  puts = 0;
  isAway = false;

  async list(prefix: string): Promise<StoreEntry[]> {
    if (this.isAway) throw new Error("away");
    const found = Array.from(this.entries).filter(([key]) => key.startsWith(prefix));
    return found.map(([key, value]) => ({ key, value, revision: 1 }));
  }

  async put(key: string, value: string): Promise<undefined> {
    if (this.isAway) throw new Error("away");
    this.puts++;
    this.entries.set(key, value);
  }

  async delete(key: string): Promise<boolean> {
    return this.entries.delete(key);
  }
}

class Bench {
  readonly table = new NodeTable({ maxNodes: 64 });
  readonly driver = new FakeDriver();
  readonly store: FakeStore;
  readonly log: string[] = [];
  readonly unregistered: string[] = [];
  readonly errors: string[] = [];
  readonly kinds: string[] = [];
  readonly scaler: FleetScaler;
  leads = true;
  now = 0;
  config: Readonly<Record<string, RegionScaling>>;

  constructor(change: Partial<RegionScaling> = {}, store = new FakeStore()) {
    this.store = store;
    this.config = { eu: { ...DEFAULT_REGION_SCALING, minNodes: 1, targetFreeSeats: 0, predict: false, ...change } };
    this.scaler = new FleetScaler({
      table: this.table,
      driver: this.driver,
      store,
      config: () => this.config,
      leads: () => this.leads,
      drain: (id) => this.table.setState(this.table.indexOf(id), "draining", this.now),
      resume: (id) => this.table.setState(this.table.indexOf(id), "ready", this.now),
      unregister: (id) => {
        this.unregistered.push(id);
        this.table.remove(id);
      },
      log: (line) => void this.log.push(line),
      onDecision: ({ kind }) => void this.kinds.push(kind),
      onDriverError: (operation) => void this.errors.push(operation),
      now: () => this.now,
      wallNow: () => MONDAY + this.now,
    });
  }

  async run(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      this.scaler.tick();
      await turn();
    }
  }

  says(pattern: RegExp): boolean {
    return this.log.some((line) => pattern.test(line));
  }
}

describe("FleetScaler", () => {
  it("starts nodes by its driver while it leads, and only then", async () => {
    const bench = new Bench({ minNodes: 2 });
    bench.leads = false;
    await bench.run(60);
    assert.equal(bench.driver.started, 0);
    assert.deepEqual(bench.scaler.explain(), { leads: false, driver: "fake", regions: [], decisions: [] });
    bench.leads = true;
    await bench.run(10);
    assert.equal(bench.driver.noted, 0, "it has not settled");
    await bench.run(5);
    assert.equal(bench.driver.noted, 5);
    assert.equal(bench.driver.started, 2);
    assert.deepEqual(bench.kinds, ["start"]);
    assert.ok(bench.says(/^scaling eu: starts 2 nodes: 0 nodes of at least 2$/), bench.log.join("\n"));
    const { leads, regions, decisions } = bench.scaler.explain();
    assert.deepEqual([leads, regions[0].askedNodes, decisions.length], [true, 2, 1]);
    assert.equal(decisions[0].at, MONDAY + 71_000);
    bench.leads = false;
    await bench.run(120);
    assert.equal(bench.driver.started, 2);
  });

  it("says what the driver could not do, and tries again later each time", async () => {
    const bench = new Bench({ scaleOutCooldownMs: 0 });
    bench.driver.outcome = () => Promise.reject(new Error("no machine is left"));
    await bench.run(100);
    assert.ok(bench.driver.started >= 4 && bench.driver.started <= 5, `${bench.driver.started}`);
    assert.deepEqual(new Set(bench.errors), new Set(["start"]));
    assert.ok(bench.says(/fake could not start eu: no machine is left/));
    bench.driver.outcome = () => Promise.resolve();
    await bench.run(100);
    assert.equal(bench.scaler.explain().regions[0].askedNodes, 1);
  });

  it("stops a drained node when it is empty, unregisters it, and tries again what failed", async () => {
    const bench = new Bench({ scaleInCooldownMs: 1000 });
    const index = addReady(bench.table, registration("eu-1", { region: "eu" }));
    addReady(bench.table, registration("eu-2", { region: "eu" }));
    addReady(bench.table, registration("by-hand", { region: "eu" }));
    bench.table.report(index, loadOf(1));
    await bench.run(14);
    assert.equal(bench.table.stateOf(bench.table.indexOf("eu-2")), "draining");
    bench.driver.stopOutcome = () => Promise.reject(new Error("busy"));
    await bench.run(10);
    assert.deepEqual([bench.unregistered, bench.errors], [[], ["stop"]]);
    bench.driver.stopOutcome = () => Promise.resolve();
    await bench.run(40);
    assert.deepEqual([bench.driver.stopped, bench.unregistered], [["eu-2"], ["eu-2"]]);
    assert.equal(bench.table.stateOf(index), "draining", "the next one, with its player");
    assert.equal(bench.table.stateOf(bench.table.indexOf("by-hand")), "ready");
  });

  it("stops what it gave up, and what comes too late all the same", async () => {
    const bench = new Bench({ minNodes: 2, startTimeoutMs: 20_000 });
    const late = Promise.withResolvers<void>();
    let calls = 0;
    bench.driver.outcome = () => (calls++ === 0 ? Promise.resolve() : late.promise);
    await bench.run(32);
    assert.ok(bench.says(/gives up 2 nodes: not there 20 s after/));
    assert.deepEqual(bench.driver.stopped, ["eu-1"]);
    assert.equal(bench.driver.signals[1].aborted, true);
    late.resolve();
    await bench.run(1);
    assert.deepEqual(bench.driver.stopped, ["eu-1", "eu-2"]);
    assert.deepEqual(bench.errors, []);
  });

  it("does not wait for a node that has ended, nor keeps a lost one that has", async () => {
    const bench = new Bench();
    await bench.run(12);
    bench.driver.ended.add("eu-1");
    await bench.run(35);
    assert.ok(bench.says(/eu-1 has ended by itself/));
    assert.equal(bench.driver.started, 2, "after a pause");
    addReady(bench.table, registration("eu-2", { region: "eu" }));
    addReady(bench.table, registration("by-hand", { region: "eu" }));
    for (const id of ["eu-2", "by-hand"]) bench.table.setState(bench.table.indexOf(id), "lost", bench.now);
    await bench.run(10);
    assert.ok(!bench.unregistered.includes("eu-2"), "lost, but nobody knows whether it has ended");
    bench.driver.ended.add("eu-2");
    bench.driver.ended.add("by-hand");
    await bench.run(10);
    assert.ok(bench.unregistered.includes("eu-2"));
    assert.ok(!bench.unregistered.includes("by-hand"));
  });

  it("saves what it learned a few times an hour, and drained nodes soon; the next leader goes on with it", async () => {
    const store = new FakeStore();
    const bench = new Bench({ scaleInCooldownMs: 1000 }, store);
    for (const id of ["eu-1", "eu-2"]) addReady(bench.table, registration(id, { region: "eu" }));
    await bench.run(10);
    assert.equal(store.puts, 0);
    await bench.run(14);
    assert.equal(store.puts, 1);
    assert.match(store.entries.get("scaling/regions/eu")!, /"drained":\["eu-[12]"\]/);
    await bench.run(3600);
    assert.ok(store.puts <= 6);
    const next = new Bench({ minNodes: 2, scaleInCooldownMs: 1000 }, store);
    for (const id of ["eu-1", "eu-2"]) addReady(next.table, registration(id, { region: "eu" }));
    const text = store.entries.get("scaling/regions/eu")!;
    store.entries.set("scaling/regions/eu", text.replace('"drained":[]', '"drained":["eu-2"]'));
    next.table.setState(next.table.indexOf("eu-2"), "draining", 0);
    await next.run(13);
    assert.deepEqual(next.kinds, ["resume"]);
  });

  it("goes on without its store, and with one that holds nonsense", async () => {
    const store = new FakeStore();
    store.entries.set("scaling/regions/eu", "{");
    store.entries.set("scaling/regions/asia", "{}");
    const bench = new Bench({}, store);
    await bench.run(12);
    assert.ok(bench.says(/scaling eu: what the store has of its demand cannot be read/));
    assert.equal(bench.driver.started, 1);
    const alone = new Bench();
    alone.store.isAway = true;
    await alone.run(1300);
    assert.ok(alone.driver.started >= 1);
    assert.ok(alone.says(/cannot be read.*away/) && alone.says(/cannot be saved now.*away/));
    await bench.run(1200);
    assert.deepEqual([...store.entries.keys()], ["scaling/regions/eu"], "what is scaled no more is removed");
  });

  it("saves and closes its driver when it closes, and does nothing afterwards", async () => {
    const bench = new Bench();
    bench.driver.outcome = (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    await bench.run(12);
    await bench.scaler[Symbol.asyncDispose]();
    assert.ok(bench.driver.closed && bench.driver.signals[0].aborted);
    assert.equal(bench.store.puts, 1);
    await bench.run(30);
    assert.deepEqual([bench.driver.started, bench.errors], [1, []]);
  });
});
