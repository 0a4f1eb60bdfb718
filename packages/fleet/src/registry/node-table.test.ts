import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addReady, loadOf, PLACES, registration } from "../../test/fleet-model.ts";
import { distanceKm, unitVector } from "./geography.ts";
import { NameNumbers } from "./name-numbers.ts";
import type { NodeObserver } from "./node-table.ts";
import { NodeTable } from "./node-table.ts";

test("a node has what it registered, what it reports, and where it stands", () => {
  const table = new NodeTable();
  const index = table.put(registration("a", { labels: { tier: "gold" } }));
  assert.equal(index, 0);
  assert.equal(table.node(0).state, "starting");
  assert.equal(table.node(0).readyAt, -1);
  table.setState(0, "ready", 500);
  table.report(0, { sessions: 2, players: 30, reserved: 10, cpu: 0.5, tickMs: 7 });
  table.setSuspicion(0, "no report for 1200 ms");
  assert.deepEqual(table.node(0), {
    ...registration("a", { labels: { tier: "gold" } }),
    state: "ready",
    load: { sessions: 2, players: 30, reserved: 10, cpu: 0.5, tickMs: 7 },
    readyAt: 500,
    suspicion: "no report for 1200 ms",
  });
  assert.equal(table.loadShare[0], 0.4);
  table.setSuspicion(0, undefined);
  assert.ok(!("suspicion" in table.node(0)));
});

test("registering anew keeps index, state and load; leaving frees the index for another", () => {
  const table = new NodeTable();
  const a = addReady(table, registration("a"), 100);
  table.report(a, loadOf(50));
  assert.equal(table.put(registration("a", { region: "tokyo", capacity: { sessions: 1, players: 200 } })), a);
  assert.equal(table.node(a).state, "ready");
  assert.equal(table.node(a).readyAt, 100);
  assert.equal(table.loadShare[a], 0.25);
  assert.equal(table.regions.nameOf(table.region[a]), "tokyo");
  table.setSuspicion(a, "late");
  assert.equal(table.remove("a"), true);
  assert.equal(table.remove("a"), false);
  assert.equal(table.size, 0);
  assert.equal(table.put(registration("b")), a);
  assert.deepEqual(
    [table.node(a).state, table.node(a).load.players, table.node(a).suspicion],
    ["starting", 0, undefined],
  );
});

test("what becomes ready is new from then on, but not after having been full", () => {
  const table = new NodeTable();
  const a = addReady(table, registration("a"), 100);
  table.setState(a, "full", 200);
  table.setState(a, "ready", 300);
  assert.equal(table.readyAt[a], 100);
  table.setState(a, "maintenance", 400);
  assert.equal(table.readyAt[a], -1);
  table.setState(a, "ready", 500);
  assert.equal(table.readyAt[a], 500);
});

test("it takes so many nodes and regions and no more, and then changes nothing", () => {
  const table = new NodeTable({ maxNodes: 3, maxRegions: 2 });
  addReady(table, registration("a", { region: "tokyo" }));
  addReady(table, registration("b", { region: "london" }));
  assert.equal(table.put(registration("c", { region: "sydney" })), "tooManyRegions");
  addReady(table, registration("c", { region: "london" }));
  assert.equal(table.put(registration("d", { region: "london" })), "tooManyNodes");
  assert.equal(table.put(registration("c", { region: "sydney" })), "tooManyRegions");
  assert.deepEqual(
    Array.from(table.nodes(), ({ id, region }) => `${id} ${region}`),
    ["a tokyo", "b london", "c london"],
  );
  // The number of a region without nodes goes to the next one.
  table.remove("a");
  assert.equal(typeof table.put(registration("d", { region: "sydney" })), "number");
  assert.equal(table.regions.numberOf("tokyo"), -1);
  assert.equal(table.regions.count, 2);
  assert.throws(() => table.put(registration("x", { weight: 0 })), RangeError);
  assert.throws(() => new NodeTable({ maxNodes: 0 }), RangeError);
});

test("whatever a node says of its load, what is kept of it can be compared", () => {
  const odd = fc.oneof(fc.double(), fc.constantFrom(NaN, -1, Infinity, 1e300));
  fc.assert(
    fc.property(fc.record({ sessions: odd, players: odd, reserved: odd, cpu: odd, tickMs: odd }), (load) => {
      const table = new NodeTable({ maxNodes: 1 });
      const index = addReady(table, registration("a"));
      table.report(index, load);
      assert.ok(table.loadShare[index] >= 0 && table.loadShare[index] <= 1);
      assert.ok(table.cpu[index] >= 0 && table.cpu[index] <= 1);
      for (const value of Object.values(table.loadOf(index))) assert.ok(value >= 0 && value < Infinity, `${value}`);
    }),
  );
});

test("seats that were given away count as load until the next report", () => {
  const table = new NodeTable();
  const a = addReady(table, registration("a"));
  table.report(a, loadOf(10));
  table.addReserved(a, 5);
  assert.equal(table.loadShare[a], 0.15);
  table.addReserved(a, -20);
  assert.equal(table.node(a).load.reserved, 0);
  table.addReserved(a, 30);
  table.report(a, loadOf(15));
  assert.equal(table.loadShare[a], 0.15);
});

test("observers hear of what is there and of each change", () => {
  const table = new NodeTable();
  addReady(table, registration("a"));
  const heard: string[] = [];
  const note =
    (what: string) =>
    (index: number): void => {
      heard.push(`${what} ${table.idOf(index)} ${table.node(index).region}`);
    };
  const observer: NodeObserver = {
    nodeAdded: note("added"),
    nodeRemoved: (index, returns) => note(returns ? "returns" : "removed")(index),
    nodeChanged: note("changed"),
    nodeReported: note("reported"),
  };
  table.observe(observer);
  table.setState(0, "ready", 1);
  table.setState(0, "draining", 1);
  table.setSuspicion(0, "x");
  table.setSuspicion(0, "y");
  table.report(0, loadOf(1));
  table.put(registration("a", { region: "tokyo" }));
  table.remove("a");
  assert.deepEqual(heard, [
    "added a frankfurt",
    "changed a frankfurt",
    "changed a frankfurt",
    "reported a frankfurt",
    "returns a frankfurt",
    "added a tokyo",
    "removed a tokyo",
  ]);
});

test("a region is in the middle of its nodes, and stays there while they hardly move", () => {
  const table = new NodeTable();
  const { regions } = table;
  addReady(table, registration("a", { region: "r", coordinates: PLACES.london }));
  const centre = (): readonly [number, number, number] => regions.centreOf(regions.numberOf("r")) ?? [0, 0, 0];
  assert.ok(distanceKm(centre(), unitVector(PLACES.london)) < 1);
  const { version } = regions;
  addReady(table, registration("near", { region: "r", coordinates: { latitude: 51.6, longitude: -0.2 } }));
  addReady(table, registration("nowhere", { region: "r", coordinates: { latitude: 0, longitude: 0 } }));
  table.remove("near");
  assert.equal(regions.version, version);
  addReady(table, registration("far", { region: "r", coordinates: PLACES.frankfurt }));
  assert.notEqual(regions.version, version);
  const toLondon = distanceKm(centre(), unitVector(PLACES.london));
  assert.ok(Math.abs(toLondon - distanceKm(centre(), unitVector(PLACES.frankfurt))) < 1);
  // Across the date line, too.
  addReady(table, registration("fiji", { region: "f", coordinates: { latitude: -18, longitude: 178 } }));
  addReady(table, registration("samoa", { region: "f", coordinates: { latitude: -14, longitude: -172 } }));
  const { longitude } = regions.placeOf(regions.numberOf("f")) ?? { longitude: 0 };
  assert.ok(Math.abs(longitude) > 175, `${longitude}`);
});

test("names keep their numbers while anybody has them", () => {
  const names = new NameNumbers();
  assert.deepEqual([names.hold("a"), names.hold("b"), names.hold("a")], [0, 1, 0]);
  names.release(0);
  assert.equal(names.numberOf("a"), 0);
  names.release(0);
  assert.equal(names.numberOf("a"), -1);
  assert.equal(names.hold("c"), 0);
  assert.equal(names.size, 2);
});
