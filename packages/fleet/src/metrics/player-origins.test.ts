import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { ClientLocation } from "../routing/route-request.ts";
import { PlayerOrigins } from "./player-origins.ts";

function at(latitude: number, longitude: number, country?: string): ClientLocation {
  const location = { coordinates: { latitude, longitude }, source: "city", accuracyKm: 50 } as const;
  return country === undefined ? location : { ...location, country };
}

describe("PlayerOrigins", () => {
  it("counts by square, country and region, the most first", () => {
    const origins = new PlayerOrigins();
    for (let i = 0; i < 3; i++) origins.note("eu west", at(48.9, 2.3 + i / 100, "FR"), i);
    origins.note("us", at(48.9, 2.3, "FR"), 4);
    origins.note("us", at(89.99, 180, "XX"), 4);
    origins.note("us", undefined, 4);
    origins.note("us", at(0, 0), 4);
    const { players, unknown, other, origins: list } = origins.stats(5);
    assert.deepEqual([players, unknown, other], [7, 2, 0]);
    assert.deepEqual(list[0], { latitude: 49, longitude: 3, country: "FR", region: "eu west", players: 3 });
    assert.deepEqual(list.map(({ region }) => region).sort(), ["eu west", "us", "us"]);
    assert.ok(list.some(({ latitude, longitude }) => latitude === 89 && longitude === 179));
  });

  it("forgets what is older than its window", () => {
    const origins = new PlayerOrigins({ windowMs: 1000 });
    origins.note("eu", at(50, 8), 0);
    origins.note("eu", at(50, 8), 500);
    assert.equal(origins.stats(999).players, 2);
    assert.equal(origins.stats(1050).players, 1);
    assert.equal(origins.stats(2000).players, 0);
  });

  it("is bounded, and says how many it left out", () => {
    const origins = new PlayerOrigins({ maxOrigins: 4 });
    for (let i = 0; i < 10; i++) origins.note("eu", at(10, 10 * i), 0);
    for (let i = 0; i < 10; i++) origins.note("eu", at(30, 10 * i), 40_000);
    const { players, other, origins: list } = origins.stats(40_000);
    assert.deepEqual([players, other, list.length], [20, 16, 4]);
  });

  it("places everybody within two degrees, whatever the location", () => {
    const degrees = fc.record({
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    });
    fc.assert(
      fc.property(degrees, ({ latitude, longitude }) => {
        const origins = new PlayerOrigins();
        origins.note("eu", at(latitude, longitude), 0);
        const [origin] = origins.stats(0).origins;
        if (origin === undefined) return Math.hypot(latitude, longitude) < 0.02;
        return Math.abs(origin.latitude - latitude) <= 1 && Math.abs(origin.longitude - longitude) <= 1;
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});
