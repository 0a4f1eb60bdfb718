/** What a table of 10,000 nodes and a router hold, with all that has been worked out for players from everywhere. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { BenchResult } from "../bench.ts";
import { FleetScene } from "./fleet-scene.ts";
import { Players } from "./players.ts";

const NODES = 10_000;
const REGIONS = 300;
const ROUTES = 50_000;

export function measureMemory(): BenchResult {
  const players = new Players(REGIONS);
  const before = usedBytes();
  const scene = new FleetScene({ nodes: NODES, regions: REGIONS, players });
  for (let n = 0; n < ROUTES; n++) scene.route();
  const bytes = usedBytes() - before;
  return {
    figures: { memory_mb_10000_nodes: bytes / 1e6 },
    targets: { memory_mb_10000_nodes: 50 },
    details: [`kept by the router: ${JSON.stringify(scene.router.stats)}`],
  };
}

function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
