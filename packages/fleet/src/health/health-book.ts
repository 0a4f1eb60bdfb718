/**
 * What one balancer knows of the nodes' health: when each was heard, what its own checks and the other balancers say, and
 * what follows. Suspicion by anybody stops placement at once and costs little when it is wrong; a node is lost only when it has
 * not been heard for long *and* most live balancers say the same. Neither touches a running session.
 *
 * Assumes that balancers do not lie, but may be cut off: one that hears less than half of the nodes, and less than half as many
 * as another one hears, suspects itself, and says nothing about others.
 */
import type { HealthConfig } from "../config/load-balancer-config.ts";

export type NodeHealth = "good" | "suspected" | "lost";

/** What a balancer tells the others about nodes, by their ids. */
export interface HealthVote {
  /** Nodes it suspects, for reasons of its own. */
  readonly suspects: readonly string[];
  /** Nodes it has not heard for `loseAfterMs`. */
  readonly unheard: readonly string[];
  /** How many it hears. Default: all. */
  readonly heard?: number;
}

export interface HealthBookOptions {
  readonly config: () => HealthConfig;
  /** Hears of every change, in the order in which they happen. */
  readonly onChange: (id: string, health: NodeHealth, reason: string) => void;
}

interface NodeRecord {
  heardAt: number;
  /** Of the checks by this balancer: how many failed one after the other. */
  failedChecks: number;
  health: NodeHealth;
  /** No suspicion since then. */
  quietSince: number;
  /** How long it must be quiet to be trusted: doubles with each suspicion. */
  trustAfterMs: number;
  trustedAt: number;
}

interface Peer {
  suspects: ReadonlySet<string>;
  unheard: ReadonlySet<string>;
  heard: number;
}

/** In `trustAfterMs`: the longest wait, and for how long a node must be good for all to be forgotten. */
const MAX_BACKOFF = 10;
const FORGOTTEN_AFTER = 60;
const FAILED_CHECKS = 2;

export class HealthBook {
  readonly #options: HealthBookOptions;
  readonly #nodes: Map<string, NodeRecord> = new Map();
  readonly #peers: Map<string, Peer> = new Map();

  constructor(options: HealthBookOptions) {
    this.#options = options;
  }

  /** A node that is known from now on; it has some time to be heard. */
  add(id: string, now: number): void {
    if (this.#nodes.has(id)) return;
    const { trustAfterMs } = this.#options.config();
    const record = { heardAt: now, failedChecks: 0, quietSince: now, trustAfterMs, trustedAt: now };
    this.#nodes.set(id, { ...record, health: "good" });
  }

  remove(id: string): void {
    this.#nodes.delete(id);
  }

  healthOf(id: string): NodeHealth | undefined {
    return this.#nodes.get(id)?.health;
  }

  noteReport(id: string, now: number): void {
    const node = this.#nodes.get(id);
    if (node !== undefined) node.heardAt = now;
  }

  /** A check by this balancer. One that fails alone says little: the second one counts. */
  noteCheck(id: string, isGood: boolean): void {
    const node = this.#nodes.get(id);
    if (node !== undefined) node.failedChecks = isGood ? 0 : node.failedChecks + 1;
  }

  /** What another balancer says; it counts until it says something else, or `forgetPeer`. */
  noteVote(balancer: string, vote: HealthVote): void {
    const { suspects, unheard, heard = Infinity } = vote;
    this.#peers.set(balancer, { suspects: new Set(suspects), unheard: new Set(unheard), heard });
  }

  /** The balancer is not alive. */
  forgetPeer(balancer: string): void {
    this.#peers.delete(balancer);
  }

  /** Whether nothing has been heard of it lately, although of most others it has. */
  isSilent(id: string, now: number): boolean {
    const node = this.#nodes.get(id);
    const isLate = node !== undefined && now - node.heardAt > this.#options.config().suspectAfterMs;
    return isLate && !this.isIsolated(now);
  }

  /** Whether this balancer seems to be cut off: where the others hear no more nodes than it does, it is the nodes. */
  isIsolated(now: number): boolean {
    const heard = this.#countHeard(now);
    if (this.#nodes.size <= 1 || heard * 2 >= this.#nodes.size) return false;
    if (this.#peers.size === 0) return true;
    for (const peer of this.#peers.values()) if (peer.heard > 2 * heard) return true;
    return false;
  }

  /** What to tell the others. */
  vote(now: number): HealthVote {
    const suspects: string[] = [];
    const unheard: string[] = [];
    const heard = this.#countHeard(now);
    if (this.isIsolated(now)) return { suspects, unheard, heard };
    const { loseAfterMs } = this.#options.config();
    for (const [id, node] of this.#nodes) {
      if (this.#reasonOf(node, now) !== undefined) suspects.push(id);
      if (now - node.heardAt > loseAfterMs) unheard.push(id);
    }
    return { suspects, unheard, heard };
  }

  /** Draws the conclusions. Call it a few times a second. */
  update(now: number): void {
    for (const [id, node] of this.#nodes) this.#judge(id, node, now);
  }

  #countHeard(now: number): number {
    const { suspectAfterMs } = this.#options.config();
    let heard = 0;
    for (const { heardAt } of this.#nodes.values()) if (now - heardAt <= suspectAfterMs) heard++;
    return heard;
  }

  #judge(id: string, node: NodeRecord, now: number): void {
    const { loseAfterMs, trustAfterMs } = this.#options.config();
    if (now - node.heardAt > loseAfterMs && this.#isUnheardByMost(id)) {
      if (node.health !== "lost") this.#set(id, node, "lost", `not heard for ${Math.round(now - node.heardAt)} ms`);
      node.quietSince = now;
      return;
    }
    // Heard again; if it falls silent before it is trusted, it is lost once more.
    if (node.health === "lost" && now - node.heardAt <= loseAfterMs) this.#set(id, node, "suspected", "heard again");
    const reason = this.#reasonOf(node, now) ?? this.#suspectedByOther(id);
    if (reason !== undefined) {
      node.quietSince = now;
      if (node.health !== "good") return;
      // What flaps is trusted later each time.
      const isFlapping = now - node.trustedAt < trustAfterMs * FORGOTTEN_AFTER;
      node.trustAfterMs = isFlapping ? Math.min(node.trustAfterMs * 2, trustAfterMs * MAX_BACKOFF) : trustAfterMs;
      this.#set(id, node, "suspected", reason);
    } else if (node.health !== "good" && now - node.quietSince >= node.trustAfterMs) {
      node.trustedAt = now;
      this.#set(id, node, "good", "quiet again");
    }
  }

  #set(id: string, node: NodeRecord, health: NodeHealth, reason: string): void {
    node.health = health;
    this.#options.onChange(id, health, reason);
  }

  #reasonOf(node: NodeRecord, now: number): string | undefined {
    const late = now - node.heardAt;
    if (late > this.#options.config().suspectAfterMs) return `no report for ${Math.round(late)} ms`;
    return node.failedChecks >= FAILED_CHECKS ? `${node.failedChecks} health checks failed` : undefined;
  }

  #suspectedByOther(id: string): string | undefined {
    for (const [balancer, { suspects }] of this.#peers) if (suspects.has(id)) return `suspected by ${balancer}`;
    return undefined;
  }

  /** This balancer has not heard it; do most of all live ones say the same? */
  #isUnheardByMost(id: string): boolean {
    let votes = 1;
    for (const { unheard } of this.#peers.values()) if (unheard.has(id)) votes++;
    return votes * 2 > this.#peers.size + 1;
  }
}
