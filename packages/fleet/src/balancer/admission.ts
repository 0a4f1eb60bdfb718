/**
 * What a player's request meets, in this order: the answer that its key has already; seats of nodes here; seats that another
 * balancer has; the queue.
 */
import type { QueueConfig } from "../config/load-balancer-config.ts";
import type { RecordedTraffic } from "../config/recorded-traffic.ts";
import type { AllocateRefusal, AllocateReply, AllocateRequest, Allocation } from "../http/balancer-api.ts";
import type { FleetMetrics } from "../metrics/fleet-metrics.ts";
import type { PlayerOrigins } from "../metrics/player-origins.ts";
import type { BalancerPeers } from "../peers/balancer-peers.ts";
import { filterKeyOf } from "../queue/filter-key.ts";
import type { QueueTickets } from "../queue/queue-ticket.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import type { ClaimBook } from "../seats/claim-book.ts";
import { fromMessage } from "../seats/seat-claim.ts";
import type { AllocationClaim, AllocationFacts, Allocator, Placement } from "./allocator.ts";
import type { LastRegions } from "./last-regions.ts";
import type { RouteRequests } from "./route-requests.ts";

/** A request that waits, or that is passed on, and where it came from. */
export interface AddressedRequest {
  readonly request: AllocateRequest;
  readonly ip: string;
}

export interface AdmissionOptions {
  readonly allocator: Pick<Allocator, "place" | "reply">;
  readonly claims: ClaimBook<AllocationFacts>;
  readonly queue: WaitingQueue<AddressedRequest>;
  readonly tickets: QueueTickets;
  readonly peers: Pick<BalancerPeers<AllocationFacts>, "find" | "forward">;
  readonly routes: Pick<RouteRequests, "of">;
  readonly lastRegions: Pick<LastRegions, "note">;
  readonly origins: PlayerOrigins;
  readonly recorded: RecordedTraffic;
  readonly config: () => QueueConfig;
  /** Whether nothing is heard of the node, although of others it is. */
  readonly isSilent: (nodeId: string) => boolean;
  /** Answers that one client may have at a time. */
  readonly perClient: () => number;
  /** Whether any node can have lent it anything: it has not just started, and was not just stopped. */
  readonly hearsNodes: () => boolean;
  readonly now: () => number;
  readonly unixMs: () => number;
  readonly metrics?: Pick<FleetMetrics, "notePlacement" | "noteQueueWait">;
}

/** Of the queue: each waits for another balancer's word, which may be far away. */
const PLACED_AT_ONCE = 16;

export class Admission {
  readonly #options: AdmissionOptions;
  /** By key: what is being answered just now. */
  readonly #inFlight: Map<string, Promise<AllocateReply>> = new Map();
  #pumping: Promise<unknown> | undefined;
  #closed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  async allocate(request: AllocateRequest, ip: string): Promise<AllocateReply> {
    const reply = await this.#allocate(request, ip);
    if (reply.status !== "allocated" || isFor(reply, request)) return reply;
    return refuse("keyUsed", "this key is that of other clients: make up a new one, at random");
  }

  /** For another balancer, which has no seats: with seats of this one, or not at all. */
  async answerFor({ request, ip }: AddressedRequest): Promise<AllocateReply> {
    const known = this.#known(request.key);
    if (known !== undefined) return known;
    const { queue, allocator, now } = this.#options;
    const filterKey = filterKeyOf(request.filter);
    const seats = request.clients.length;
    // As its own newcomers: who waits here goes first, and this balancer's part of the rate is not exceeded.
    if (!queue.mayPass(filterKey, seats, now())) return refuse("askAgain", "others are before it");
    const placement = await this.#place(request, ip);
    if (!("claim" in placement)) return refuse("askAgain", placement.refused);
    queue.passed(filterKey, seats, now());
    return allocator.reply(placement.claim);
  }

  /** Serves the queue as long as there are seats. */
  pump(): void {
    if (this.#closed) return;
    this.#pumping ??= Promise.all(Array.from({ length: PLACED_AT_ONCE }, () => this.#serveQueue())).finally(
      () => (this.#pumping = undefined),
    );
  }

  /** Resolves when those that are being answered are. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#inFlight.values(), this.#pumping]);
  }

  async #allocate(request: AllocateRequest, ip: string): Promise<AllocateReply> {
    const { key } = request;
    const known = this.#known(key);
    if (known !== undefined) return known;
    const flying = this.#inFlight.get(key);
    if (flying !== undefined) return flying;
    const answer = this.#answer(request, ip).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, answer);
    return answer;
  }

  async #answer(request: AllocateRequest, ip: string): Promise<AllocateReply> {
    const { queue, tickets, claims, peers, allocator, config, perClient, hearsNodes, now, unixMs } = this.#options;
    const { key, clients, filter, ticket, attempt = 1 } = request;
    const seats = clients.length;
    const filterKey = filterKeyOf(filter);
    const holder = { key, filterKey, seats };
    const wallMs = unixMs();
    const enqueuedAt = ticket === undefined ? wallMs : tickets.read(ticket, holder, config().patienceMs * 2, wallMs);
    if (enqueuedAt === undefined)
      return refuse("badTicket", "the ticket is not of this request, or too old: ask again without it");
    const greedy = clients.find(({ clientId }) => claims.countOf(clientId) >= perClient());
    if (greedy !== undefined)
      return refuse("tooManySeats", `client ${greedy.clientId} was given too many seats lately: try again in a minute`);
    // Who waited elsewhere may have been placed there meanwhile.
    if (attempt > 1 || (ticket !== undefined && !queue.has(key))) {
      const found = await peers.find(key, now());
      if (found !== undefined) return this.#repeat(fromMessage(found, now()));
    }
    if (ticket === undefined && queue.mayPass(filterKey, seats, now())) {
      const placement = await this.#place(request, ip);
      if ("claim" in placement) {
        queue.passed(filterKey, seats, now());
        return allocator.reply(placement.claim);
      }
      if (placement.refused !== "full") return refuse(placement.refused, REFUSALS[placement.refused]);
      if (!hearsNodes()) return refuse("askAgain", "this balancer is not in touch with nodes: ask another one");
      const elsewhere = await peers.forward(request, ip, now());
      if (elsewhere !== undefined) return elsewhere;
    }
    const place = queue.ask(
      { key, filterKey, seats, request: { request, ip } },
      enqueuedAt,
      ticket !== undefined,
      now(),
    );
    if (place === undefined) return refuse("queueFull", "too many players wait already: try again later");
    return {
      status: "waiting",
      ticket: tickets.write(holder, enqueuedAt, wallMs),
      position: place.position,
      ...(place.waitMs === undefined ? {} : { estimatedWaitMs: place.waitMs }),
      askAgainInMs: place.askAgainMs,
    };
  }

  #known(key: string): AllocateReply | undefined {
    const known = this.#options.claims.find(key, this.#options.now());
    return known === undefined ? undefined : this.#repeat(known);
  }

  #repeat(claim: AllocationClaim): AllocateReply {
    if (this.#options.isSilent(claim.nodeId))
      return refuse("expired", "the server of this answer is silent: ask with a new key");
    const { region, strategy } = claim.answer;
    this.#options.metrics?.notePlacement(region, strategy, "repeated");
    return this.#options.allocator.reply(claim);
  }

  async #place(request: AllocateRequest, ip: string): Promise<Placement> {
    const { claims, routes, recorded, allocator, lastRegions, origins, now, unixMs } = this.#options;
    if (claims.pending(request.key) !== undefined) return { refused: "askAgain" };
    const route = routes.of(request, ip);
    recorded.record(route, now());
    const placement = await allocator.place(request, route);
    if ("claim" in placement) {
      const { nodeId, answer } = placement.claim;
      const place = { region: answer.region, nodeId };
      for (const { clientId, location } of route.clients) {
        lastRegions.note(clientId, place, unixMs());
        origins.note(answer.region, location, now());
      }
    }
    return placement;
  }

  async #serveQueue(): Promise<void> {
    const { queue, metrics, now, unixMs } = this.#options;
    let unplaced = 0;
    for (let next = queue.next(now()); next !== undefined && !this.#closed; next = queue.next(now())) {
      const { key, request } = next;
      const placement = await this.#place(request.request, request.ip).catch((): Placement => ({
        refused: "askAgain",
      }));
      if ("claim" in placement) {
        const enqueuedAt = queue.placed(key, now());
        if (enqueuedAt !== undefined) metrics?.noteQueueWait(Math.max(0, unixMs() - enqueuedAt));
      } else {
        // Those who wait for something else, or are fewer, may be served all the same.
        queue.unplaced(key, now());
        if (++unplaced === MAX_UNPLACED) return;
      }
    }
  }
}

/** Attempts that come to nothing, before the queue rests until the next tick. */
const MAX_UNPLACED = 64;

const REFUSALS = {
  noMatch: "no server matches the filter: check version, game mode, labels and regions",
  noNodes: "no server is ready: the fleet is starting, or down",
  askAgain: "nobody can be sure of the seat: send the same request again",
} as const;

/** Who guesses a key is not told the tokens of those whose it is. */
function isFor({ seats }: Allocation, { clients }: AllocateRequest): boolean {
  const asked = new Set(clients.map(({ clientId }) => clientId));
  return seats.length === clients.length && seats.every(({ clientId }) => asked.has(clientId));
}

function refuse(code: AllocateRefusal["code"], error: string): AllocateRefusal {
  return { status: "refused", code, error };
}
