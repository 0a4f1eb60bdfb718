/**
 * Whether a database may be used: it is of the right kind, not older than the one in use, known addresses are where they should be,
 * a sample of addresses is known and has not moved too much, and `maxmind` reads the same in it as we do.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Random } from "@riposte/protocol";
import type { Coordinates } from "../registry/server-node.ts";
import type { ClientLocation } from "../routing/route-request.ts";
import { distanceKm, plausibleCoordinates } from "./coordinates.ts";
import { GeoIpError } from "./geo-ip-error.ts";
import { IpAddress } from "./ip-address.ts";
import type { LocationDatabase } from "./location-database.ts";
import { isPublicAddress } from "./special-addresses.ts";

/** An address of which is known where it is. */
export interface Probe {
  readonly ip: string;
  readonly country: string;
  /** Where, if it is known better; checked where the database knows places. */
  readonly coordinates?: Coordinates;
}

export interface DatabaseChecks {
  /** Default: some 30 universities and registries all over the world. */
  readonly probes?: readonly Probe[];
  /** How far a probe may be off. Default 300 km. */
  readonly probeToleranceKm?: number;
  /** Share of the probes of its IP version that must be right. Default 0.8. */
  readonly minProbesRight?: number;
  /** Random addresses that are looked up. Default 2000. */
  readonly sample?: number;
  /** Share of the sample of IPv4 that must be known. Default 0.5; and for either version nine tenths of what is known now. */
  readonly minKnown?: number;
  /** Share of the sample that may have moved by more than 500 km, or to another country. Default 0.25. */
  readonly maxMoved?: number;
}

/** Rejects with `GeoIpError`. `current` is in use now, if the same source gave one; `force` allows another type and an older build. */
export async function checkDatabase(
  candidate: LocationDatabase,
  current: LocationDatabase | undefined,
  checks: DatabaseChecks,
  force: boolean,
): Promise<void> {
  if (current !== undefined && !force) compareMetadata(candidate, current);
  checkProbes(candidate, checks);
  const { file } = candidate;
  const versions: (4 | 6)[] = [...(file.holdsV4 ? [4 as const] : []), ...(file.ipVersion === 6 ? [6 as const] : [])];
  for (const version of versions) await checkSample(candidate, current, version, checks);
}

const MOVED_KM = 500;
/** Lookups in one turn of the event loop. */
const LOOKUPS_PER_TURN = 50;
/** The same sample each time: what is known of it can be compared. */
const SAMPLE_SEED = 1;
/** What the registries have given out of IPv6, by its first 16 bits; any address in one has a chance to be known. */
const IPV6_STARTS = [0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2c00];

function compareMetadata({ file }: LocationDatabase, { file: now }: LocationDatabase): void {
  if (file.databaseType !== now.databaseType || file.ipVersion !== now.ipVersion) {
    const [is, was] = [file, now].map((one) => `"${one.databaseType}" of IPv${one.ipVersion}`);
    throw new GeoIpError("otherType", `it is ${is}, in use is ${was}`);
  }
  if (file.buildEpoch < now.buildEpoch) {
    const [is, was] = [file, now].map((one) => new Date(one.buildEpoch * 1000).toISOString());
    throw new GeoIpError("older", `it was built at ${is}, the one in use at ${was}`);
  }
}

function checkProbes(candidate: LocationDatabase, checks: DatabaseChecks): void {
  const { probes = PROBES, probeToleranceKm = 300, minProbesRight = 0.8 } = checks;
  const address = new IpAddress();
  const wrong: string[] = [];
  let asked = 0;
  for (const { ip, country, coordinates } of probes) {
    if (!address.parse(ip)) throw new RangeError(`probes: ${ip} is not an IP address`);
    if (address.version === 4 ? !candidate.file.holdsV4 : candidate.file.ipVersion !== 6) continue;
    asked++;
    const location = candidate.locate(address);
    const isFar =
      coordinates !== undefined &&
      location?.source === "city" &&
      distanceKm(coordinates, location.coordinates) > probeToleranceKm;
    if (location?.country !== country || isFar) wrong.push(`${ip} in ${location?.country ?? "no country"}`);
  }
  if (asked - wrong.length >= asked * minProbesRight) return;
  const some = wrong.slice(0, 5).join(", ");
  throw new GeoIpError("checks", `${wrong.length} of ${asked} known addresses are not where they should be: ${some}`);
}

async function checkSample(
  candidate: LocationDatabase,
  current: LocationDatabase | undefined,
  version: 4 | 6,
  { sample = 2000, minKnown = 0.5, maxMoved = 0.25 }: DatabaseChecks,
): Promise<void> {
  const random = new Random(SAMPLE_SEED);
  const address = new IpAddress();
  let known = 0;
  let knownNow = 0;
  let both = 0;
  let moved = 0;
  for (let i = 0; i < sample; i++) {
    if (i % LOOKUPS_PER_TURN === 0) await nextTurn();
    draw(random, version, address);
    const location = candidate.locate(address);
    compareWithReference(candidate, address, location);
    const now = current?.locate(address);
    if (location !== undefined) known++;
    if (now !== undefined) knownNow++;
    if (location === undefined || now === undefined) continue;
    both++;
    if (hasMoved(location, now)) moved++;
  }
  const least = Math.max(version === 4 ? sample * minKnown : 0, knownNow * 0.9);
  if (known < least)
    throw new GeoIpError(
      "checks",
      `it knows ${known} of ${sample} addresses of IPv${version}, less than ${Math.ceil(least)}`,
    );
  if (moved > both * maxMoved)
    throw new GeoIpError("checks", `${moved} of ${both} addresses of IPv${version} are somewhere else than before`);
}

function draw(random: Random, version: 4 | 6, address: IpAddress): void {
  if (version === 6) {
    const start = IPV6_STARTS[random.int(IPV6_STARTS.length)];
    address.setV6(start * 0x10000 + random.int(0x10000), random.uint32(), random.uint32(), random.uint32());
    return;
  }
  do address.setV4(random.uint32());
  while (!isPublicAddress(address));
}

function hasMoved(a: ClientLocation, b: ClientLocation): boolean {
  if (a.source === "city" && b.source === "city") return distanceKm(a.coordinates, b.coordinates) > MOVED_KM;
  return a.country !== b.country;
}

/** Both layouts, as `maxmind` decodes them. */
interface PlainRecord {
  readonly country_code?: string;
  readonly country?: { readonly iso_code?: string };
  readonly registered_country?: { readonly iso_code?: string };
  readonly latitude?: number;
  readonly longitude?: number;
  readonly location?: { readonly latitude?: number; readonly longitude?: number };
}

function compareWithReference(
  { file }: LocationDatabase,
  address: IpAddress,
  location: ClientLocation | undefined,
): void {
  let record: PlainRecord | null;
  try {
    record = file.reference.get(address.toString()) as PlainRecord | null;
  } catch (cause) {
    throw new GeoIpError("format", `its record of ${address.toString()} is damaged`, { cause });
  }
  const codes = [record?.country_code, record?.country?.iso_code, record?.registered_country?.iso_code];
  const country = codes.find((code) => /^[A-Z]{2}$/.test(code ?? ""));
  const { latitude = Number.NaN, longitude = Number.NaN } = record?.location ?? record ?? {};
  const coordinates = plausibleCoordinates(latitude, longitude);
  const isSame =
    location?.source === "city"
      ? coordinates !== undefined && distanceKm(coordinates, location.coordinates) < 0.1
      : coordinates === undefined || location !== undefined;
  if (!isSame || (location !== undefined && location.country !== country))
    throw new GeoIpError("format", `its record of ${address.toString()} reads in two ways`);
}

/** Registries, universities and research networks: at their places for decades. Without coordinates: all over their country. */
const PROBES: readonly Probe[] = [
  { ip: "8.8.8.8", country: "US" },
  { ip: "193.0.6.139", country: "NL", coordinates: { latitude: 52.37, longitude: 4.89 } },
  { ip: "202.12.29.175", country: "AU", coordinates: { latitude: -27.47, longitude: 153.03 } },
  { ip: "200.160.2.3", country: "BR", coordinates: { latitude: -23.56, longitude: -46.69 } },
  { ip: "133.11.0.1", country: "JP", coordinates: { latitude: 35.71, longitude: 139.76 } },
  { ip: "129.132.0.1", country: "CH", coordinates: { latitude: 47.38, longitude: 8.55 } },
  { ip: "130.88.0.1", country: "GB", coordinates: { latitude: 53.47, longitude: -2.23 } },
  { ip: "141.20.0.1", country: "DE", coordinates: { latitude: 52.52, longitude: 13.39 } },
  { ip: "128.32.0.1", country: "US", coordinates: { latitude: 37.87, longitude: -122.26 } },
  { ip: "18.7.0.1", country: "US", coordinates: { latitude: 42.36, longitude: -71.09 } },
  { ip: "132.248.10.44", country: "MX", coordinates: { latitude: 19.33, longitude: -99.19 } },
  { ip: "137.132.0.1", country: "SG", coordinates: { latitude: 1.3, longitude: 103.78 } },
  { ip: "143.248.1.1", country: "KR", coordinates: { latitude: 36.37, longitude: 127.36 } },
  { ip: "140.112.1.1", country: "TW", coordinates: { latitude: 25.02, longitude: 121.54 } },
  { ip: "147.8.0.1", country: "HK", coordinates: { latitude: 22.28, longitude: 114.14 } },
  { ip: "128.100.100.128", country: "CA", coordinates: { latitude: 43.66, longitude: -79.4 } },
  { ip: "130.216.1.1", country: "NZ", coordinates: { latitude: -36.85, longitude: 174.77 } },
  { ip: "137.158.1.1", country: "ZA", coordinates: { latitude: -33.96, longitude: 18.46 } },
  { ip: "130.237.0.1", country: "SE", coordinates: { latitude: 59.35, longitude: 18.07 } },
  { ip: "131.130.0.1", country: "AT", coordinates: { latitude: 48.21, longitude: 16.36 } },
  { ip: "14.139.0.1", country: "IN" },
  { ip: "200.89.75.1", country: "CL", coordinates: { latitude: -33.46, longitude: -70.66 } },
  { ip: "2001:610::1", country: "NL" },
  { ip: "2001:388::1", country: "AU" },
  { ip: "2001:638::1", country: "DE" },
  { ip: "2001:630::1", country: "GB" },
  { ip: "2001:660::1", country: "FR" },
  { ip: "2001:12ff::1", country: "BR", coordinates: { latitude: -23.56, longitude: -46.69 } },
  { ip: "2001:468::1", country: "US" },
  { ip: "2001:410::1", country: "CA" },
  { ip: "2001:620::1", country: "CH" },
  { ip: "2001:288::1", country: "TW" },
  { ip: "2001:700::1", country: "NO" },
  { ip: "2001:6b0::1", country: "SE" },
];
