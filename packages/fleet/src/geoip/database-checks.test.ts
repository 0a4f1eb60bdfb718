import assert from "node:assert/strict";
import { test } from "node:test";
import { flat, halves } from "../../test/geoip-tools.ts";
import { writeMmdb } from "../../test/mmdb-writer.ts";
import type { MmdbOptions, MmdbValue } from "../../test/mmdb-writer.ts";
import { checkDatabase } from "./database-checks.ts";
import type { DatabaseChecks } from "./database-checks.ts";
import { GeoIpError } from "./geo-ip-error.ts";
import type { GeoIpErrorCode } from "./geo-ip-error.ts";
import { LocationDatabase } from "./location-database.ts";
import { MmdbFile } from "./mmdb-file.ts";

const BERLIN = flat("DE", "Berlin", 52.5, 13.4);
const SYDNEY = flat("AU", "Sydney", -33.9, 151.2);
const OLD = database(halves(BERLIN, SYDNEY));
const PROBES = [
  { ip: "8.8.8.8", country: "DE", coordinates: { latitude: 52, longitude: 13 } },
  { ip: "140.1.1.1", country: "AU" },
];

test("a good one passes, with and without one before", async () => {
  await checkDatabase(OLD, undefined, { probes: PROBES }, false);
  await checkDatabase(database(halves(BERLIN, SYDNEY, { buildEpoch: 1.76e9 })), OLD, { probes: PROBES }, false);
});

test("another type, another IP version, an older build: only by force", async () => {
  for (const [code, options] of [
    ["otherType", { databaseType: "test asn" }],
    ["otherType", { ipVersion: 6 }],
    ["older", { buildEpoch: 1.75e9 - 1 }],
  ] as const) {
    const candidate = database(halves(BERLIN, SYDNEY, options));
    await fails(code, candidate, {});
    await checkDatabase(candidate, OLD, { probes: PROBES }, true);
  }
});

test("known addresses must be where they should be, by force, too", async () => {
  const swapped = database(halves(SYDNEY, BERLIN));
  await fails("checks", swapped, { maxMoved: 1 }, /2 of 2 known addresses .*: 8\.8\.8\.8 in AU/);
  await fails("checks", swapped, { maxMoved: 1 }, /known addresses/, true);
  await checkDatabase(swapped, OLD, { probes: PROBES, minProbesRight: 0, maxMoved: 1 }, false);
  const far = database(halves(flat("DE", "Munich", 48.1, 11.6), SYDNEY));
  await fails("checks", far, { maxMoved: 1 }, /1 of 2 known/);
  await checkDatabase(far, OLD, { probes: PROBES, minProbesRight: 0.5, maxMoved: 1 }, false);
  await checkDatabase(far, OLD, { probes: PROBES, probeToleranceKm: 500, maxMoved: 1 }, false);
  // IPv6 is asked only of those that hold it.
  const six = [{ ip: "2a00::1", country: "FR" }];
  await checkDatabase(OLD, undefined, { probes: six }, false);
  await fails(
    "checks",
    database(halves(BERLIN, SYDNEY, { ipVersion: 6 })),
    { probes: six },
    /2a00::1 in no country/,
    true,
  );
  await assert.rejects(checkDatabase(OLD, undefined, { probes: [{ ip: "x", country: "DE" }] }, false), RangeError);
});

test("most addresses must be known, and about as many as before", async () => {
  const part = (prefixes: readonly string[]): LocationDatabase => of(prefixes.map((prefix) => [prefix, BERLIN]));
  await fails("checks", part(["0.0.0.0/2"]), { probes: [] }, /knows \d+ of 2000 addresses of IPv4, less than 1800/);
  await assert.rejects(checkDatabase(part(["0.0.0.0/2"]), undefined, { probes: [] }, false), /less than 1000/);
  await checkDatabase(part(["0.0.0.0/2"]), undefined, { probes: [], minKnown: 0.2 }, false);
  await checkDatabase(part(["0.0.0.0/1", "128.0.0.0/2"]), undefined, { probes: [] }, false);
  const six = of([...halvesOf(BERLIN), ["2a00::/12", BERLIN]], { ipVersion: 6 });
  const none = of([...halvesOf(BERLIN), ["2a00::/32", BERLIN]], { ipVersion: 6 });
  await assert.rejects(checkDatabase(none, six, { probes: [] }, false), /of IPv6/);
});

test("not too many may have moved", async () => {
  await checkDatabase(moved(4), OLD, { probes: [] }, false);
  await fails("checks", moved(1), { probes: [] }, /\d+ of 2000 addresses of IPv4 are somewhere else/);
  await checkDatabase(moved(1), OLD, { probes: [], maxMoved: 0.6 }, false);
  const countries = database(halves({ country_code: "DE" }, { country_code: "AU" }));
  const others = database(halves({ country_code: "AU" }, { country_code: "AU" }));
  await assert.rejects(checkDatabase(others, countries, { probes: [] }, false), /somewhere else/);
});

test("records that maxmind cannot read, or reads in another way, are refused", async () => {
  const damaged = halves(BERLIN, SYDNEY);
  // A text of 6 bytes becomes an integer of 6 bytes.
  damaged[damaged.indexOf("Berlin") - 1] ^= 0b111 << 5;
  await fails("format", database(damaged), { probes: [] }, /is damaged/, true);
  // Of two values with the same key maxmind takes the last.
  const doubled = writeMmdb({
    networks: halvesOf({ city: "A", country_code: "DE", latitude: 50.5, longitude: 9.5, longitudq: 99.5 }),
  });
  doubled.write("longitude", doubled.indexOf("longitudq"));
  await fails("format", database(doubled), { probes: [] }, /reads in two ways/, true);
});

/** Everything below the prefix is in Nice. */
function moved(length: number): LocationDatabase {
  return of([...halvesOf(BERLIN, SYDNEY), [`0.0.0.0/${length}`, flat("FR", "Nice", 43.7, 7.3)]]);
}

function database(bytes: Buffer): LocationDatabase {
  return new LocationDatabase(new MmdbFile(bytes), 50);
}

function of(networks: MmdbOptions["networks"], options: Partial<MmdbOptions> = {}): LocationDatabase {
  return database(writeMmdb({ ...options, networks }));
}

function halvesOf(low: MmdbValue, high: MmdbValue = low): [string, MmdbValue][] {
  return [
    ["0.0.0.0/1", low],
    ["128.0.0.0/1", high],
  ];
}

async function fails(
  code: GeoIpErrorCode,
  candidate: LocationDatabase,
  checks: DatabaseChecks,
  message = /./,
  force = false,
): Promise<void> {
  await assert.rejects(checkDatabase(candidate, OLD, { probes: PROBES, ...checks }, force), (error: unknown) => {
    assert.ok(error instanceof GeoIpError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}
