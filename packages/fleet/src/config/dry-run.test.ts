import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RouteRequest } from "../routing/route-request.ts";
import type { ServerNode } from "../registry/server-node.ts";
import { ConfigBook } from "./config-book.ts";
import { DryRun, dryRun } from "./dry-run.ts";
import type { DryRunRoute, RouteUnder } from "./dry-run.ts";
import { RecordedTraffic } from "./recorded-traffic.ts";

const author = { changedBy: "ada", changedAt: "2026-01-01T00:00:00.000Z" };

function createNode(id: string, region: string): ServerNode {
  return {
    id,
    region,
    addresses: { udp: ["127.0.0.1:1"] },
    capacity: {
      sessions: 1,
      players: 10,
    },
    version: "1",
    labels: {},
    gameModes: [],
    weight: 1,
    state: "ready",
    readyAt: 0,
    load: {
      sessions: 0,
      players: 0,
      reserved: 0,
      cpu: 0,
      tickMs: 0,
    },
  };
}

const nodes = { near: createNode("n1", "eu"), beside: createNode("n2", "eu"), far: createNode("n3", "us") };

function placed(node: ServerNode, latencyMs?: number): DryRunRoute {
  const outcome = { node, index: 0, score: 0, strategy: "composite" } as const;
  return latencyMs === undefined ? { outcome } : { outcome, latencyMs };
}

function requestOf(clientId: number): RouteRequest {
  return { clients: [{ clientId: String(clientId) }] };
}

/** Of ten players: six stay, one goes beside, one to the other region, one is refused, one was refused and is not. */
const route: RouteUnder = (config, { clients }) => {
  const isNew = config.routing.maxLatencyMs === 100;
  const i = Number(clients[0].clientId);
  switch (i % 10) {
    case 6:
      return placed(isNew ? nodes.beside : nodes.near, 20);
    case 7:
      return placed(isNew ? nodes.far : nodes.near, isNew ? 120 : 20);
    case 8:
      return isNew ? { outcome: { refused: "full" } } : placed(nodes.far, 300);
    case 9:
      return isNew ? placed(nodes.near) : { outcome: { refused: "noNodes" } };
    default:
      return placed(nodes.near, 20);
  }
};

describe("dryRun", () => {
  const book = new ConfigBook();
  const from = book.config;
  const to = book.prepare({ routing: { maxLatencyMs: 100 } }, author).version.config;
  const recorded = Array.from({ length: 100 }, (_, i) => ({ at: i, request: requestOf(i) }));

  it("counts who goes elsewhere, who is refused, and what that does to latency", () => {
    assert.deepEqual(dryRun({ from, to, recorded, route }), {
      diff: ["routing.maxLatencyMs: 400 -> 100"],
      requests: 100,
      otherRegion: 10,
      otherNode: 10,
      newlyRefused: 10,
      newlyPlaced: 10,
      before: {
        placed: 90,
        refused: { noNodes: 10 },
        byRegion: {
          eu: 80,
          us: 10,
        },
        meanLatencyMs: (80 * 20 + 10 * 300) / 90,
        p95LatencyMs: 300,
      },
      after: {
        placed: 90,
        refused: { full: 10 },
        byRegion: {
          eu: 80,
          us: 10,
        },
        meanLatencyMs: (70 * 20 + 10 * 120) / 80,
        p95LatencyMs: 120,
      },
    });
  });

  it("gives both the same draws", () => {
    const seeds: number[][] = [[], []];
    const draw: RouteUnder = (config, _request, seed) => {
      seeds[config === from ? 0 : 1].push(seed);
      return placed(seed % 3 === 0 ? nodes.near : nodes.beside);
    };
    const { otherNode, otherRegion, before } = dryRun({ from, to, recorded, route: draw });
    assert.deepEqual([otherNode, otherRegion], [0, 0]);
    assert.deepEqual(seeds[0], seeds[1]);
    assert.equal(new Set(seeds[0]).size, 100);
    assert.ok(!("meanLatencyMs" in before));
  });

  it("can be done in slices", () => {
    const run = new DryRun({ from, to, recorded, route });
    let slices = 1;
    while (run.advance(30)) slices++;
    assert.equal(slices, 4);
    assert.deepEqual(run.report(), dryRun({ from, to, recorded, route }));
  });

  it("says nothing of no traffic", () => {
    const side = { placed: 0, refused: {}, byRegion: {} };
    const { requests, before, after } = dryRun({ from, to, recorded: [], route });
    assert.deepEqual([requests, before, after], [0, side, side]);
  });
});

function idsOf(traffic: RecordedTraffic, count?: number): readonly number[] {
  return traffic.newest(count).map(({ request }) => Number(request.clients[0].clientId));
}

describe("RecordedTraffic", () => {
  it("keeps the newest, the oldest first", () => {
    const traffic = new RecordedTraffic({ capacity: 4, minGapMs: 0 });
    for (let i = 0; i < 3; i++) traffic.record(requestOf(i), i);
    assert.deepEqual(idsOf(traffic), [0, 1, 2]);
    for (let i = 3; i < 10; i++) traffic.record(requestOf(i), i);
    assert.deepEqual(idsOf(traffic), [6, 7, 8, 9]);
    assert.deepEqual(idsOf(traffic, 2), [8, 9]);
    assert.equal(traffic.size, 4);
    traffic.clear();
    traffic.record(requestOf(1), 20);
    assert.deepEqual(idsOf(traffic), [1]);
  });

  it("keeps one of a rush at a time", () => {
    const traffic = new RecordedTraffic({ capacity: 100 });
    for (let now = 0; now < 100; now++) traffic.record(requestOf(now), now);
    assert.deepEqual(idsOf(traffic), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    assert.equal(traffic.skipped, 90);
    assert.throws(() => new RecordedTraffic({ capacity: 0 }), RangeError);
  });
});
