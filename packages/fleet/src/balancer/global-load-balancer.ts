/**
 * One balancer of a fleet: answers players with where to play and the token to get in. Any number of them, all alike, serve one
 * fleet; each decides by itself from what nodes tell it, and what must not be lost it has another one remember.
 */
import { randomBytes } from "node:crypto";
import { Random } from "@riposte/protocol";
import { dryRun } from "../config/dry-run.ts";
import type { DryRunReport } from "../config/dry-run.ts";
import { RecordedTraffic } from "../config/recorded-traffic.ts";
import type { LoadBalancerConfig } from "../config/load-balancer-config.ts";
import type { ClientLocator } from "../geoip/client-locator.ts";
import { HealthBook } from "../health/health-book.ts";
import { HealthChecks } from "../health/health-checks.ts";
import type {
  AllocateClient,
  AllocateReply,
  AllocateRequest,
  ExplainReply,
  NodeCommand,
  PeerPath,
  RegisterReply,
} from "../http/balancer-api.ts";
import { JsonClient } from "../http/json-client.ts";
import { PeerLink } from "../peers/peer-link.ts";
import { deriveKey, PeerMac } from "../peers/peer-mac.ts";
import { PeerSet } from "../peers/peer-set.ts";
import type { Gossip, PeerCounters } from "../peers/peer-set.ts";
import { filterKeyOf } from "../queue/filter-key.ts";
import { QueueTickets } from "../queue/queue-ticket.ts";
import { WaitingQueue } from "../queue/waiting-queue.ts";
import type { FleetMetrics } from "../metrics/fleet-metrics.ts";
import { PlayerOrigins } from "../metrics/player-origins.ts";
import { NodeTable } from "../registry/node-table.ts";
import type { NodeRegistration, NodeState, ServerNode } from "../registry/server-node.ts";
import type { RouteClient, RouteRequest } from "../routing/route-request.ts";
import { Router } from "../routing/router.ts";
import { ClaimBook } from "../seats/claim-book.ts";
import type { ClaimMessage, ClaimReply } from "../seats/seat-claim.ts";
import { SeatPool } from "../seats/seat-pool.ts";
import type { StateStore } from "../store/state-store.ts";
import { Allocator } from "./allocator.ts";
import type { AllocationFacts, Placement } from "./allocator.ts";
import { LastRegions } from "./last-regions.ts";
import type { NodeAnswer } from "./node-reports.ts";
import { NodeRoster } from "./node-roster.ts";
import { TokenWriter } from "./token-writer.ts";

export interface GlobalLoadBalancerOptions {
  /** Unique among the balancers. */
  readonly id: string;
  /** Where the other balancers and nodes reach this one. */
  readonly url: string;
  /** 32 bytes or more that all balancers of the fleet share, and nobody else. */
  readonly fleetSecret: Uint8Array;
  /** Of the game: as its servers'. */
  readonly protocolId: bigint;
  readonly store: StateStore;
  readonly locator: ClientLocator;
  readonly config: () => LoadBalancerConfig;
  readonly configVersion?: () => number;
  /** Addresses of other balancers, besides those that the store knows. */
  readonly peers?: readonly string[];
  /** Default 250 ms. */
  readonly reportEveryMs?: number;
  readonly metrics?: FleetMetrics;
  readonly log?: (line: string) => void;
  /** Default: random. */
  readonly seed?: number;
}

const TICK_MS = 50;
const GOSSIP_EVERY_MS = 250;
const MEMBER_LEASE_MS = 5000;
const CLAIM_TIMEOUT_MS = 200;
const FORWARD_TIMEOUT_MS = 800;
/** Before that it may be that the others have not been heard yet. */
const SETTLED_AFTER_MS = 1500;
const MAX_COPIES = 256;
const DRY_RUN_REQUESTS = 1000;

const clock = (): number => performance.now();

interface Waiting {
  readonly request: AllocateRequest;
  readonly ip: string;
}

export class GlobalLoadBalancer implements AsyncDisposable {
  readonly id: string;
  readonly table: NodeTable = new NodeTable();
  /** Of the players whom this balancer placed. */
  readonly origins: PlayerOrigins = new PlayerOrigins();
  readonly #options: GlobalLoadBalancerOptions;
  readonly #epoch: number;
  readonly #startedAt: number = performance.now();
  readonly #client = new JsonClient();
  readonly #mac: PeerMac;
  readonly #link: PeerLink;
  readonly #peers: PeerSet;
  readonly #addresses: Set<string>;
  readonly #router: Router;
  readonly #pool: SeatPool;
  readonly #claims: ClaimBook<AllocationFacts>;
  readonly #queue: WaitingQueue<Waiting>;
  readonly #tickets: QueueTickets;
  readonly #allocator: Allocator;
  readonly #roster: NodeRoster;
  readonly #health: HealthBook;
  readonly #checks: HealthChecks;
  readonly #lastRegions: LastRegions;
  readonly #recorded = new RecordedTraffic();
  /** By key: what is being answered just now. */
  readonly #inFlight: Map<string, Promise<AllocateReply>> = new Map();
  readonly #timer: NodeJS.Timeout;
  readonly #stopWatching: () => void;
  #sequence = 0;
  #gossipDueAt = 0;
  #gossiping: Set<string> = new Set();
  #memberDueAt = 0;
  #placements = 0;
  #pumping = false;
  #closed = false;

  constructor(options: GlobalLoadBalancerOptions) {
    const { id, fleetSecret, store, config, seed = randomBytes(4).readUInt32LE() } = options;
    const log = options.log ?? ((): void => undefined);
    this.id = id;
    this.#options = options;
    this.#epoch = Date.now();
    this.#mac = new PeerMac(fleetSecret);
    this.#link = new PeerLink({ client: this.#client, mac: this.#mac, self: id });
    this.#peers = new PeerSet(id);
    this.#addresses = new Set(options.peers);
    this.#addresses.delete(options.url);
    this.#pool = new SeatPool({ firstSession: 1 + randomBytes(6).readUIntLE(0, 6) });
    const seatsOf = (index: number, at: number): number => this.#pool.seatsOf(index, at);
    this.#router = new Router({ table: this.table, seatsOf, random: new Random(seed), config: config().routing });
    this.#claims = new ClaimBook({ self: id, rememberMs: config().seats.rememberMs });
    this.#queue = new WaitingQueue(config().queue, new Random(seed + 1), clock());
    const ticketKey = deriveKey(fleetSecret, "riposte tickets");
    this.#tickets = new QueueTickets({ mac: (text) => deriveKey(ticketKey, text).toString("base64url") });
    const tokens = new TokenWriter({ fleetSecret, protocolId: options.protocolId });
    this.#lastRegions = new LastRegions(store);
    this.#allocator = new Allocator({
      self: id,
      table: this.table,
      router: this.#router,
      pool: this.#pool,
      claims: this.#claims,
      tokens,
      config: () => config().seats,
      now: clock,
      unixMs: Date.now,
      askPeer: (peer, claim) => this.#askPeer(peer, claim),
      sleepUntil: (at) => new Promise((resolve) => setTimeout(resolve, Math.max(1, at - clock()))),
      onPlaced: (_index, region, outcome) => {
        this.#placements++;
        if ("strategy" in outcome) options.metrics?.notePlacement(region, outcome.strategy, "placed");
      },
    });
    this.#health = new HealthBook({
      config: () => config().health,
      onChange: (node, health, reason) => {
        options.metrics?.noteHealthChange(health);
        this.#roster.noteHealth(node, health, reason);
      },
    });
    this.#roster = new NodeRoster({
      table: this.table,
      pool: this.#pool,
      router: this.#router,
      health: this.#health,
      store,
      tokens,
      protocolId: options.protocolId,
      sessionSecret: deriveKey(fleetSecret, `riposte sessions ${id} ${this.#epoch}`),
      reportEveryMs: options.reportEveryMs ?? 250,
      balancers: () => this.balancers,
      now: clock,
      log,
    });
    this.#checks = new HealthChecks({
      balancer: id,
      config: () => config().health,
      nodes: () => this.#registrations(),
      liveBalancers: () => this.#peers.liveIds,
      onResult: (node, isGood) => this.#health.noteCheck(node, isGood),
    });
    this.#stopWatching = store.watch("balancers/", (event) => {
      if ("put" in event && event.put.value !== options.url) this.#addresses.add(event.put.value);
    });
    this.#timer = setInterval(() => this.#tick(clock()), TICK_MS);
  }

  /** Addresses of all balancers that are alive, this one first. */
  get balancers(): readonly string[] {
    return [this.#options.url, ...this.#peers.live(performance.now()).map(({ url }) => url)];
  }

  /** It knows nodes, or has had time to hear of them, and is not closing. */
  get isReady(): boolean {
    return !this.#closed && (this.table.size > 0 || performance.now() - this.#startedAt > SETTLED_AFTER_MS);
  }

  async allocate(request: AllocateRequest, ip: string): Promise<AllocateReply> {
    const { key } = request;
    const known = this.#claims.find(key, performance.now());
    if (known !== undefined) return this.#allocator.reply(known);
    const flying = this.#inFlight.get(key);
    if (flying !== undefined) return flying;
    const answer = this.#answer(request, ip).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, answer);
    return answer;
  }

  leaveQueue(key: string): void {
    this.#queue.leave(key);
  }

  explain(request: Omit<AllocateRequest, "key">, ip: string): ExplainReply {
    const route = this.#routeOf(request, ip);
    const { clients, lastRegion, lastNode } = route;
    return {
      ...this.#router.explain(route, performance.now()),
      clients,
      ...(lastRegion === undefined ? {} : { lastRegion }),
      ...(lastNode === undefined ? {} : { lastNode }),
      attributions: this.#options.locator.attributions ?? [],
    };
  }

  /** Throws `RangeError` when the fleet has no room for it. */
  registerNode(registration: NodeRegistration): RegisterReply {
    return this.#roster.register(registration);
  }

  exchange(nodeId: string, session: string, report: unknown): NodeAnswer | undefined {
    return this.#roster.exchange(nodeId, session, report);
  }

  commandNode(nodeId: string, command: NodeCommand): ServerNode | undefined {
    return this.#roster.command(nodeId, command);
  }

  nodes(filter: { readonly region?: string; readonly state?: NodeState } = {}): ServerNode[] {
    const nodes: ServerNode[] = [];
    for (let index = 0; index < this.table.end; index++) {
      if (!this.table.has(index)) continue;
      const node = this.table.node(index);
      if (filter.region !== undefined && node.region !== filter.region) continue;
      if (filter.state === undefined || node.state === filter.state) nodes.push(node);
    }
    return nodes;
  }

  stats(): BalancerStats {
    const now = performance.now();
    return {
      id: this.id,
      uptimeMs: now - this.#startedAt,
      balancers: this.#peers.liveIds,
      ...this.#counters(now),
      remembered: this.#claims.size,
      unsavedNodes: this.#roster.unsaved,
      store: this.#options.store.status,
      router: this.#router.stats,
    };
  }

  /** Seats of a region that nodes have lent to this balancer. */
  freeSeatsIn(region: string): number {
    const now = performance.now();
    let seats = 0;
    for (let index = 0; index < this.table.end; index++)
      if (this.table.has(index) && this.table.registrationOf(index).region === region)
        seats += this.#pool.seatsOf(index, now);
    return seats;
  }

  /** What another configuration would have done to the requests of the last minute or so. */
  dryRun(to: LoadBalancerConfig): DryRunReport {
    return dryRun({
      from: this.#options.config(),
      to,
      recorded: this.#recorded.newest(DRY_RUN_REQUESTS),
      route: (config, request, seed) => ({
        outcome: this.#router.routeUnder(config.routing, request, seed, performance.now()),
      }),
    });
  }

  /** The configuration has changed. */
  configure(): void {
    const { routing, queue, seats } = this.#options.config();
    const balancers = this.#peers.liveIds.length;
    this.#router.configure(routing);
    this.#claims.setRememberMs(seats.rememberMs);
    this.#queue.configure({ ...queue, admissionsPerSec: queue.admissionsPerSec / balancers }, performance.now());
  }

  /** A message of another balancer, as text with its MAC; `undefined` when it is of none of this fleet. */
  async peer(path: PeerPath, text: string, mac: unknown): Promise<unknown> {
    if (!this.#mac.verify(`/v1/peer/${path}`, text, mac)) return undefined;
    const { from, body } = JSON.parse(text) as { readonly from: string; readonly body: unknown };
    switch (path) {
      case "gossip":
        this.#hear(body as Gossip);
        return this.#gossip(performance.now());
      case "claim":
        return (body as readonly ClaimMessage<AllocationFacts>[]).map((claim) => this.#receiveClaim(claim, from));
      case "allocate": {
        const { request, ip } = body as Waiting;
        return this.#answerHere(request, ip);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#pool.close();
    clearInterval(this.#timer);
    this.#stopWatching();
    this.#roster.close();
    this.#checks.close();
    await Promise.allSettled([...this.#inFlight.values(), this.#lastRegions.flush()]);
    await this.#options.store.delete(`balancers/${this.id}`).catch(() => false);
    this.#client[Symbol.dispose]();
  }

  async #answer(request: AllocateRequest, ip: string): Promise<AllocateReply> {
    const { key, clients, filter, ticket } = request;
    const seats = clients.length;
    const filterKey = filterKeyOf(filter);
    const holder = { key, filterKey, seats };
    const unixMs = Date.now();
    const enqueuedAt =
      ticket === undefined
        ? unixMs
        : this.#tickets.read(ticket, holder, this.#options.config().queue.patienceMs * 2, unixMs);
    if (enqueuedAt === undefined)
      return refuse("badTicket", "the ticket is not of this request, or too old: ask again without it");
    if (ticket === undefined && this.#queue.mayPass(filterKey, seats, performance.now())) {
      const placement = await this.#place(request, ip);
      if ("claim" in placement) {
        this.#queue.passed(filterKey, seats, performance.now());
        return this.#allocator.reply(placement.claim);
      }
      if (placement.refused === "notSure")
        return refuse("askAgain", "nobody can be sure of the seat: send the same request again");
      if (placement.refused !== "full") return refuse(placement.refused, REFUSALS[placement.refused]);
      const elsewhere = await this.#forward(request, ip);
      if (elsewhere !== undefined) return elsewhere;
    }
    const place = this.#queue.ask(
      { key, filterKey, seats, request: { request, ip } },
      enqueuedAt,
      ticket !== undefined,
      performance.now(),
    );
    if (place === undefined) return refuse("queueFull", "too many players wait already: try again later");
    return {
      status: "waiting",
      ticket: this.#tickets.write(holder, enqueuedAt, unixMs),
      position: place.position,
      ...(place.waitMs === undefined ? {} : { estimatedWaitMs: place.waitMs }),
      askAgainInMs: place.askAgainMs,
    };
  }

  /** For another balancer, which has no seats: with seats of this one, or not at all. */
  async #answerHere(request: AllocateRequest, ip: string): Promise<AllocateReply> {
    const known = this.#claims.find(request.key, performance.now());
    if (known !== undefined) return this.#allocator.reply(known);
    const placement = await this.#place(request, ip);
    if ("claim" in placement) return this.#allocator.reply(placement.claim);
    return refuse("askAgain", placement.refused);
  }

  /** To the balancer that has most free seats. */
  async #forward(request: AllocateRequest, ip: string): Promise<AllocateReply | undefined> {
    const peers = this.#peers.live(performance.now()).filter(({ gossip }) => gossip.counters.freeSeats > 0);
    const [best] = peers.sort((a, b) => b.gossip.counters.freeSeats - a.gossip.counters.freeSeats);
    if (best === undefined) return undefined;
    const reply = await this.#link
      .post(best.url, "allocate", { request, ip }, FORWARD_TIMEOUT_MS)
      .catch(() => undefined);
    const answer = reply as AllocateReply | undefined;
    return answer?.status === "allocated" ? answer : undefined;
  }

  async #place(request: AllocateRequest, ip: string): Promise<Placement> {
    if (this.#claims.pending(request.key) !== undefined) return { refused: "notSure" };
    const route = this.#routeOf(request, ip);
    this.#recorded.record(route, performance.now());
    const placement = await this.#allocator.place(request, route);
    if ("claim" in placement) {
      const { nodeId } = placement.claim;
      const index = this.table.indexOf(nodeId);
      const region = index < 0 ? undefined : this.table.registrationOf(index).region;
      if (region !== undefined)
        for (const { clientId, location } of route.clients) {
          this.#lastRegions.note(clientId, { region, nodeId });
          this.origins.note(region, location, performance.now());
        }
    }
    return placement;
  }

  #routeOf(request: Omit<AllocateRequest, "key">, ip: string): RouteRequest {
    const { clients, filter, strategy, hashKey } = request;
    const last = this.#lastRegions.of(clients[0].clientId);
    return {
      clients: clients.map((client) => this.#locate(client, ip)),
      ...(filter === undefined ? {} : { filter }),
      ...(strategy === undefined ? {} : { strategy }),
      ...(hashKey === undefined ? {} : { hashKey }),
      ...(last === undefined ? {} : { lastRegion: last.region, lastNode: last.nodeId }),
    };
  }

  #locate({ clientId, ip, latencies }: AllocateClient, requestIp: string): RouteClient {
    const location = this.#options.locator.estimateClientLocation(ip ?? requestIp);
    this.#options.metrics?.noteLocation(location?.source ?? "unknown");
    const client = latencies === undefined ? { clientId } : { clientId, latencies };
    return location === undefined ? client : { ...client, location };
  }

  #tick(now: number): void {
    const { config } = this.#options;
    const { came, went } = this.#peers.update(now);
    const live = this.#peers.live(now);
    if (came.length + went.length > 0) this.configure();
    for (const id of went) this.#health.forgetPeer(id);
    this.#claims.setLive(new Map(live.map(({ id, gossip }) => [id, gossip.epoch])));
    this.#pool.setAlone(live.length === 0 && now - this.#startedAt > SETTLED_AFTER_MS);
    const waitingElsewhere = live.reduce((sum, { gossip }) => sum + gossip.counters.waiting, 0);
    this.#pool.setWaiting(this.#queue.waiting, waitingElsewhere);
    this.#health.update(now);
    this.#checks.performHealthChecks(now);
    this.#claims.sweep(now);
    this.#queue.sweep(now);
    this.#roster.saveAll();
    this.#lastRegions.tick(now);
    this.#copyClaims(now);
    void this.#pump();
    if (now >= this.#gossipDueAt) {
      this.#gossipDueAt = now + GOSSIP_EVERY_MS;
      for (const url of this.#addresses) void this.#gossipTo(url);
    }
    if (now >= this.#memberDueAt && config().seats.ttlMs > 0) {
      this.#memberDueAt = now + MEMBER_LEASE_MS / 3;
      this.#options.store
        .put(`balancers/${this.id}`, this.#options.url, { leaseMs: MEMBER_LEASE_MS })
        .catch(() => undefined);
    }
  }

  /** Serves the queue as long as there are seats. */
  async #pump(): Promise<void> {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    try {
      for (
        let next = this.#queue.next(performance.now());
        next !== undefined;
        next = this.#queue.next(performance.now())
      ) {
        const { key, request } = next;
        const placement = await this.#place(request.request, request.ip).catch((): Placement => ({
          refused: "notSure",
        }));
        if ("claim" in placement) this.#queue.placed(key, performance.now());
        else {
          this.#queue.unplaced(key, performance.now());
          break;
        }
      }
    } finally {
      this.#pumping = false;
    }
  }

  #receiveClaim(claim: ClaimMessage<AllocationFacts>, from: string): ClaimReply<AllocationFacts> {
    const now = performance.now();
    return this.#claims.receive(
      claim,
      from,
      (held) => {
        const index = this.table.indexOf(held.nodeId);
        return index >= 0 && this.#pool.hold(index, held, now);
      },
      now,
    );
  }

  async #askPeer(peer: string, claim: ClaimMessage<AllocationFacts>): Promise<ClaimReply<AllocationFacts>> {
    const url = this.#peers.get(peer)?.url;
    if (url === undefined) throw new Error(`balancer ${peer} is not known`);
    try {
      const reply = (await this.#link.claim(url, claim, CLAIM_TIMEOUT_MS)) as ClaimReply<AllocationFacts>;
      this.#options.metrics?.noteClaim(
        reply.kind === "stored" ? "stored" : reply.kind === "exists" ? "existing" : "failed",
      );
      return reply;
    } catch (error) {
      this.#options.metrics?.noteClaim("failed");
      if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") this.#peers.noteRefused(peer);
      throw error;
    }
  }

  /** Answers whose other holder is gone are copied to another one. */
  #copyClaims(now: number): void {
    for (const { peer, claim } of this.#claims.toCopy(MAX_COPIES, now))
      this.#askPeer(peer, claim).then(
        (reply) => {
          if (reply.kind !== "stored" && reply.kind !== "exists") this.#claims.copyFailed(claim.key);
        },
        () => this.#claims.copyFailed(claim.key),
      );
  }

  async #gossipTo(url: string): Promise<void> {
    if (this.#gossiping.has(url)) return;
    this.#gossiping.add(url);
    try {
      this.#hear((await this.#link.post(url, "gossip", this.#gossip(performance.now()), 1000)) as Gossip);
    } catch {
      // Its silence says enough.
    } finally {
      this.#gossiping.delete(url);
    }
  }

  #hear(gossip: Gossip): void {
    if (!this.#peers.note(gossip, performance.now())) return;
    this.#addresses.add(gossip.url);
    this.#health.noteVote(gossip.from, gossip.vote);
  }

  #gossip(now: number): Gossip {
    return {
      from: this.id,
      url: this.#options.url,
      epoch: this.#epoch,
      sequence: ++this.#sequence,
      vote: this.#health.vote(now),
      counters: this.#counters(now),
      configVersion: this.#options.configVersion?.() ?? 0,
    };
  }

  #counters(now: number): PeerCounters {
    const { table } = this;
    let freeSeats = 0;
    let nodesHeard = 0;
    for (let index = 0; index < table.end; index++) {
      if (!table.has(index)) continue;
      const seats = this.#pool.seatsOf(index, now);
      freeSeats += seats;
      if (this.#health.healthOf(table.idOf(index)) === "good") nodesHeard++;
    }
    return { waiting: this.#queue.waiting, placements: this.#placements, nodesHeard, nodes: table.size, freeSeats };
  }

  *#registrations(): Iterable<NodeRegistration> {
    for (let index = 0; index < this.table.end; index++)
      if (this.table.has(index)) yield this.table.registrationOf(index);
  }
}

export interface BalancerStats extends PeerCounters {
  readonly id: string;
  readonly uptimeMs: number;
  /** Ids of all that are alive. */
  readonly balancers: readonly string[];
  /** Answers that are remembered. */
  readonly remembered: number;
  /** Registrations that the store has not got. */
  readonly unsavedNodes: number;
  readonly store: StateStore["status"];
  readonly router: Router["stats"];
}

const REFUSALS = {
  noMatch: "no server matches the filter: check version, game mode, labels and regions",
  noNodes: "no server is ready: the fleet is starting, or down",
} as const;

function refuse(code: Extract<AllocateReply, { status: "refused" }>["code"], error: string): AllocateReply {
  return { status: "refused", code, error };
}
