/**
 * The nodes that a balancer knows, by a small number each, their *index*, which a node keeps until it is removed and which
 * then goes to another. What routing reads of many nodes in one decision lies in columns; everything else is the
 * registration. Free seats are not here: they are whoever's who lends them.
 *
 * Nothing here judges: states, suspicions and loads are set by others.
 */
import { NameNumbers } from "./name-numbers.ts";
import { RegionTable } from "./region-table.ts";
import type { NodeLoad, NodeRegistration, NodeState, ServerNode } from "./server-node.ts";

export interface NodeTableOptions {
  /** Default 20000. */
  readonly maxNodes?: number;
  /** Default 1024; at most 65535. */
  readonly maxRegions?: number;
}

/** Why a node cannot be taken in: there are as many as there may be. Nothing has changed then. */
export type TableRefusal = "tooManyNodes" | "tooManyRegions";

/** Hears of changes after they were made; of a removal before. */
export interface NodeObserver {
  nodeAdded(index: number): void;
  /** `returns`: it is the same node, which registered anew, and is added at once. */
  nodeRemoved(index: number, returns: boolean): void;
  /** Its state, suspicion or ejection. */
  nodeChanged(index: number): void;
  nodeReported(index: number): void;
}

const STATES: readonly NodeState[] = ["starting", "ready", "full", "draining", "maintenance", "lost"];
/** What `state` holds. */
export const STARTING: number = STATES.indexOf("starting");
export const READY: number = STATES.indexOf("ready");
export const FULL: number = STATES.indexOf("full");
export const DRAINING: number = STATES.indexOf("draining");
export const LOST: number = STATES.indexOf("lost");

const MAX_COUNT = 0xffff_ffff;
const NO_LOAD: NodeLoad = { sessions: 0, players: 0, reserved: 0, cpu: 0, tickMs: 0 };

export class NodeTable {
  readonly maxNodes: number;
  readonly regions: RegionTable;
  readonly versions: NameNumbers = new NameNumbers();
  readonly gameModes: NameNumbers = new NameNumbers();
  /** By `labelName(key, value)`. */
  readonly labels: NameNumbers = new NameNumbers();

  // Columns, by index; to be read only.
  readonly state: Uint8Array;
  readonly region: Uint16Array;
  readonly version: Int32Array;
  /** Players and kept seats by capacity, 0 to 1. */
  readonly loadShare: Float64Array;
  readonly cpu: Float64Array;
  readonly weight: Float64Array;
  /** -1: not yet. */
  readonly readyAt: Float64Array;
  /** 1: no player is sent there although it is ready. */
  readonly suspected: Uint8Array;
  /** Left out for too many failed placements until then; 0: not. Kept by routing's `Ejections`. */
  readonly ejectedUntil: Float64Array;

  /** Seats. */
  readonly #capacity: Float64Array;
  readonly #sessions: Uint32Array;
  readonly #players: Uint32Array;
  readonly #reserved: Uint32Array;
  readonly #tickMs: Float64Array;
  readonly #registrations: (NodeRegistration | undefined)[] = [];
  readonly #gameModesOf: (readonly number[])[] = [];
  readonly #labelsOf: (readonly number[])[] = [];
  readonly #suspicions: Map<number, string> = new Map();
  readonly #indices: Map<string, number> = new Map();
  readonly #free: number[] = [];
  readonly #observers: NodeObserver[] = [];

  constructor({ maxNodes = 20_000, maxRegions = 1024 }: NodeTableOptions = {}) {
    if (!(maxNodes >= 1 && maxNodes <= 1 << 24)) throw new RangeError(`maxNodes is ${maxNodes}`);
    if (!(maxRegions >= 1 && maxRegions <= 65_535)) throw new RangeError(`maxRegions is ${maxRegions}`);
    this.maxNodes = maxNodes;
    this.regions = new RegionTable(maxRegions);
    this.state = new Uint8Array(maxNodes);
    this.region = new Uint16Array(maxNodes);
    this.version = new Int32Array(maxNodes);
    this.loadShare = new Float64Array(maxNodes);
    this.cpu = new Float64Array(maxNodes);
    this.weight = new Float64Array(maxNodes);
    this.readyAt = new Float64Array(maxNodes);
    this.suspected = new Uint8Array(maxNodes);
    this.ejectedUntil = new Float64Array(maxNodes);
    this.#capacity = new Float64Array(maxNodes);
    this.#sessions = new Uint32Array(maxNodes);
    this.#players = new Uint32Array(maxNodes);
    this.#reserved = new Uint32Array(maxNodes);
    this.#tickMs = new Float64Array(maxNodes);
  }

  /** Nodes in it. */
  get size(): number {
    return this.#indices.size;
  }

  /** Indices are below this one. */
  get end(): number {
    return this.#registrations.length;
  }

  has(index: number): boolean {
    return this.#registrations[index] !== undefined;
  }

  /** -1: no such node. */
  indexOf(id: string): number {
    return this.#indices.get(id) ?? -1;
  }

  idOf(index: number): string {
    return this.registrationOf(index).id;
  }

  registrationOf(index: number): NodeRegistration {
    const registration = this.#registrations[index];
    if (registration === undefined) throw new RangeError(`there is no node ${index}`);
    return registration;
  }

  /** What is known of it now; does not change afterwards. */
  node(index: number): ServerNode {
    const node = {
      ...this.registrationOf(index),
      state: this.stateOf(index),
      load: this.loadOf(index),
      readyAt: this.readyAt[index],
    };
    if (this.suspected[index] === 0) return node;
    return { ...node, suspicion: this.#suspicions.get(index) ?? "" };
  }

  *nodes(): IterableIterator<ServerNode> {
    for (const index of this.#indices.values()) yield this.node(index);
  }

  stateOf(index: number): NodeState {
    return STATES[this.state[index]];
  }

  loadOf(index: number): NodeLoad {
    return {
      sessions: this.#sessions[index],
      players: this.#players[index],
      reserved: this.#reserved[index],
      cpu: this.cpu[index],
      tickMs: this.#tickMs[index],
    };
  }

  /** Seats with players, and seats that are kept for players who are on their way. */
  takenOf(index: number): number {
    return this.#players[index] + this.#reserved[index];
  }

  /** Seats, taken or not. */
  capacityOf(index: number): number {
    return this.#capacity[index];
  }

  suspicionOf(index: number): string | undefined {
    return this.#suspicions.get(index);
  }

  /** None: it hosts all modes. */
  gameModesOf(index: number): readonly number[] {
    return this.#gameModesOf[index];
  }

  labelsOf(index: number): readonly number[] {
    return this.#labelsOf[index];
  }

  /** A new node is `starting`, with no load. One that is known keeps index, state and load. */
  put(registration: NodeRegistration): number | TableRefusal {
    const { id, region, weight } = registration;
    if (!(weight > 0 && weight < Infinity)) throw new RangeError(`the weight of ${id} is ${weight}`);
    const known = this.indexOf(id);
    if (known < 0 && this.size >= this.maxNodes) return "tooManyNodes";
    if (!this.regions.hasRoomFor(region)) return "tooManyRegions";
    if (known >= 0) {
      for (const observer of this.#observers) observer.nodeRemoved(known, true);
      this.#forget(known);
      this.#learn(known, registration);
      this.#setLoad(known, this.loadOf(known));
      this.#tell("nodeAdded", known);
      return known;
    }
    const index = this.#free.pop() ?? this.#registrations.length;
    this.#indices.set(id, index);
    this.#learn(index, registration);
    this.state[index] = STARTING;
    this.readyAt[index] = -1;
    this.suspected[index] = 0;
    this.ejectedUntil[index] = 0;
    this.#setLoad(index, NO_LOAD);
    this.#tell("nodeAdded", index);
    return index;
  }

  /** Whether it was there. */
  remove(id: string): boolean {
    const index = this.indexOf(id);
    if (index < 0) return false;
    for (const observer of this.#observers) observer.nodeRemoved(index, false);
    this.#forget(index);
    this.#suspicions.delete(index);
    this.#indices.delete(id);
    this.#registrations[index] = undefined;
    this.#free.push(index);
    return true;
  }

  /** Whoever becomes ready counts as new from `now` on, unless it was `full`. */
  setState(index: number, state: NodeState, now: number): void {
    const before = this.state[index];
    const after = STATES.indexOf(state);
    if (before === after) return;
    const wasTakingPlayers = before === READY || before === FULL;
    const takesPlayers = after === READY || after === FULL;
    this.state[index] = after;
    if (!takesPlayers) this.readyAt[index] = -1;
    else if (!wasTakingPlayers) this.readyAt[index] = now;
    this.#tell("nodeChanged", index);
  }

  /** `undefined` ends it. */
  setSuspicion(index: number, suspicion: string | undefined): void {
    const wasSuspected = this.suspected[index];
    this.suspected[index] = suspicion === undefined ? 0 : 1;
    if (suspicion === undefined) this.#suspicions.delete(index);
    else this.#suspicions.set(index, suspicion);
    if (this.suspected[index] !== wasSuspected) this.#tell("nodeChanged", index);
  }

  setEjectedUntil(index: number, until: number): void {
    this.ejectedUntil[index] = until;
    this.#tell("nodeChanged", index);
  }

  /** Replaces what `addReserved` has added. Numbers that cannot be are cut to what can be. */
  report(index: number, load: NodeLoad): void {
    this.#setLoad(index, load);
    for (const observer of this.#observers) observer.nodeReported(index);
  }

  /** Seats that were given away since the node's last report count as its load at once. Below 0: they came back. */
  addReserved(index: number, seats: number): void {
    this.#reserved[index] = clamp(this.#reserved[index] + seats, MAX_COUNT);
    this.#updateLoadShare(index);
  }

  /** It hears of all nodes that are there, first of all. */
  observe(observer: NodeObserver): void {
    this.#observers.push(observer);
    for (const index of this.#indices.values()) observer.nodeAdded(index);
  }

  #learn(index: number, registration: NodeRegistration): void {
    const { region, coordinates, version, gameModes, labels, weight, capacity } = registration;
    this.#registrations[index] = registration;
    this.region[index] = this.regions.addNode(region, coordinates);
    this.version[index] = this.versions.hold(version);
    this.weight[index] = weight;
    this.#capacity[index] = capacity.players;
    this.#gameModesOf[index] = [...new Set(gameModes)].map((mode) => this.gameModes.hold(mode));
    this.#labelsOf[index] = Object.entries(labels).map(([key, value]) => this.labels.hold(labelName(key, value)));
  }

  #forget(index: number): void {
    this.regions.removeNode(this.region[index], this.registrationOf(index).coordinates);
    this.versions.release(this.version[index]);
    for (const mode of this.#gameModesOf[index]) this.gameModes.release(mode);
    for (const label of this.#labelsOf[index]) this.labels.release(label);
  }

  #setLoad(index: number, { sessions, players, reserved, cpu, tickMs }: NodeLoad): void {
    this.#sessions[index] = clamp(sessions, MAX_COUNT);
    this.#players[index] = clamp(players, MAX_COUNT);
    this.#reserved[index] = clamp(reserved, MAX_COUNT);
    this.#tickMs[index] = clamp(tickMs, MAX_COUNT);
    this.cpu[index] = clamp(cpu, 1);
    this.#updateLoadShare(index);
  }

  #updateLoadShare(index: number): void {
    const capacity = this.#capacity[index];
    const taken = this.#players[index] + this.#reserved[index];
    this.loadShare[index] = capacity > 0 ? Math.min(1, taken / capacity) : 1;
  }

  #tell(event: "nodeAdded" | "nodeChanged", index: number): void {
    for (const observer of this.#observers) observer[event](index);
  }
}

/** A label's name in `labels`. */
export function labelName(key: string, value: string): string {
  return `${key}\0${value}`;
}

/** Of what a node says of itself: never NaN, never below 0. */
function clamp(value: number, limit: number): number {
  return value > 0 ? Math.min(value, limit) : 0;
}
