/**
 * From a player's request to a seat and a token: picks a node, takes seats out of what it has lent, has another balancer
 * remember the answer, and only then gives it. Asks no store, and waits for nobody but that other balancer.
 */
import type { AllocateReply, AllocateRequest, Allocation } from "../http/balancer-api.ts";
import type { SeatConfig } from "../config/load-balancer-config.ts";
import type { NodeTable } from "../registry/node-table.ts";
import type { RouteOutcome, RouteRequest } from "../routing/route-request.ts";
import type { Router } from "../routing/router.ts";
import type { ClaimBook } from "../seats/claim-book.ts";
import type { ClaimMessage, ClaimReply, SeatClaim } from "../seats/seat-claim.ts";
import type { SeatPool, TakenSeats } from "../seats/seat-pool.ts";
import type { TokenWriter } from "./token-writer.ts";

/** What a key's answer is made from, at any balancer. */
export interface AllocationFacts {
  readonly room: string;
  /** Unix ms. */
  readonly issuedAt: number;
  readonly expireSeconds: number;
  readonly timeoutSeconds: number;
  readonly addresses: readonly string[];
  readonly userData: readonly string[];
}

export type AllocationClaim = SeatClaim<AllocationFacts>;

/** What became of an attempt: an answer, or why there is none. */
export type Placement =
  | { readonly claim: AllocationClaim }
  | { readonly refused: "full" | "noMatch" | "noNodes" | "notSure" };

export interface AllocatorOptions {
  readonly self: string;
  readonly table: NodeTable;
  readonly router: Router;
  readonly pool: SeatPool;
  readonly claims: ClaimBook<AllocationFacts>;
  readonly tokens: TokenWriter;
  readonly config: () => SeatConfig;
  readonly now: () => number;
  readonly unixMs: () => number;
  /** Has another balancer take the claim. Rejects when that does not answer; `isRefused` of the error: it surely has not got it. */
  readonly askPeer: (peer: string, claim: ClaimMessage<AllocationFacts>) => Promise<ClaimReply<AllocationFacts>>;
  /** Resolves at that moment, or before. */
  readonly sleepUntil: (at: number) => Promise<void>;
  readonly onPlaced?: (index: number, region: string, outcome: RouteOutcome) => void;
}

/** Nodes that are tried for one request: each may have given away its last seat a moment ago. */
const MAX_ATTEMPTS = 4;

export class Allocator {
  readonly #options: AllocatorOptions;

  constructor(options: AllocatorOptions) {
    this.#options = options;
  }

  /** Finds seats and makes sure of them. */
  async place(request: AllocateRequest, route: RouteRequest): Promise<Placement> {
    const { router, pool, table, now } = this.#options;
    const except = [...(route.filter?.exceptNodes ?? [])];
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const outcome = router.routeClient({ ...route, filter: { ...route.filter, exceptNodes: except } }, now());
      if ("refused" in outcome) return { refused: outcome.refused };
      const { index, node } = outcome;
      const clientIds = request.clients.map(({ clientId }) => clientId);
      const taken = pool.take(index, { key: request.key, clientIds, ttlMs: this.#options.config().ttlMs }, now());
      if (taken === undefined) {
        pool.need(index, clientIds.length, now());
        except.push(node.id);
        continue;
      }
      table.addReserved(index, clientIds.length);
      const claim = await this.#settle(taken, this.#claimOf(request, taken, node.id, node.addresses.udp));
      if (claim === undefined) return { refused: "notSure" };
      if (claim.by === this.#options.self) this.#options.onPlaced?.(index, node.region, outcome);
      return { claim };
    }
    return { refused: "full" };
  }

  /** What the player is told; `undefined` when the node of an earlier answer is not known here any more. */
  reply(claim: AllocationClaim): AllocateReply {
    const { table, tokens, unixMs } = this.#options;
    const { nodeId, answer, key } = claim;
    const expiresInMs = answer.issuedAt + answer.expireSeconds * 1000 - unixMs();
    if (expiresInMs <= 0)
      return { status: "refused", code: "expired", error: "the tokens for this key have expired: ask with a new key" };
    const index = table.indexOf(nodeId);
    const { region, version, addresses } =
      index < 0 ? { region: "", version: "", addresses: { udp: answer.addresses } } : table.registrationOf(index);
    const { addresses: udp, userData, ...common } = answer;
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

  #claimOf(request: AllocateRequest, taken: TakenSeats, nodeId: string, addresses: readonly string[]): AllocationClaim {
    const { self, config, unixMs } = this.#options;
    const { tokenExpireSeconds: expireSeconds, tokenTimeoutSeconds: timeoutSeconds } = config();
    const userData = request.clients.map((client) => client.userData ?? "");
    const answer = { room: request.room ?? "", issuedAt: unixMs(), expireSeconds, timeoutSeconds, addresses, userData };
    const { key, epoch, seats, until } = taken;
    return { key, epoch, seats, until, by: self, nodeId, answer };
  }

  /** Until another balancer has a copy, or none is needed; `undefined`: nobody can be sure, and the player is to ask again. */
  async #settle(taken: TakenSeats, claim: AllocationClaim): Promise<AllocationClaim | undefined> {
    const { claims, pool, router, table, now, askPeer, sleepUntil } = this.#options;
    const pending = claims.begin(claim, taken.answerBy);
    for (;;) {
      const step = pending.step(pool.isKept(taken), now());
      switch (step.kind) {
        case "done": {
          const { use, giveBack } = step.outcome;
          if (giveBack) {
            pool.giveBack(taken);
            router.noteSeats(taken.index);
            table.addReserved(taken.index, -taken.seats.length);
          }
          return use;
        }
        case "wait":
          await sleepUntil(Math.min(step.wakeAt, now() + POLL_MS));
          break;
        case "ask": {
          const { peer } = step;
          await askPeer(peer, claims.toMessage(claim, now())).then(
            (reply) => pending.replied(peer, reply, now()),
            (error: unknown) => pending.unanswered(peer, !isRefusal(error)),
          );
        }
      }
    }
  }
}

/** Nothing was listening there. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
}

/** How often it is looked whether a node has confirmed. */
const POLL_MS = 20;
