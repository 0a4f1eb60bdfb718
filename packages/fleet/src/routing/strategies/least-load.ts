import { drawEvenly } from "../draw-evenly.ts";
import type { Strategy } from "./strategy.ts";

/** The least loaded of the nodes drawn in the nearest `sampledRegions` regions; how far they are makes no difference. */
export const leastLoad: Strategy = {
  regionsCompared: (config) => config.sampledRegions,
  draw: (decision, region, list) => drawEvenly(decision, region, list, decision.config.sampledNodes),
  score: (view, index) => view.table.loadShare[index],
  parts: (view, index) => ({ load: view.table.loadShare[index] }),
};
