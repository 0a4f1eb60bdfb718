import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NodeState, ServerNode } from "../registry/server-node.ts";
import type { RegionScalingStatus } from "../scaling/scaling-decision.ts";
import { FleetMetrics } from "./fleet-metrics.ts";
import { viewRegions } from "./fleet-view.ts";
import type { FleetView, RegionStats } from "./load-balancer-stats.ts";

const NONE = { starting: 0, ready: 0, full: 0, draining: 0, maintenance: 0, lost: 0 };

function createView(regions: FleetView["regions"] = {}): FleetView {
  const rest = { balancersAlive: 2, isLeader: true, configVersion: 7 };
  return { regions, queueLength: 3, store: { kind: "etcd", status: "connected" }, ...rest };
}

function createRegion(ready: number, free: number): RegionStats {
  return { nodes: { ...NONE, ready }, suspectedNodes: 0, seats: { capacity: 10, free, used: 10 - free, lent: 1 } };
}

function createNode(region: string, state: NodeState, players: number, suspicion?: string): ServerNode {
  return {
    id: `${region}-${state}`,
    region,
    addresses: { udp: ["127.0.0.1:1"] },
    version: "1",
    labels: {},
    gameModes: [],
    weight: 1,
    readyAt: 0,
    state,
    capacity: {
      sessions: 4,
      players: 20,
    },
    load: {
      sessions: 1,
      players,
      reserved: 2,
      cpu: 0,
      tickMs: 1,
    },
    ...(suspicion === undefined ? {} : { suspicion }),
  };
}

/** The lines of one metric. */
async function linesOf(metrics: FleetMetrics, name: string): Promise<readonly string[]> {
  const text = await metrics.exposition();
  return text
    .split("\n")
    .filter((line) => line.startsWith(`riposte_fleet_${name}`))
    .map((line) => line.slice("riposte_fleet_".length));
}

describe("FleetMetrics", () => {
  it("counts, for statistics and for Prometheus, once", async () => {
    const metrics = new FleetMetrics({ view: () => createView() });
    for (let i = 0; i < 3; i++) metrics.notePlacement("eu", "composite", "placed");
    metrics.notePlacement("eu", "composite", "repeated");
    metrics.noteExpired("eu", 2);
    metrics.noteRefusal("limited");
    metrics.noteClaim("stored");
    metrics.noteHealthChange("lost");
    metrics.noteStoreError("away");
    metrics.noteLocation("city");
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      assert.deepEqual(await linesOf(metrics, "placements_total"), [
        'placements_total{region="eu",strategy="composite",outcome="placed"} 3',
        'placements_total{region="eu",strategy="composite",outcome="repeated"} 1',
      ]);
      assert.deepEqual(await linesOf(metrics, "expired_seats_total"), ['expired_seats_total{region="eu"} 2']);
    }
    metrics.notePlacement("eu", "composite", "placed");
    assert.equal((await linesOf(metrics, "placements_total"))[0].split(" ")[1], "4");
    const stats = metrics.stats();
    assert.deepEqual(stats.placements, { eu: { composite: { placed: 4, repeated: 1 } } });
    assert.deepEqual(stats.expiredSeats, { eu: 2 });
    assert.deepEqual(stats.claims, { stored: 1, existing: 0, failed: 0, alone: 0 });
    assert.deepEqual([stats.refusals.limited, stats.refusals.queueFull], [1, 0]);
    assert.deepEqual(stats.healthChanges, { good: 0, suspected: 0, lost: 1 });
    assert.deepEqual([stats.storeErrors.away, stats.geoip.city], [1, 1]);
    assert.deepEqual(JSON.parse(JSON.stringify(stats)), stats);
  });

  it("has what never happened at 0, so that the first time shows in a rate", async () => {
    const metrics = new FleetMetrics({ view: () => createView() });
    assert.equal((await linesOf(metrics, "refusals_total")).length, 11);
    assert.deepEqual(await linesOf(metrics, "claims_total"), [
      'claims_total{result="stored"} 0',
      'claims_total{result="existing"} 0',
      'claims_total{result="failed"} 0',
      'claims_total{result="alone"} 0',
    ]);
    assert.deepEqual(await linesOf(metrics, "route_duration_seconds_count"), ["route_duration_seconds_count 0"]);
  });

  it("measures times in seconds, with percentiles", async () => {
    const metrics = new FleetMetrics({ view: () => createView() });
    for (let us = 1; us <= 100; us++) metrics.noteRoute(us / 1000);
    metrics.noteQueueWait(45_000);
    metrics.noteAllocation(3);
    metrics.noteLatency("eu", 35);
    const { route, queueWait, allocation } = metrics.stats();
    assert.equal(route.count, 100);
    assert.ok(Math.abs(route.meanMs - 0.0505) < 1e-9);
    assert.ok(Math.abs(route.p50Ms - 0.05) < 0.001 && Math.abs(route.p99Ms - 0.099) < 0.001, `${route.p99Ms}`);
    assert.ok(queueWait.p50Ms >= 30_000 && queueWait.p50Ms <= 60_000);
    assert.ok(allocation.p95Ms > 2 && allocation.p95Ms <= 5);
    assert.ok((await linesOf(metrics, "route_duration")).includes('route_duration_seconds_bucket{le="0.00005"} 50'));
    const latency = await linesOf(metrics, "player_latency");
    assert.ok(latency.includes('player_latency_seconds_bucket{le="0.04",region="eu"} 1'), latency.join("\n"));
    metrics.noteRoute(1e9);
    assert.ok(metrics.stats().route.p99Ms <= 100, "beyond the last bucket");
    assert.deepEqual(new FleetMetrics({ view: () => createView() }).stats().route.p50Ms, 0);
  });

  it("shows what is, and forgets what has gone", async () => {
    let view = createView({ eu: createRegion(3, 4), us: createRegion(1, 0) });
    const metrics = new FleetMetrics({ view: () => view });
    assert.deepEqual(await linesOf(metrics, "seats_free"), ['seats_free{region="eu"} 4', 'seats_free{region="us"} 0']);
    assert.ok((await linesOf(metrics, "nodes{")).includes('nodes{region="eu",state="ready"} 3'));
    view = { ...createView({ eu: createRegion(2, 4) }), store: { kind: "etcd", status: "away" }, isLeader: false };
    assert.deepEqual(await linesOf(metrics, "seats_free"), ['seats_free{region="eu"} 4']);
    assert.equal((await linesOf(metrics, "nodes{")).length, 6);
    assert.deepEqual(await linesOf(metrics, "store_connected"), ['store_connected{kind="etcd"} 0']);
    assert.deepEqual(await linesOf(metrics, "leader"), ["leader 0"]);
    assert.deepEqual(await linesOf(metrics, "config_version"), ["config_version 7"]);
  });

  it("bounds its series, whatever regions call themselves", async () => {
    const regions = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`r${i}`, createRegion(1, 4)]));
    const metrics = new FleetMetrics({ view: () => createView(regions), maxRegions: 3 });
    await metrics.exposition();
    for (let i = 0; i < 1000; i++) metrics.notePlacement(`made-up-${i}`, "latency", "placed");
    for (let i = 0; i < 1000; i++) metrics.noteLatency(`made-up-${i}`, 10);
    assert.deepEqual(
      await linesOf(metrics, "nodes_suspected"),
      ["r0", "r1", "r2", "other"].map((region) => `nodes_suspected{region="${region}"} 0`),
    );
    assert.ok((await linesOf(metrics, "seats_free")).includes('seats_free{region="other"} 20'));
    assert.deepEqual(metrics.stats().regions.other.nodes, { ...NONE, ready: 5 });
    const placed = 'placements_total{region="other",strategy="latency",outcome="placed"} 1000';
    assert.equal((await linesOf(metrics, "placements_total"))[0], placed);
    assert.deepEqual(await linesOf(metrics, "player_latency_seconds_count"), [
      'player_latency_seconds_count{region="other"} 1000',
    ]);
  });

  it("says what is scaled, and how regions stand that it scales", async () => {
    const numbers = { presentNodes: 3, wantedNodes: 5, maxNodes: 8, targetFreeSeats: 100 };
    let scaling = [{ region: "eu", ...numbers }] as unknown as readonly RegionScalingStatus[];
    const metrics = new FleetMetrics({ view: () => ({ ...createView(), scaling }) });
    assert.deepEqual(await linesOf(metrics, "scaling_nodes_wanted"), ['scaling_nodes_wanted{region="eu"} 5']);
    metrics.scaling.noteDecision({ kind: "start", region: "eu", count: 4, reason: "" });
    metrics.scaling.noteDecision({ kind: "drain", region: "eu", nodeId: "x", reason: "" });
    metrics.scaling.noteDriverError("stop");
    const decisions = await linesOf(metrics, "scaling_decisions_total");
    assert.equal(decisions.length, 5, "those that never were at 0");
    assert.ok(decisions.includes('scaling_decisions_total{region="eu",kind="start"} 4'));
    assert.ok((await linesOf(metrics, "scaling_driver")).includes('scaling_driver_errors_total{operation="stop"} 1'));
    scaling = [];
    assert.deepEqual(await linesOf(metrics, "scaling_nodes_wanted"), [], "another balancer leads");
    const { scalingDecisions, scalingDriverErrors } = metrics.stats();
    assert.deepEqual(scalingDecisions.eu, { start: 4, drain: 1, resume: 0, stop: 0, giveUp: 0 });
    assert.deepEqual(scalingDriverErrors, { start: 0, stop: 1, look: 0 });
    for (let i = 0; i < 1000; i++)
      metrics.scaling.noteDecision({ kind: "start", region: `made-up-${i}`, count: 1, reason: "" });
    assert.ok((await linesOf(metrics, "scaling_decisions_total")).length <= 301 * 5);
  });

  it("is not in the global registry, so a process may have two", async () => {
    const [a, b] = [createView(), createView()].map((view) => new FleetMetrics({ view: () => view }));
    a.noteRefusal("starting");
    assert.equal(b.stats().refusals.starting, 0);
    assert.match(a.contentType, /^text\/plain; version=0\.0\.4/);
    const withProcess = new FleetMetrics({ view: () => createView(), includesProcess: true });
    assert.match(await withProcess.exposition(), /^process_resident_memory_bytes \d/m);
  });
});

describe("viewRegions", () => {
  it("sums up nodes: those that are lost have no seats, those that take nobody have none that are free", () => {
    const nodes = [
      createNode("eu", "ready", 5),
      createNode("eu", "ready", 30, "late"),
      createNode("eu", "draining", 7),
      createNode("eu", "lost", 9),
      createNode("us", "full", 18),
    ];
    const regions = viewRegions(nodes, (region) => (region === "eu" ? 4 : 0));
    assert.deepEqual(regions, {
      eu: {
        nodes: {
          ...NONE,
          ready: 2,
          draining: 1,
          lost: 1,
        },
        suspectedNodes: 1,
        seats: {
          capacity: 60,
          free: 13,
          used: 7 + 32 + 9,
          lent: 4,
        },
      },
      us: { nodes: { ...NONE, full: 1 }, suspectedNodes: 0, seats: { capacity: 20, free: 0, used: 20, lent: 0 } },
    });
  });
});
