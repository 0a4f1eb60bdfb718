import { hash } from "../../registry/rendezvous.ts";
import type { Decision } from "../decision.ts";
import { scan } from "../draw-evenly.ts";
import type { RegionList } from "../node-pool.ts";
import type { Strategy } from "./strategy.ts";
import { one } from "./strategy.ts";

/** Places of the table that are tried before the region is looked through. */
const MAX_ATTEMPTS = 32;

/**
 * The region with the shortest round trip, and there always the same node for the same key. Players from different places who
 * are to meet must name the region, too.
 */
export const consistentHash: Strategy = {
  regionsCompared: one,
  draw: drawByHash,
  score: (_view, _index, latencyMs) => latencyMs,
  parts: (_view, _index, latencyMs) => ({ latency: latencyMs }),
};

function drawByHash(decision: Decision, region: number, list: RegionList): number {
  const run = decision.runOf(region, list);
  if (run === 0) return 0;
  const key = hash(decision.hashKey);
  const { table, nodes } = decision.maglevOf(region, list);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const index = nodes[table.at(key, attempt)];
    if (!decision.isListed(index) || !decision.isUsable(index)) continue;
    decision.add(index);
    return 1;
  }
  return scan(decision, list, run, key % run, 1);
}
