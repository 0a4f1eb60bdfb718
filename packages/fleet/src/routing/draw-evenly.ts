/** Draws some nodes of a region, each as likely as another; those that have just started less often. */
import type { Decision } from "./decision.ts";
import type { RegionList } from "./node-pool.ts";

/** For each node that is wanted: some are drawn twice, have no seats, or have just started. */
const DRAWS_PER_NODE = 3;

/**
 * Adds up to `wanted` candidates; returns how many. When nothing that was drawn is of use, the region is looked through, so
 * that whatever can be used is found.
 */
export function drawEvenly(decision: Decision, region: number, list: RegionList, wanted: number): number {
  const run = decision.runOf(region, list);
  if (run === 0) return 0;
  const { random } = decision;
  const { nodes } = list;
  let found = 0;
  if (run <= wanted) {
    for (let i = 0; i < run; i++) if (decision.acceptsNewcomer(nodes[i]) && decision.tryNode(nodes[i])) found++;
  } else {
    for (let draws = DRAWS_PER_NODE * wanted; draws > 0 && found < wanted; draws--) {
      const index = nodes[random.int(run)];
      if (decision.acceptsNewcomer(index) && decision.tryNode(index)) found++;
    }
  }
  return found > 0 ? found : scan(decision, list, run, random.int(run), wanted);
}

/** All of the first `run` nodes, from one of them on, until there are enough. */
export function scan(decision: Decision, list: RegionList, run: number, from: number, wanted: number): number {
  let found = 0;
  for (let i = from; i < run && found < wanted; i++) if (decision.tryNode(list.nodes[i])) found++;
  for (let i = 0; i < from && found < wanted; i++) if (decision.tryNode(list.nodes[i])) found++;
  return found;
}
