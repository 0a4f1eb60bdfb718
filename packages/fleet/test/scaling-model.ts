/** Regions with players and a driver that delivers, or does not, on a virtual clock: what a scaler is tried on. */
import type { Random } from "@riposte/protocol";
import { DEFAULT_REGION_SCALING } from "../src/config/config-defaults.ts";
import type { RegionScaling } from "../src/config/load-balancer-config.ts";
import { NodeTable } from "../src/registry/node-table.ts";
import { RegionScaler } from "../src/scaling/region-scaler.ts";
import type { ScalingDecision } from "../src/scaling/scaling-decision.ts";
import { loadOf, registration } from "./fleet-model.ts";

export interface ModelOptions {
  readonly config: Readonly<Record<string, Partial<RegionScaling>>>;
  readonly random: Random;
  readonly seatsPerNode?: number;
  /** From being asked for to being ready; half of it until the node registers. Default 40 s. */
  readonly startupMs?: () => number;
  /** Whether a node that is asked for comes at all. Default: always. */
  readonly delivers?: () => boolean;
  /** Default 1000. */
  readonly stepMs?: number;
  /** Mean time until a player leaves and another one comes. Default: nobody does. */
  readonly sessionMs?: number;
}

interface Timed {
  readonly at: number;
  readonly act: () => void;
}

/** 2026-01-05 was a Monday. */
export const MONDAY: number = Date.UTC(2026, 0, 5);

export class ScalingModel {
  readonly table = new NodeTable({ maxNodes: 4096 });
  readonly scaler: RegionScaler;
  readonly decisions: { readonly at: number; readonly decision: ScalingDecision }[] = [];
  /** Players who found no seat. */
  turnedAway = 0;
  now = 0;
  readonly #options: ModelOptions;
  readonly #players: Map<string, number> = new Map();
  #timed: Timed[] = [];
  #named = 0;
  config: Readonly<Record<string, RegionScaling>>;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.config = Object.fromEntries(
      Object.entries(options.config).map(([region, change]) => [region, { ...DEFAULT_REGION_SCALING, ...change }]),
    );
    this.scaler = new RegionScaler({ table: this.table, config: () => this.config });
    this.scaler.lead(0);
  }

  get unixMs(): number {
    return MONDAY + this.now;
  }

  nodesIn(region: string, ...states: readonly string[]): readonly string[] {
    const nodes = Array.from(this.table.nodes()).filter((node) => node.region === region);
    return nodes.filter(({ state }) => states.length === 0 || states.includes(state)).map(({ id }) => id);
  }

  playersOn(id: string): number {
    return this.#players.get(id) ?? 0;
  }

  /** Brings a region's players to that number: who comes goes to a random node with room, who goes leaves a random one. */
  setPlayers(region: string, wanted: number): void {
    const nodes = this.nodesIn(region).filter((id) => this.table.stateOf(this.table.indexOf(id)) !== "lost");
    let total = nodes.reduce((sum, id) => sum + this.playersOn(id), 0);
    const touched = new Set<string>();
    const leaving = (total * (this.#options.stepMs ?? 1000)) / (this.#options.sessionMs ?? Infinity);
    const stay = Math.min(wanted, total - Math.floor(leaving + this.#options.random.next()));
    while (total > stay) {
      const id = this.#pick(nodes.filter((node) => this.playersOn(node) > 0));
      this.#players.set(id, this.playersOn(id) - 1);
      touched.add(id);
      total--;
    }
    let open = nodes.filter((id) => this.#isOpen(id));
    while (total < wanted) {
      if (open.length === 0) {
        this.turnedAway += wanted - total;
        break;
      }
      const id = this.#pick(open);
      this.#players.set(id, this.playersOn(id) + 1);
      touched.add(id);
      total++;
      if (!this.#isOpen(id)) open = open.filter((node) => node !== id);
    }
    for (const id of touched) this.#report(id);
  }

  /** One step of the scaler, whose decisions are carried out. */
  step(): readonly ScalingDecision[] {
    this.now += this.#options.stepMs ?? 1000;
    const due = this.#timed.filter(({ at }) => at <= this.now);
    this.#timed = this.#timed.filter(({ at }) => at > this.now);
    for (const { act } of due) act();
    const decisions = this.scaler.step(this.now, this.unixMs);
    for (const decision of decisions) this.#carryOut(decision);
    return decisions;
  }

  run(ms: number, each?: () => void): void {
    for (const end = this.now + ms; this.now < end;) {
      each?.();
      this.step();
    }
  }

  lose(id: string): void {
    this.#players.delete(id);
    this.table.setState(this.table.indexOf(id), "lost", this.now);
  }

  count(kind: ScalingDecision["kind"]): number {
    return this.decisions.filter(({ decision }) => decision.kind === kind).length;
  }

  #isOpen(id: string): boolean {
    const index = this.table.indexOf(id);
    const state = this.table.stateOf(index);
    return (state === "ready" || state === "full") && this.playersOn(id) < this.table.capacityOf(index);
  }

  #pick(ids: readonly string[]): string {
    return ids[Math.floor(this.#options.random.next() * ids.length)];
  }

  #report(id: string): void {
    const index = this.table.indexOf(id);
    this.table.report(index, loadOf(this.playersOn(id)));
    const state = this.table.stateOf(index);
    if (state !== "ready" && state !== "full") return;
    const isFull = this.playersOn(id) >= this.table.capacityOf(index);
    this.table.setState(index, isFull ? "full" : "ready", this.now);
  }

  #carryOut(decision: ScalingDecision): void {
    this.decisions.push({ at: this.now, decision });
    const { table } = this;
    switch (decision.kind) {
      case "start":
        for (let i = 0; i < decision.count; i++) this.#start(decision.region);
        break;
      case "drain":
        table.setState(table.indexOf(decision.nodeId), "draining", this.now);
        break;
      case "resume":
        table.setState(table.indexOf(decision.nodeId), "ready", this.now);
        this.#report(decision.nodeId);
        break;
      case "stop":
        table.remove(decision.nodeId);
        this.#players.delete(decision.nodeId);
        break;
      case "giveUp":
    }
  }

  #start(region: string): void {
    const { startupMs = () => 40_000, delivers = () => true, seatsPerNode = 64 } = this.#options;
    if (!delivers()) return;
    const id = `${region}-${++this.#named}`;
    const takesMs = startupMs();
    const registers = (): void => {
      this.table.put(registration(id, { region, capacity: { sessions: 1, players: seatsPerNode } }));
    };
    this.#timed.push({ at: this.now + takesMs / 2, act: registers });
    const becomesReady = (): void => this.table.setState(this.table.indexOf(id), "ready", this.now);
    this.#timed.push({ at: this.now + takesMs, act: becomesReady });
  }
}
