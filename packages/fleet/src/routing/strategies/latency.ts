import { drawEvenly } from "../draw-evenly.ts";
import type { Strategy } from "./strategy.ts";
import { latencyThenLoad, latencyThenLoadParts, one } from "./strategy.ts";

/** The region with the shortest round trip, and of the nodes drawn there the least loaded. */
export const latency: Strategy = {
  regionsCompared: one,
  draw: (decision, region, list) => drawEvenly(decision, region, list, decision.config.sampledNodes),
  score: latencyThenLoad,
  parts: latencyThenLoadParts,
};
