/**
 * What a configuration would have done to recorded requests: each is routed under the one in force and under the new one, and
 * the answers are compared.
 *
 * Assumes the fleet as it is now, for both: no seat is taken between two requests, so what a change does to the load of
 * nodes in the long run does not show. Both get the same draws, so a request that the change does not touch goes to
 * the same node under both.
 */
import type { RouteOutcome, RouteRequest } from "../routing/route-request.ts";
import type { LoadBalancerConfig } from "./load-balancer-config.ts";
import { diffConfigs } from "./config-diff.ts";
import type { RecordedRoute } from "./recorded-traffic.ts";

export interface DryRunRoute {
  readonly outcome: RouteOutcome;
  /** Estimated round trip of the worst client to the node, where anything is known. */
  readonly latencyMs?: number;
}

/** A router on the fleet as it is now; takes no seat. `seed` must decide all that it draws, and is the same under both configurations. */
export type RouteUnder = (config: LoadBalancerConfig, request: RouteRequest, seed: number) => DryRunRoute;

export interface DryRunOptions {
  readonly from: LoadBalancerConfig;
  readonly to: LoadBalancerConfig;
  readonly recorded: readonly RecordedRoute[];
  readonly route: RouteUnder;
}

export interface DryRunReport {
  readonly diff: readonly string[];
  readonly requests: number;
  /** Requests that are placed under both, in another region, or on another node of the same region. */
  readonly otherRegion: number;
  readonly otherNode: number;
  /** Placed under one and refused under the other. */
  readonly newlyRefused: number;
  readonly newlyPlaced: number;
  readonly before: DryRunSide;
  readonly after: DryRunSide;
}

interface DryRunSide {
  readonly placed: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly byRegion: Readonly<Record<string, number>>;
  /** Of the placed of which a latency is known; nothing: of none. */
  readonly meanLatencyMs?: number;
  readonly p95LatencyMs?: number;
}

/** In slices, so that a balancer that serves players can do it on the side. */
export class DryRun {
  readonly #options: DryRunOptions;
  readonly #before: Side = new Side();
  readonly #after: Side = new Side();
  #done = 0;
  #otherRegion = 0;
  #otherNode = 0;
  #newlyRefused = 0;
  #newlyPlaced = 0;

  constructor(options: DryRunOptions) {
    this.#options = options;
  }

  /** Replays up to so many more requests; whether there are further ones. */
  advance(requests: number): boolean {
    const { recorded } = this.#options;
    const end = Math.min(this.#done + requests, recorded.length);
    for (; this.#done < end; this.#done++) this.#replay(recorded[this.#done].request, this.#done);
    return this.#done < recorded.length;
  }

  /** Of what was replayed so far. */
  report(): DryRunReport {
    const { from, to } = this.#options;
    return {
      diff: diffConfigs(from, to),
      requests: this.#done,
      otherRegion: this.#otherRegion,
      otherNode: this.#otherNode,
      newlyRefused: this.#newlyRefused,
      newlyPlaced: this.#newlyPlaced,
      before: this.#before.report(),
      after: this.#after.report(),
    };
  }

  #replay(request: RouteRequest, seed: number): void {
    const { from, to, route } = this.#options;
    const [before, after] = [route(from, request, seed), route(to, request, seed)];
    this.#before.add(before);
    this.#after.add(after);
    const [left, right] = [nodeOf(before), nodeOf(after)];
    if (left === undefined && right === undefined) return;
    if (left === undefined) this.#newlyPlaced++;
    else if (right === undefined) this.#newlyRefused++;
    else if (left.region !== right.region) this.#otherRegion++;
    else if (left.id !== right.id) this.#otherNode++;
  }
}

/** All of it at once. */
export function dryRun(options: DryRunOptions): DryRunReport {
  const run = new DryRun(options);
  run.advance(options.recorded.length);
  return run.report();
}

class Side {
  #placed = 0;
  readonly #refused: Map<string, number> = new Map();
  readonly #byRegion: Map<string, number> = new Map();
  readonly #latencies: number[] = [];

  add({ outcome, latencyMs }: DryRunRoute): void {
    if ("refused" in outcome) {
      count(this.#refused, outcome.refused);
      return;
    }
    this.#placed++;
    count(this.#byRegion, outcome.node.region);
    if (latencyMs !== undefined) this.#latencies.push(latencyMs);
  }

  report(): DryRunSide {
    const sides = {
      placed: this.#placed,
      refused: Object.fromEntries(this.#refused),
      byRegion: Object.fromEntries(this.#byRegion),
    };
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    if (sorted.length === 0) return sides;
    const meanLatencyMs = sorted.reduce((sum, latency) => sum + latency, 0) / sorted.length;
    return { ...sides, meanLatencyMs, p95LatencyMs: sorted[Math.ceil(sorted.length * 0.95) - 1] };
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function nodeOf({ outcome }: DryRunRoute): { readonly id: string; readonly region: string } | undefined {
  return "refused" in outcome ? undefined : outcome.node;
}
