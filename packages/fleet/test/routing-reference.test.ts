/**
 * The router against a look at everything, over random fleets that change while it routes: it never answers what must be
 * refused, and finds something whenever there is something to be found.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@riposte/protocol";
import fc from "fast-check";
import type { RoutingConfig } from "../src/config/load-balancer-config.ts";
import { NodeTable } from "../src/registry/node-table.ts";
import type { NodeState } from "../src/registry/server-node.ts";
import { Router } from "../src/routing/router.ts";
import { ROUTING_DEFAULTS } from "../src/routing/routing-defaults.ts";
import type { RouteClient, RouteFilter, RouteRequest, RoutingStrategy } from "../src/routing/route-request.ts";
import { loadOf, nodeIdOf, pick, PLACES, registration } from "./fleet-model.ts";
import type { Reference } from "./reference-router.ts";
import { refer } from "./reference-router.ts";

const REGIONS = [...Object.keys(PLACES), "atlantis"];
const VERSIONS = ["1.0", "1.1"];
const MODES = ["duel", "arena"];
const TIERS = ["gold", "plain"];
const STATES: readonly NodeState[] = ["starting", "ready", "ready", "ready", "ready", "full", "draining", "lost"];
const STRATEGIES: readonly RoutingStrategy[] = [
  "geographic",
  "latency",
  "leastLoad",
  "powerOfTwo",
  "weighted",
  "consistentHash",
  "sticky",
  "composite",
];
/** Those that take a node of the nearest region that has any. */
const NEAREST: ReadonlySet<RoutingStrategy> = new Set([
  "geographic",
  "latency",
  "powerOfTwo",
  "weighted",
  "consistentHash",
]);
/** Of round trips that are kept as 32-bit numbers. */
const CLOSE_MS = 0.01;

class Fleet {
  readonly random: Random;
  readonly table: NodeTable;
  readonly seats: Int32Array;
  readonly router: Router;
  readonly config: RoutingConfig;
  readonly #ids: number;
  now = 100_000;

  constructor(seed: number, config: Partial<RoutingConfig>) {
    this.random = new Random(seed);
    this.#ids = pick(this.random, [3, 12, 40]);
    this.table = new NodeTable({ maxNodes: this.#ids });
    this.seats = new Int32Array(this.#ids);
    this.config = { ...ROUTING_DEFAULTS, ...config };
    const { table, config: routing } = this;
    const seatsOf = (index: number): number => this.seats[index];
    // As few pools as that some filters do without.
    const maxPools = pick(this.random, [1, 3, 64]);
    this.router = new Router({ table, seatsOf, random: this.random, config: routing, maxPools, maxCells: 4 });
    for (let n = 0; n < 3 * this.#ids; n++) this.change();
  }

  refer(request: RouteRequest): Reference {
    const { table, config } = this;
    const known = REGIONS.filter((region) => table.regions.numberOf(region) >= 0);
    const places = new Map(known.map((region) => [region, PLACES[region]]));
    return refer(request, { table, config, places, seatsOf: (index) => this.seats[index] });
  }

  change(): void {
    const { random, table } = this;
    this.now += random.int(2000);
    const id = `n${random.int(this.#ids)}`;
    const index = table.indexOf(id);
    const action = random.int(10);
    if (index < 0 || action === 0) this.#register(id);
    else if (action === 1) table.remove(id);
    else if (action <= 3) table.setState(index, pick(random, STATES), this.now);
    else if (action <= 5) table.setSuspicion(index, random.chance(0.4) ? "late" : undefined);
    else if (action === 6) for (let n = 0; n < 5; n++) this.router.notePlacement(index, false, this.now);
    else {
      this.seats[index] = random.int(4);
      table.report(index, loadOf(random.int(100), random.next()));
    }
  }

  #register(id: string): void {
    const { random, table } = this;
    const index = table.put(
      registration(id, {
        region: pick(random, REGIONS),
        version: pick(random, VERSIONS),
        gameModes: MODES.filter(() => random.chance(0.4)),
        labels: random.chance(0.7) ? { tier: pick(random, TIERS) } : {},
        weight: pick(random, [0.5, 1, 8]),
      }),
    );
    if (typeof index === "string") throw new Error(index);
    table.setState(index, "ready", this.now - random.int(60_000));
    this.seats[index] = random.int(4);
  }

  request(): RouteRequest {
    const { random } = this;
    const strategy = random.chance(0.9) ? pick(random, STRATEGIES) : undefined;
    const lastRegion = random.chance(0.3) ? pick(random, REGIONS) : undefined;
    const lastNode = random.chance(0.3) ? `n${random.int(this.#ids)}` : undefined;
    return {
      clients: Array.from({ length: random.chance(0.7) ? 1 : 1 + random.int(3) }, () => this.#client()),
      ...(random.chance(0.7) && { filter: this.#filter() }),
      ...(strategy && { strategy }),
      ...(lastRegion && { lastRegion }),
      ...(lastNode && { lastNode }),
    };
  }

  #client(): RouteClient {
    const { random } = this;
    const coordinates = random.chance(0.1)
      ? { latitude: 0, longitude: 0 }
      : { latitude: random.next() * 180 - 90, longitude: random.next() * 360 - 180 };
    const measured = REGIONS.filter(() => random.chance(0.2)).map((region) => [region, random.next() * 500]);
    return {
      clientId: String(random.uint32()),
      ...(random.chance(0.8) && { location: { coordinates, source: "city", accuracyKm: random.int(500) } as const }),
      ...(random.chance(0.5) && { latencies: Object.fromEntries(measured) as Record<string, number> }),
    };
  }

  #filter(): RouteFilter {
    const { random } = this;
    return {
      ...(random.chance(0.5) && { version: pick(random, [...VERSIONS, "9.9"]) }),
      ...(random.chance(0.5) && { gameMode: pick(random, [...MODES, "chess"]) }),
      ...(random.chance(0.3) && { labels: { tier: pick(random, [...TIERS, "none"]) } }),
      ...(random.chance(0.3) && { regions: REGIONS.filter(() => random.chance(0.5)) }),
      ...(random.chance(0.3) && { exceptNodes: [`n${random.int(this.#ids)}`, `n${random.int(this.#ids)}`, "x"] }),
    };
  }
}

function overFleets(config: Partial<RoutingConfig>, check: (fleet: Fleet, request: RouteRequest) => void): void {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const fleet = new Fleet(seed, config);
      for (let step = 0; step < 60; step++) {
        fleet.change();
        check(fleet, fleet.request());
      }
    }),
    { numRuns: 80 },
  );
}

test("it answers what may be answered, whenever there is such a node, and else with the right refusal", () => {
  const config = { maxLatencyMs: 200, sampledNodes: 2, sampledRegions: 2 };
  const seen = { full: 0, noMatch: 0, noNodes: 0, found: 0 };
  overFleets(config, (fleet, request) => {
    // Ejections that are over end with the next decision.
    fleet.router.explain(request, fleet.now);
    const { refusal, usable, latencyTo, isUnknown } = fleet.refer(request);
    const outcome = fleet.router.routeClient(request, fleet.now);
    if ("refused" in outcome) {
      seen[outcome.refused]++;
      // Where everybody is unknown, the stand-in decides what is too far.
      if (isUnknown && outcome.refused === "full") return;
      assert.equal(outcome.refused, refusal);
      return;
    }
    seen.found++;
    assert.equal(fleet.table.indexOf(outcome.node.id), outcome.index);
    assert.ok(usable.some(({ id }) => id === outcome.node.id) || isUnknown, outcome.node.id);
    if (isUnknown || !NEAREST.has(outcome.strategy)) return;
    const nearest = Math.min(...usable.map((node) => latencyTo(node.region)));
    assert.ok(latencyTo(outcome.node.region) <= nearest + CLOSE_MS, `${outcome.strategy} ${outcome.node.id}`);
  });
  for (const [what, times] of Object.entries(seen)) assert.ok(times > 5, `${what} ${times} times`);
});

test("when all nodes are looked at, composite takes the best one of the nearest regions", () => {
  const config = { sampledNodes: 1000, sampledRegions: 2, slowStartMs: 0, panicThreshold: 0 };
  let compared = 0;
  overFleets(config, (fleet, asked) => {
    const request: RouteRequest = { ...asked, strategy: "composite" };
    const outcome = fleet.router.routeClient(request, fleet.now);
    const { usable, latencyTo, isUnknown } = fleet.refer(request);
    if ("refused" in outcome || isUnknown) return;
    const regions = Array.from(new Set(usable.map(({ region }) => region)));
    const [first, second, third] = regions.toSorted((a, b) => latencyTo(a) - latencyTo(b));
    if (third !== undefined && latencyTo(third) - latencyTo(second) < CLOSE_MS) return;
    const nearest = new Set([first, second]);
    const { weights } = fleet.config;
    const lastNode = usable.find(({ id }) => id === request.lastNode);
    const candidates = usable.filter((node) => nearest.has(node.region) || node === lastNode);
    const scores = candidates.map((node) => {
      const wasThere = node.region === (request.lastRegion ?? lastRegionBy(fleet, request));
      const sticky = wasThere ? weights.sticky * (node === lastNode ? 2 : 1) : 0;
      const load = (node.load.players + node.load.reserved) / node.capacity.players;
      return latencyTo(node.region) + weights.load * load + weights.cpu * node.load.cpu - sticky;
    });
    compared++;
    assert.ok(Math.abs(outcome.score - Math.min(...scores)) < CLOSE_MS, `${outcome.score} of ${scores.join()}`);
  });
  assert.ok(compared > 500, `${compared}`);
});

test("what is explained is what is then done, and explaining it changes nothing", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [explained, plain] = [new Fleet(seed, {}), new Fleet(seed, {})];
      for (let step = 0; step < 40; step++) {
        explained.change();
        plain.change();
        const request = explained.request();
        plain.request();
        const { outcome, candidates } = explained.router.explain(request, explained.now);
        const done = explained.router.routeClient(request, explained.now);
        assert.equal(nodeIdOf(done), nodeIdOf(outcome));
        assert.equal(nodeIdOf(plain.router.routeClient(request, plain.now)), nodeIdOf(done));
        assert.equal(candidates.length, explained.table.size);
        const scored = candidates.filter(({ score }) => score !== undefined);
        if (!("refused" in done)) assert.equal(scored[0].nodeId, done.node.id);
        for (const { score = NaN, parts = {} } of scored)
          assert.ok(Math.abs(Object.values(parts).reduce((a, b) => a + b, 0) - score) < 1e-9);
        for (const [i, { rejected }] of candidates.entries())
          assert.equal(rejected === undefined, i === 0 && !("refused" in done));
      }
    }),
    { numRuns: 60 },
  );
});

function lastRegionBy(fleet: Fleet, { lastNode }: RouteRequest): string | undefined {
  const index = lastNode === undefined ? -1 : fleet.table.indexOf(lastNode);
  return index < 0 ? undefined : fleet.table.node(index).region;
}
