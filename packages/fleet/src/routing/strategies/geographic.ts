import { drawEvenly } from "../draw-evenly.ts";
import type { Strategy } from "./strategy.ts";
import { latencyThenLoad, latencyThenLoadParts, one } from "./strategy.ts";

/** The nearest region on the map, and of the nodes drawn there the least loaded. */
export const geographic: Strategy = {
  byDistance: true,
  regionsCompared: one,
  draw: (decision, region, list) => drawEvenly(decision, region, list, decision.config.sampledNodes),
  score: latencyThenLoad,
  parts: latencyThenLoadParts,
};
