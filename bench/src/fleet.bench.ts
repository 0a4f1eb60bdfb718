/**
 * The global load balancer: routes among 10,000 nodes with the composite strategy, where each player's address is looked up
 * first; the lookups alone; the table of the consistent hash; what all of it holds in memory; and whole allocations over HTTP.
 * Each part is a file of `fleet/`.
 */
import { GeoIp } from "@riposte/fleet";
import type { Bench, BenchResult } from "./bench.ts";
import { measureGeoIp } from "./fleet/geoip.ts";
import { measureHttp } from "./fleet/http.ts";
import { measureMaglev } from "./fleet/maglev.ts";
import { measureMemory } from "./fleet/memory.ts";
import { measureRouting } from "./fleet/routing.ts";

export const bench: Bench = async (note) => {
  const parts: BenchResult[] = [measureMemory()];
  const geoIp = await GeoIp.open();
  parts.push(measureRouting(note, geoIp));
  await geoIp.close();
  parts.push(measureMaglev(), await measureGeoIp(), await measureHttp(note));
  return {
    figures: merged(parts.map(({ figures }) => figures)),
    targets: merged(parts.map(({ targets }) => targets)),
    floors: merged(parts.map(({ floors = {} }) => floors)),
    spreads: merged(parts.map(({ spreads = {} }) => spreads)),
    details: parts.flatMap(({ details = [] }) => details),
  };
};

function merged(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  return Object.assign({}, ...records) as Record<string, number>;
}
