/**
 * Asks nodes for their health over HTTP: each node is asked by one balancer, so that the whole fleet is asked once in
 * `checkEveryMs`, however many balancers there are. Which one follows from the names alone (rendezvous hashing), and only the
 * share of a balancer that comes or goes moves.
 */
import type { HealthConfig } from "../config/load-balancer-config.ts";
import type { ServerNode } from "../registry/server-node.ts";
import { rankOf } from "../registry/rendezvous.ts";

export interface HealthChecksOptions {
  readonly balancer: string;
  readonly config: () => HealthConfig;
  readonly nodes: () => Iterable<Pick<ServerNode, "id" | "healthUrl">>;
  /** Balancers that are alive, this one included. */
  readonly liveBalancers: () => readonly string[];
  readonly onResult: (id: string, isGood: boolean) => void;
  /** Checks that run at once. Default 64: what is more waits for the next round. */
  readonly maxRunning?: number;
}

/** In calls. */
const PRUNE_EVERY = 256;

export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #running: Map<string, AbortController> = new Map();
  readonly #dueAt: Map<string, number> = new Map();
  #turn = 0;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Nodes of which it is known when they are to be checked. */
  get scheduled(): number {
    return this.#dueAt.size;
  }

  /** Starts the checks that are due. Call it some ten times a second. */
  performHealthChecks(now: number): void {
    const { config, nodes, liveBalancers, balancer, maxRunning = 64 } = this.#options;
    const { checkEveryMs } = config();
    const balancers = liveBalancers();
    const turn = ++this.#turn;
    if (turn % PRUNE_EVERY === 0) this.#prune();
    for (const { id, healthUrl } of nodes()) {
      if (healthUrl === undefined || this.#running.has(id)) continue;
      const dueAt = this.#dueAt.get(id);
      // The first ones are spread over the period, not asked all at once.
      if (dueAt === undefined) this.#dueAt.set(id, now + ((turn * 37 + this.#dueAt.size * 61) % checkEveryMs));
      if (dueAt === undefined || now < dueAt || this.#running.size >= maxRunning) continue;
      this.#dueAt.set(id, now + checkEveryMs);
      if (rankOf(id, balancers)[0] === balancer) void this.#check(id, healthUrl);
    }
  }

  close(): void {
    for (const controller of this.#running.values()) controller.abort();
  }

  /** Nodes that are gone are not remembered. */
  #prune(): void {
    const present = new Set<string>();
    for (const { id } of this.#options.nodes()) present.add(id);
    for (const id of this.#dueAt.keys()) if (!present.has(id)) this.#dueAt.delete(id);
  }

  async #check(id: string, url: string): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(this.#options.config().checkTimeoutMs)]);
    let isGood = false;
    try {
      const response = await fetch(url, { signal, redirect: "error" });
      isGood = response.ok;
      await response.body?.cancel();
    } catch {
      // Refused, late or broken off: all the same.
    }
    this.#running.delete(id);
    if (!controller.signal.aborted) this.#options.onResult(id, isGood);
  }
}
