/** Who starts and stops nodes: processes of this machine, or a cluster. Promises that reject are said in the log, and what was wanted is tried again. */
import type { RegionScalingStatus } from "./scaling-decision.ts";

export interface ScalingDriver extends AsyncDisposable {
  /** "local", "agones". */
  readonly kind: string;
  /**
   * Begins to start one node, and resolves to its id when it is sure to come. Rejects when it cannot be started, and when
   * `signal` is aborted before.
   */
  start(region: string, signal: AbortSignal): Promise<string>;
  /** Ends a node; resolves when it has ended, or surely will. A node that has ended before is none to worry about. */
  stop(nodeId: string): Promise<void>;
  /** Whether it has started the node, so that it may be stopped. */
  owns(nodeId: string): boolean;
  /** Whether the node has surely ended; asked about those that are not heard of. */
  hasEnded(nodeId: string): Promise<boolean>;
  /** How regions stand, about once a second while this balancer leads and has settled. */
  note?(regions: readonly RegionScalingStatus[]): void;
}
