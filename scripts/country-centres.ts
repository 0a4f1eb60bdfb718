/**
 * Prints the table of packages/fleet/src/geoip/country-centres.ts, made from the packaged DB-IP City Lite:
 * `node scripts/country-centres.ts`. To be run again when the borders of countries or of their internet have moved.
 */
import { readFileSync } from "node:fs";
import { LocationDatabase } from "../packages/fleet/src/geoip/location-database.ts";
import { MmdbFile } from "../packages/fleet/src/geoip/mmdb-file.ts";
import { packagedCityDatabases } from "../packages/fleet/src/geoip/packaged-databases.ts";

type Vector = readonly [number, number, number];
type Network = readonly [at: Vector, weight: number];

/** A network counts by its addresses, but no more than a /20: else a few owners of a /8 would be their country. */
const MAX_WEIGHT = 4096;
const MIN_RADIUS_KM = 25;
const EARTH_RADIUS_KM = 6371;

const [ipv4] = packagedCityDatabases();
const file = new MmdbFile(readFileSync(ipv4.from));
const database = new LocationDatabase(file, 0);
const weights = new Map<number, number>();
file.forEachV4((offset, length) => {
  weights.set(offset, (weights.get(offset) ?? 0) + Math.min(MAX_WEIGHT, 2 ** (32 - length)));
});
const countries = new Map<string, Network[]>();
for (const [offset, weight] of weights) {
  const location = database.read(offset);
  if (location?.country === undefined) continue;
  const networks = countries.get(location.country) ?? [];
  networks.push([vectorOf(location.coordinates.latitude, location.coordinates.longitude), weight]);
  countries.set(location.country, networks);
}
for (const [country, networks] of [...countries].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  const median = geometricMedian(networks);
  const degrees = [Math.asin(median[2]), Math.atan2(median[1], median[0])].map((angle) => (angle * 180) / Math.PI);
  const radiusKm = Math.max(MIN_RADIUS_KM, Math.round(radiusOf(networks, median, 0.9)));
  console.log(`  ${country}: [${degrees.map((angle) => Number(angle.toFixed(2))).join(", ")}, ${radiusKm}],`);
}

/** Weiszfeld's algorithm, with straight distances through the globe. */
function geometricMedian(networks: readonly Network[]): Vector {
  let median = onSphere(sumOf(networks, () => 1));
  for (let i = 0; i < 1000; i++) {
    const last = median;
    median = onSphere(sumOf(networks, (at) => 1 / Math.max(1e-6, chord(at, last))));
    if (chord(median, last) < 1e-7) break;
  }
  return median;
}

function sumOf(networks: readonly Network[], factor: (at: Vector) => number): Vector {
  let [x, y, z] = [0, 0, 0];
  for (const [at, weight] of networks) {
    const share = weight * factor(at);
    x += at[0] * share;
    y += at[1] * share;
    z += at[2] * share;
  }
  return [x, y, z];
}

/** Within how many km of `from` this share of the weight is. */
function radiusOf(networks: readonly Network[], from: Vector, share: number): number {
  const byDistance = networks.map(([at, weight]) => ({ distance: chord(at, from), weight }));
  byDistance.sort((a, b) => a.distance - b.distance);
  let left = byDistance.reduce((sum, { weight }) => sum + weight, 0) * share;
  const last = byDistance.find(({ weight }) => (left -= weight) <= 0);
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, (last?.distance ?? 0) / 2));
}

function vectorOf(latitude: number, longitude: number): Vector {
  const [north, east] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return [Math.cos(north) * Math.cos(east), Math.cos(north) * Math.sin(east), Math.sin(north)];
}

function onSphere([x, y, z]: Vector): Vector {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

function chord(a: Vector, b: Vector): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
