import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "@riposte/protocol";
import { addReady, clientAt, loadOf, nodeIdOf, readyTable, registration } from "../../test/fleet-model.ts";
import type { RoutingConfig } from "../config/load-balancer-config.ts";
import { NodeTable } from "../registry/node-table.ts";
import type { RouteClient, RouteRequest } from "./route-request.ts";
import { Router } from "./router.ts";
import { ROUTING_DEFAULTS } from "./routing-defaults.ts";

interface Fleet {
  readonly table: NodeTable;
  readonly router: Router;
  /** Free, by node; all have 100 at first. */
  readonly seats: Int32Array;
  /** Times that seats were asked for. */
  asked: number;
}

function fleet(table: NodeTable, config: Partial<RoutingConfig> = {}): Fleet {
  const seats = new Int32Array(table.maxNodes).fill(100);
  const seatsOf = (index: number): number => {
    made.asked++;
    return seats[index];
  };
  const router = new Router({ table, seatsOf, random: new Random(1), config: { ...ROUTING_DEFAULTS, ...config } });
  const made: Fleet = { table, router, seats, asked: 0 };
  return made;
}

/** Some nodes in each region. */
function regions(nodes: number, ...names: readonly string[]): NodeTable {
  const table = new NodeTable();
  for (const region of names)
    for (let n = 0; n < nodes; n++) addReady(table, registration(`${region}-${n}`, { region }));
  return table;
}

const alone = (client: RouteClient = clientAt("frankfurt")): RouteRequest => ({ clients: [client] });
const byHash = (hashKey: string): RouteRequest => ({ ...alone(), strategy: "consistentHash", hashKey });
const nobodyKnows: RouteClient = { clientId: "1" };

/** Routes of players who stay: how many each node has. */
function fill({ table, router, seats }: Fleet, players: number, request: RouteRequest): number[] {
  const placed = Array.from({ length: table.end }, () => 0);
  for (let n = 0; n < players; n++) {
    const outcome = router.routeClient(request, 0);
    assert.ok("node" in outcome);
    placed[outcome.index]++;
    seats[outcome.index]--;
    table.addReserved(outcome.index, 1);
  }
  return placed;
}

/** Shares of many players none of whom stays. */
function shares({ table, router }: Fleet, request: RouteRequest, now = 0, times = 40_000): number[] {
  const placed = Array.from({ length: table.end }, () => 0);
  for (let n = 0; n < times; n++) {
    const outcome = router.routeClient(request, now);
    assert.ok("node" in outcome);
    placed[outcome.index] += 1 / times;
  }
  return placed;
}

function regionOf({ table, router }: Fleet, request: RouteRequest, now: number): string {
  const outcome = router.routeClient(request, now);
  assert.ok("node" in outcome);
  return table.registrationOf(outcome.index).region;
}

describe("powerOfTwo", () => {
  it("spreads players far better than chance does", () => {
    const [two, chance] = (["powerOfTwo", "weighted"] as const).map((strategy) =>
      Math.max(...fill(fleet(readyTable(100)), 5000, { ...alone(), strategy })),
    );
    // Of 50 each: by chance some node has 50 + sqrt(2 * 50 * ln 100) = 71, with two choices 50 + ln ln 100 / ln 2 = 52.
    assert.ok(two <= 54, `${two}`);
    assert.ok(chance >= 62, `${chance}`);
  });
});

describe("weighted", () => {
  it("gives each node its share, also where one outweighs all others", () => {
    for (const weights of [
      [1, 2, 3, 4],
      [0.001, 0.002, 0.001, 100],
      [1, 1, 1, 0.1],
    ]) {
      const table = new NodeTable();
      for (const [n, weight] of weights.entries()) addReady(table, registration(`n${n}`, { weight }));
      const total = weights.reduce((a, b) => a + b);
      const found = shares(fleet(table), { ...alone(), strategy: "weighted" });
      for (const [n, weight] of weights.entries())
        assert.ok(Math.abs(found[n] - weight / total) < 0.01, `${found[n]} of ${weight}`);
    }
  });

  it("does so among the few that have seats, too", () => {
    const made = fleet(readyTable(400));
    made.seats.fill(1);
    const group: RouteRequest = { clients: [clientAt("frankfurt"), clientAt("frankfurt")], strategy: "weighted" };
    const index = made.table.indexOf("frankfurt-300");
    made.seats[index] = made.seats[7] = 2;
    made.table.put(registration("frankfurt-300", { weight: 3 }));
    const found = shares(made, group, 0, 2000);
    assert.ok(Math.abs(found[index] - 0.75) < 0.05 && found[index] + found[7] > 0.999, `${found[index]}`);
  });
});

describe("slow start", () => {
  it("gives a new node a share that grows to its full one", () => {
    for (const strategy of ["powerOfTwo", "weighted", "composite", "leastLoad"] as const)
      for (const [age, share] of [
        [0, 0.1],
        [15_000, 0.5],
        [30_000, 1],
      ]) {
        const table = regions(20, "frankfurt");
        addReady(table, registration("new"), 0);
        const found = shares(fleet(table), { ...alone(), strategy }, age)[20];
        // Of 20 with a full share and one with this.
        const expected = share / (20 + share);
        assert.ok(Math.abs(found - expected) < 0.006, `${strategy} ${age} ms: ${found}, not ${expected}`);
      }
  });

  it("stops nobody where all are new", () => {
    const table = new NodeTable();
    for (let n = 0; n < 5; n++) addReady(table, registration(`n${n}`), 0);
    const found = shares(fleet(table), alone(), 1, 5000);
    for (const share of found) assert.ok(share > 0.1, `${share}`);
  });
});

describe("suspicion and panic", () => {
  it("sends nobody to the suspected, until they are most of a region", () => {
    const table = readyTable(10);
    const made = fleet(table);
    for (let index = 0; index < 5; index++) table.setSuspicion(index, "late");
    const healthy = shares(made, alone(), 0, 5000);
    assert.ok(healthy.slice(0, 5).every((share) => share === 0));
    table.setSuspicion(5, "late");
    const panic = shares(made, alone(), 0, 5000);
    assert.ok(panic.every((share) => share > 0.05));
    assert.equal(made.router.stats.panicRegions, 1);
    const { candidates } = made.router.explain(alone(), 0);
    assert.ok(!candidates.some(({ rejected }) => rejected === "suspected"));
  });

  it("leaves out a node whose players never arrive, for a while", () => {
    const made = fleet(readyTable(10));
    for (let n = 0; n < 5; n++) made.router.notePlacement(3, false, 1000);
    assert.equal(shares(made, alone(), 1000, 2000)[3], 0);
    assert.ok(shares(made, alone(), 11_000, 2000)[3] > 0);
  });
});

/** Of 500 keys. */
function nodesByHash({ router }: Fleet): string[] {
  return Array.from({ length: 500 }, (_, key) => nodeIdOf(router.routeClient(byHash(`match ${key}`), 0)));
}

describe("consistentHash", () => {
  it("sends the same key to the same node, and hardly another one elsewhere when a node goes", () => {
    const made = fleet(regions(30, "frankfurt"));
    const before = nodesByHash(made);
    assert.deepEqual(nodesByHash(made), before);
    assert.ok(new Set(before).size >= 29);
    made.table.remove("frankfurt-4");
    const after = nodesByHash(made);
    const moved = before.filter((id, key) => id !== "frankfurt-4" && id !== after[key]);
    assert.ok(moved.length < 25, `${moved.length} moved`);
    assert.ok(!after.includes("frankfurt-4"));
    for (const id of ["new-0", "new-1"]) addReady(made.table, registration(id));
    const found = new Set(nodesByHash(made));
    assert.ok(found.has("new-0") && found.has("new-1"));
  });

  it("passes over a node that cannot be used, moves no other key, and comes back to it", () => {
    const made = fleet(readyTable(30));
    const before = nodesByHash(made);
    made.table.setSuspicion(4, "late");
    const during = nodesByHash(made);
    for (const [key, id] of before.entries())
      if (id === "frankfurt-4") assert.notEqual(during[key], id);
      else assert.equal(during[key], id);
    made.table.setSuspicion(4, undefined);
    assert.deepEqual(nodesByHash(made), before);
    assert.equal(made.router.stats.maglevTables, 1);
  });

  it("hashes the first player where no key is given, and keeps so many tables", () => {
    const names = Object.keys({ frankfurt: 0, london: 0, tokyo: 0, oregon: 0 });
    const table = regions(3, ...names);
    const router = new Router({ table, seatsOf: () => 1, random: new Random(1), maxMaglevTables: 2 });
    for (const name of names) {
      const route = (id: string): string =>
        nodeIdOf(router.routeClient({ clients: [clientAt(name, id)], strategy: "consistentHash" }, 0));
      assert.equal(route("17"), route("17"));
      assert.equal(new Set(["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(route)).size, 3);
    }
    assert.equal(router.stats.maglevTables, 2);
  });
});

describe("sticky", () => {
  it("is the last node, else its region, else as if there were none", () => {
    const { router, table, seats } = fleet(regions(3, "frankfurt", "london"));
    const again: RouteRequest = { ...alone(), strategy: "sticky", lastRegion: "london", lastNode: "london-1" };
    assert.equal(nodeIdOf(router.routeClient(again, 0)), "london-1");
    seats[table.indexOf("london-1")] = 0;
    assert.match(nodeIdOf(router.routeClient(again, 0)), /^london-[02]$/);
    assert.match(nodeIdOf(router.routeClient({ ...again, filter: { regions: ["frankfurt"] } }, 0)), /^frankfurt/);
    for (const id of ["london-0", "london-2"]) seats[table.indexOf(id)] = 0;
    assert.match(nodeIdOf(router.routeClient(again, 0)), /^frankfurt/);
  });

  it("does not follow a player around the world", () => {
    const { router } = fleet(regions(3, "frankfurt", "sydney"), { maxLatencyMs: 150 });
    const moved: RouteRequest = { ...alone(), strategy: "sticky", lastRegion: "sydney", lastNode: "sydney-1" };
    assert.match(nodeIdOf(router.routeClient(moved, 0)), /^frankfurt/);
  });

  it("is worth some ms to composite: the region once, the node twice", () => {
    const { router, table } = fleet(regions(20, "frankfurt", "london"), { sampledNodes: 1 });
    for (let index = 0; index < table.end; index++) table.report(index, loadOf(50));
    // London is 9 ms farther from Frankfurt than Frankfurt is.
    assert.match(nodeIdOf(router.routeClient({ ...alone(), lastRegion: "london" }, 0)), /^london/);
    // 4 ms worse than its neighbours.
    table.report(table.indexOf("london-3"), loadOf(60));
    assert.equal(nodeIdOf(router.routeClient({ ...alone(), lastNode: "london-3" }, 0)), "london-3");
    assert.match(nodeIdOf(router.routeClient(alone(), 0)), /^frankfurt/);
  });

  it("makes the last node's region one of those that are compared, also when it has no other", () => {
    const { router, table } = fleet(regions(1, "frankfurt", "london"), { sampledRegions: 1 });
    table.report(table.indexOf("frankfurt-0"), loadOf(90, 1));
    assert.equal(nodeIdOf(router.routeClient({ ...alone(), lastNode: "frankfurt-0" }, 0)), "frankfurt-0");
  });
});

describe("composite", () => {
  it("spreads players, and packs them where load weighs less than nothing", () => {
    const [spread, packed] = [40, -40].map((load) => {
      const made = fleet(readyTable(50), { weights: { ...ROUTING_DEFAULTS.weights, load } });
      return fill(made, 450, alone()).filter((players) => players > 0).length;
    });
    assert.equal(spread, 50);
    // 450 players in nodes of 100.
    assert.ok(packed <= 6, `${packed} nodes in use`);
  });

  it("prefers a farther region to a busy one", () => {
    const { router, table } = fleet(regions(4, "frankfurt", "london"));
    for (let n = 0; n < 4; n++) table.report(table.indexOf(`frankfurt-${n}`), loadOf(90, 0.9));
    const outcome = router.routeClient(alone(), 0);
    assert.match(nodeIdOf(outcome), /^london/);
    const { candidates } = router.explain(alone(), 0);
    const busy = candidates.find(({ nodeId }) => nodeId === "frankfurt-0");
    assert.deepEqual(
      Object.entries(busy?.parts ?? {}).map(([name, part]) => `${name} ${part.toFixed(0)}`),
      ["latency 11", "load 36", "cpu 54", "sticky 0"],
    );
  });
});

describe("leastLoad", () => {
  it("takes the least loaded of the nearest regions", () => {
    const { router, table } = fleet(regions(2, "frankfurt", "london", "virginia", "tokyo"), { sampledRegions: 3 });
    for (let index = 0; index < table.end; index++) table.report(index, loadOf(50));
    table.report(table.indexOf("virginia-1"), loadOf(20));
    table.report(table.indexOf("tokyo-1"), loadOf(0));
    assert.equal(nodeIdOf(router.routeClient({ ...alone(), strategy: "leastLoad" }, 0)), "virginia-1");
  });
});

describe("latency and geographic", () => {
  it("differ where a measurement says other than the map", () => {
    const { router } = fleet(regions(2, "frankfurt", "london"));
    const client: RouteClient = { ...clientAt("frankfurt"), latencies: { frankfurt: 70, london: 25 } };
    assert.match(nodeIdOf(router.routeClient({ clients: [client], strategy: "latency" }, 0)), /^london/);
    assert.match(nodeIdOf(router.routeClient({ clients: [client], strategy: "geographic" }, 0)), /^frankfurt/);
  });
});

describe("who is nowhere", () => {
  const names = ["frankfurt", "oregon", "tokyo"];
  const nowhere: RouteClient = {
    clientId: "1",
    location: { coordinates: { latitude: 0, longitude: 0 }, source: "country", accuracyKm: 500 },
  };

  it("plays where it played last, else in the default region, else where most nodes are", () => {
    for (const client of [nobodyKnows, nowhere]) {
      const table = regions(3, ...names);
      addReady(table, registration("oregon-more", { region: "oregon" }));
      const { router } = fleet(table);
      assert.match(nodeIdOf(router.routeClient(alone(client), 0)), /^oregon/);
      router.configure({ ...ROUTING_DEFAULTS, defaultRegion: "frankfurt" });
      assert.match(nodeIdOf(router.routeClient(alone(client), 0)), /^frankfurt/);
      assert.match(nodeIdOf(router.routeClient({ ...alone(client), lastRegion: "tokyo" }, 0)), /^tokyo/);
      assert.equal(router.explain(alone(client), 0).regions.frankfurt.source, "default");
    }
  });

  it("overflows to what is near there, and to nothing far", () => {
    const made = fleet(regions(2, "frankfurt", "tokyo", "london", "sydney"), {
      defaultRegion: "frankfurt",
      maxLatencyMs: 120,
    });
    for (const id of ["frankfurt-0", "frankfurt-1"]) made.seats[made.table.indexOf(id)] = 0;
    assert.match(nodeIdOf(made.router.routeClient(alone(nobodyKnows), 0)), /^london/);
    for (const id of ["london-0", "london-1"]) made.seats[made.table.indexOf(id)] = 0;
    assert.equal(nodeIdOf(made.router.routeClient(alone(nobodyKnows), 0)), "refused: full");
  });

  it("does not count among others", () => {
    const { router } = fleet(regions(2, ...names), { defaultRegion: "tokyo" });
    assert.match(nodeIdOf(router.routeClient({ clients: [nobodyKnows, clientAt("oregon")] }, 0)), /^oregon/);
  });
});

describe("groups", () => {
  it("play where the worst of them is best off, on one node with seats for all", () => {
    const made = fleet(regions(10, "london", "virginia", "oregon", "tokyo"));
    const party = [clientAt("oregon"), clientAt("oregon", "2"), clientAt("london", "3")];
    assert.match(nodeIdOf(made.router.routeClient({ clients: party }, 0)), /^virginia/);
    for (let n = 0; n < 10; n++) made.seats[made.table.indexOf(`virginia-${n}`)] = n === 6 ? 3 : 2;
    for (let n = 0; n < 20; n++)
      assert.equal(nodeIdOf(made.router.routeClient({ clients: party, strategy: "latency" }, 0)), "virginia-6");
    assert.throws(() => made.router.routeClient({ clients: [] }, 0), RangeError);
    const many = Array.from({ length: 65 }, () => clientAt("london"));
    assert.throws(() => made.router.routeClient({ clients: many }, 0), RangeError);
    assert.ok("node" in made.router.routeClient({ clients: many.slice(1) }, 0));
  });
});

describe("groups where seats are short", () => {
  const pair: RouteRequest = { clients: [clientAt("frankfurt"), clientAt("frankfurt")] };

  it("does not look through the region again for 100 ms, for groups of that size or larger", () => {
    const made = fleet(regions(50, "frankfurt", "tokyo"));
    made.seats.fill(1, 0, 50);
    assert.equal(regionOf(made, pair, 1000), "tokyo");
    const before = made.asked;
    assert.equal(regionOf(made, pair, 1050), "tokyo");
    assert.ok(made.asked - before <= 20, `${made.asked - before} nodes were asked`);
    assert.equal(regionOf(made, alone(), 1050), "frankfurt", "who is alone has a seat there");
    made.seats.fill(2, 0, 50);
    assert.equal(regionOf(made, pair, 1101), "frankfurt");
  });

  it("looks at every node all the same where the request has labels or nodes to leave out", () => {
    const made = fleet(regions(50, "frankfurt", "tokyo"));
    made.seats.fill(1, 0, 50);
    assert.equal(regionOf(made, pair, 1000), "tokyo");
    made.seats[7] = 2;
    assert.equal(regionOf(made, { ...pair, filter: { exceptNodes: ["tokyo-1"] } }, 1001), "frankfurt");
  });
});

describe("what it costs", () => {
  it("looks at a few nodes of 10,000, whatever the strategy", () => {
    const table = regions(2500, "frankfurt", "london", "tokyo", "oregon");
    const made = fleet(table);
    for (const strategy of ["composite", "latency", "powerOfTwo", "weighted", "consistentHash", "sticky"] as const) {
      made.asked = 0;
      made.router.routeClient({ ...alone(), strategy, filter: { version: "1.0", gameMode: "duel" } }, 0);
      assert.ok(made.asked <= 12, `${strategy} asked ${made.asked} times`);
    }
  });

  it("asks a node without seats once, until it reports or its seats are said to be back", () => {
    const table = readyTable(1000);
    const made = fleet(table);
    made.seats.fill(0);
    assert.equal(nodeIdOf(made.router.routeClient(alone(), 0)), "refused: full");
    assert.equal(made.router.stats.seatlessNodes, 1000);
    made.asked = 0;
    assert.equal(nodeIdOf(made.router.routeClient(alone(), 0)), "refused: full");
    assert.equal(made.asked, 0);
    made.seats[5] = made.seats[6] = 1;
    table.report(5, loadOf(3));
    assert.equal(nodeIdOf(made.router.routeClient(alone(), 0)), "frankfurt-5");
    made.seats[5] = 0;
    made.router.noteSeats(6);
    assert.equal(nodeIdOf(made.router.routeClient(alone(), 0)), "frankfurt-6");
  });
});

describe("explain", () => {
  it("gives each node its reason", () => {
    const table = new NodeTable();
    const reasons: Readonly<Record<string, () => void>> = {
      state: () => table.setState(addReady(table, registration("state")), "draining", 0),
      version: () => addReady(table, registration("version", { version: "0.9" })),
      gameMode: () => addReady(table, registration("gameMode", { gameModes: ["chess"] })),
      label: () => addReady(table, registration("label", { labels: { tier: "plain" } })),
      region: () => addReady(table, registration("region", { region: "london", labels: { tier: "gold" } })),
      excluded: () => addReady(table, registration("excluded", { labels: { tier: "gold" } })),
      suspected: () =>
        table.setSuspicion(addReady(table, registration("suspected", { labels: { tier: "gold" } })), "late"),
      ejected: () => table.setEjectedUntil(addReady(table, registration("ejected", { labels: { tier: "gold" } })), 1e9),
      noSeats: () => addReady(table, registration("noSeats", { labels: { tier: "gold" } })),
      tooFar: () => addReady(table, registration("tooFar", { region: "sydney", labels: { tier: "gold" } })),
    };
    for (const add of Object.values(reasons)) add();
    for (let n = 0; n < 3; n++) addReady(table, registration(`good-${n}`, { labels: { tier: "gold" } }));
    for (let n = 0; n < 30; n++)
      addReady(table, registration(`virginia-${n}`, { region: "virginia", labels: { tier: "gold" } }));
    const { router, seats } = fleet(table, { sampledNodes: 3, maxLatencyMs: 200 });
    seats[table.indexOf("noSeats")] = 0;
    const request: RouteRequest = {
      ...alone(),
      filter: {
        version: "1.0",
        gameMode: "duel",
        labels: { tier: "gold" },
        regions: ["frankfurt", "sydney", "virginia"],
        exceptNodes: ["excluded"],
      },
    };
    const { outcome, candidates, regions: latencies } = router.explain(request, 0);
    const found = new Map(candidates.map(({ nodeId, rejected }) => [nodeId, rejected]));
    for (const reason of Object.keys(reasons)) assert.equal(found.get(reason), reason);
    assert.match(nodeIdOf(outcome), /^good/);
    const counts = (what: string | undefined): number => candidates.filter(({ rejected }) => rejected === what).length;
    assert.deepEqual([counts(undefined), counts("outscored"), counts("notSampled")], [1, 5, 27]);
    assert.deepEqual(
      Object.entries(latencies).map(([name, { latencyMs, source }]) => `${name} ${latencyMs.toFixed(0)} ${source}`),
      ["frankfurt 11 distance", "london 19 distance", "sydney 257 distance", "virginia 108 distance"],
    );
    assert.equal(router.explain(request, 0, { maxCandidates: 4 }).candidates.length, 4);
  });
});
