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
  AllocateReply,
  AllocateRequest,
  ExplainReply,
  NodeCommand,
  PeerPath,
  RegisterReply,
} from "../http/balancer-api.ts";
import { JsonClient } from "../http/json-client.ts";
import { BalancerPeers } from "../peers/balancer-peers.ts";
import type { FindMessage, FindReply, PeerNews, SentClaim } from "../peers/balancer-peers.ts";
import { PeerLink } from "../peers/peer-link.ts";
import { deriveKey, PeerMac } from "../peers/peer-mac.ts";
import type { Gossip, PeerCounters } from "../peers/peer-set.ts";
import { QueueTickets } from "../queue/queue-ticket.ts";
import { WaitingQueue } from "../queue/waiting-queue.ts";
import type { FleetMetrics } from "../metrics/fleet-metrics.ts";
import { PlayerOrigins } from "../metrics/player-origins.ts";
import { NodeTable } from "../registry/node-table.ts";
import type { NodeRegistration, NodeState, ServerNode } from "../registry/server-node.ts";
import { Router } from "../routing/router.ts";
import { ClaimBook } from "../seats/claim-book.ts";
import type { ClaimReply } from "../seats/seat-claim.ts";
import { SeatPool } from "../seats/seat-pool.ts";
import type { StateStore } from "../store/state-store.ts";
import { Admission } from "./admission.ts";
import type { AddressedRequest } from "./admission.ts";
import { Allocator } from "./allocator.ts";
import type { AllocationFacts } from "./allocator.ts";
import { FleetLeader } from "./fleet-leader.ts";
import { LastRegions } from "./last-regions.ts";
import { FleetClock } from "./fleet-clock.ts";
import type { NodeAnswer } from "./node-reports.ts";
import { NodeRoster } from "./node-roster.ts";
import { RouteRequests } from "./route-requests.ts";
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
  /** PEM, of who signed their certificates. Default: those that Node trusts. */
  readonly ca?: string;
  /** Default 250 ms. */
  readonly reportEveryMs?: number;
  readonly metrics?: FleetMetrics;
  readonly log?: (line: string) => void;
  /** Default: random. */
  readonly seed?: number;
}

const REPORT_EVERY_MS = 250;
const TICK_MS = 50;
/** After the start, or after a stop, it may be that the others have not been heard yet. */
const SETTLED_AFTER_MS = 1500;
/** Between two ticks: the process was stopped. */
const STOPPED_MS = 500;
const MAX_COPIES = 256;
const DRY_RUN_REQUESTS = 1000;
/** Seats of all nodes are counted at most so often. */
const COUNTED_FOR_MS = 100;

const clock = (): number => performance.now();

export class GlobalLoadBalancer implements AsyncDisposable {
  readonly id: string;
  readonly table: NodeTable = new NodeTable();
  /** Of the players whom this balancer placed. */
  readonly origins: PlayerOrigins = new PlayerOrigins();
  readonly #options: GlobalLoadBalancerOptions;
  readonly #startedAt: number = clock();
  readonly #client: JsonClient;
  readonly #mac: PeerMac;
  readonly #peers: BalancerPeers<AllocationFacts>;
  readonly #router: Router;
  readonly #pool: SeatPool;
  readonly #claims: ClaimBook<AllocationFacts>;
  readonly #queue: WaitingQueue<AddressedRequest>;
  readonly #allocator: Allocator;
  readonly #admission: Admission;
  readonly #roster: NodeRoster;
  readonly #leader: FleetLeader;
  readonly #health: HealthBook;
  readonly #checks: HealthChecks;
  readonly #lastRegions: LastRegions;
  readonly #routes: RouteRequests;
  readonly #recorded = new RecordedTraffic();
  readonly #clock = new FleetClock({ unixMs: Date.now });
  readonly #timer: NodeJS.Timeout;
  #runsSince: number = clock();
  #tickedAt: number = clock();
  #counted: { readonly counters: PeerCounters; readonly at: number } | undefined;
  #closed = false;

  constructor(options: GlobalLoadBalancerOptions) {
    const { id, url, fleetSecret, protocolId, store, locator, config, metrics } = options;
    const { reportEveryMs = REPORT_EVERY_MS, seed = randomBytes(4).readUInt32LE() } = options;
    const log = options.log ?? ((): void => undefined);
    const metered = metrics === undefined ? {} : { metrics };
    const epoch = Date.now();
    this.id = id;
    this.#options = options;
    this.#client = new JsonClient(options.ca === undefined ? {} : { ca: options.ca });
    this.#mac = new PeerMac(fleetSecret);
    this.#peers = new BalancerPeers({
      self: id,
      url,
      epoch,
      link: new PeerLink({ client: this.#client, mac: this.#mac, self: id }),
      store,
      addresses: options.peers ?? [],
      news: (now) => this.#news(now),
      onGossip: (gossip) => this.#health.noteVote(gossip.from, gossip.vote),
      onSlow: (ids) => this.#claims.setSlow(ids),
      log,
      ...metered,
    });
    this.#pool = new SeatPool({ firstSession: 1 + randomBytes(6).readUIntLE(0, 6) });
    const seatsOf = (index: number, at: number): number => this.#pool.seatsOf(index, at);
    this.#router = new Router({ table: this.table, seatsOf, random: new Random(seed), config: config().routing });
    this.#claims = new ClaimBook({ self: id, rememberMs: config().seats.rememberMs });
    this.#queue = new WaitingQueue(config().queue, new Random(seed + 1), clock());
    this.#lastRegions = new LastRegions(store);
    this.#routes = new RouteRequests({ locator, lastRegions: this.#lastRegions, ...metered });
    const tokens = new TokenWriter({ fleetSecret, protocolId });
    this.#allocator = new Allocator({
      self: id,
      table: this.table,
      router: this.#router,
      pool: this.#pool,
      claims: this.#claims,
      tokens,
      config: () => config().seats,
      now: clock,
      unixMsAt: (index) => this.#clock.ofNode(index, clock()),
      askPeer: (peer, claim) => this.#peers.askClaim(peer, claim),
      isSure: (beganAt) => this.#isSure(beganAt, clock()),
      ...metered,
    });
    const ticketKey = deriveKey(fleetSecret, "riposte tickets");
    this.#admission = new Admission({
      allocator: this.#allocator,
      claims: this.#claims,
      queue: this.#queue,
      tickets: new QueueTickets({ mac: (text) => deriveKey(ticketKey, text).toString("base64url") }),
      peers: this.#peers,
      routes: this.#routes,
      lastRegions: this.#lastRegions,
      origins: this.origins,
      recorded: this.#recorded,
      config: () => config().queue,
      isSilent: (nodeId) => {
        const now = clock();
        // Who was stopped itself has heard nobody.
        return this.#isSettled(now) && this.#health.isSilent(nodeId, now);
      },
      perClient: () => config().seats.perClient,
      hearsNodes: () => this.#hearsNodes(clock()),
      now: clock,
      unixMs: () => this.unixMs,
      ...metered,
    });
    this.#health = new HealthBook({
      config: () => config().health,
      onChange: (node, health, reason) => {
        metrics?.noteHealthChange(health);
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
      protocolId,
      clock: this.#clock,
      sessionSecret: deriveKey(fleetSecret, `riposte sessions ${id} ${epoch}`),
      reportEveryMs,
      balancers: () => this.balancers,
      onReport: (index) => this.#allocator.noteReport(index),
      now: clock,
      unixMs: () => this.unixMs,
      log,
      ...metered,
    });
    this.#leader = new FleetLeader({
      id,
      store,
      roster: this.#roster,
      lastRegions: this.#lastRegions,
      config: () => config().health,
      unixMs: () => this.unixMs,
      log,
    });
    this.#checks = new HealthChecks({
      balancer: id,
      config: () => config().health,
      nodes: () => this.#registrations(),
      liveBalancers: () => this.#peers.liveIds,
      onResult: (node, isGood) => this.#health.noteCheck(node, isGood),
    });
    this.#timer = setInterval(() => this.#tick(clock()), TICK_MS);
  }

  /** Addresses of all balancers that are alive, this one first. */
  get balancers(): readonly string[] {
    return [this.#options.url, ...this.#peers.live(clock()).map(({ url }) => url)];
  }

  /**
   * It is in touch with nodes and is not closing. Where no balancer is, it is ready all the same: nodes must reach one to
   * register, and Agones to be told that they are wanted.
   */
  get isReady(): boolean {
    const now = clock();
    if (this.#closed) return false;
    if (this.#hearsNodes(now)) return true;
    return this.#isSettled(now) && this.#peers.live(now).every(({ gossip }) => gossip.counters.nodesHeard === 0);
  }

  /** By the fleet's clock. */
  get unixMs(): number {
    return this.#clock.read(clock());
  }

  /** Whether it is the one that cleans up and scales. */
  get leads(): boolean {
    return this.#leader.leads;
  }

  allocate(request: AllocateRequest, ip: string): Promise<AllocateReply> {
    return this.#admission.allocate(request, ip);
  }

  leaveQueue(key: string): void {
    this.#queue.leave(key);
  }

  explain(request: Omit<AllocateRequest, "key">, ip: string): ExplainReply {
    const route = this.#routes.of(request, ip);
    const { clients, lastRegion, lastNode } = route;
    return {
      ...this.#router.explain(route, clock()),
      clients,
      ...(lastRegion === undefined ? {} : { lastRegion }),
      ...(lastNode === undefined ? {} : { lastNode }),
      attributions: this.#options.locator.attributions ?? [],
    };
  }

  /** Reads ahead, from the store, where a client played last: before it asks for a seat. */
  expectClient(clientId: string): Promise<void> {
    return this.#lastRegions.prefetch(clientId);
  }

  /** Throws `RegisterError`. */
  registerNode(registration: NodeRegistration): RegisterReply {
    return this.#roster.register(registration);
  }

  /** `undefined`: the session is not known, and the node must register. */
  exchange(nodeId: string, session: string, report: unknown): NodeAnswer | undefined {
    return this.#roster.exchange(nodeId, session, report);
  }

  /** `undefined`: there is no such node. */
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
    const now = clock();
    return {
      id: this.id,
      uptimeMs: now - this.#startedAt,
      leads: this.leads,
      balancers: this.#peers.liveIds,
      ...this.#counters(now),
      remembered: this.#claims.size,
      unsavedNodes: this.#roster.unsaved,
      store: this.#options.store.status,
      router: this.#router.stats,
    };
  }

  /** Seats that nodes have lent to this balancer, by region. */
  lentSeats(): ReadonlyMap<string, number> {
    const now = clock();
    const lent = new Map<string, number>();
    for (const index of this.#indices()) {
      const region = this.table.regions.nameOf(this.table.region[index]);
      lent.set(region, (lent.get(region) ?? 0) + this.#pool.seatsOf(index, now));
    }
    return lent;
  }

  /** What another configuration would have done to the requests of the last minute or so. */
  dryRun(to: LoadBalancerConfig): DryRunReport {
    return dryRun({
      from: this.#options.config(),
      to,
      recorded: this.#recorded.newest(DRY_RUN_REQUESTS),
      route: (config, request, seed) => {
        const outcome = this.#router.routeUnder(config.routing, request, seed, clock());
        const latencyMs = "node" in outcome ? outcome.latencyMs : undefined;
        return latencyMs === undefined ? { outcome } : { outcome, latencyMs };
      },
    });
  }

  /** The configuration has changed. */
  configure(): void {
    const { routing, queue, seats } = this.#options.config();
    const balancers = this.#peers.liveIds.length;
    this.#router.configure(routing);
    this.#claims.setRememberMs(seats.rememberMs);
    this.#queue.configure({ ...queue, admissionsPerSec: queue.admissionsPerSec / balancers }, clock());
  }

  /** A message of another balancer, as text with its MAC; `undefined` when it is of none of this fleet. */
  async peer(path: PeerPath, text: string, mac: unknown): Promise<unknown> {
    if (!this.#mac.verify(`/v1/peer/${path}`, text, mac)) return undefined;
    const { from, body } = JSON.parse(text) as { readonly from: string; readonly body: unknown };
    switch (path) {
      case "gossip":
        return this.#peers.answer(body as Gossip, clock());
      case "claim":
        return (body as readonly (SentClaim<AllocationFacts> | FindMessage)[]).map((message) =>
          "find" in message ? this.#find(message.find) : this.#receiveClaim(message, from),
        );
      case "allocate":
        return this.#admission.answerFor(body as AddressedRequest);
    }
  }

  /**
   * Players who are being answered are; meanwhile nobody new gets seats here, and nodes get back what they lent: the next two
   * reports are answered.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#pool.close();
    const { reportEveryMs = REPORT_EVERY_MS } = this.#options;
    const hasNodes = this.table.size > 0;
    await Promise.all([
      this.#admission.close(),
      this.#lastRegions.flush(),
      this.#leader.close(),
      hasNodes ? new Promise((resolve) => setTimeout(resolve, 2.5 * reportEveryMs)) : undefined,
    ]);
    clearInterval(this.#timer);
    this.#roster.close();
    this.#checks.close();
    await this.#peers.leave();
    this.#client[Symbol.dispose]();
  }

  /** There has been time to hear of the others. */
  #isSettled(now: number): boolean {
    return now - this.#tickedAt < STOPPED_MS && now - this.#runsSince > SETTLED_AFTER_MS;
  }

  #isSure(beganAt: number, now: number): boolean {
    const hasRun = beganAt > this.#runsSince && now - this.#tickedAt < STOPPED_MS;
    return hasRun && (this.#isSettled(now) || this.#peers.hasAny(now));
  }

  #hearsNodes(now: number): boolean {
    for (const index of this.#indices()) if (this.#pool.isLent(index, now)) return true;
    return false;
  }

  #tick(now: number): void {
    if (now - this.#tickedAt > STOPPED_MS) this.#runsSince = now;
    this.#tickedAt = now;
    const live = this.#updatePeers(now);
    this.#pool.setAlone(live.length === 0 && this.#isSettled(now));
    const waitingElsewhere = live.reduce((sum, { gossip }) => sum + gossip.counters.waiting, 0);
    this.#pool.setWaiting(this.#queue.waiting, waitingElsewhere);
    this.#health.update(now);
    this.#checks.performHealthChecks(now);
    this.#claims.sweep(now);
    this.#queue.sweep(now);
    this.#roster.saveAll();
    this.#lastRegions.tick(now);
    this.#leader.tick(now);
    this.#copyClaims(now);
    this.#admission.pump();
    if (!this.#closed) this.#peers.tick(now);
  }

  #updatePeers(now: number): ReturnType<BalancerPeers<AllocationFacts>["live"]> {
    const { came, went } = this.#peers.update(now);
    if (came.length + went.length > 0) this.configure();
    for (const id of went) this.#health.forgetPeer(id);
    const live = this.#peers.live(now);
    this.#claims.setLive(new Map(live.map(({ id, gossip }) => [id, gossip.epoch])));
    return live;
  }

  #receiveClaim(claim: SentClaim<AllocationFacts>, from: string): ClaimReply<AllocationFacts> {
    const now = clock();
    const hold = (held: Parameters<SeatPool["hold"]>[1] & { readonly nodeId: string }): boolean => {
      const index = this.table.indexOf(held.nodeId);
      return index >= 0 && this.#pool.hold(index, held, now);
    };
    const reply = this.#claims.receive(claim, { from, ageMs: this.#peers.ageOf(claim.echo, now), hold, now });
    this.#allocator.noteClaimed(claim.key);
    return reply;
  }

  #find(key: string): FindReply<AllocationFacts> {
    const now = clock();
    const found = this.#claims.find(key, now);
    return { claim: found === undefined ? null : this.#claims.toMessage(found, now) };
  }

  /** Answers whose other holder is gone are copied to another one. */
  #copyClaims(now: number): void {
    for (const { peer, claim } of this.#claims.toCopy(MAX_COPIES, now))
      this.#peers.askClaim(peer, claim).then(
        (reply) => {
          if (reply.kind !== "stored" && reply.kind !== "exists") this.#claims.copyFailed(claim.key);
        },
        () => this.#claims.copyFailed(claim.key),
      );
  }

  #news(now: number): PeerNews {
    return {
      vote: this.#health.vote(now),
      counters: this.#counters(now),
      configVersion: this.#options.configVersion?.() ?? 0,
    };
  }

  #counters(now: number): PeerCounters {
    if (this.#counted !== undefined && now - this.#counted.at < COUNTED_FOR_MS) return this.#counted.counters;
    const { table } = this;
    let freeSeats = 0;
    let nodesHeard = 0;
    for (const index of this.#indices()) {
      freeSeats += this.#pool.seatsOf(index, now);
      if (this.#health.healthOf(table.idOf(index)) === "good") nodesHeard++;
    }
    const { placements } = this.#allocator;
    const counters = { waiting: this.#queue.waiting, placements, nodesHeard, nodes: table.size, freeSeats };
    this.#counted = { counters, at: now };
    return counters;
  }

  *#indices(): Iterable<number> {
    for (let index = 0; index < this.table.end; index++) if (this.table.has(index)) yield index;
  }

  *#registrations(): Iterable<NodeRegistration> {
    for (const index of this.#indices()) yield this.table.registrationOf(index);
  }
}

export interface BalancerStats extends PeerCounters {
  readonly id: string;
  readonly uptimeMs: number;
  /** Whether it cleans up and scales. */
  readonly leads: boolean;
  /** Ids of all that are alive. */
  readonly balancers: readonly string[];
  /** Answers that are remembered. */
  readonly remembered: number;
  /** Registrations that the store has not got. */
  readonly unsavedNodes: number;
  readonly store: StateStore["status"];
  readonly router: Router["stats"];
}
