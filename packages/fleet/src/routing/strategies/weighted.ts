import type { Decision } from "../decision.ts";
import type { RegionList } from "../node-pool.ts";
import type { Strategy } from "./strategy.ts";
import { one } from "./strategy.ts";

/** Draws that may be rejected before the whole region is looked at. */
const MAX_DRAWS = 16;

/** The region with the shortest round trip, and one node there, each as often as its weight says. */
export const weighted: Strategy = {
  regionsCompared: one,
  draw: drawByWeight,
  score: (_view, _index, latencyMs) => latencyMs,
  parts: (_view, _index, latencyMs) => ({ latency: latencyMs }),
};

function drawByWeight(decision: Decision, region: number, list: RegionList): number {
  const { random, table } = decision;
  const run = decision.runOf(region, list);
  if (run === 0) return 0;
  for (let drawn = 0; drawn < MAX_DRAWS; drawn++) {
    const index = list.nodes[random.int(run)];
    const share = (table.weight[index] / list.maxWeight) * decision.newcomerShare(index);
    if (random.next() < share && decision.isUsable(index)) {
      decision.add(index);
      return 1;
    }
  }
  // One pass in which each takes the place of whoever has it by its share of the sum so far.
  let chosen = -1;
  let sum = 0;
  for (let i = 0; i < run; i++) {
    const index = list.nodes[i];
    if (!decision.isUsable(index)) continue;
    const share = table.weight[index] * decision.newcomerShare(index);
    sum += share;
    if (random.next() * sum < share) chosen = index;
  }
  if (chosen < 0) return 0;
  decision.add(chosen);
  return 1;
}
