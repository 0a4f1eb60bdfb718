/** What tells strategies apart: which regions, which of their nodes are looked at, and which of these is best. */
import type { RoutingConfig } from "../../config/load-balancer-config.ts";
import type { NodeTable } from "../../registry/node-table.ts";
import type { Decision } from "../decision.ts";
import type { RegionList } from "../node-pool.ts";

export interface Strategy {
  /** Regions come in order of distance, and what was measured only tells where a player is. Default false. */
  readonly byDistance?: boolean;
  /** The node and region that served the player last: tried before any other, or looked at as well. Default: nothing to it. */
  readonly last?: "first" | "also";
  /** Nodes of so many regions are compared: of the nearest that have any to offer. */
  regionsCompared(config: RoutingConfig): number;
  /** Adds candidates of a region, and some whenever it has any; returns how many. */
  draw(decision: Decision, region: number, list: RegionList): number;
  /** Lower is better. */
  score(view: ScoreView, index: number, latencyMs: number): number;
  /** What the score is the sum of. */
  parts(view: ScoreView, index: number, latencyMs: number): Readonly<Record<string, number>>;
}

/** What a score depends on, besides node and latency. */
export interface ScoreView {
  readonly table: NodeTable;
  readonly config: RoutingConfig;
  /** That served the player last, or -1. */
  readonly lastRegion: number;
  readonly lastNode: number;
}

/** Of one region the nearest counts; what a node's load adds only decides between nodes that are equally far. */
export function latencyThenLoad(view: ScoreView, index: number, latencyMs: number): number {
  return latencyMs + view.table.loadShare[index];
}

export function latencyThenLoadParts(
  view: ScoreView,
  index: number,
  latencyMs: number,
): Readonly<Record<string, number>> {
  return { latency: latencyMs, load: view.table.loadShare[index] };
}

export function one(): number {
  return 1;
}
