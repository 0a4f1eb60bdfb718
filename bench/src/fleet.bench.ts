/**
 * The global load balancer: routes among 10,000 nodes with the composite strategy, the table of the consistent hash, and
 * what all of it holds in memory. Each part is a file of `fleet/`.
 */
import type { Bench, BenchResult } from "./bench.ts";
import { measureMaglev } from "./fleet/maglev.ts";
import { measureMemory } from "./fleet/memory.ts";
import { measureRouting } from "./fleet/routing.ts";

export const bench: Bench = async (note) => {
  const parts: BenchResult[] = [measureMemory(), measureRouting(note), measureMaglev()];
  return await Promise.resolve({
    figures: merged(parts.map(({ figures }) => figures)),
    targets: merged(parts.map(({ targets }) => targets)),
    floors: merged(parts.map(({ floors = {} }) => floors)),
    spreads: merged(parts.map(({ spreads = {} }) => spreads)),
    details: parts.flatMap(({ details = [] }) => details),
  });
};

function merged(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  return Object.assign({}, ...records) as Record<string, number>;
}
