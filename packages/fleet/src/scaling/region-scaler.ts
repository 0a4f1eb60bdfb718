/**
 * Decides how many nodes each region has: which to start, drain, resume and stop. Does nothing itself: who calls `step`
 * carries its decisions out before the next one.
 *
 * Nodes are started where fewer seats are free, or on their way, than the target and the growth that is expected until they
 * would be ready. They are drained, the emptiest first, where the target, its margin and the growth until they could be
 * replaced would be free without them, counting their players as if they needed seats elsewhere. So what is started is not
 * drained, nor what is drained missed, as long as demand stays what it is.
 */
import type { RegionScaling } from "../config/load-balancer-config.ts";
import { OTHER_REGIONS } from "../config/config-rules.ts";
import { FULL, READY, STARTING } from "../registry/node-table.ts";
import type { NodeTable } from "../registry/node-table.ts";
import { DrainBook } from "./drain-book.ts";
import { DrainPlans } from "./drain-plans.ts";
import { RegionCensus } from "./region-census.ts";
import { RegionState } from "./region-state.ts";
import type { Situation } from "./region-state.ts";
import { DecisionLog } from "./scaling-decision.ts";
import type { NotedDecision, RegionScalingStatus, ScalingDecision } from "./scaling-decision.ts";
import { targetsUntil } from "./scaling-targets.ts";

export interface RegionScalerOptions {
  readonly table: NodeTable;
  readonly config: () => Readonly<Record<string, RegionScaling>>;
  /** Whether it may drain and stop the node: false for those that others have started. Default: all. */
  readonly mayStop?: (nodeId: string) => boolean;
  /** Players who wait for a seat in that region. Default: nobody is known to. */
  readonly waitingIn?: (region: string) => number;
}

/** At most so much of a region is drained at once, or one node. */
const MAX_DRAINED_SHARE = 0.1;
/** Who begins to lead has not heard of all nodes yet. */
const SETTLE_MS = 10_000;

interface Coming {
  /** -1: it came by itself. */
  readonly askedAt: number;
  /** -1: not counted yet. */
  seenAt: number;
}

export class RegionScaler {
  readonly #options: RegionScalerOptions;
  readonly #table: NodeTable;
  readonly #census: RegionCensus;
  readonly #states: Map<string, RegionState> = new Map();
  readonly #mayStop: (nodeId: string) => boolean;
  readonly #drains: DrainBook;
  /** Nodes that are not ready yet, by index. */
  readonly #coming: Map<number, Coming> = new Map();
  readonly #log = new DecisionLog();
  readonly #plans: DrainPlans;
  /** By region number, of this step. */
  readonly #configs: Map<number, RegionScaling> = new Map();
  #decisions: ScalingDecision[] = [];
  #returning = -1;
  #settledAt = -Infinity;
  #now = 0;

  constructor(options: RegionScalerOptions) {
    this.#options = options;
    this.#table = options.table;
    this.#census = new RegionCensus(options.table.regions.maxRegions);
    this.#drains = new DrainBook(options.table);
    this.#mayStop = options.mayStop ?? ((): boolean => true);
    this.#plans = new DrainPlans(options.table, this.#mayStop);
    options.table.observe({
      nodeAdded: (index) => this.#noteAdded(index),
      nodeRemoved: (index, returns) => this.#noteRemoved(index, returns),
      nodeChanged: () => undefined,
      nodeReported: () => undefined,
    });
  }

  /** This balancer leads from now on. It decides nothing for 10 s: it may not have heard of all nodes yet. */
  lead(now: number): void {
    this.#settledAt = now + SETTLE_MS;
    this.#drains.clear();
    this.#coming.clear();
    for (const state of this.#states.values()) state.forget(now);
  }

  /** It has led for long enough to decide. */
  isSettled(now: number): boolean {
    return now >= this.#settledAt;
  }

  /** Call it about once a second while this balancer leads. */
  step(now: number, unixMs: number): readonly ScalingDecision[] {
    this.#now = now;
    this.#decisions = [];
    this.#census.take(this.#table);
    this.#noteReady(now);
    const configs = this.#configs;
    configs.clear();
    const config = this.#options.config();
    const named = new Set<string>();
    for (const [name, scaling] of Object.entries(config)) {
      if (name === OTHER_REGIONS) continue;
      named.add(name);
      this.#decide(name, scaling, unixMs);
    }
    const others = Object.hasOwn(config, OTHER_REGIONS) ? config[OTHER_REGIONS] : undefined;
    if (others !== undefined) {
      const { regions } = this.#table;
      for (let number = 0; number < regions.count; number++) {
        const name = regions.nameOf(number);
        if (named.has(name) || regions.nodesIn(number) === 0) continue;
        named.add(name);
        this.#decide(name, others, unixMs);
      }
    }
    for (const name of this.#states.keys()) if (!named.has(name)) this.#states.delete(name);
    this.#plans.carryOut((state, index, reason) => this.#drain(state, index, reason));
    this.#stopDrained();
    for (const decision of this.#decisions) this.#log.note(decision, unixMs);
    return this.#decisions;
  }

  /**
   * The driver has begun to start a node that `step` has decided on. Without it, nodes that register count as those that
   * were asked for first.
   */
  expect(region: string, nodeId: string): void {
    // It may have registered before its driver has said so: then it was counted already.
    if (this.#table.indexOf(nodeId) < 0) this.#states.get(region)?.expect(nodeId);
  }

  /** Nodes that the driver has begun to start and that have not registered. */
  expected(): { readonly id: string; readonly region: string }[] {
    return Array.from(this.#states.values(), ({ name, asked }) =>
      asked.flatMap(({ id }) => (id === undefined ? [] : [{ id, region: name }])),
    ).flat();
  }

  /** A node has ended; if it never registered, the next are asked for later. */
  endedBeforeReady(region: string, nodeId: string, now: number): void {
    const state = this.#states.get(region);
    if (state?.asked.some(({ id }) => id === nodeId) !== true) return;
    state.arrive(nodeId);
    state.noteFailure(now);
  }

  /** Nodes that `step` has decided to start could not be asked for. */
  startFailed(region: string, count: number, now: number): void {
    const state = this.#states.get(region);
    if (state === undefined) return;
    for (let i = state.asked.length - 1; i >= 0 && count > 0; i--) {
      if (state.asked[i].id !== undefined) continue;
      state.asked.splice(i, 1);
      count--;
    }
    state.noteFailure(now);
  }

  /** How all regions stand. */
  status(): readonly RegionScalingStatus[] {
    return Array.from(this.#states.values(), (state) => state.status(this.#now));
  }

  /** The newest decisions, the oldest first. */
  get decisions(): readonly NotedDecision[] {
    return this.#log.list();
  }

  /** What a new leader needs to go on, by region: a few KiB each. */
  save(): ReadonlyMap<string, string> {
    const drained = new Map<string, string[]>();
    for (const [index, { id, isOurs }] of this.#drains.entries()) {
      if (!isOurs) continue;
      const region = this.#table.registrationOf(index).region;
      const ids = drained.get(region);
      if (ids === undefined) drained.set(region, [id]);
      else ids.push(id);
    }
    return new Map(Array.from(this.#states, ([name, state]) => [name, state.toText(drained.get(name) ?? [])]));
  }

  /** Takes what a leader has saved; false for what is nothing like it. */
  restore(region: string, text: string, now: number, unixMs: number): boolean {
    return this.#stateOf(region, now).restore(text, unixMs);
  }

  #stateOf(region: string, now: number): RegionState {
    let state = this.#states.get(region);
    if (state === undefined) this.#states.set(region, (state = new RegionState(region, now)));
    return state;
  }

  #decide(name: string, config: RegionScaling, unixMs: number): void {
    const now = this.#now;
    const state = this.#stateOf(name, now);
    const number = this.#table.regions.numberOf(name);
    if (number >= 0) this.#configs.set(number, config);
    this.#count(state, config, number);
    state.history.note(state.numbers.demand, unixMs);
    state.situation = this.#change(state, config, { number, unixMs });
  }

  #count(state: RegionState, config: RegionScaling, number: number): void {
    const { numbers } = state;
    const census = this.#census;
    const of = (column: Int32Array | Float64Array): number => (number < 0 ? 0 : column[number]);
    const nodes = of(census.serving) + of(census.starting) + of(census.draining) + of(census.maintenance);
    if (nodes > 0) state.seatsPerNode = of(census.capacity) / nodes;
    const stuck = this.#drainStuck(state, config, number);
    const given = state.giveUp(config, this.#now);
    if (given.length > 0) {
      const reason = `not there ${config.startTimeoutMs / 1000} s after they were asked for`;
      const nodeIds = given.flatMap(({ id }) => id ?? []);
      this.#decisions.push({ kind: "giveUp", region: state.name, count: given.length, nodeIds, reason });
    }
    numbers.startingNodes = of(census.starting) - stuck;
    numbers.askedNodes = state.asked.length;
    numbers.drainingNodes = of(census.draining) + stuck;
    numbers.lostNodes = of(census.lost);
    numbers.freeSeats = of(census.freeSeats);
    numbers.presentNodes = of(census.serving) + numbers.startingNodes + numbers.askedNodes;
    if (numbers.drainingNodes > 0) this.#countResuming(numbers, number);
    numbers.wantedNodes = numbers.presentNodes;
    numbers.maxNodes = config.maxNodes;
    numbers.comingSeats = (numbers.startingNodes + numbers.askedNodes) * this.#seatsPerNode(state, config);
    numbers.demand = of(census.demand);
    numbers.startupMs = state.startupMs;
  }

  #countResuming(numbers: RegionState["numbers"], number: number): void {
    const table = this.#table;
    for (const [index, drain] of this.#drains.entries()) {
      if (table.region[index] !== number || !this.#drains.isResuming(drain, this.#now)) continue;
      numbers.drainingNodes--;
      numbers.presentNodes++;
      numbers.freeSeats += Math.max(0, table.capacityOf(index) - table.takenOf(index));
    }
  }

  #seatsPerNode({ seatsPerNode }: RegionState, config: RegionScaling): number {
    return Math.max(1, seatsPerNode > 0 ? seatsPerNode : config.seatsPerNode);
  }

  #change(
    state: RegionState,
    config: RegionScaling,
    { number, unixMs }: { readonly number: number; readonly unixMs: number },
  ): Situation {
    const now = this.#now;
    const { numbers, history } = state;
    // Until nodes that are started at the next occasion would be ready.
    const leadMs = numbers.startupMs + config.scaleOutCooldownMs;
    const targets = targetsUntil(config, unixMs, unixMs + leadMs);
    const { demand } = numbers;
    numbers.expectedDemand = config.predict ? history.peak(demand, unixMs, unixMs + leadMs) : demand;
    numbers.targetFreeSeats = targets.freeSeats;
    numbers.minNodes = targets.minNodes;
    const isFull = targets.freeSeats > 0 && demand > 0 && numbers.freeSeats === 0;
    const waiting = this.#options.waitingIn?.(state.name) ?? 0;
    numbers.hiddenDemand = Math.max(waiting, state.hiddenDemand(demand, isFull, now));
    if (now < this.#settledAt) {
      state.waitsUntil = this.#settledAt;
      return "settling";
    }
    const serving = number < 0 ? 0 : this.#census.serving[number];
    const excess = numbers.presentNodes - config.maxNodes;
    if (excess > 0) {
      numbers.wantedNodes = config.maxNodes;
      const reason = `${numbers.presentNodes} nodes of at most ${config.maxNodes}`;
      const count = Math.min(excess, serving - targets.minNodes);
      this.#plans.add(number, { state, count, seats: Infinity, reason });
      return "shrinking";
    }
    const perNode = this.#seatsPerNode(state, config);
    const growth = numbers.expectedDemand - demand + numbers.hiddenDemand;
    const shortage = targets.freeSeats + growth - numbers.freeSeats - numbers.comingSeats;
    const missing = Math.max(Math.ceil(shortage / perNode), targets.minNodes - numbers.presentNodes);
    if (missing > 0) return this.#grow(state, config, { shortage, missing });
    return this.#shrink(state, config, { number, unixMs, leadMs });
  }

  #grow(
    state: RegionState,
    config: RegionScaling,
    { shortage, missing }: { readonly shortage: number; readonly missing: number },
  ): Situation {
    const now = this.#now;
    const { numbers } = state;
    const reason = state.reasonToGrow();
    numbers.wantedNodes = Math.min(config.maxNodes, numbers.presentNodes + missing);
    const seats = this.#resume(state, { shortage, missing, reason });
    const perNode = this.#seatsPerNode(state, config);
    const stillMissing = Math.max(Math.ceil((shortage - seats) / perNode), numbers.minNodes - numbers.presentNodes);
    if (stillMissing <= 0) return "growing";
    const total = numbers.presentNodes + numbers.drainingNodes + this.#maintenanceOf(state.name);
    const room = config.maxNodes - total;
    if (room <= 0) return "atMaximum";
    if (now < state.retryAt) {
      state.waitsUntil = state.retryAt;
      return "backOff";
    }
    if (now - state.startedAt < config.scaleOutCooldownMs) {
      state.waitsUntil = state.startedAt + config.scaleOutCooldownMs;
      return "outCooldown";
    }
    const count = Math.min(stillMissing, room, config.maxStarting - numbers.startingNodes - numbers.askedNodes);
    if (count <= 0) return "startsAtOnce";
    for (let i = 0; i < count; i++) state.asked.push({ at: now });
    numbers.askedNodes += count;
    numbers.presentNodes += count;
    state.startedAt = now;
    state.changedAt = now;
    this.#decisions.push({ kind: "start", region: state.name, count, reason });
    return "growing";
  }

  /** Cancels draining, of the fullest first: these would have stayed longest. How many seats that brings back. */
  #resume(
    state: RegionState,
    { shortage, missing, reason }: { readonly shortage: number; readonly missing: number; readonly reason: string },
  ): number {
    const table = this.#table;
    const { numbers } = state;
    if (numbers.drainingNodes === 0) return 0;
    const number = table.regions.numberOf(state.name);
    const drained = Array.from(this.#drains.entries()).filter(
      ([index, drain]) => table.region[index] === number && this.#drains.mayResume(drain, this.#now),
    );
    drained.sort(([a], [b]) => table.takenOf(b) - table.takenOf(a));
    let [nodes, seats] = [0, 0];
    for (const [index, drain] of drained) {
      if ((nodes >= missing && seats >= shortage) || numbers.presentNodes === numbers.maxNodes) break;
      nodes++;
      seats += Math.max(0, table.capacityOf(index) - table.takenOf(index));
      numbers.presentNodes++;
      numbers.drainingNodes--;
      state.changedAt = this.#now;
      drain.resumedAt = this.#now;
      this.#decisions.push({ kind: "resume", region: state.name, nodeId: drain.id, reason });
    }
    return seats;
  }

  #shrink(
    state: RegionState,
    config: RegionScaling,
    { number, unixMs, leadMs }: { readonly number: number; readonly unixMs: number; readonly leadMs: number },
  ): Situation {
    const { numbers } = state;
    const serving = number < 0 ? 0 : this.#census.serving[number];
    if (numbers.comingSeats > 0 || serving <= numbers.minNodes) return "enough";
    const perNode = this.#seatsPerNode(state, config);
    const target = numbers.targetFreeSeats;
    if (numbers.freeSeats - target * (1 + config.scaleInMargin) < perNode) return "enough";
    // Until it could be drained again, and a new one would be there.
    const untilMs = unixMs + leadMs + config.scaleInCooldownMs;
    const targets = targetsUntil(config, unixMs, untilMs);
    const expected = config.predict ? state.history.peak(numbers.demand, unixMs, untilMs) : numbers.demand;
    const wanted = Math.max(target, targets.freeSeats) * (1 + config.scaleInMargin) + expected - numbers.demand;
    const seats = numbers.freeSeats - wanted;
    const minNodes = Math.max(numbers.minNodes, targets.minNodes);
    const most = Math.min(serving - minNodes, Math.floor(seats / perNode));
    if (most <= 0) return "enough";
    numbers.wantedNodes = numbers.presentNodes - most;
    if (this.#now - state.changedAt < config.scaleInCooldownMs) {
      state.waitsUntil = state.changedAt + config.scaleInCooldownMs;
      return "inCooldown";
    }
    const count = Math.min(most, Math.max(1, Math.floor(serving * MAX_DRAINED_SHARE)));
    const reason = `${Math.floor(numbers.freeSeats)} seats are free, ${Math.ceil(wanted)} are wanted`;
    this.#plans.add(number, { state, count, seats, reason });
    return "shrinking";
  }

  #drain(state: RegionState, index: number, reason: string): void {
    this.#drains.add(index, true, this.#now);
    state.changedAt = this.#now;
    state.numbers.presentNodes--;
    state.numbers.drainingNodes++;
    this.#decisions.push({ kind: "drain", region: state.name, nodeId: this.#table.idOf(index), reason });
  }

  #stopDrained(): void {
    if (this.#now < this.#settledAt) return;
    const table = this.#table;
    for (const [index, reason] of this.#drains.due((region) => this.#configs.get(region)?.maxDrainMs, this.#now)) {
      const { id: nodeId, region } = table.registrationOf(index);
      if (!this.#mayStop(nodeId)) continue;
      this.#decisions.push({ kind: "stop", region, nodeId, reason });
    }
  }

  /** Nodes that have started and do not get ready are drained; how many of the region's starting nodes there are. */
  #drainStuck(state: RegionState, config: RegionScaling, number: number): number {
    if (number < 0 || this.#census.starting[number] === 0 || this.#now < this.#settledAt) return 0;
    let stuck = 0;
    for (const [index, { seenAt }] of this.#coming) {
      if (this.#table.region[index] !== number || this.#now - seenAt < config.startTimeoutMs) continue;
      stuck++;
      const id = this.#table.idOf(index);
      if (!this.#mayStop(id)) continue;
      state.noteFailure(this.#now);
      this.#coming.delete(index);
      this.#drains.add(index, false, this.#now);
      const reason = `not ready ${config.startTimeoutMs / 1000} s after it registered`;
      this.#decisions.push({ kind: "drain", region: state.name, nodeId: id, reason });
    }
    return stuck;
  }

  #maintenanceOf(region: string): number {
    const number = this.#table.regions.numberOf(region);
    return number < 0 ? 0 : this.#census.maintenance[number];
  }

  #noteReady(now: number): void {
    const table = this.#table;
    for (const [index, { askedAt }] of this.#coming) {
      if (table.state[index] === STARTING) continue;
      this.#coming.delete(index);
      if (table.state[index] !== READY && table.state[index] !== FULL) continue;
      this.#states.get(table.registrationOf(index).region)?.noteReady(askedAt < 0 ? undefined : now - askedAt);
    }
    for (const index of this.#census.startingNodes) {
      const coming = this.#coming.get(index);
      if (coming === undefined) this.#coming.set(index, { askedAt: -1, seenAt: now });
      else if (coming.seenAt < 0) coming.seenAt = now;
    }
    const wasOurs = (id: string, region: number): boolean =>
      now < this.#settledAt && (this.#states.get(table.regions.nameOf(region))?.drainedBefore.has(id) ?? false);
    this.#drains.update(this.#census.drainingNodes, wasOurs, now);
  }

  #noteAdded(index: number): void {
    if (index === this.#returning) {
      this.#returning = -1;
      return;
    }
    const { id, region } = this.#table.registrationOf(index);
    const askedAt = this.#states.get(region)?.arrive(id);
    if (askedAt !== undefined) this.#coming.set(index, { askedAt, seenAt: -1 });
  }

  #noteRemoved(index: number, returns: boolean): void {
    if (returns) {
      this.#returning = index;
      return;
    }
    this.#coming.delete(index);
    this.#drains.delete(index);
  }
}
