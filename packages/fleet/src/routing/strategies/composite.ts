import type { Decision } from "../decision.ts";
import { drawEvenly } from "../draw-evenly.ts";
import type { RegionList } from "../node-pool.ts";
import type { ScoreView, Strategy } from "./strategy.ts";

/**
 * The nodes drawn in the nearest `sampledRegions` regions, each by everything that counts, in ms of latency: round trip, load,
 * CPU, and where the player was last.
 */
export const composite: Strategy = {
  last: "also",
  regionsCompared: (config) => config.sampledRegions,
  draw,
  score: (view, index, latencyMs) =>
    view.config.weights.latency * latencyMs + loadPart(view, index) + cpuPart(view, index) + stickyPart(view, index),
  parts: (view, index, latencyMs) => ({
    latency: view.config.weights.latency * latencyMs,
    load: loadPart(view, index),
    cpu: cpuPart(view, index),
    sticky: stickyPart(view, index),
  }),
};

/** Who packs goes on filling the node that is being filled: it would hardly be drawn again. */
function draw(decision: Decision, region: number, list: RegionList): number {
  const { weights, sampledNodes } = decision.config;
  const filled = weights.load < 0 && list.filling >= 0 && decision.tryNode(list.filling) ? 1 : 0;
  return filled + drawEvenly(decision, region, list, sampledNodes);
}

function loadPart({ table, config }: ScoreView, index: number): number {
  return config.weights.load * table.loadShare[index];
}

function cpuPart({ table, config }: ScoreView, index: number): number {
  return config.weights.cpu * table.cpu[index];
}

/** Once for the region, and once more for the node itself. */
function stickyPart({ table, config, lastRegion, lastNode }: ScoreView, index: number): number {
  if (table.region[index] !== lastRegion) return 0;
  return index === lastNode ? -2 * config.weights.sticky : -config.weights.sticky;
}
