/**
 * Where to play: picks a node for one player, or for several who play together. Reads nodes from a `NodeTable`, free seats
 * from a function, and reserves nothing: whoever asked takes the seats, and asks again without that node when they are gone.
 *
 * Looks at a few nodes of a few regions, whatever the number of nodes; at all of a region only where that finds nothing.
 */
import type { Random } from "@riposte/protocol";
import type { RoutingConfig } from "../config/load-balancer-config.ts";
import type { NodeTable } from "../registry/node-table.ts";
import type { SeatsOf } from "./decision.ts";
import { Decision } from "./decision.ts";
import { Ejections } from "./ejections.ts";
import { explainDecision } from "./explain.ts";
import { MaglevTables } from "./maglev-tables.ts";
import { PoolSet } from "./pool-set.ts";
import type { RouteExplanation, RouteOutcome, RouteRequest } from "./route-request.ts";
import { ROUTING_DEFAULTS } from "./routing-defaults.ts";

export interface RouterOptions {
  readonly table: NodeTable;
  /**
   * Seats that may be given away at a node now. After a node was found with none it is not asked about again until its next
   * report, or `noteSeats`.
   */
  readonly seatsOf: SeatsOf;
  readonly random: Random;
  /** Default `ROUTING_DEFAULTS`. */
  readonly config?: RoutingConfig;
  /** Pairs of version and game mode for which lists of nodes are kept. Default 64: for others, nodes are asked one by one. */
  readonly maxPools?: number;
  /** Square degrees from which round trips are kept. Default 4096, some 2 KB each with 300 regions. */
  readonly maxCells?: number;
  /** Of `consistentHash`, one for each region and pool. Default 512, of 256 KB: with fewer than are in use, most decisions build one. */
  readonly maxMaglevTables?: number;
}

/** How full things are. */
export interface RouterStats {
  readonly pools: number;
  readonly cells: number;
  readonly maglevTables: number;
  readonly ejectedNodes: number;
  /** Nodes that nobody is sent to until they have seats again. */
  readonly seatlessNodes: number;
  readonly panicRegions: number;
}

export interface ExplainOptions {
  /** Candidates that are listed; the rejected go first. Default 1000. */
  readonly maxCandidates?: number;
}

const MAX_CLIENTS = 64;
/** A region in which no node has the seats for a group is looked through again after so long: nodes report less often. */
const SHORT_MS = 100;

export class Router {
  readonly #table: NodeTable;
  readonly #random: Random;
  readonly #pools: PoolSet;
  readonly #maglevs: MaglevTables;
  readonly #ejections: Ejections;
  readonly #decision: Decision;
  /** Of the next decision, so that it can be explained before it is made. */
  #nextSeed: number;

  constructor(options: RouterOptions) {
    const { table, seatsOf, random, config = ROUTING_DEFAULTS } = options;
    const { maxPools = 64, maxCells = 4096, maxMaglevTables = 512 } = options;
    this.#table = table;
    this.#random = random;
    this.#pools = new PoolSet(table, maxPools);
    this.#maglevs = new MaglevTables(table, maxMaglevTables);
    this.#ejections = new Ejections(table, this.#pools);
    this.#decision = new Decision({ table, pools: this.#pools, maglevs: this.#maglevs, seatsOf, config, maxCells });
    this.#nextSeed = random.uint32();
  }

  get config(): RoutingConfig {
    return this.#decision.config;
  }

  get stats(): RouterStats {
    let panicRegions = 0;
    for (let region = 0; region < this.#table.regions.count; region++)
      if (this.#pools.isPanic(region, this.config.panicThreshold)) panicRegions++;
    return {
      pools: this.#pools.size,
      cells: this.#decision.latencies.cells,
      maglevTables: this.#maglevs.size,
      ejectedNodes: this.#ejections.size,
      seatlessNodes: this.#pools.seatlessNodes,
      panicRegions,
    };
  }

  /** From the next decision on. */
  configure(config: RoutingConfig): void {
    this.#decision.config = config;
  }

  /** Throws a `RangeError` for none or more than 64 clients. */
  routeClient(request: RouteRequest, now: number): RouteOutcome {
    const best = this.#decide(request, now);
    this.#nextSeed = this.#random.uint32();
    const { pool, candidates, seatless, seatlessCount, vain, seats } = this.#decision;
    for (let i = 0; i < seatlessCount; i++) this.#pools.noteSeatless(seatless[i]);
    for (const list of vain) {
      list.shortOf = seats;
      list.shortUntil = now + SHORT_MS;
    }
    if (best >= 0) {
      const list = pool.listOf(this.#table.region[candidates[best]]);
      if (list !== undefined) list.filling = candidates[best];
    }
    return this.#outcome(best);
  }

  /** Where the last answer was "full" for a group: a node that has the room, but has not lent enough of it; or -1. */
  get shortNode(): number {
    return this.#decision.short;
  }

  /** What `routeClient` would answer now, and why; changes nothing. Looks at every node: for people. */
  explain(request: RouteRequest, now: number, { maxCandidates = 1000 }: ExplainOptions = {}): RouteExplanation {
    const best = this.#decide(request, now);
    const { candidates, regions } = explainDecision(this.#decision, this.#pools, best);
    return { outcome: this.#outcome(best), candidates: candidates.slice(0, maxCandidates), regions };
  }

  /** What `routeClient` would answer under another configuration, with the draws of `seed`; changes nothing. */
  routeUnder(config: RoutingConfig, request: RouteRequest, seed: number, now: number): RouteOutcome {
    const before = { config: this.config, seed: this.#nextSeed };
    this.configure(config);
    this.#nextSeed = seed;
    const outcome = this.#outcome(this.#decide(request, now));
    this.configure(before.config);
    this.#nextSeed = before.seed;
    return outcome;
  }

  /** What became of a player who was sent to a node: played (`true`), or never arrived or was turned away. */
  notePlacement(index: number, ok: boolean, now: number): void {
    this.#ejections.note(index, ok, now, this.config);
  }

  /** Seats have come back at a node without a report of its own. */
  noteSeats(index: number): void {
    this.#pools.noteSeats(index);
  }

  #decide(request: RouteRequest, now: number): number {
    const { length } = request.clients;
    if (!(length >= 1 && length <= MAX_CLIENTS)) throw new RangeError(`a request of ${length} clients`);
    this.#ejections.expire(now);
    return this.#decision.run(request, now, this.#nextSeed);
  }

  #outcome(best: number): RouteOutcome {
    const { candidates, scores, strategyName: strategy, refusal, latencies } = this.#decision;
    if (best < 0) return { refused: refusal };
    const index = candidates[best];
    const outcome = { node: this.#table.node(index), index, score: scores[best], strategy };
    const region = this.#table.region[index];
    return latencies.sourceOf(region) === "default" ? outcome : { ...outcome, latencyMs: latencies.of(region) };
  }
}
