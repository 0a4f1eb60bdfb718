/**
 * From a player's request to a seat and a token: picks a node, takes seats out of what it has lent, has another balancer
 * remember the answer, and only then gives it. Asks no store, and waits for nobody but that other balancer.
 */
import type { AllocateReply, AllocateRequest, Allocation } from "../http/balancer-api.ts";
import type { SeatConfig } from "../config/load-balancer-config.ts";
import { NotSentError } from "../peers/peer-link.ts";
import type { NodeTable } from "../registry/node-table.ts";
import type { ServerNode } from "../registry/server-node.ts";
import type { FleetMetrics } from "../metrics/fleet-metrics.ts";
import type { RouteRequest, RoutingStrategy } from "../routing/route-request.ts";
import type { Router } from "../routing/router.ts";
import type { ClaimBook } from "../seats/claim-book.ts";
import type { ClaimMessage, ClaimReply, SeatClaim } from "../seats/seat-claim.ts";
import type { SeatPool, TakenSeats } from "../seats/seat-pool.ts";
import type { TokenWriter } from "./token-writer.ts";

/** What a key's answer is made from, at any balancer. */
export interface AllocationFacts {
  readonly region: string;
  readonly strategy: RoutingStrategy;
  readonly room: string;
  /** Unix ms, by the clock of the node. */
  readonly issuedAt: number;
  /** How long the seats are kept. */
  readonly keptMs: number;
  readonly expireSeconds: number;
  readonly timeoutSeconds: number;
  readonly addresses: readonly string[];
  readonly userData: readonly string[];
}

export type AllocationClaim = SeatClaim<AllocationFacts>;

/** What became of an attempt: an answer, or why there is none. */
export type Placement =
  | { readonly claim: AllocationClaim }
  | { readonly refused: "full" | "noMatch" | "noNodes" | "askAgain" };

export interface AllocatorOptions {
  readonly self: string;
  readonly table: NodeTable;
  readonly router: Router;
  readonly pool: SeatPool;
  readonly claims: ClaimBook<AllocationFacts>;
  readonly tokens: TokenWriter;
  readonly config: () => SeatConfig;
  readonly now: () => number;
  /** What a node's own clock says. */
  readonly unixMsAt: (index: number) => number;
  /** Has another balancer take the claim. Rejects when that does not answer; `isRefused` of the error: it surely has not got it. */
  readonly askPeer: (peer: string, claim: ClaimMessage<AllocationFacts>) => Promise<ClaimReply<AllocationFacts>>;
  /**
   * Whether it is known what others know: there has been time to hear of them, and this process was not stopped since `beganAt`,
   * when others may have answered in its place.
   */
  readonly isSure: (beganAt: number) => boolean;
  readonly metrics?: Pick<FleetMetrics, "noteRoute" | "notePlacement" | "noteLatency" | "noteClaim">;
}

/** Nodes that are tried for one request: each may have given away its last seat a moment ago. */
const MAX_ATTEMPTS = 4;

/** Somebody who waits for a node's word, or another balancer's. */
interface Sleeper {
  readonly index: number;
  readonly wake: () => void;
}

export class Allocator {
  /** Since it started: requests of which this balancer took the seats. */
  placements = 0;
  readonly #options: AllocatorOptions;
  /** By key. */
  readonly #sleepers: Map<string, Sleeper> = new Map();

  constructor(options: AllocatorOptions) {
    this.#options = options;
  }

  /** Finds seats and makes sure of them. */
  async place(request: AllocateRequest, route: RouteRequest): Promise<Placement> {
    const { router, pool, table, now, metrics } = this.#options;
    const except = [...(route.filter?.exceptNodes ?? [])];
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const began = now();
      const outcome = router.routeClient({ ...route, filter: { ...route.filter, exceptNodes: except } }, began);
      metrics?.noteRoute(now() - began);
      const clientIds = request.clients.map(({ clientId }) => clientId);
      if ("refused" in outcome) {
        if (outcome.refused === "full" && router.shortNode >= 0) pool.need(router.shortNode, clientIds.length, now());
        return { refused: outcome.refused };
      }
      const { index, node, strategy, latencyMs } = outcome;
      const taken = pool.take(index, { key: request.key, clientIds, ttlMs: this.#options.config().ttlMs }, now());
      if (taken === undefined) {
        pool.need(index, clientIds.length, now());
        except.push(node.id);
        continue;
      }
      table.addReserved(index, clientIds.length);
      const claim = await this.#settle(taken, this.#claimOf(request, taken, node, strategy));
      if (claim === undefined) return { refused: "askAgain" };
      if (claim.seats !== taken.seats) return { claim };
      this.placements++;
      metrics?.notePlacement(node.region, strategy, "placed");
      if (latencyMs !== undefined) metrics?.noteLatency(node.region, latencyMs);
      return { claim };
    }
    return { refused: "full" };
  }

  /** What the player is told, also of a node that is not known here any more. */
  reply(claim: AllocationClaim): AllocateReply {
    const { table, tokens, now } = this.#options;
    const { nodeId, answer, key } = claim;
    // By nobody's clock: it was made when the seats were taken.
    const expiresInMs = Math.floor(answer.expireSeconds * 1000 - (answer.keptMs - (claim.until - now())));
    if (expiresInMs <= 0)
      return { status: "refused", code: "expired", error: "the tokens for this key have expired: ask with a new key" };
    const index = table.indexOf(nodeId);
    const { version, addresses } =
      index < 0 ? { version: "", addresses: { udp: answer.addresses } } : table.registrationOf(index);
    const { region, strategy: _strategy, keptMs: _keptMs, addresses: udp, userData, ...common } = answer;
    const seats = claim.seats.map(({ clientId, seat }, i) => {
      const facts = {
        ...common,
        addresses: udp,
        nodeId,
        key,
        clientId,
        userData: userData[i],
        seat,
        epoch: claim.epoch,
      };
      return { clientId, token: Buffer.from(tokens.write(facts)).toString("base64") };
    });
    return {
      status: "allocated",
      node: { id: nodeId, region, version, addresses },
      seats,
      expiresInMs,
    } satisfies Allocation;
  }

  /** A node has reported: those who wait for its word look again. */
  noteReport(index: number): void {
    for (const sleeper of this.#sleepers.values()) if (sleeper.index === index) sleeper.wake();
  }

  /** Another balancer has claimed the key. */
  noteClaimed(key: string): void {
    this.#sleepers.get(key)?.wake();
  }

  #claimOf(request: AllocateRequest, taken: TakenSeats, node: ServerNode, strategy: RoutingStrategy): AllocationClaim {
    const { self, config, unixMsAt } = this.#options;
    const { tokenExpireSeconds: expireSeconds, tokenTimeoutSeconds: timeoutSeconds, ttlMs: keptMs } = config();
    const { key, epoch, seats, until } = taken;
    const answer = {
      region: node.region,
      strategy,
      room: request.room ?? "",
      issuedAt: unixMsAt(taken.index),
      keptMs,
      expireSeconds,
      timeoutSeconds,
      addresses: node.addresses.udp,
      userData: request.clients.map((client) => client.userData ?? ""),
    };
    return { key, epoch, seats, until, by: self, nodeId: node.id, answer };
  }

  /** Until another balancer has a copy, or none is needed; `undefined`: nobody can be sure, and the player is to ask again. */
  async #settle(taken: TakenSeats, claim: AllocationClaim): Promise<AllocationClaim | undefined> {
    const { claims, pool, router, table, now, askPeer, isSure, metrics } = this.#options;
    const beganAt = now();
    const pending = claims.begin(claim, taken.answerBy);
    let isStored = false;
    for (;;) {
      const step = pending.step(isSure(beganAt) && pool.isKept(taken), now());
      switch (step.kind) {
        case "done": {
          const { use, giveBack } = step.outcome;
          if (giveBack) {
            pool.giveBack(taken);
            router.noteSeats(taken.index);
            table.addReserved(taken.index, -taken.seats.length);
          }
          if (use === claim && !isStored) metrics?.noteClaim("alone");
          return use;
        }
        case "wait":
          pool.hurry(taken);
          await this.#sleep(claim.key, taken.index, step.wakeAt - now());
          break;
        case "ask": {
          const { peer } = step;
          await askPeer(peer, claims.toMessage(claim, now())).then(
            (reply) => {
              isStored ||= reply.kind === "stored";
              pending.replied(peer, reply, now());
            },
            (error: unknown) => pending.unanswered(peer, !isRefusal(error)),
          );
        }
      }
    }
  }

  async #sleep(key: string, index: number, forMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(1, Math.ceil(forMs)));
    this.#sleepers.set(key, { index, wake: resolve });
    await promise;
    clearTimeout(timer);
    this.#sleepers.delete(key);
  }
}

/** It was not sent, or nothing was listening there. */
function isRefusal(error: unknown): boolean {
  if (error instanceof NotSentError) return true;
  return error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
}
