/**
 * One decision, from the request to the nodes that were compared and the best of them. One object makes all decisions, one
 * after the other: everything here is valid until the next `run`, and nothing else is changed by it.
 */
import { Random } from "@riposte/protocol";
import type { RoutingConfig } from "../config/load-balancer-config.ts";
import type { NodeTable } from "../registry/node-table.ts";
import { FULL, READY } from "../registry/node-table.ts";
import type { MaglevTables, RegionMaglev } from "./maglev-tables.ts";
import { NodeFilter } from "./node-filter.ts";
import type { NodePool, RegionList } from "./node-pool.ts";
import type { PoolSet } from "./pool-set.ts";
import { RegionLatencies } from "./region-latencies.ts";
import type { RouteRequest, RoutingStrategy } from "./route-request.ts";
import { slowStartShare } from "./slow-start.ts";
import { STRATEGIES } from "./strategies/strategies.ts";
import type { ScoreView, Strategy } from "./strategies/strategy.ts";

export type SeatsOf = (index: number, now: number) => number;
export type Refusal = "full" | "noMatch" | "noNodes";

export interface DecisionOptions {
  readonly table: NodeTable;
  readonly pools: PoolSet;
  readonly maglevs: MaglevTables;
  readonly seatsOf: SeatsOf;
  readonly config: RoutingConfig;
  readonly maxCells: number;
}

export class Decision implements ScoreView {
  readonly table: NodeTable;
  readonly filter: NodeFilter;
  readonly latencies: RegionLatencies;
  readonly random: Random = new Random(0);
  config: RoutingConfig;
  strategyName: RoutingStrategy = "composite";
  pool: NodePool;
  lastRegion = -1;
  lastNode = -1;
  hashKey = "";
  /** Seats that are needed on one node. */
  seats = 1;
  /** When nothing was found. */
  refusal: Refusal = "noNodes";
  /** What was compared: indices, and the scores beside them. */
  candidates: Int32Array = new Int32Array(64);
  scores: Float64Array = new Float64Array(64);
  count = 0;
  /** Of several seats: a node in the nearest region where one would have them, had it lent more; or -1. */
  short = -1;
  /** Nodes that turned out to have no seats at all. */
  readonly seatless: Int32Array;
  seatlessCount = 0;
  /** Lists of regions that were looked through in vain, for a group. */
  readonly vain: RegionList[] = [];
  readonly #pools: PoolSet;
  readonly #maglevs: MaglevTables;
  readonly #seatsOf: SeatsOf;
  #strategy: Strategy = STRATEGIES.composite;
  /** Which run it is; and by node, the last one that was done with it: had added it, or found it without seats. */
  #run = 0;
  readonly #doneIn: Float64Array;
  #now = 0;
  #latencyMs = 0;
  #shortFree = 0;
  #asksNodes = false;
  /** A pool could not be made: all nodes are, and each is asked for its version and mode. */
  #asksAll = false;
  /** How far the nearest region with a node that matches is; -1: not looked for yet. */
  #nearestMs = -1;

  constructor({ table, pools, maglevs, seatsOf, config, maxCells }: DecisionOptions) {
    this.table = table;
    this.#pools = pools;
    this.#maglevs = maglevs;
    this.#seatsOf = seatsOf;
    this.config = config;
    this.pool = pools.whole;
    this.filter = new NodeFilter(table);
    this.latencies = new RegionLatencies(table.regions, maxCells);
    this.seatless = new Int32Array(table.maxNodes);
    this.#doneIn = new Float64Array(table.maxNodes);
  }

  get strategy(): Strategy {
    return this.#strategy;
  }

  /** The place of the best in `candidates`, or -1 and a `refusal`. The same seed and state give the same answer. */
  run(request: RouteRequest, now: number, seed: number): number {
    this.#begin(request, now, seed);
    const canMatch = this.filter.read(request.filter);
    const pool = canMatch ? this.#pools.find(this.filter.version, this.filter.gameMode, now) : this.#pools.whole;
    this.pool = pool ?? this.#pools.whole;
    this.#asksAll = pool === undefined;
    this.#asksNodes = this.#asksAll || this.filter.asksNodes;
    if (!this.latencies.read(request.clients, this.#strategy.byDistance === true))
      this.latencies.standIn(this.#homeRegion());
    if (this.#pools.members === 0) return this.#refuse("noNodes");
    if (!canMatch) return this.#refuse("noMatch");
    this.#collect();
    return this.count > 0 ? this.#best() : this.#refuse(this.#hasMatch() ? "full" : "noMatch");
  }

  /** How many nodes from the start of the region's list may be used. */
  runOf(region: number, list: RegionList): number {
    return this.#pools.isPanic(region, this.config.panicThreshold) ? list.length : list.healthy;
  }

  /** Whether it is among those of its region that may be used. */
  isListed(index: number): boolean {
    const place = this.pool.placeOf(index);
    if (place < 0) return false;
    const region = this.table.region[index];
    const list = this.pool.listOf(region);
    return list !== undefined && place < this.runOf(region, list);
  }

  /** Of a listed node that is not a candidate yet: whether it matches and has the seats. */
  isUsable(index: number): boolean {
    if (this.#doneIn[index] === this.#run || (this.#asksNodes && !this.matches(index))) return false;
    const free = this.#seatsOf(index, this.#now);
    if (free >= this.seats) return true;
    if (this.seats > 1) this.#noteShort(index, free);
    if (!(free > 0)) {
      this.#doneIn[index] = this.#run;
      this.seatless[this.seatlessCount++] = index;
    }
    return false;
  }

  hasSeats(index: number): boolean {
    return this.#seatsOf(index, this.#now) >= this.seats;
  }

  /** Whether the filter lets it through; its region apart. */
  matches(index: number): boolean {
    if (this.#asksAll && !(this.filter.hasVersion(index) && this.filter.hostsMode(index))) return false;
    return this.filter.admitsNode(index);
  }

  /** Adds a listed node, unless it is there already or cannot be used. */
  tryNode(index: number): boolean {
    if (!this.isUsable(index)) return false;
    this.add(index);
    return true;
  }

  /** In the region that is being looked at. */
  add(index: number): void {
    if (this.count === this.candidates.length) this.#grow();
    this.#doneIn[index] = this.#run;
    this.candidates[this.count] = index;
    this.scores[this.count++] = this.#strategy.score(this, index, this.#latencyMs);
  }

  newcomerShare(index: number): number {
    return slowStartShare(this.table.readyAt[index], this.#now, this.config.slowStartMs);
  }

  /** Throws the dice for a node that has just started. */
  acceptsNewcomer(index: number): boolean {
    const share = this.newcomerShare(index);
    return share >= 1 || this.random.next() < share;
  }

  maglevOf(region: number, list: RegionList): RegionMaglev {
    return this.#maglevs.of(this.pool, region, list);
  }

  /** Farther than anybody is sent, and another region with nodes that match is nearer. */
  isTooFar(region: number): boolean {
    const ms = this.latencies.of(region);
    if (ms <= this.config.maxLatencyMs) return false;
    if (this.#nearestMs < 0) this.#nearestMs = this.#nearestMatchMs();
    return ms > this.#nearestMs;
  }

  #begin(request: RouteRequest, now: number, seed: number): void {
    const { clients, strategy, lastRegion, lastNode, hashKey } = request;
    this.#now = now;
    this.#run++;
    this.random.seed(seed);
    this.strategyName = strategy ?? this.config.strategy;
    this.#strategy = STRATEGIES[this.strategyName];
    this.seats = clients.length;
    this.hashKey = hashKey ?? clients[0].clientId;
    this.lastNode = lastNode === undefined ? -1 : this.table.indexOf(lastNode);
    if (lastRegion !== undefined) this.lastRegion = this.table.regions.numberOf(lastRegion);
    else this.lastRegion = this.lastNode < 0 ? -1 : this.table.region[this.lastNode];
    this.count = 0;
    this.seatlessCount = 0;
    this.vain.length = 0;
    this.short = -1;
    this.#nearestMs = -1;
  }

  #refuse(refusal: Refusal): -1 {
    this.refusal = refusal;
    return -1;
  }

  /** The one that lacks least: it is the same one next time, when it has lent some more. */
  #noteShort(index: number, free: number): void {
    const { table, short } = this;
    if (table.capacityOf(index) - table.takenOf(index) < this.seats) return;
    if (short >= 0 && (table.region[index] !== table.region[short] || free <= this.#shortFree)) return;
    this.short = index;
    this.#shortFree = free;
  }

  /** Where players count as being of whom nothing is known. */
  #homeRegion(): number {
    if (this.lastRegion >= 0) return this.lastRegion;
    const { regions } = this.table;
    const { defaultRegion } = this.config;
    const configured = defaultRegion === undefined ? -1 : regions.numberOf(defaultRegion);
    if (configured >= 0) return configured;
    let home = -1;
    let most = 0;
    for (let region = 0; region < regions.count; region++) {
      const members = this.#membersOf(region);
      if (members < most || members === 0) continue;
      if (members === most && regions.nameOf(region) > regions.nameOf(home)) continue;
      home = region;
      most = members;
    }
    return home;
  }

  #collect(): void {
    const { last } = this.#strategy;
    const hasLast = last !== undefined && this.#tryLastNode();
    if (last === "first" && (hasLast || (this.lastRegion >= 0 && this.#draw(this.lastRegion) > 0))) return;
    const regionOfLast = hasLast ? this.table.region[this.lastNode] : -1;
    let regions = this.#strategy.regionsCompared(this.config);
    for (let region = this.latencies.next(); region >= 0; region = this.latencies.next())
      if ((this.#draw(region) > 0 || region === regionOfLast) && --regions <= 0) return;
  }

  #tryLastNode(): boolean {
    const index = this.lastNode;
    if (index < 0 || !this.isListed(index)) return false;
    const region = this.table.region[index];
    if (!this.filter.admitsRegion(region) || this.isTooFar(region)) return false;
    this.#latencyMs = this.latencies.of(region);
    return this.tryNode(index);
  }

  #draw(region: number): number {
    const list = this.pool.listOf(region);
    if (list === undefined || list.length === 0) return 0;
    if (!this.filter.admitsRegion(region) || this.isTooFar(region)) return 0;
    const isShort = this.seats >= list.shortOf && this.#now < list.shortUntil;
    if (isShort && !this.#asksNodes) return 0;
    this.#latencyMs = this.latencies.of(region);
    const found = this.#strategy.draw(this, region, list);
    // One seat is not worth a note: nodes without any leave the list.
    if (found === 0 && this.seats > 1 && !this.#asksNodes) this.vain.push(list);
    return found;
  }

  #best(): number {
    let best = 0;
    let equals = 1;
    for (let i = 1; i < this.count; i++) {
      if (this.scores[i] > this.scores[best]) continue;
      if (this.scores[i] < this.scores[best]) equals = 1;
      else if (this.random.int(++equals) > 0) continue;
      best = i;
    }
    return best;
  }

  /** Nodes of the pool there that take players, if the region is admitted. */
  #membersOf(region: number): number {
    return this.filter.admitsRegion(region) ? (this.pool.listOf(region)?.members ?? 0) : 0;
  }

  #hasMatch(): boolean {
    return this.#nearestMatchMs() < Infinity;
  }

  /** Infinity: no node matches. */
  #nearestMatchMs(): number {
    const { region: regions, end } = this.table;
    let nearestMs = Infinity;
    if (this.#asksNodes) {
      for (let index = 0; index < end; index++)
        if (this.latencies.of(regions[index]) < nearestMs && this.#isMember(index) && this.#admits(index))
          nearestMs = this.latencies.of(regions[index]);
    } else {
      for (let region = 0; region < this.table.regions.count; region++)
        if (this.#membersOf(region) > 0) nearestMs = Math.min(nearestMs, this.latencies.of(region));
    }
    return nearestMs;
  }

  #isMember(index: number): boolean {
    const state = this.table.state[index];
    return this.table.has(index) && (state === READY || state === FULL);
  }

  #admits(index: number): boolean {
    return this.filter.admitsRegion(this.table.region[index]) && this.pool.includes(index) && this.matches(index);
  }

  #grow(): void {
    const candidates = new Int32Array(2 * this.count);
    const scores = new Float64Array(2 * this.count);
    candidates.set(this.candidates);
    scores.set(this.scores);
    this.candidates = candidates;
    this.scores = scores;
  }
}
