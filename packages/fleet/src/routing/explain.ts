/** A decision in words: every node with its score, or why it was not compared. */
import { FULL, READY } from "../registry/node-table.ts";
import type { Decision } from "./decision.ts";
import type { PoolSet } from "./pool-set.ts";
import type { Candidate, RejectionReason, RouteExplanation } from "./route-request.ts";

/** `best`: the place of the one that was taken among those that were compared, or -1. Call it before the next decision. */
export function explainDecision(
  decision: Decision,
  pools: PoolSet,
  best: number,
): Pick<RouteExplanation, "candidates" | "regions"> {
  const { table } = decision;
  const compared = new Set<number>();
  const taken: Candidate[] = [];
  const outscored: Candidate[] = [];
  for (let place = 0; place < decision.count; place++) {
    const index = decision.candidates[place];
    compared.add(index);
    if (place === best) taken.push(scored(decision, place));
    else outscored.push({ ...scored(decision, place), rejected: "outscored" });
  }
  outscored.sort((a, b) => (a.score ?? 0) - (b.score ?? 0));
  const rejected: Candidate[] = [];
  for (let index = 0; index < table.end; index++)
    if (table.has(index) && !compared.has(index)) rejected.push(rejection(decision, pools, index));
  return { candidates: [...taken, ...outscored, ...rejected], regions: regionsOf(decision) };
}

function scored(decision: Decision, place: number): Candidate {
  const { table, strategy } = decision;
  const index = decision.candidates[place];
  const region = table.region[index];
  const parts = strategy.parts(decision, index, decision.latencies.of(region));
  return { nodeId: table.idOf(index), region: table.regions.nameOf(region), score: decision.scores[place], parts };
}

function rejection(decision: Decision, pools: PoolSet, index: number): Candidate {
  const { table } = decision;
  const region = table.regions.nameOf(table.region[index]);
  const [rejected, detail] = whyNot(decision, pools, index);
  return { nodeId: table.idOf(index), region, rejected, detail };
}

/** The first reason of those that there are. */
function whyNot(decision: Decision, pools: PoolSet, index: number): readonly [RejectionReason, string] {
  const { table, filter, config } = decision;
  const region = table.region[index];
  if (table.state[index] !== READY && table.state[index] !== FULL)
    return ["state", `it is ${table.stateOf(index)}, not ready`];
  if (!filter.hasVersion(index)) return ["version", `it runs ${table.registrationOf(index).version}`];
  if (!filter.hostsMode(index)) return ["gameMode", `it hosts ${table.registrationOf(index).gameModes.join(", ")}`];
  if (!filter.hasLabels(index)) return ["label", "a label that is asked for is missing, or has another value"];
  if (!filter.admitsRegion(region)) return ["region", "its region is not among those asked for"];
  if (filter.isExcluded(index)) return ["excluded", "it was tried already"];
  if (!pools.isPanic(region, config.panicThreshold)) {
    if (table.ejectedUntil[index] > 0)
      return ["ejected", `too many placements came to nothing; left out until ${table.ejectedUntil[index]} ms`];
    if (table.suspected[index] === 1) return ["suspected", table.suspicionOf(index) ?? ""];
  }
  if (decision.isTooFar(region))
    return ["tooFar", `${decision.latencies.of(region).toFixed(0)} ms, more than ${config.maxLatencyMs}`];
  if (table.state[index] === FULL) return ["noSeats", "full, by its own word"];
  if (!decision.hasSeats(index)) return ["noSeats", `it has not the ${decision.seats} free seats for this request`];
  return ["notSampled", whyNotSampled(decision, pools, index)];
}

function whyNotSampled(decision: Decision, pools: PoolSet, index: number): string {
  if (pools.isSeatless(index)) return "it had no seats when it was last asked, and has not reported since";
  const share = decision.newcomerShare(index);
  if (share < 1) return `not drawn; it has just started and is drawn ${(100 * share).toFixed(0)} % as often as others`;
  return "not drawn";
}

function regionsOf({ table, latencies }: Decision): RouteExplanation["regions"] {
  const regions: Record<string, RouteExplanation["regions"][string]> = {};
  for (let region = 0; region < table.regions.count; region++) {
    if (table.regions.nodesIn(region) === 0) continue;
    regions[table.regions.nameOf(region)] = { latencyMs: latencies.of(region), source: latencies.sourceOf(region) };
  }
  return regions;
}
