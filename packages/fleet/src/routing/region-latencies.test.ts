import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Random } from "@riposte/protocol";
import { addReady, clientAt, pick, PLACES, registration } from "../../test/fleet-model.ts";
import { NodeTable } from "../registry/node-table.ts";
import { RegionLatencies } from "./region-latencies.ts";
import type { ClientLocation, RouteClient } from "./route-request.ts";

const ATLANTIS = "atlantis";

function world(...regions: readonly string[]): { latencies: RegionLatencies; table: NodeTable } {
  const table = new NodeTable();
  for (const region of regions) addReady(table, registration(`${region}-1`, { region }));
  return { table, latencies: new RegionLatencies(table.regions, 16) };
}

const everywhere = world(...Object.keys(PLACES), ATLANTIS);

function order({ latencies, table }: typeof everywhere): string[] {
  const names: string[] = [];
  for (let region = latencies.next(); region >= 0; region = latencies.next()) names.push(table.regions.nameOf(region));
  return names;
}

function at(latitude: number, longitude: number): RouteClient {
  return { clientId: "1", location: located(latitude, longitude) };
}

function located(latitude: number, longitude: number): ClientLocation {
  return { coordinates: { latitude, longitude }, source: "city", accuracyKm: 20 };
}

/** Round trip to a region, and where it comes from. */
function to({ latencies, table }: typeof everywhere, name: string): readonly [number, string] {
  const region = table.regions.numberOf(name);
  return [Math.round(latencies.of(region)), latencies.sourceOf(region)];
}

describe("one player", () => {
  it("is as far as the map says, and half-way around the world from what is not on it", () => {
    assert.equal(everywhere.latencies.read([clientAt("london")], false), true);
    assert.deepEqual(to(everywhere, "london"), [10, "distance"]);
    assert.deepEqual(to(everywhere, "frankfurt"), [20, "distance"]);
    assert.deepEqual(to(everywhere, "sydney"), [265, "distance"]);
    assert.deepEqual(to(everywhere, ATLANTIS), [310, "default"]);
    assert.deepEqual(order(everywhere), [
      "london",
      "frankfurt",
      "virginia",
      "oregon",
      "sao-paulo",
      "tokyo",
      "sydney",
      ATLANTIS,
    ]);
  });

  it("is as far as it measured, whatever the map says", () => {
    const client: RouteClient = { ...clientAt("london"), latencies: { virginia: 95, london: 180, [ATLANTIS]: 60 } };
    everywhere.latencies.read([client], false);
    assert.deepEqual(to(everywhere, "virginia"), [95, "measured"]);
    assert.deepEqual(to(everywhere, "london"), [180, "measured"]);
    assert.deepEqual(order(everywhere).slice(0, 3), ["frankfurt", ATLANTIS, "virginia"]);
  });

  it("has a slow line to everywhere when it has one to all that it measured", () => {
    // 100 ms more than distance explains to one, 300 to the other.
    const client: RouteClient = { ...clientAt("london"), latencies: { london: 311, virginia: 199 } };
    everywhere.latencies.read([client], false);
    assert.deepEqual(to(everywhere, "frankfurt"), [120, "distance"]);
    assert.deepEqual(order(everywhere).slice(0, 2), ["frankfurt", "virginia"]);
  });

  it("is not where a measured round trip would be faster than light", () => {
    const client: RouteClient = { ...clientAt("tokyo"), latencies: { frankfurt: 25, virginia: 110 } };
    everywhere.latencies.read([client], false);
    assert.deepEqual(order(everywhere).slice(0, 3), ["frankfurt", "london", "virginia"]);
    // Light takes 93 ms to Tokyo and back.
    everywhere.latencies.read([{ ...clientAt("tokyo"), latencies: { frankfurt: 95 } }], false);
    assert.equal(order(everywhere)[0], "tokyo");
  });

  it("is taken to be where its best measured region is when nothing else is known", () => {
    everywhere.latencies.read([{ clientId: "1", latencies: { oregon: 40, tokyo: 130 } }], false);
    assert.deepEqual(order(everywhere).slice(0, 3), ["oregon", "virginia", "tokyo"]);
    assert.deepEqual(to(everywhere, "oregon"), [40, "measured"]);
    assert.equal(to(everywhere, "virginia")[1], "distance");
    everywhere.latencies.read([{ clientId: "1", latencies: { [ATLANTIS]: 40 } }], false);
    assert.equal(order(everywhere)[0], ATLANTIS);
    assert.deepEqual(to(everywhere, "tokyo"), [310, "default"]);
  });

  it("by distance, measures only to say where it is", () => {
    everywhere.latencies.read([{ ...clientAt("london"), latencies: { london: 200, virginia: 90 } }], true);
    assert.equal(order(everywhere)[0], "london");
    everywhere.latencies.read([{ clientId: "1", latencies: { oregon: 40, tokyo: 30 } }], true);
    assert.equal(order(everywhere)[0], "tokyo");
  });

  it("is unknown without a location, at (0, 0), off the globe, or by its locator's own word", () => {
    const { latencies } = everywhere;
    for (const client of [
      { clientId: "1" },
      at(0, 0),
      at(1e-5, 0),
      at(NaN, 5),
      at(95, 5),
      at(10, 200),
      { clientId: "1", location: { ...located(50, 8), source: "unknown" } as const },
    ])
      assert.equal(latencies.read([client], false), false);
    // Odd measurements are none.
    assert.equal(latencies.read([{ clientId: "1", latencies: { tokyo: NaN, london: -1, nowhere: 5 } }], false), false);
    assert.equal(latencies.read([{ clientId: "1", latencies: { tokyo: Infinity } }], false), true);
    assert.deepEqual(to(everywhere, "tokyo"), [10_000, "measured"]);
  });

  it("stands in for a region: that is nearest, then what is near it", () => {
    const { latencies, table } = everywhere;
    latencies.standIn(table.regions.numberOf("virginia"));
    assert.deepEqual(to(everywhere, "virginia"), [10, "default"]);
    assert.deepEqual(order(everywhere).slice(0, 3), ["virginia", "oregon", "london"]);
    latencies.standIn(table.regions.numberOf(ATLANTIS));
    assert.equal(order(everywhere)[0], ATLANTIS);
    latencies.standIn(-1);
    assert.deepEqual(to(everywhere, "tokyo"), [310, "default"]);
  });
});

describe("several players", () => {
  it("are as far as the worst of them; who is unknown does not count", () => {
    everywhere.latencies.read([clientAt("london"), { clientId: "2" }, clientAt("virginia", "3")], false);
    assert.deepEqual(to(everywhere, "london"), [99, "distance"]);
    assert.deepEqual(to(everywhere, "oregon"), [126, "distance"]);
    const group = [clientAt("london"), { ...clientAt("london", "2"), latencies: { frankfurt: 90 } }];
    everywhere.latencies.read(group, false);
    assert.deepEqual(to(everywhere, "frankfurt"), [90, "measured"]);
  });

  it("come to all regions in the order of the worst of them", () => {
    const { latencies, table } = everywhere;
    const places = Object.keys(PLACES);
    const regions = [...places, ATLANTIS].map((name) => table.regions.numberOf(name));
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), fc.boolean(), (seed, players, byDistance) => {
        const random = new Random(seed);
        const clients = Array.from({ length: players }, (): RouteClient => {
          const measured = places.filter(() => random.chance(0.3)).map((place) => [place, random.int(300)] as const);
          const base = random.chance(0.8) ? clientAt(pick(random, places)) : { clientId: "1" };
          return { ...base, latencies: Object.fromEntries(measured) };
        });
        const known = clients.filter((client) => latencies.read([client], byDistance));
        const alone = known.map((client) => {
          latencies.read([client], byDistance);
          return regions.map((region) => latencies.of(region));
        });
        assert.equal(latencies.read(clients, byDistance), known.length > 0);
        if (known.length === 0) return;
        const worst = new Map(regions.map((region, i) => [region, Math.max(...alone.map((own) => own[i]))]));
        for (const region of regions) assert.equal(latencies.of(region), worst.get(region));
        const found = order(everywhere).map((name) => worst.get(table.regions.numberOf(name)));
        assert.deepEqual(
          found,
          Array.from(worst.values()).toSorted((a, b) => a - b),
        );
      }),
    );
  });
});

it("keeps so many squares of the map, and forgets them when a region moves", () => {
  const { latencies, table } = world("london", "tokyo");
  for (let longitude = -180; longitude <= 180; longitude += 5) latencies.read([at(10, longitude)], false);
  assert.equal(latencies.cells, 16);
  addReady(table, registration("new", { region: "sydney" }));
  latencies.read([clientAt("sydney")], false);
  assert.equal(latencies.cells, 1);
  assert.equal(order({ latencies, table })[0], "sydney");
});
