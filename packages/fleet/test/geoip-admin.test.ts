/** The databases of places in a running fleet: overrides by configuration, updates by hand, and who may ask for them. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { GeoIp } from "../src/geoip/geo-ip.ts";
import { JsonClient } from "../src/http/json-client.ts";
import { signOperatorToken } from "../src/http/credentials.ts";
import type { Scope } from "../src/http/credentials.ts";
import { flat, folder, halves } from "./geoip-tools.ts";
import { SmallFleet, until } from "./small-fleet.ts";

const trust = { issuer: "studio", audience: "fleet", secret: randomBytes(32) };
const BERLIN = flat("DE", "Berlin", 52.5, 13.4);
const SYDNEY = flat("AU", "Sydney", -33.9, 151.2);
const CHECKS = { probes: [], minKnown: 0, maxMoved: 1 };

describe("GeoIP of a fleet", () => {
  it("is overridden by configuration, everywhere and at once, and updated by hand", async (t) => {
    const write = folder(t);
    const city = write("city.mmdb", halves(BERLIN, SYDNEY, { buildEpoch: 1000 }));
    await using first = await GeoIp.open({ city: [{ from: city }], country: [], checks: CHECKS });
    await using second = await GeoIp.open({ city: [{ from: city }], country: [], checks: CHECKS });
    await using fleet = await SmallFleet.open();
    const a = await fleet.balancer("a", [], {}, { locator: first, trust });
    const b = await fleet.balancer("b", [a.url], {}, { locator: second, trust });
    const none = await fleet.balancer("c", [a.url], {}, { trust });
    a.balancer.registerNode({
      id: "jp-1",
      region: "jp",
      coordinates: { latitude: 35.7, longitude: 139.7 },
      addresses: { udp: ["10.0.0.1:7777"] },
      capacity: { sessions: 1, players: 6 },
      version: "1",
      labels: {},
      gameModes: [],
      weight: 1,
    });

    using client = new JsonClient();
    const call = async (scopes: readonly Scope[], method: string, url: string, body?: unknown) => {
      const token = await signOperatorToken({
        ...trust,
        subject: "ops",
        scopes,
        lifetimeSeconds: 60,
        wallNow: Date.now(),
      });
      const headers = { authorization: `Bearer ${token}` };
      const options = { method: method as "GET", headers, timeoutMs: 5000 };
      return client.send(url, body, options) as Promise<{ status: number; body: Record<string, unknown> }>;
    };
    const whereIs = async (url: string, ip: string): Promise<unknown> => {
      const { body } = await call(["fleet:read"], "POST", `${url}/v1/explain`, { clients: [{ clientId: "1", ip }] });
      return (body.clients as { location?: { coordinates: { longitude: number }; source: string } }[])[0].location;
    };
    const berlin = { coordinates: { latitude: 52.5, longitude: 13.4 }, source: "city", accuracyKm: 50, country: "DE" };
    assert.deepEqual(await whereIs(a.url, "1.2.3.4"), berlin);

    const overrides = [{ prefix: "1.2.0.0/16", region: "jp" }];
    const bad = { geoip: { overrides: [...overrides, ...overrides] } };
    const refused = await call(["config:write"], "PATCH", `${a.url}/v1/config`, bad);
    assert.deepEqual([refused.status, refused.body.error], [400, "geoip.overrides: two overrides for 1.2.0.0/16"]);
    assert.equal((await call(["config:write"], "PATCH", `${a.url}/v1/config`, { geoip: { overrides } })).status, 200);
    for (const { url } of [a, b]) {
      const there = await until(async () => {
        const place = (await whereIs(url, "1.2.3.4")) as { source: string; coordinates: { longitude: number } };
        return place.source === "override" ? place : undefined;
      });
      assert.ok(Math.abs(there.coordinates.longitude - 139.7) < 0.1, JSON.stringify(there));
    }
    await call(["config:write"], "POST", `${a.url}/v1/config/rollback`, { version: 0 });
    assert.deepEqual(await whereIs(a.url, "1.2.3.4"), berlin);

    assert.deepEqual((await call(["config:write"], "POST", `${a.url}/v1/geoip/update`, {})).body, { changed: [] });
    write("city.mmdb", halves(SYDNEY, BERLIN, { buildEpoch: 2000 }));
    assert.equal((await call(["fleet:read"], "POST", `${a.url}/v1/geoip/update`, {})).status, 403);
    assert.deepEqual((await call(["config:write"], "POST", `${a.url}/v1/geoip/update`, {})).body, { changed: [city] });
    assert.notDeepEqual(await whereIs(a.url, "1.2.3.4"), berlin);
    write("city.mmdb", Buffer.from("no database"));
    const damaged = await call(["config:write"], "POST", `${a.url}/v1/geoip/update`, {});
    assert.deepEqual([damaged.status, damaged.body.code], [422, "format"]);
    const { body } = await call(["fleet:read"], "GET", `${a.url}/v1/geoip`);
    assert.deepEqual([body.updates, body.unchanged, body.failedUpdates], [1, 1, 1]);
    assert.equal((await call(["fleet:read"], "GET", `${none.url}/v1/geoip`)).status, 404);
  });
});
