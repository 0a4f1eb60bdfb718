import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { flat, folder, halves, ManualTimers } from "../../test/geoip-tools.ts";
import { writeMmdb } from "../../test/mmdb-writer.ts";
import { DB_IP_ATTRIBUTION } from "./attribution.ts";
import { countryCentre } from "./country-centres.ts";
import { GeoIp } from "./geo-ip.ts";
import type { GeoIpOptions, GeoIpUpdate } from "./geo-ip-options.ts";

const BERLIN = flat("DE", "Berlin", 52.5, 13.4);
const SYDNEY = flat("AU", "Sydney", -33.9, 151.2);
const GEOIP2 = {
  city: { geoname_id: 2950159n, names: { de: "Berlin", en: "Berlin" } },
  country: { iso_code: "DE", geoname_id: 2921044n },
  location: { accuracy_radius: 20n, latitude: 52.5, longitude: 13.4, time_zone: "Europe/Berlin" },
  subdivisions: [{ iso_code: "BE" }],
};
const CHECKS = { probes: [], minKnown: 0 };

test("a city, else the country", async (t) => {
  const write = folder(t);
  const city = write(
    "city.mmdb",
    writeMmdb({
      networks: [
        ["1.0.0.0/8", BERLIN],
        ["2.0.0.0/8", flat("FR", "", 46.2, 2.2)],
        ["3.0.0.0/8", flat("US", "Null Island", 0, 0)],
        ["4.0.0.0/8", flat("", "Null Island", 0.001, -0.001)],
        ["5.0.0.0/8", flat("ZZ", "", 47.5, 8.5)],
        ["6.0.0.0/8", flat("xx", "Nowhere", 91, 200)],
      ],
      floats: true,
    }),
  );
  const country = write("country.mmdb", halves({ country_code: "JP" }, { country_code: "QQ" }));
  await using geoIp = await open({ city: [{ from: city }], country: [{ from: country }] });
  const at = (ip: string): unknown => geoIp.estimateClientLocation(ip);
  const coordinates = { latitude: 52.5, longitude: 13.4 };
  assert.deepEqual(at("1.2.3.4"), { coordinates, source: "city", accuracyKm: 50, country: "DE" });
  assert.deepEqual(at("::ffff:1.2.3.4"), at("1.2.3.4"));
  assert.deepEqual(at("2.1.1.1"), countryCentre("FR"), "no city is named: where people are, not the middle of the map");
  assert.deepEqual(at("3.1.1.1"), countryCentre("US"), "never (0, 0)");
  assert.deepEqual(at("4.1.1.1"), countryCentre("JP"));
  const unnamed = {
    coordinates: { latitude: 47.5, longitude: 8.5 },
    source: "country",
    accuracyKm: 1000,
    country: "ZZ",
  };
  assert.deepEqual(at("5.1.1.1"), unnamed);
  assert.deepEqual(at("6.1.1.1"), countryCentre("JP"));
  assert.deepEqual(at("7.1.1.1"), countryCentre("JP"));
  assert.equal(at("200.1.1.1"), undefined);
  assert.equal(at("2a00::1"), undefined);
  for (const ip of ["10.0.0.1", "127.0.0.1", "::1", "fe80::1%eth0", "224.0.0.1"]) assert.equal(at(ip), undefined);
  for (const ip of ["", "x", "1.2.3", "1.2.3.4:80", "1.2.3.4 ", "[::1]", undefined, null, 7, {}, "1".repeat(1e6)])
    assert.equal(at(ip as string), undefined);
  assert.deepEqual(geoIp.stats.lookups, { override: 0, city: 3, country: 6, unknown: 2, special: 5, invalid: 11 });
  assert.deepEqual(geoIp.explain("1.2.3.4"), { outcome: "city", location: at("1.2.3.4"), database: city });
  assert.deepEqual(geoIp.explain("7.1.1.1"), { outcome: "country", location: countryCentre("JP"), database: country });
  assert.deepEqual(geoIp.explain("x"), { outcome: "invalid" });
});

test("MaxMind's layout, and of several databases the first that knows the place", async (t) => {
  const write = folder(t);
  const own = write(
    "own.mmdb",
    writeMmdb({
      networks: [
        ["1.0.0.0/8", GEOIP2],
        ["2.0.0.0/8", { ...GEOIP2, city: {}, subdivisions: [] }],
        ["3.0.0.0/8", { registered_country: { iso_code: "CA" } }],
      ],
      ipVersion: 6,
      databaseType: "GeoLite2-City",
    }),
  );
  const second = write("second.mmdb", halves(SYDNEY, SYDNEY));
  const geoIp = await open({ city: [{ from: own }], country: [] });
  const coordinates = { latitude: 52.5, longitude: 13.4 };
  assert.deepEqual(geoIp.estimateClientLocation("1.2.3.4"), {
    coordinates,
    source: "city",
    accuracyKm: 20,
    country: "DE",
  });
  assert.deepEqual(geoIp.estimateClientLocation("2.2.3.4"), countryCentre("DE"));
  assert.deepEqual(geoIp.estimateClientLocation("3.2.3.4"), countryCentre("CA"));
  assert.deepEqual(
    geoIp.attributions.map(({ url }) => url),
    ["https://db-ip.com", "https://www.maxmind.com"],
  );
  assert.deepEqual(await geoIp.update({ city: [{ from: own }, { from: second }] }), { changed: [second] });
  assert.equal(geoIp.explain("1.2.3.4").database, own);
  assert.equal(geoIp.explain("3.2.3.4").database, second);
});

test("overrides come first, and change while it runs", async (t) => {
  const write = folder(t);
  const coordinates = { latitude: 48.2, longitude: 16.4 };
  const overrides = [
    { prefix: "10.0.0.0/8", coordinates },
    { prefix: "1.1.1.1", unknown: true },
  ];
  const geoIp = await open({
    city: [{ from: write("c.mmdb", halves(BERLIN, SYDNEY)) }],
    country: [],
    overrides,
    maxOverrides: 2,
  });
  assert.deepEqual(geoIp.explain("10.1.1.1"), {
    outcome: "override",
    location: { coordinates, source: "override", accuracyKm: 25 },
    override: overrides[0],
  });
  assert.deepEqual(geoIp.explain("1.1.1.1"), { outcome: "unknown", override: overrides[1] });
  assert.throws(() => {
    geoIp.setOverrides([...overrides, { prefix: "::1", coordinates }]);
  }, RangeError);
  assert.deepEqual(geoIp.overrides, overrides);
  geoIp.setOverrides([{ prefix: "1.0.0.0/8", country: "JP" }]);
  assert.equal(geoIp.estimateClientLocation("10.1.1.1"), undefined);
  assert.equal(geoIp.estimateClientLocation("1.1.1.1")?.country, "JP");
  assert.equal(geoIp.estimateClientLocation("2.1.1.1")?.country, "DE");
  assert.equal(geoIp.stats.overrides, 1);
});

test("an update: looked at by itself, swapped in when it is good", async (t) => {
  const write = folder(t);
  const from = write("city.mmdb", halves(BERLIN, SYDNEY));
  const timers = new ManualTimers();
  let heard = Promise.withResolvers<GeoIpUpdate>();
  const onUpdate = (result: GeoIpUpdate): void => {
    heard.resolve(result);
  };
  const now = (): number => 1000 + timers.now;
  const geoIp = await open({ city: [{ from }], country: [], timers, updateEveryMs: 60_000, onUpdate, now });
  const next = (): Promise<GeoIpUpdate> => {
    heard = Promise.withResolvers();
    timers.advance(59_999);
    assert.equal(timers.waiting.size, 1);
    timers.advance(1);
    return heard.promise;
  };
  assert.deepEqual(await next(), { changed: [] });
  write("city.mmdb", halves(BERLIN, flat("AU", "Perth", -31.9, 115.9), { buildEpoch: 1.76e9 }));
  const { error: moved } = await next();
  assert.equal(moved?.code, "checks");
  assert.equal(geoIp.estimateClientLocation("140.1.1.1")?.coordinates.longitude, 151.2);
  assert.deepEqual(geoIp.stats.lastError, { code: "checks", message: moved.message, at: 121_000 });
  write("city.mmdb", halves(BERLIN, flat("AU", "Newcastle", -32.9, 151.8), { buildEpoch: 1.76e9 }));
  assert.deepEqual(await next(), { changed: [from] });
  assert.equal(geoIp.estimateClientLocation("140.1.1.1")?.coordinates.longitude, 151.8);
  const { updates, unchanged, failedUpdates, lastError, databases } = geoIp.stats;
  assert.deepEqual([updates, unchanged, failedUpdates, lastError], [1, 1, 1, undefined]);
  assert.equal(databases[0].builtAt, 1.76e12);
  assert.equal(databases[0].loadedAt, 181_000);
  await geoIp.close();
  assert.equal(timers.waiting.size, 0);
  assert.equal((await geoIp.update()).error?.code, "closed");
  assert.equal(geoIp.estimateClientLocation("1.1.1.1")?.country, "DE");
});

test("a bad update changes nothing", async (t) => {
  const write = folder(t);
  const good = halves(BERLIN, SYDNEY);
  const from = write("city.mmdb", good);
  const geoIp = await open({ city: [{ from }], country: [] });
  const { sha256 } = geoIp.stats.databases[0];
  const wrong = { city: [{ from, sha256: "0".repeat(64) }] };
  assert.equal((await geoIp.update(wrong)).error?.code, "hash", "the same file, but another is expected");
  const newer = halves(BERLIN, SYDNEY, { buildEpoch: 1.76e9 });
  for (const [code, bytes] of [
    ["format", Buffer.from("<html>busy</html>")],
    ["format", newer.subarray(0, -20)],
    ["format", Buffer.alloc(0)],
    ["otherType", halves(BERLIN, SYDNEY, { databaseType: "asn" })],
    ["older", halves(BERLIN, SYDNEY, { buildEpoch: 1.7e9 })],
    ["checks", writeMmdb({ networks: [["1.0.0.0/8", BERLIN]], buildEpoch: 1.76e9 })],
  ] as const) {
    write("city.mmdb", bytes);
    const { changed, error } = await geoIp.update();
    assert.deepEqual([changed, error?.code], [[], code]);
    assert.equal(geoIp.stats.databases[0].sha256, sha256);
    assert.equal(geoIp.estimateClientLocation("140.1.1.1")?.country, "AU");
    assert.equal(geoIp.stats.lastError?.code, code);
  }
  write("city.mmdb", newer);
  assert.equal((await geoIp.update(wrong)).error?.code, "hash");
  assert.equal((await geoIp.update({ city: [{ from }, { from: `${from}.not` }] })).error?.code, "unreadable");
  assert.equal(geoIp.stats.databases[0].sha256, sha256, "all of them or none");
  assert.deepEqual((await geoIp.update()).changed, [from]);
  write("city.mmdb", halves(BERLIN, SYDNEY, { buildEpoch: 1.7e9 }));
  assert.deepEqual((await geoIp.update({ force: true })).changed, [from]);
});

test("lookups go on during an update, and another one is refused", async (t) => {
  const write = folder(t);
  const from = write("city.mmdb", halves(BERLIN, SYDNEY));
  const geoIp = await open({ city: [{ from }], country: [] });
  write("city.mmdb", halves(BERLIN, flat("NZ", "Auckland", -36.8, 174.8), { buildEpoch: 1.76e9 }));
  const results: GeoIpUpdate[] = [];
  void geoIp.update({ force: true }).then((result) => results.push(result));
  assert.equal((await geoIp.update()).error?.code, "busy");
  let turns = 0;
  for (; results.length === 0; turns++) {
    assert.equal(geoIp.estimateClientLocation("1.1.1.1")?.country, "DE");
    await nextTurn();
  }
  assert.ok(turns > 10);
  // Too far away to have moved there.
  assert.equal(results[0].error?.code, "checks");
  const closing = geoIp.update();
  await geoIp.close();
  assert.equal((await closing).error?.code, "closed");
});

test("what has been read when it closes is not put to use any more", async (t) => {
  const write = folder(t);
  const from = write("city.mmdb", halves(BERLIN, SYDNEY));
  const opened: GeoIp[] = [];
  const closed: Promise<void>[] = [];
  // Asked for the time when a database has passed its checks.
  const now = (): number => {
    for (const geoIp of opened.splice(0)) closed.push(geoIp.close());
    return 0;
  };
  const geoIp = await open({ city: [{ from }], country: [], now });
  opened.push(geoIp);
  write("city.mmdb", halves(BERLIN, SYDNEY, { buildEpoch: 1.76e9 }));
  assert.equal((await geoIp.update()).error?.code, "closed");
  assert.equal(geoIp.stats.databases[0].builtAt, 1.75e12);
  await Promise.all(closed);
});

test("it does not open with what is no database, or with options that cannot be", async (t) => {
  const write = folder(t);
  const from = write("city.mmdb", "nothing");
  await assert.rejects(open({ city: [{ from }], country: [] }), { name: "GeoIpError", code: "format" });
  const none = { city: [], country: [] };
  for (const bad of [
    { updateEveryMs: -1 },
    { updateEveryMs: 2 ** 31 },
    { timeoutMs: 0 },
    { cityAccuracyKm: Number.NaN },
  ])
    await assert.rejects(open({ ...none, ...bad }), RangeError, JSON.stringify(bad));
  await assert.rejects(open({ ...none, overrides: [{ prefix: "x", country: "DE" }] }), RangeError);
  const geoIp = await open(none);
  assert.equal(geoIp.estimateClientLocation("8.8.8.8"), undefined);
  assert.deepEqual(geoIp.attributions, [DB_IP_ATTRIBUTION]);
});

test("property: any text gives a place on the globe or nothing", async (t) => {
  const geoIp = await open({
    city: [{ from: folder(t)("c.mmdb", halves(BERLIN, SYDNEY, { ipVersion: 6 })) }],
    country: [],
  });
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdefx.:%/")), maxLength: 40 }),
    fc.ipV4Extended(),
  );
  fc.assert(
    fc.property(text, (ip) => {
      const location = geoIp.estimateClientLocation(ip);
      assert.ok(location === undefined || location.source === "city");
    }),
  );
});

function open(options: GeoIpOptions): Promise<GeoIp> {
  return GeoIp.open({ checks: CHECKS, ...options });
}
