import { drawEvenly } from "../draw-evenly.ts";
import type { Strategy } from "./strategy.ts";
import { latencyThenLoad, latencyThenLoadParts, one } from "./strategy.ts";

/** Where the player was last: that node, else that region, else as `powerOfTwo`. */
export const sticky: Strategy = {
  last: "first",
  regionsCompared: one,
  draw: (decision, region, list) => drawEvenly(decision, region, list, 2),
  score: latencyThenLoad,
  parts: latencyThenLoadParts,
};
