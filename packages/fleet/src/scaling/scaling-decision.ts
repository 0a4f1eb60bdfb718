/** What the scaler decides, with its reason; and the last of it, for people. */

export type ScalingDecision = { readonly region: string; readonly reason: string } & (
  | { readonly kind: "start"; readonly count: number }
  /** Nobody new is sent to the node; it is stopped when it is empty. */
  | { readonly kind: "drain"; readonly nodeId: string }
  /** It drains no more. */
  | { readonly kind: "resume"; readonly nodeId: string }
  | { readonly kind: "stop"; readonly nodeId: string }
  /** Nodes that were asked for have not come, and are given up. `nodeIds`: of those that the driver has begun to start. */
  | { readonly kind: "giveUp"; readonly count: number; readonly nodeIds: readonly string[] }
);

export type ScalingDecisionKind = ScalingDecision["kind"];

/** How a region stands, and why nothing is done where something is missing. */
export interface RegionScalingStatus {
  readonly region: string;
  /** Ready, full or starting, or asked for. */
  readonly presentNodes: number;
  /** As many as there should be. */
  readonly wantedNodes: number;
  readonly startingNodes: number;
  /** Asked for, and not registered yet. */
  readonly askedNodes: number;
  readonly drainingNodes: number;
  readonly lostNodes: number;
  readonly minNodes: number;
  readonly maxNodes: number;
  readonly freeSeats: number;
  /** Of nodes on their way. */
  readonly comingSeats: number;
  readonly targetFreeSeats: number;
  /** Players who play or are on their way. */
  readonly demand: number;
  /** The most that are expected until a node that were asked for now would be ready. */
  readonly expectedDemand: number;
  /** Players who are taken to want to play there and find no seat. */
  readonly hiddenDemand: number;
  /** How long a node takes from being asked for to being ready: measured, or taken for granted. */
  readonly startupMs: number;
  /** Why it is as it is, in words. */
  readonly note: string;
}

export interface NotedDecision {
  /** Unix ms. */
  readonly at: number;
  readonly decision: ScalingDecision;
}

const MAX_NOTED = 256;

/** The newest decisions, at most 256. */
export class DecisionLog {
  readonly #noted: NotedDecision[] = [];
  #next = 0;

  note(decision: ScalingDecision, unixMs: number): void {
    this.#noted[this.#next] = { at: unixMs, decision };
    this.#next = (this.#next + 1) % MAX_NOTED;
  }

  /** The oldest first. */
  list(): readonly NotedDecision[] {
    if (this.#noted.length < MAX_NOTED) return [...this.#noted];
    return [...this.#noted.slice(this.#next), ...this.#noted.slice(0, this.#next)];
  }
}

export function describeDecision(decision: ScalingDecision): string {
  const { kind, region, reason } = decision;
  switch (kind) {
    case "start":
      return `scaling ${region}: starts ${nodes(decision.count)}: ${reason}`;
    case "giveUp":
      return `scaling ${region}: gives up ${nodes(decision.count)}: ${reason}`;
    case "drain":
      return `scaling ${region}: drains ${decision.nodeId}: ${reason}`;
    case "resume":
      return `scaling ${region}: ${decision.nodeId} drains no more: ${reason}`;
    case "stop":
      return `scaling ${region}: stops ${decision.nodeId}: ${reason}`;
  }
}

function nodes(count: number): string {
  return count === 1 ? "a node" : `${count} nodes`;
}
