/**
 * What one balancer does for all: it removes nodes that have been lost for long and clients who have not played for long, and
 * scales. Who leads is agreed on in the store; while that is away nobody does, and nothing of it is urgent.
 */
import type { HealthConfig } from "../config/load-balancer-config.ts";
import type { Campaign, StateStore } from "../store/state-store.ts";
import type { LastRegions } from "./last-regions.ts";
import type { NodeRoster } from "./node-roster.ts";

export interface FleetLeaderOptions {
  readonly id: string;
  readonly store: StateStore;
  readonly roster: NodeRoster;
  readonly lastRegions: LastRegions;
  readonly config: () => HealthConfig;
  readonly unixMs: () => number;
  readonly log: (line: string) => void;
}

const LEASE_MS = 5000;
const NODES_EVERY_MS = 1000;
/** One part of 256: all in an hour. */
const CLIENTS_EVERY_MS = 14_000;

export class FleetLeader {
  readonly #options: FleetLeaderOptions;
  readonly #campaign: Campaign;
  #nodesDueAt = 0;
  #clientsDueAt = 0;

  constructor(options: FleetLeaderOptions) {
    const { id, store, log } = options;
    this.#options = options;
    this.#campaign = store.campaign("fleet", id, LEASE_MS, (leads) =>
      log(leads ? "this balancer leads now: it cleans up and scales" : "this balancer leads no longer"),
    );
  }

  get leads(): boolean {
    return this.#campaign.leads;
  }

  tick(now: number): void {
    if (!this.leads) return;
    if (now >= this.#nodesDueAt) {
      this.#nodesDueAt = now + NODES_EVERY_MS;
      this.#forgetNodes(now);
    }
    if (now >= this.#clientsDueAt) {
      this.#clientsDueAt = now + CLIENTS_EVERY_MS;
      const { lastRegions, unixMs } = this.#options;
      // What is left is removed in an hour.
      lastRegions.cleanNextPart(unixMs()).catch(() => 0);
    }
  }
  /** Lets another one lead at once. */
  close(): Promise<void> {
    return this.#campaign.close();
  }

  #forgetNodes(now: number): void {
    const { roster, config, log } = this.#options;
    const { forgetAfterMs } = config();
    for (const id of roster.lostSince(now - forgetAfterMs)) {
      log(`node ${id} has been lost for ${Math.round(forgetAfterMs / 1000)} s: it is forgotten`);
      roster.forget(id);
    }
  }
}
