// The databases that come with the package, as GeoIp reads them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { Reader } from "maxmind";
import type { Response } from "maxmind";
import { Random } from "@riposte/protocol";
import { DB_IP_ATTRIBUTION, NRO_ATTRIBUTION } from "../src/geoip/attribution.ts";
import { distanceKm } from "../src/geoip/coordinates.ts";
import { countryCentre } from "../src/geoip/country-centres.ts";
import { GeoIp } from "../src/geoip/geo-ip.ts";
import { IpAddress } from "../src/geoip/ip-address.ts";
import { MmdbFile } from "../src/geoip/mmdb-file.ts";
import { packagedCityDatabases, packagedCountryDatabases } from "../src/geoip/packaged-databases.ts";

/** In the layout of ip-location-db. */
interface CityRecord {
  readonly country_code: string;
  readonly latitude: number;
  readonly longitude: number;
}

const geoIp = await GeoIp.open();
after(() => geoIp.close());

test("well-known addresses are where they are", () => {
  const places = [
    ["8.8.8.8", "US", 37.4, -122.1],
    ["129.132.0.1", "CH", 47.4, 8.5],
    ["133.11.0.1", "JP", 35.7, 139.8],
    ["200.160.2.3", "BR", -23.5, -46.6],
    ["137.158.1.1", "ZA", -33.9, 18.5],
    ["130.216.1.1", "NZ", -36.9, 174.8],
    ["2001:610::1", "NL", 52.1, 5.1],
    ["2001:388::1", "AU", -33.8, 151.1],
    ["::ffff:129.132.0.1", "CH", 47.4, 8.5],
  ] as const;
  for (const [ip, country, latitude, longitude] of places) {
    const location = geoIp.estimateClientLocation(ip);
    assert.ok(location !== undefined, ip);
    assert.equal(location.country, country, ip);
    assert.equal(location.source, "city", ip);
    const off = distanceKm(location.coordinates, { latitude, longitude });
    assert.ok(off < 300, `${ip} is ${off} km off`);
  }
});

test("whatever the address: the same as maxmind, on the globe, and never (0, 0)", () => {
  const random = new Random(7);
  const readers = packagedCityDatabases().map(({ from }) => new Reader<Response>(readFileSync(from)));
  const address = new IpAddress();
  let known = 0;
  for (let i = 0; i < 20_000; i++) {
    if (i % 2 === 0) address.setV4(random.uint32());
    else address.setV6(0x20000000 + random.int(2 ** 29), random.uint32(), random.uint32(), random.uint32());
    const ip = address.toString();
    const location = geoIp.estimateClientLocation(ip);
    if (location === undefined) continue;
    known++;
    const { latitude, longitude } = location.coordinates;
    assert.ok(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180, ip);
    assert.ok(Math.abs(latitude) > 1 || Math.abs(longitude) > 1, ip);
    assert.ok(location.accuracyKm > 0, ip);
    const record = readers[i % 2].get(ip) as CityRecord | null;
    if (location.source !== "city") continue;
    assert.equal(location.country, record?.country_code);
    assert.ok(distanceKm(location.coordinates, record!) < 0.02, ip);
  }
  assert.ok(known > 12_000, `${known}`);
});

test("each country of the databases has a centre", () => {
  const [{ from }] = packagedCountryDatabases();
  const file = new MmdbFile(readFileSync(from));
  const codes = new Set<string>();
  // As they are written: two letters in a record, whose only key they are.
  for (const [, code] of file.bytes.toString("latin1", file.recordsStart, file.recordsEnd).matchAll(/\x42([A-Z]{2})/g))
    codes.add(code);
  assert.ok(codes.size > 240, `${codes.size}`);
  for (const code of codes) {
    const centre = countryCentre(code);
    assert.ok(centre !== undefined, code);
    assert.ok(centre.accuracyKm >= 25 && centre.accuracyKm < 10_000, code);
  }
  const canada = countryCentre("CA")!.coordinates;
  assert.ok(distanceKm(canada, { latitude: 43.7, longitude: -79.4 }) < 300, "where Canadians are");
});

test("whom to credit, and what there is", async () => {
  assert.deepEqual(geoIp.attributions, [DB_IP_ATTRIBUTION, NRO_ATTRIBUTION]);
  assert.deepEqual(
    geoIp.stats.databases.map(({ use, ipVersion }) => [use, ipVersion]),
    [
      ["city", 4],
      ["city", 6],
      ["country", 6],
    ],
  );
  assert.deepEqual(await geoIp.update(), { changed: [] });
});
