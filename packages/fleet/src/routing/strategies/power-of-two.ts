import { drawEvenly } from "../draw-evenly.ts";
import type { Strategy } from "./strategy.ts";
import { latencyThenLoad, latencyThenLoadParts, one } from "./strategy.ts";

/**
 * The region with the shortest round trip, and of two nodes there the less loaded (Mitzenmacher, 2001): as even as makes no
 * difference, and no crowd on the node that was least loaded a moment ago.
 */
export const powerOfTwo: Strategy = {
  regionsCompared: one,
  draw: (decision, region, list) => drawEvenly(decision, region, list, 2),
  score: latencyThenLoad,
  parts: latencyThenLoadParts,
};
