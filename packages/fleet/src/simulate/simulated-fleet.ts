/**
 * The nodes as they really are, and what they tell the balancers: seats in use, states, versions. A node's number is its index in
 * every balancer's table, as all of them hear of the same nodes in the same order.
 *
 * What is lent: with each report a node shares its free seats as a `SeatLedger` does, by what balancers want of it, which is
 * `SeatPool`'s reserve, more where players wait, and nothing where some wait elsewhere. There, giving back what is no longer
 * wanted takes an exchange more.
 */
import type { NodeLoad, NodeState } from "../registry/server-node.ts";
import { shareFairly } from "../seats/fair-share.ts";
import type { Want } from "../seats/fair-share.ts";
import type { CountingStore } from "./counting-store.ts";
import type { RealSeats } from "./real-seats.ts";
import type { SimulatedBalancer } from "./simulated-balancer.ts";
import { fraction } from "./world.ts";
import type { World } from "./world.ts";

const OFF = 0;
export const STARTING = 1;
export const READY = 2;
export const DRAINING = 3;
export const LOST = 4;

export interface SimulatedFleetOptions {
  readonly world: World;
  readonly balancers: readonly SimulatedBalancer[];
  readonly store: CountingStore;
  readonly seatsPerNode: number;
  readonly maxNodes: number;
  /** Names of versions; a node has one by its number. */
  readonly versions: readonly string[];
  /** Default: what exchanges come to is worked out without them. */
  readonly realSeats?: RealSeats | undefined;
}

/** As `SeatPool` has them. */
const RESERVE = 8;
const MAX_WANTED_TO_SERVE_QUEUE = 32;
/** As `SeatLedger` has them. */
const MAX_SHARE = 0.5;
const LEAST_PART = 4;
const STATE_NAMES: readonly NodeState[] = ["lost", "starting", "ready", "draining", "lost"];

export class SimulatedFleet {
  readonly seatsPerNode: number;
  readonly maxNodes: number;
  // By node.
  readonly state: Uint8Array;
  readonly occupied: Uint16Array;
  readonly region: Uint16Array;
  readonly version: Uint8Array;
  /** Goes up when the number goes to another node. */
  readonly life: Uint32Array;
  /** Numbers are below this one. */
  end = 0;
  started = 0;
  drained = 0;
  stopped = 0;
  /** Times that a node had more players than seats. */
  overloads = 0;
  /** Seats in use, and of all nodes that are ready. */
  playing = 0;
  readySeats = 0;
  /** By region: nodes that are ready, by version. */
  readonly readyNodes: readonly Int32Array[];
  readonly #world: World;
  readonly #balancers: readonly SimulatedBalancer[];
  readonly #store: CountingStore;
  readonly #versions: readonly string[];
  readonly #realSeats: RealSeats | undefined;
  /** By version, region and free seats: nodes that are ready. */
  readonly #rooms: Int32Array;
  readonly #changed: Int32Array;
  readonly #isChanged: Uint8Array;
  #changedCount = 0;
  #names = 0;
  /** By balancer. */
  readonly #wants: { wanted: number; tieBreak: number; target: number; readonly balancer: number }[];
  readonly #sharing: Want[];
  readonly #load: { -readonly [Key in keyof NodeLoad]: NodeLoad[Key] } = {
    sessions: 1,
    players: 0,
    reserved: 0,
    cpu: 0,
    tickMs: 5,
  };

  constructor({ world, balancers, store, seatsPerNode, maxNodes, versions, realSeats }: SimulatedFleetOptions) {
    this.#realSeats = realSeats;
    this.#world = world;
    this.#balancers = balancers;
    this.#store = store;
    this.#versions = versions;
    this.seatsPerNode = seatsPerNode;
    this.maxNodes = maxNodes;
    this.state = new Uint8Array(maxNodes);
    this.occupied = new Uint16Array(maxNodes);
    this.region = new Uint16Array(maxNodes);
    this.version = new Uint8Array(maxNodes);
    this.life = new Uint32Array(maxNodes);
    this.#changed = new Int32Array(maxNodes);
    this.#isChanged = new Uint8Array(maxNodes);
    this.readyNodes = versions.map(() => new Int32Array(world.regions.length));
    this.#wants = balancers.map((_, balancer) => ({ wanted: RESERVE, tieBreak: 0, target: 0, balancer }));
    this.#sharing = [...this.#wants];
    this.#rooms = new Int32Array(versions.length * world.regions.length * (seatsPerNode + 1));
  }

  resetCounts(): void {
    this.started = 0;
    this.drained = 0;
    this.stopped = 0;
  }

  /** Registers a node, which is not ready yet; -1: there is no room for it. */
  start(region: number, version: number): number {
    const { name, coordinates } = this.#world.regions[region];
    const number = ++this.#names;
    let node = -1;
    for (const { table } of this.#balancers) {
      const index = table.put({
        id: `${name}-${number}`,
        region: name,
        coordinates,
        addresses: ADDRESSES,
        capacity: { sessions: 1, players: this.seatsPerNode },
        version: this.#versions[version],
        labels: NO_LABELS,
        gameModes: NO_MODES,
        weight: 1,
      });
      if (typeof index === "string") return -1;
      node = index;
    }
    this.#store.note("nodes");
    this.started++;
    this.life[node]++;
    this.end = Math.max(this.end, node + 1);
    this.state[node] = STARTING;
    this.occupied[node] = 0;
    this.region[node] = region;
    this.version[node] = version;
    return node;
  }

  /** `readyAt`: since when. */
  ready(node: number, readyAt: number): void {
    this.#realSeats?.nodeStarted(node);
    this.#setState(node, READY);
    for (const { table } of this.#balancers) table.setState(node, "ready", readyAt);
    this.#note(node);
  }

  /** Gets nobody new. What was lent is called back by the next report. */
  drain(node: number, now: number): void {
    this.drained++;
    this.#realSeats?.setLending(node, false);
    this.#setState(node, DRAINING);
    this.#store.note("nodes");
    for (const { table, lent } of this.#balancers) {
      table.setState(node, "draining", now);
      lent[node] = 0;
    }
  }

  /** It drains no more. */
  resume(node: number, now: number): void {
    this.#realSeats?.setLending(node, true);
    this.#setState(node, READY);
    this.#store.note("nodes");
    for (const { table } of this.#balancers) table.setState(node, "ready", now);
    this.#note(node);
  }

  /** Nobody plays there any more. Its entry in the store is marked as gone, and the store forgets it after a while. */
  stop(node: number): void {
    this.stopped++;
    this.#realSeats?.nodeGone(node);
    this.#setState(node, OFF);
    this.#store.note("nodes", 2);
    for (const { table, lent } of this.#balancers) {
      table.remove(table.idOf(node));
      lent[node] = 0;
    }
  }

  /** It is gone, and no balancer knows yet. */
  lose(node: number): void {
    this.#realSeats?.nodeGone(node);
    this.#setState(node, LOST);
    this.playing -= this.occupied[node];
    this.occupied[node] = 0;
  }

  /** Balancers have not heard of it for as long. */
  suspect(node: number): void {
    for (const { table } of this.#balancers) table.setSuspicion(node, "no report");
  }

  endLease(node: number): void {
    for (const { lent } of this.#balancers) lent[node] = 0;
  }

  noteLost(node: number, now: number): void {
    for (const { table } of this.#balancers) table.setState(node, "lost", now);
  }

  /** A lost one registers anew, with another version perhaps. */
  revive(node: number, version: number, now: number): void {
    this.life[node]++;
    this.version[node] = version;
    this.#setState(node, STARTING);
    this.#store.note("nodes");
    for (const { table } of this.#balancers) {
      table.put({ ...table.registrationOf(node), version: this.#versions[version] });
      table.setSuspicion(node, undefined);
      table.setState(node, "starting", now);
    }
  }

  take(node: number, seats: number): void {
    this.#setOccupied(node, this.occupied[node] + seats);
    if (this.occupied[node] > this.seatsPerNode) this.overloads++;
  }

  release(node: number, seats: number): void {
    this.#setOccupied(node, this.occupied[node] - seats);
  }

  /** Whether one node of the region could take so many now. */
  hasRoom(version: number, region: number, seats: number): boolean {
    const from = this.#roomsOf(version, region);
    for (let free = seats; free <= this.seatsPerNode; free++) if (this.#rooms[from + free] > 0) return true;
    return false;
  }

  /** Of those that are ready. */
  emptyNodes(): number {
    let nodes = 0;
    const step = this.seatsPerNode + 1;
    for (let place = this.seatsPerNode; place < this.#rooms.length; place += step) nodes += this.#rooms[place];
    return nodes;
  }

  fullNodes(): number {
    let nodes = 0;
    for (let place = 0; place < this.#rooms.length; place += this.seatsPerNode + 1) nodes += this.#rooms[place];
    return nodes;
  }

  /** All nodes on which something has changed report to all balancers. The reports of others would say what is known. */
  report(now: number, waiting: readonly number[]): void {
    this.#realSeats?.exchange(waiting, now, (b, node, seats) => {
      this.#balancers[b].lent[node] = this.state[node] === READY ? seats : 0;
      this.#balancers[b].router.noteSeats(node);
    });
    const load = this.#load;
    for (let i = 0; i < this.#changedCount; i++) {
      const node = this.#changed[i];
      this.#isChanged[node] = 0;
      const state = this.state[node];
      if (state !== READY && state !== DRAINING) continue;
      const players = this.occupied[node];
      const share = players / this.seatsPerNode;
      load.players = players;
      load.cpu = 0.1 + 0.7 * share;
      const name = state === READY && players >= this.seatsPerNode ? "full" : STATE_NAMES[state];
      if (this.#realSeats === undefined) this.#lend(node, state === READY ? this.seatsPerNode - players : 0);
      for (const { table } of this.#balancers) {
        table.report(node, load);
        if (table.stateOf(node) !== name) table.setState(node, name, now);
      }
    }
    this.#changedCount = 0;
  }

  /** Players who wait at each balancer: what they want of all nodes from now on. */
  noteWaiting(waiting: readonly number[]): void {
    if (this.#realSeats !== undefined) return;
    const all = waiting.reduce((a, b) => a + b, 0);
    let isNew = false;
    for (const want of this.#wants) {
      const wanted = all === 0 ? RESERVE : wantedToServe(waiting[want.balancer]);
      isNew ||= wanted !== want.wanted;
      want.wanted = wanted;
    }
    if (!isNew) return;
    for (let node = 0; node < this.end; node++) {
      if (this.state[node] !== READY || this.occupied[node] === this.seatsPerNode) continue;
      this.#lend(node, this.seatsPerNode - this.occupied[node]);
      for (const { router } of this.#balancers) router.noteSeats(node);
    }
  }

  #lend(node: number, free: number): void {
    for (const want of this.#wants) want.tieBreak = fraction(node, want.balancer);
    shareFairly(this.#sharing, free, MAX_SHARE, LEAST_PART);
    for (const { balancer, target } of this.#wants) this.#balancers[balancer].lent[node] = target;
  }

  #setState(node: number, state: number): void {
    const change = Number(state === READY) - Number(this.state[node] === READY);
    if (change !== 0) {
      this.#rooms[this.#roomOf(node)] += change;
      this.readyNodes[this.version[node]][this.region[node]] += change;
      this.readySeats += change * this.seatsPerNode;
    }
    this.state[node] = state;
  }

  #setOccupied(node: number, occupied: number): void {
    if (this.state[node] === READY) this.#rooms[this.#roomOf(node)]--;
    this.playing += occupied - this.occupied[node];
    this.occupied[node] = occupied;
    if (this.state[node] === READY) this.#rooms[this.#roomOf(node)]++;
    this.#note(node);
  }

  #roomOf(node: number): number {
    return this.#roomsOf(this.version[node], this.region[node]) + this.seatsPerNode - this.occupied[node];
  }

  #roomsOf(version: number, region: number): number {
    return (version * this.#world.regions.length + region) * (this.seatsPerNode + 1);
  }

  #note(node: number): void {
    if (this.#isChanged[node] === 1) return;
    this.#isChanged[node] = 1;
    this.#changed[this.#changedCount++] = node;
  }
}

/** In three steps, so that not every player who comes or goes changes what all nodes lend. */
function wantedToServe(waiting: number): number {
  if (waiting === 0) return 0;
  return RESERVE + (waiting > RESERVE ? MAX_WANTED_TO_SERVE_QUEUE : RESERVE);
}

const ADDRESSES = { udp: ["203.0.113.7:7777"] };
const NO_LABELS = {};
const NO_MODES: readonly string[] = [];
