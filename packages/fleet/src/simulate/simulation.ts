/**
 * A fleet, its players and its balancers over days of virtual time. The balancers' tables, routers, queues and memories of last
 * regions are the real ones; nodes, players, networks and the store are made up, as docs/scale.md says.
 *
 * Time goes in ticks of 250 ms, which is how often nodes report: players who came in a tick were placed by what balancers knew
 * at its beginning and what they gave away themselves since.
 */
import { filterKeyOf } from "../queue/filter-key.ts";
import type { RouteOutcome, RouteRequest } from "../routing/route-request.ts";
import { LEASE_MS } from "../seats/exchange.ts";
import { Arrivals, MAX_SESSION_MS } from "./arrivals.ts";
import { CountingStore } from "./counting-store.ts";
import { EventQueue } from "./event-queue.ts";
import { Incidents } from "./incidents.ts";
import type { Party } from "./party.ts";
import { RealSeats } from "./real-seats.ts";
import { Recorder } from "./recorder.ts";
import { Sessions } from "./sessions.ts";
import { SimulatedBalancer } from "./simulated-balancer.ts";
import { DRAINING, LOST, SimulatedFleet, STARTING } from "./simulated-fleet.ts";
import { SimulatedScaler } from "./simulated-scaler.ts";
import { simulationOptions } from "./simulation-options.ts";
import type { SimulationOptions } from "./simulation-options.ts";
import type { SimulationReport } from "./simulation-report.ts";
import { World } from "./world.ts";

const TICK_MS = 250;
/** In the routers' clock, so that nodes of the beginning are not new. */
const CLOCK_OFFSET_MS = 3_600_000;
const VERSIONS = ["1.0", "1.1"];
const FILTERS = VERSIONS.map((version) => ({ version }));
const FILTER_KEYS = FILTERS.map(filterKeyOf);
/** A player whose server is gone, or never answered, asks again after so long. */
const NOTICE_LOSS_MS = [5000, 8000] as const;
/** After "queueFull", or that there is no such server. */
const RETRY_MS = [10_000, 20_000] as const;
const MEMBER_RENEW_MS = 5000 / 3;
/** Of scaling and of clean-up; renewed four times in a lease of 5 s. */
const LEADERSHIPS = 2;
const LEADER_RENEW_MS = 5000 / 4;
const SAMPLE_MS = 600_000;
const TIMED_EVERY = 8;
/** In truth nodes hear of players who wait with each exchange, four times a second. */
const LEND_ANEW_MS = 2000;
const SCALE_EVERY_MS = 5000;
/** Monday, 5 January 2026, 0:00 UTC. */
const WEEK_BEGAN_AT = 1_767_571_200_000;
/** Nodes are replaced one by one, and there may be some more of them for a moment. */
const SPARE_NODES = 0.05;

export class Simulation {
  readonly options: SimulationOptions;
  readonly world: World;
  readonly fleet: SimulatedFleet;
  readonly store: CountingStore = new CountingStore();
  readonly #balancers: readonly SimulatedBalancer[];
  readonly #arrivals: Arrivals;
  readonly #sessions: Sessions;
  readonly #recorder: Recorder;
  readonly #incidents: Incidents;
  readonly #scaler: SimulatedScaler | undefined;
  readonly #realSeats: RealSeats | undefined;
  readonly #events: EventQueue<() => void> = new EventQueue();
  /** By node: whether another one is started when it is stopped. */
  readonly #isReplaced: Uint8Array;
  #tick = 0;
  #timed = 0;

  constructor(options: Partial<SimulationOptions> = {}) {
    this.options = simulationOptions(options);
    const { nodes, regions, config, balancers, seed, seatsPerNode } = this.options;
    this.world = new World({ regions, nodes });
    const maxNodes = Math.ceil(nodes * (1 + SPARE_NODES));
    const each = { maxNodes, maxRegions: regions, config, balancers, store: this.store };
    this.#balancers = Array.from(
      { length: balancers },
      (_, b) => new SimulatedBalancer({ ...each, seed: seed * 1000 + 10 * b }),
    );
    this.#realSeats = this.options.realSeats ? new RealSeats({ balancers, seatsPerNode }) : undefined;
    this.fleet = new SimulatedFleet({
      world: this.world,
      balancers: this.#balancers,
      store: this.store,
      seatsPerNode,
      maxNodes,
      versions: VERSIONS,
      realSeats: this.#realSeats,
    });
    this.#isReplaced = new Uint8Array(maxNodes);
    this.#arrivals = new Arrivals(this.world, this.options);
    this.#sessions = new Sessions({ maxNodes, maxTicks: MAX_SESSION_MS / TICK_MS });
    this.#recorder = new Recorder(this.options, this.world, this.fleet, this.store);
    this.#incidents = new Incidents({
      simulation: this,
      world: this.world,
      fleet: this.fleet,
      recorder: this.#recorder,
    });
    this.world.regions.forEach((region, number) => {
      for (let i = 0; i < region.nodes; i++) this.fleet.ready(this.fleet.start(number, 0), 0);
    });
    this.fleet.report(0, this.#waiting());
    this.#incidents.plan();
    const { scaling, freeShare } = this.options;
    this.#scaler = scaling
      ? new SimulatedScaler({
          table: this.#balancers[0].table,
          world: this.world,
          config,
          seatsPerNode,
          freeShare,
          start: (region) => this.startNode(region, this.#incidents.versionFor(region)),
          drain: (node) => this.drainNode(node),
          resume: (node) => this.fleet.resume(node, this.now),
        })
      : undefined;
  }

  /** The routers' time. */
  get now(): number {
    return CLOCK_OFFSET_MS + this.#tick * TICK_MS;
  }

  /** Since Monday 0:00 UTC; below 0 while the world fills. */
  get atMs(): number {
    return this.#tick * TICK_MS - this.options.warmUpMs;
  }

  get endMs(): number {
    return this.options.days * 24 * 3_600_000;
  }

  get done(): boolean {
    return this.atMs >= this.endMs;
  }

  /** 0 to 1. */
  get progress(): number {
    const { warmUpMs } = this.options;
    return Math.min(1, (this.atMs + warmUpMs) / (this.endMs + warmUpMs));
  }

  get placements(): number {
    return this.#recorder.placements;
  }

  /** With real seats: players who were given one and found it taken. */
  get refusedAtNodes(): number {
    return this.#realSeats?.refused ?? 0;
  }

  get report(): SimulationReport {
    return this.#recorder.report(Math.max(0, Math.min(1, this.atMs / this.endMs)));
  }

  /** So much more, or to the end. Afterwards let promises of the store settle. */
  advance(ms: number): void {
    for (let ticks = Math.ceil(ms / TICK_MS); ticks > 0 && !this.done; ticks--) this.#step();
  }

  /** At a time since Monday 0:00 UTC, or now if that is over. */
  at(ms: number, run: () => void): void {
    this.#events.push(ms, run);
  }

  after(ms: number, run: () => void): void {
    this.#events.push(this.atMs + ms, run);
  }

  setDemand(factor: number): void {
    this.#arrivals.factor = factor;
  }

  /** A new node, which takes players after the usual time. Its id; `undefined`: there are too many. */
  startNode(region: number, version: number): string | undefined {
    const node = this.fleet.start(region, version);
    if (node < 0) return undefined;
    this.#readyLater(node);
    return this.#balancers[0].table.idOf(node);
  }

  reviveNode(node: number, version: number): void {
    this.fleet.revive(node, version, this.now);
    this.#readyLater(node);
  }

  /** Gets nobody new, and is stopped when it is empty. Where it is to be replaced: after `drainDeadlineMs` at last. */
  drainNode(node: number, replace = false): void {
    const life = this.fleet.life[node];
    const since = this.atMs;
    this.fleet.drain(node, this.now);
    this.#recorder.draining[node] = since;
    this.#isReplaced[node] = replace ? 1 : 0;
    if (this.fleet.occupied[node] === 0) this.#stopNode(node);
    else if (replace)
      this.after(this.options.drainDeadlineMs, () => {
        if (this.fleet.life[node] !== life || this.fleet.state[node] !== DRAINING) return;
        this.#recorder.interrupted += this.fleet.occupied[node];
        this.#recorder.cutOff++;
        this.#evict(node);
        this.#stopNode(node);
      });
  }

  /** Its players come back by themselves. Balancers find out as they do. */
  loseNodes(nodes: readonly number[]): void {
    for (const node of nodes) {
      this.#recorder.movedByLoss += this.fleet.occupied[node];
      this.#evict(node);
      this.fleet.lose(node);
    }
    const { suspectAfterMs, loseAfterMs } = this.options.config.health;
    const still = (run: (node: number) => void) => (): void => {
      for (const node of nodes) if (this.fleet.state[node] === LOST) run(node);
    };
    this.after(
      suspectAfterMs,
      still((node) => this.fleet.suspect(node)),
    );
    this.after(
      LEASE_MS,
      still((node) => this.fleet.endLease(node)),
    );
    this.after(
      loseAfterMs,
      still((node) => this.fleet.noteLost(node, this.now)),
    );
  }

  #step(): void {
    const at = this.atMs;
    if (at === 0) this.#recorder.beginWeek();
    while (this.#events.nextAt <= at) this.#events.pop()?.();
    this.#sessions.expire(this.#tick, (session) => this.#finish(session));
    for (let left = this.#arrivals.count(at, TICK_MS); left > 0; left--) {
      const party = this.#arrivals.next(at);
      if (party === undefined) continue;
      this.#recorder.arrived(party.players.length);
      this.#ask(party);
    }
    for (let b = 0; b < this.#balancers.length; b++) this.#pump(b);
    this.fleet.report(this.now, this.#waiting());
    if (this.#tick % (1000 / TICK_MS) === 0) this.#everySecond();
    if (this.now % SCALE_EVERY_MS === 0) this.#scaler?.step(this.now, WEEK_BEGAN_AT + at);
    if (at >= 0 && at % SAMPLE_MS === 0) this.#recorder.sample(at, SAMPLE_MS);
    this.#tick++;
  }

  #everySecond(): void {
    for (const { lastRegions } of this.#balancers) lastRegions.tick(this.now);
    if (this.now % LEND_ANEW_MS === 0) this.fleet.noteWaiting(this.#waiting());
    this.store.noteRenewal("balancers", (this.#balancers.length * 1000) / MEMBER_RENEW_MS);
    this.store.noteRenewal("leaders", (LEADERSHIPS * 1000) / LEADER_RENEW_MS);
    this.#recorder.second(this.atMs);
  }

  /** As `GlobalLoadBalancer` answers a request. */
  #ask(party: Party): void {
    if (party.done) return;
    const version = this.#incidents.versionOf(party.home);
    const { queue } = this.#balancers[party.balancer];
    const seats = party.players.length;
    const filterKey = FILTER_KEYS[version];
    if (party.queuedSince < 0 && queue.mayPass(filterKey, seats, this.now)) {
      const outcome = this.#place(party, party.balancer, version);
      if ("node" in outcome) {
        queue.passed(filterKey, seats, this.now);
        return;
      }
      if (outcome.refused !== "full") return this.#retry(party);
      const other = (party.balancer + 1) % this.#balancers.length;
      if (other !== party.balancer && "node" in this.#place(party, other, version)) {
        this.#recorder.forwarded++;
        return;
      }
    }
    if (this.atMs - party.wantsSince > this.options.patienceMs) return this.#giveUp(party);
    const isQueued = party.queuedSince >= 0;
    if (!isQueued) party.queuedSince = this.now;
    const place = queue.ask(
      { key: party.key, filterKey, seats, request: party },
      party.queuedSince,
      isQueued,
      this.now,
    );
    if (place === undefined) {
      this.#recorder.queueFull++;
      party.queuedSince = -1;
      return this.#retry(party);
    }
    this.after(place.askAgainMs, () => this.#ask(party));
  }

  #pump(b: number): void {
    const { queue } = this.#balancers[b];
    for (let next = queue.next(this.now); next !== undefined; next = queue.next(this.now)) {
      const party = next.request;
      if ("node" in this.#place(party, b, this.#incidents.versionOf(party.home))) queue.placed(next.key, this.now);
      else queue.unplaced(next.key, this.now);
    }
  }

  #place(party: Party, b: number, version: number): RouteOutcome {
    const balancer = this.#balancers[b];
    const last = balancer.lastRegions.of(party.clients[0].clientId);
    const request: RouteRequest =
      last === undefined
        ? { clients: party.clients, filter: FILTERS[version] }
        : { clients: party.clients, filter: FILTERS[version], lastRegion: last.region, lastNode: last.nodeId };
    const outcome = this.#route(balancer, request);
    if (!("node" in outcome)) return outcome;
    const { index, node } = outcome;
    const seats = party.players.length;
    const clientIds = party.clients.map(({ clientId }) => clientId);
    if (this.#realSeats?.take(b, index, party.key, clientIds, this.now) === false) return { refused: "full" };
    balancer.lent[index] -= seats;
    balancer.table.addReserved(index, seats);
    for (const clientId of clientIds)
      balancer.lastRegions.note(clientId, { region: node.region, nodeId: node.id }, WEEK_BEGAN_AT + this.atMs);
    if (this.fleet.state[index] === LOST) {
      this.#recorder.toDeadNodes++;
      this.#retry(party, NOTICE_LOSS_MS);
      return outcome;
    }
    this.#recorder.placed(party, index, version, this.#incidents.phase, this.atMs);
    this.fleet.take(index, seats);
    party.done = true;
    const endTick = this.#tick + 1 + Math.floor(Math.min(party.lengthMs, MAX_SESSION_MS - TICK_MS) / TICK_MS);
    this.#sessions.add(index, party.places[0], party.players, endTick);
    return outcome;
  }

  #waiting(): number[] {
    return this.#balancers.map(({ queue }) => queue.waiting);
  }

  #route({ router }: SimulatedBalancer, request: RouteRequest): RouteOutcome {
    const { clock } = this.options;
    if (clock === undefined || this.#timed++ % TIMED_EVERY !== 0) return router.routeClient(request, this.now);
    const began = clock();
    const outcome = router.routeClient(request, this.now);
    this.#recorder.routingMicros.add(1000 * (clock() - began));
    return outcome;
  }

  #retry(party: Party, [least, most]: readonly [number, number] = RETRY_MS): void {
    if (this.atMs - party.wantsSince > this.options.patienceMs) return this.#giveUp(party);
    this.after(this.#between(least, most), () => this.#ask(party));
  }

  #giveUp(party: Party): void {
    party.done = true;
    if (party.queuedSince >= 0) this.#balancers[party.balancer].queue.leave(party.key);
    this.#recorder.gaveUp(party.players.length);
    this.#arrivals.release(party.players);
  }

  #finish(session: number): void {
    const { node, seats } = this.#sessions;
    const players = this.#sessions.playersOf(session);
    this.#recorder.finished(players.length);
    this.#arrivals.release(players);
    if (this.#realSeats !== undefined)
      for (const player of players) this.#realSeats.leave(node[session], String(player));
    this.#vacate(node[session], seats[session]);
  }

  #vacate(node: number, seats: number): void {
    this.fleet.release(node, seats);
    if (this.fleet.state[node] === DRAINING && this.fleet.occupied[node] === 0) this.#stopNode(node);
  }

  /** Everybody there has to find another place. */
  #evict(node: number): void {
    this.#sessions.evict(node, (session) => {
      const { seats, place, endTick } = this.#sessions;
      const players = this.#sessions.playersOf(session);
      this.fleet.release(node, seats[session]);
      this.#recorder.interruptedPlayers(players.length);
      const lengthMs = Math.max(TICK_MS, (endTick[session] - this.#tick) * TICK_MS);
      const party = this.#arrivals.again(players, place[session], lengthMs, this.atMs);
      this.after(this.#between(...NOTICE_LOSS_MS), () => this.#ask(party));
    });
  }

  #stopNode(node: number): void {
    this.#recorder.drained(node, this.atMs);
    const where = this.fleet.region[node];
    this.fleet.stop(node);
    if (this.#isReplaced[node] === 1) this.#incidents.stopped(where);
  }

  #readyLater(node: number): void {
    const life = this.fleet.life[node];
    const { startUpMs } = this.options;
    this.after(this.#between(0.75 * startUpMs, 1.5 * startUpMs), () => {
      if (this.fleet.life[node] !== life || this.fleet.state[node] !== STARTING) return;
      this.fleet.ready(node, this.now);
      this.#incidents.ready(this.fleet.region[node]);
    });
  }

  #between(least: number, most: number): number {
    return least + this.#arrivals.random() * (most - least);
  }
}
