import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Random } from "../random.ts";
import { NetworkTopology } from "./network-topology.ts";
import type { LinkInfo, NetworkTopologyOptions, NodeId, NodeInfo, NodeType, Route } from "./network-topology.ts";

const TYPES: readonly NodeType[] = ["client", "edgeServer", "relay", "coreServer"];

/** The plain picture, and the plain algorithm over it: no heap, no cache, nothing clever. */
class Model {
  readonly nodes = new Map<NodeId, NodeInfo>();
  readonly links = new Map<string, LinkInfo>();

  setLink(link: LinkInfo): void {
    this.links.set(`${link.from}>${link.to}`, link);
  }

  removeNode(id: NodeId): void {
    this.nodes.delete(id);
    for (const [key, { from, to }] of this.links) if (from === id || to === id) this.links.delete(key);
  }

  costMicros(from: NodeId, to: NodeId): number {
    const { latencyMs, load = 0 } = this.links.get(`${from}>${to}`) ?? assert.fail(`no link ${from} -> ${to}`);
    const used = Math.min(load, 0.99);
    return Math.max(1, Math.round((latencyMs + used / (1 - used)) * 1000));
  }

  /** Costs from one node to all it reaches. */
  dijkstra(root: NodeId): Map<NodeId, number> {
    const done = new Map<NodeId, number>();
    const open = new Map<NodeId, number>([[root, 0]]);
    const outgoing = Map.groupBy(this.links.values(), ({ from }) => from);
    while (open.size > 0) {
      const [node, cost] = [...open].reduce((a, b) => (b[1] < a[1] ? b : a));
      open.delete(node);
      done.set(node, cost);
      if (node !== root && this.nodes.get(node)?.type === "client") continue;
      for (const { to } of outgoing.get(node) ?? []) {
        const offer = cost + this.costMicros(node, to);
        if (!done.has(to) && offer < (open.get(to) ?? Infinity)) open.set(to, offer);
      }
    }
    return done;
  }

  check(from: NodeId, to: NodeId, cost: number | undefined, route: Route | undefined): void {
    if (cost === undefined) return assert.equal(route, undefined);
    assert.ok(route !== undefined);
    assert.equal(route.nodes[0], from);
    assert.equal(route.nodes.at(-1), to);
    assert.equal(Math.round(route.costMs * 1000), cost);
    let sum = 0;
    let latencyMs = 0;
    for (let i = 1; i < route.nodes.length; i++) {
      sum += this.costMicros(route.nodes[i - 1], route.nodes[i]);
      latencyMs += this.links.get(`${route.nodes[i - 1]}>${route.nodes[i]}`)?.latencyMs ?? Number.NaN;
    }
    assert.equal(sum, cost, "the route is as long as it says");
    assert.ok(Math.abs(route.latencyMs - latencyMs) < 1e-9);
    for (const id of route.nodes.slice(1, -1)) assert.notEqual(this.nodes.get(id)?.type, "client");
  }
}

type Change =
  | { readonly kind: "link"; readonly from: number; readonly to: number; readonly latencyMs: number; load: number }
  | { readonly kind: "unlink"; readonly from: number; readonly to: number }
  | { readonly kind: "node"; readonly id: number; readonly type: NodeType }
  | { readonly kind: "remove"; readonly id: number }
  | { readonly kind: "ask"; readonly from: number; readonly to: number };

const IDS = 10;
const id = fc.nat(IDS - 1);
// Few different latencies, so that equal routes are common.
const latencyMs = fc.constantFrom(0, 1, 2, 3, 5, 8, 2.5);
const load = fc.constantFrom(0, 0, 0, 0.5, 0.9, 1, 7);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("link" as const), from: id, to: id, latencyMs, load }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("unlink" as const), from: id, to: id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("node" as const), id, type: fc.constantFrom(...TYPES) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), id }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("ask" as const), from: id, to: id }) },
);

function apply(change_: Change, topology: NetworkTopology, model: Model): void {
  switch (change_.kind) {
    case "link":
      if (change_.from === change_.to || !model.nodes.has(change_.from) || !model.nodes.has(change_.to)) return;
      topology.updateLink(change_.from, change_.to, change_);
      return model.setLink(change_);
    case "unlink":
      assert.equal(topology.removeLink(change_.from, change_.to), model.links.delete(`${change_.from}>${change_.to}`));
      return;
    case "node": {
      if (model.nodes.has(change_.id)) return;
      const info = { id: change_.id, type: change_.type, region: "eu" };
      topology.addNode(info);
      model.nodes.set(change_.id, info);
      return;
    }
    case "remove":
      assert.equal(topology.removeNode(change_.id), model.nodes.has(change_.id));
      return model.removeNode(change_.id);
    case "ask":
      topology.optimalRoute(change_.from, change_.to);
  }
}

function checkAll(topology: NetworkTopology, model: Model): void {
  for (let from = 0; from < IDS; from++) {
    const costs = model.nodes.has(from) ? model.dijkstra(from) : new Map<NodeId, number>();
    for (let to = 0; to < IDS; to++) model.check(from, to, costs.get(to), topology.optimalRoute(from, to));
  }
}

function property(options: NetworkTopologyOptions, seed: number): void {
  fc.assert(
    fc.property(fc.array(change, { minLength: 20, maxLength: 120, size: "max" }), (changes) => {
      const topology = new NetworkTopology(options);
      const model = new Model();
      for (let i = 0; i < IDS; i++) apply({ kind: "node", id: i, type: TYPES[i % 4] }, topology, model);
      for (const [i, change_] of changes.entries()) {
        apply(change_, topology, model);
        if (i % 10 === 0) checkAll(topology, model);
      }
      checkAll(topology, model);
      assert.ok(topology.stats.trees <= (options.maxTrees ?? 64));
      assert.equal(topology.stats.links, model.links.size);
    }),
    { seed, numRuns: 100 },
  );
}

test("after any changes every route is as short as plain Dijkstra's", () => property({}, 1));

test("with three trees only, which make room for each other", () => property({ maxTrees: 3 }, 2));

test("with a repair limit that drops most trees", () => property({ maxRepairWork: 4 }, 3));

test("answers do not depend on what is cached", () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 20, maxLength: 100, size: "max" }), (changes) => {
      const [roomy, narrow] = [new NetworkTopology(), new NetworkTopology({ maxTrees: 1, maxRepairWork: 1 })];
      const models = [new Model(), new Model()];
      for (let i = 0; i < IDS; i++) {
        apply({ kind: "node", id: i, type: TYPES[3 - (i % 4)] }, roomy, models[0]);
        apply({ kind: "node", id: i, type: TYPES[3 - (i % 4)] }, narrow, models[1]);
      }
      for (const change_ of changes) {
        apply(change_, roomy, models[0]);
        if (change_.kind !== "ask") apply(change_, narrow, models[1]);
      }
      for (let from = 0; from < IDS; from++)
        for (let to = 0; to < IDS; to++) assert.deepEqual(roomy.optimalRoute(from, to), narrow.optimalRoute(from, to));
    }),
    { seed: 4, numRuns: 60 },
  );
});

test("a network of 400 nodes through 600 changes, some of them large", () => {
  const random = new Random(5);
  const nodes = Array.from({ length: 400 }, (_, i) => ({ id: `n${i}`, type: TYPES[i % 4], region: `r${i % 7}` }));
  const model = new Model();
  for (const node of nodes) model.nodes.set(node.id, node);
  const any = (): LinkInfo => {
    const from = random.int(400);
    const to = (from + 1 + random.int(399)) % 400;
    return {
      from: `n${from}`,
      to: `n${to}`,
      latencyMs: random.int(200) / 4,
      load: random.chance(0.2) ? random.next() : 0,
    };
  };
  for (let i = 0; i < 2000; i++) model.setLink(any());
  const topology = new NetworkTopology({ maxTrees: 40 });
  topology.updateTopology(nodes, model.links.values());
  const sources = nodes.filter((_, i) => i % 37 === 0);
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 30; i++) {
      const links = [...model.links.values()];
      const link = random.chance(0.2) ? any() : { ...any(), ...pick(links, random) };
      const updated = random.chance(0.5) ? link : { ...link, latencyMs: random.int(400) / 4 };
      if (random.chance(0.2)) {
        topology.removeLink(link.from, link.to);
        model.links.delete(`${link.from}>${link.to}`);
      } else {
        topology.updateLink(updated.from, updated.to, updated);
        model.setLink(updated);
      }
    }
    for (const { id: from } of sources) {
      const costs = model.dijkstra(from);
      for (let i = 0; i < 10; i++) {
        const to = `n${random.int(400)}`;
        model.check(from, to, costs.get(to), topology.optimalRoute(from, to));
      }
    }
  }
});

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.int(items.length)];
}

/** A player near two edge servers, a core server behind a relay or behind a direct but slow link. */
function small(options?: NetworkTopologyOptions): NetworkTopology {
  const topology = new NetworkTopology(options);
  topology.updateTopology(
    [
      { id: "player", type: "client", region: "eu" },
      { id: "edge", type: "edgeServer", region: "eu" },
      { id: "relay", type: "relay", region: "us" },
      { id: "core", type: "coreServer", region: "us" },
      { id: "other", type: "client", region: "us" },
    ],
    [
      { from: "player", to: "edge", latencyMs: 10 },
      { from: "edge", to: "relay", latencyMs: 35 },
      { from: "relay", to: "core", latencyMs: 5 },
      { from: "edge", to: "core", latencyMs: 60 },
      { from: "edge", to: "other", latencyMs: 1 },
      { from: "other", to: "core", latencyMs: 1 },
    ],
  );
  return topology;
}

test("a route goes over relays, never over other clients, and turns away from load", () => {
  const topology = small();
  const route = topology.optimalRoute("player", "core");
  assert.deepEqual(route, { nodes: ["player", "edge", "relay", "core"], latencyMs: 50, costMs: 50 });
  const again = topology.optimalRoute("player", "core");
  assert.deepEqual(again, route);
  assert.equal(topology.optimalRoute("player", "core"), again, "remembered from the second time on");
  topology.updateLink("edge", "relay", { latencyMs: 35, load: 0.97 });
  assert.deepEqual(topology.optimalRoute("player", "core")?.nodes, ["player", "edge", "core"]);
  assert.deepEqual(topology.link("edge", "relay"), { latencyMs: 35, load: 0.97 });
  topology.updateLink("edge", "relay", { latencyMs: 35, load: 0.5 });
  assert.deepEqual(topology.optimalRoute("player", "core"), {
    nodes: ["player", "edge", "relay", "core"],
    latencyMs: 50,
    costMs: 51,
  });
  assert.deepEqual(topology.optimalRoute("core", "core"), { nodes: ["core"], latencyMs: 0, costMs: 0 });
  assert.equal(topology.optimalRoute("core", "player"), undefined, "links have a direction");
  assert.equal(topology.optimalRoute("nobody", "core"), undefined);
});

test("a route that becomes equal wins if its node was added first, also over one remembered", () => {
  const topology = new NetworkTopology();
  for (const id_ of ["start", "first", "second", "end"]) topology.addNode({ id: id_, type: "relay", region: "eu" });
  for (const via of ["first", "second"]) topology.updateLink("start", via, { latencyMs: 5 });
  topology.updateLink("second", "end", { latencyMs: 5 });
  topology.updateLink("first", "end", { latencyMs: 10 });
  assert.deepEqual(topology.optimalRoute("start", "end")?.nodes, ["start", "second", "end"]);
  topology.updateLink("first", "end", { latencyMs: 5 });
  assert.deepEqual(topology.optimalRoute("start", "end")?.nodes, ["start", "first", "end"]);
});

test("one tree serves all clients of a server, and a change repairs it", () => {
  const topology = small();
  for (const from of ["player", "other", "edge", "relay"]) topology.optimalRoute(from, "core");
  assert.equal(topology.stats.treesBuilt, 1);
  topology.removeLink("relay", "core");
  assert.equal(topology.optimalRoute("player", "core")?.costMs, 70);
  topology.removeNode("edge");
  assert.equal(topology.optimalRoute("player", "core"), undefined);
  assert.equal(topology.stats.treesBuilt, 1);
  assert.equal(topology.stats.links, 1);
});

test("a tree dropped for a large change comes back with a small one", () => {
  const topology = new NetworkTopology({ maxRepairWork: 50 });
  for (let i = 0; i < 100; i++) topology.addNode({ id: i, type: "relay", region: "eu" });
  for (let i = 1; i < 100; i++) topology.updateLink(i, i - 1, { latencyMs: 1 });
  assert.equal(topology.optimalRoute(99, 0)?.costMs, 99);
  topology.updateLink(1, 0, { latencyMs: 5 });
  assert.deepEqual([topology.stats.trees, topology.stats.treesDropped], [0, 1]);
  topology.updateLink(0, 50, { latencyMs: 1 });
  assert.deepEqual([topology.stats.trees, topology.stats.treesBuilt], [1, 2]);
  assert.equal(topology.optimalRoute(99, 0)?.costMs, 103);
  topology.updateLink(1, 0, { latencyMs: 1 });
  assert.equal(topology.stats.trees, 0);
  topology.removeNode(0);
  topology.updateLink(1, 99, { latencyMs: 1 });
  assert.equal(topology.stats.trees, 0, "nobody can ask for it any more");
});

test("one change looks at no more links than it may, however central the link", () => {
  const [nodes, degree, maxRepairWork] = [2_000, 6, 4_000];
  const topology = new NetworkTopology({ maxRepairWork, maxTrees: 16 });
  const random = new Random(7);
  for (let i = 0; i < nodes; i++) topology.addNode({ id: i, type: "relay", region: "eu" });
  for (let i = 0; i < nodes; i++) {
    for (let k = 0; k < degree; k++) {
      const to = random.int(nodes);
      if (to !== i) topology.updateLink(i, to, { latencyMs: 1 + 100 * random.next() });
    }
  }
  let most = 0;
  for (let root = 0; root < 16; root++) {
    for (let i = 0; i < 60; i++) {
      const stops = topology.optimalRoute(random.int(nodes), root)?.nodes ?? [];
      if (stops.length < 2) continue;
      // The last links are those that most routes share.
      const [from, to] = stops.slice(-2);
      const built = topology.stats.treesBuilt;
      topology.updateLink(from, to, { latencyMs: [0, 1, 50, 500][random.int(4)] });
      // A change that costs little may compute a tree anew that an earlier one had dropped.
      if (topology.stats.treesBuilt === built) most = Math.max(most, topology.stats.lastRepairWork);
    }
  }
  assert.ok(topology.stats.treesDropped > 0, "the limit was met");
  assert.ok(most > maxRepairWork / 2 && most < maxRepairWork + 100, `${most} links looked at`);
});

test("a refused picture leaves the old one in place", () => {
  const topology = small();
  const before = topology.optimalRoute("player", "core");
  const node = { id: "a", type: "relay", region: "eu" } as const;
  const link = { from: "a", to: "b", latencyMs: 1 };
  assert.throws(() => topology.updateTopology([node, node], []), RangeError);
  assert.throws(() => topology.updateTopology([node], [link]), RangeError);
  assert.throws(() => topology.updateTopology([node, { ...node, id: "b" }], [link, link]), RangeError);
  assert.deepEqual(topology.optimalRoute("player", "core"), before);
  assert.equal(topology.stats.nodes, 5);
  assert.deepEqual(
    [...topology.nodes({ type: "client", region: "us" })].map((info) => info.id),
    ["other"],
  );
});

test("limits and wrong numbers throw and change nothing", () => {
  const topology = small({ maxNodes: 5, maxLinks: 6 });
  assert.throws(() => topology.addNode({ id: "sixth", type: "relay", region: "eu" }), RangeError);
  assert.throws(() => topology.updateLink("core", "relay", { latencyMs: 1 }), RangeError);
  for (const wrong of [-1, Number.NaN, Infinity])
    assert.throws(() => topology.updateLink("edge", "core", { latencyMs: wrong }), RangeError);
  assert.throws(() => topology.updateLink("edge", "core", { latencyMs: 1, load: Number.NaN }), RangeError);
  assert.throws(() => topology.updateLink("edge", "edge", { latencyMs: 1 }), RangeError);
  assert.throws(() => topology.updateLink("edge", "nobody", { latencyMs: 1 }), RangeError);
  assert.throws(() => new NetworkTopology({ maxTrees: 0 }), RangeError);
  assert.throws(() => new NetworkTopology({ queueMs: -1 }), RangeError);
  assert.equal(topology.stats.links, 6);
  assert.equal(topology.optimalRoute("player", "core")?.costMs, 50);
});
