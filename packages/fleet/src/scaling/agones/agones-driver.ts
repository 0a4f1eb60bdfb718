/**
 * Nodes as GameServers of Agones, a Fleet for each region. A node is in service only while its GameServer is *Allocated*, so
 * that Agones never removes one with players:
 *
 * - a start waits until it has allocated a Ready GameServer by a `GameServerAllocation`; meanwhile the Fleet's autoscaler is
 *   told, by its webhook, that one more is wanted. The game server joins the fleet when it sees that it is Allocated.
 * - a stop deletes the GameServer. The game server could shut itself down by Agones' SDK instead; but one that hangs would not,
 *   and who never registered has nobody to tell it.
 *
 * Agones asks whichever balancer it reaches, so the leader puts what it wants into the store, where the others read it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { StateStore } from "../../store/state-store.ts";
import type { RegionScalingStatus } from "../scaling-decision.ts";
import type { ScalingDriver } from "../scaling-driver.ts";
import { answerReview } from "./autoscale-review.ts";
import type { FleetAutoscaleReview, FleetNeed } from "./autoscale-review.ts";
import { KubernetesError } from "./kubernetes-api.ts";
import type { KubernetesApi } from "./kubernetes-api.ts";
import { PublishedNeeds } from "./published-needs.ts";

export interface AgonesDriverOptions {
  readonly api: KubernetesApi;
  /** Of the Fleets. */
  readonly namespace: string;
  /** By region: the Fleet's name. */
  readonly fleets: Readonly<Record<string, string>>;
  /** GameServers of each Fleet that are Ready besides, so that the next nodes come at once. Default 0. */
  readonly warmNodes?: number;
  readonly store: Pick<StateStore, "put" | "watch" | "status">;
  readonly log: (line: string) => void;
  /** Default 2000 ms: while no GameServer is Ready. */
  readonly retryMs?: number;
}

interface AllocationStatus {
  readonly state?: string;
  readonly gameServerName?: string;
}

/** Others were faster: at once again, nearly. */
const CONTENTION_RETRY_MS = 200;
const MAX_RETRY_MS = 30_000;

export class AgonesDriver implements ScalingDriver {
  readonly kind = "agones";
  readonly #options: AgonesDriverOptions;
  readonly #retryMs: number;
  readonly #needs: PublishedNeeds;
  /** By region: starts that wait for a GameServer. */
  readonly #pending: Map<string, number> = new Map();
  /** By region: one allocation after the other. */
  readonly #turns: Map<string, Promise<void>> = new Map();
  readonly #closing = new AbortController();

  constructor(options: AgonesDriverOptions) {
    const { namespace, fleets, warmNodes = 0, store, log, retryMs = 2000 } = options;
    for (const name of [namespace, ...Object.values(fleets)])
      if (!NAME.test(name)) throw new RangeError(`"${name}" is no name that Kubernetes has`);
    if (!(warmNodes >= 0)) throw new RangeError(`warmNodes is ${warmNodes}`);
    this.#options = options;
    this.#retryMs = retryMs;
    this.#needs = new PublishedNeeds({ store, log });
  }

  async start(region: string, signal: AbortSignal): Promise<string> {
    const fleet = Object.hasOwn(this.#options.fleets, region) ? this.#options.fleets[region] : undefined;
    if (fleet === undefined) throw new RangeError(`region ${region} has no Agones Fleet: name it in \`fleets\``);
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    this.#count(region, 1);
    const before = this.#turns.get(region) ?? Promise.resolve();
    const { promise: turn, resolve: endTurn } = Promise.withResolvers<void>();
    this.#turns.set(region, turn);
    try {
      await before;
      return await this.#allocate(region, fleet, stop);
    } finally {
      this.#count(region, -1);
      endTurn();
    }
  }

  async stop(nodeId: string): Promise<void> {
    const { api } = this.#options;
    await api.call("DELETE", this.#pathOf(nodeId)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  owns(nodeId: string): boolean {
    return NAME.test(nodeId) && Object.values(this.#options.fleets).some((fleet) => nodeId.startsWith(`${fleet}-`));
  }

  async hasEnded(nodeId: string): Promise<boolean> {
    try {
      await this.#options.api.call("GET", this.#pathOf(nodeId));
      return false;
    } catch (error) {
      if (isMissing(error)) return true;
      throw error;
    }
  }

  note(regions: readonly RegionScalingStatus[]): void {
    const { fleets, warmNodes = 0 } = this.#options;
    const needs = new Map<string, FleetNeed>();
    for (const { region, drainingNodes } of regions)
      if (Object.hasOwn(fleets, region))
        needs.set(fleets[region], {
          pending: this.#pending.get(region) ?? 0,
          draining: drainingNodes,
          warm: warmNodes,
        });
    this.#needs.publish(needs, performance.now());
  }

  /** What Agones' webhook is answered, by any balancer. */
  review(review: FleetAutoscaleReview): FleetAutoscaleReview {
    const { name, namespace } = review.request;
    const isOurs = namespace === this.#options.namespace;
    return answerReview(review, isOurs ? this.#needs.of(name, performance.now()) : undefined);
  }

  /** GameServers stay: another balancer goes on with them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("this balancer closes"));
    await Promise.allSettled(this.#turns.values());
    this.#needs.close();
    this.#options.api[Symbol.dispose]();
  }

  async #allocate(region: string, fleet: string, signal: AbortSignal): Promise<string> {
    const { api, namespace, log } = this.#options;
    const path = `/apis/allocation.agones.dev/v1/namespaces/${namespace}/gameserverallocations`;
    const request = {
      apiVersion: "allocation.agones.dev/v1",
      kind: "GameServerAllocation",
      spec: { selectors: [{ matchLabels: { "agones.dev/fleet": fleet }, gameServerState: "Ready" }] },
    };
    let retryMs = this.#retryMs;
    for (;;) {
      signal.throwIfAborted();
      let waitMs = this.#retryMs;
      try {
        const { status } = (await api.call("POST", path, request)) as { readonly status?: AllocationStatus };
        if (status?.state === "Allocated" && status.gameServerName !== undefined) return status.gameServerName;
        if (status?.state === "Contention") waitMs = CONTENTION_RETRY_MS * (0.5 + Math.random());
        retryMs = this.#retryMs;
      } catch (error) {
        if (!isPassing(error)) throw error;
        log(`scaling ${region}: Agones did not allocate: ${error instanceof Error ? error.message : String(error)}`);
        waitMs = retryMs;
        retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
      }
      // Its rejection is the signal's, which the next turn throws.
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #count(region: string, change: number): void {
    this.#pending.set(region, (this.#pending.get(region) ?? 0) + change);
  }

  #pathOf(gameServer: string): string {
    if (!NAME.test(gameServer)) throw new RangeError(`"${gameServer}" is no GameServer's name`);
    return `/apis/agones.dev/v1/namespaces/${this.#options.namespace}/gameservers/${gameServer}`;
  }
}

/** A DNS subdomain of RFC 1123. */
const NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

function isMissing(error: unknown): boolean {
  return error instanceof KubernetesError && error.status === 404;
}

/** It may go better the next time: the API is busy, restarting, or cannot be reached. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof KubernetesError)) return !(error instanceof RangeError);
  return error.status === 409 || error.status === 429 || error.status >= 500;
}
