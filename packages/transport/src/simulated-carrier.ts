/**
 * A bad network in front of live sockets, between the carriers and the `EndpointLoop`: sealed datagrams wait in it on
 * their way in and out. Where simulation is not allowed it is never made, and packets do not pass through here.
 */
import { PacketBatch } from "@riposte/datapath";
import { NetworkConditionSimulator } from "@riposte/protocol/simulator";
import type { NetworkConditions } from "@riposte/protocol/simulator";

export interface SimulatedCarrierOptions {
  readonly seed: number;
  readonly slotBytes: number;
  /** Takes what has arrived. */
  readonly receive: (batch: PacketBatch) => void;
  /** Sends a batch; the slots of what it returns are free. */
  readonly transmit: (batch: PacketBatch) => PacketBatch;
}

/** Both directions of one link, or of all that have no conditions of their own. */
class Link {
  readonly inbound: NetworkConditionSimulator;
  readonly outbound: NetworkConditionSimulator;
  /** Ended: what is under way still arrives. */
  ending = false;

  constructor(seed: number, maxPacketBytes: number) {
    this.inbound = new NetworkConditionSimulator({ seed, maxPacketBytes });
    this.outbound = new NetworkConditionSimulator({ seed: seed + 1, maxPacketBytes });
  }

  set(conditions: NetworkConditions | undefined): void {
    this.inbound.conditions = conditions ?? {};
    this.outbound.conditions = conditions ?? {};
    this.ending = conditions === undefined;
  }

  get isOver(): boolean {
    return this.ending && this.inbound.count + this.outbound.count === 0;
  }
}

export class SimulatedCarrier {
  readonly #options: SimulatedCarrierOptions;
  /** By path; -1: all others. */
  readonly #links = new Map<number, Link>();
  #arrived: PacketBatch;
  #leaving: PacketBatch;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  #nextSeed: number;

  constructor(options: SimulatedCarrierOptions) {
    this.#options = options;
    this.#arrived = new PacketBatch(64, options.slotBytes);
    this.#leaving = new PacketBatch(64, options.slotBytes);
    this.#nextSeed = options.seed;
  }

  /**
   * Sets the conditions of both directions, of one path or of all that have none of their own; `undefined` ends them.
   * Throws `RangeError` naming what is out of range, and then changes nothing.
   */
  set(conditions: NetworkConditions | undefined, path = -1): void {
    const known = this.#links.get(path);
    if (known === undefined && conditions === undefined) return;
    const link = known ?? new Link(this.#nextSeed, this.#options.slotBytes);
    link.set(conditions);
    if (known === undefined) {
      this.#nextSeed += 2;
      this.#links.set(path, link);
    }
    this.#arm();
  }

  /** For carriers: a batch has come in. */
  receive(batch: PacketBatch): void {
    if (this.#links.size === 0) {
      this.#options.receive(batch);
      return;
    }
    const now = performance.now();
    const passed = this.#arrived;
    passed.count = 0;
    for (let i = 0; i < batch.count; i++) {
      const link = this.#linkOf(batch.path[i]);
      if (link !== undefined) link.inbound.push(batch.buffer, batch.offset[i], batch.length[i], batch.path[i], now);
      else passed.append(batch.buffer, batch.offset[i], batch.length[i], batch.path[i], batch.ecn[i]);
      if (passed.full) this.#deliver();
    }
    this.#deliver();
    this.#release();
  }

  /** For the loop: a sealed batch is to leave. */
  transmit(batch: PacketBatch): PacketBatch {
    if (this.#links.size === 0) return this.#options.transmit(batch);
    const now = performance.now();
    for (let i = 0; i < batch.count; i++) {
      const link = this.#linkOf(batch.path[i]);
      if (link === undefined) continue;
      link.outbound.push(batch.buffer, batch.offset[i], batch.length[i], batch.path[i], now);
      batch.path[i] = -1;
    }
    const free = this.#options.transmit(batch);
    // The loop is in the middle of a wake-up: what has come in waits for the timer.
    for (const { outbound } of this.#links.values()) this.#releaseOutbound(outbound, now);
    this.#arm();
    return free;
  }

  /** Packets that wait on their way out. */
  get outboundCount(): number {
    let count = 0;
    for (const { outbound } of this.#links.values()) count += outbound.count;
    return count;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#links.clear();
  }

  #linkOf(path: number): Link | undefined {
    return this.#links.get(path) ?? this.#links.get(-1);
  }

  /** Lets everything go that is due. */
  #release(): void {
    const now = performance.now();
    for (const [path, link] of this.#links) {
      this.#releaseInbound(link.inbound, now);
      this.#releaseOutbound(link.outbound, now);
      if (link.isOver) this.#links.delete(path);
    }
    this.#arm();
  }

  /** Sets the timer for what comes next. */
  #arm(): void {
    let next = Infinity;
    for (const link of this.#links.values()) {
      // A link that has just ended is looked at once more, to be forgotten.
      next = Math.min(next, link.inbound.nextTimeout(), link.outbound.nextTimeout(), link.isOver ? 0 : Infinity);
    }
    const now = performance.now();
    const dueAt = Math.max(next, now + 1);
    if (dueAt >= this.#timerAt) return;
    clearTimeout(this.#timer);
    if (dueAt === Infinity) return;
    this.#timerAt = dueAt;
    this.#timer = setTimeout(this.#handleTimer, Math.ceil(dueAt - now));
  }

  readonly #handleTimer = (): void => {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    this.#release();
  };

  #releaseInbound(simulator: NetworkConditionSimulator, now: number): void {
    const batch = this.#arrived;
    batch.count = 0;
    for (let packet = simulator.pop(now); packet !== undefined; packet = simulator.pop(now)) {
      batch.append(packet.buffer, packet.offset, packet.length, packet.path);
      if (batch.full) this.#deliver();
    }
    this.#deliver();
  }

  #deliver(): void {
    const batch = this.#arrived;
    if (batch.count === 0) return;
    // Handlers may come back here before this batch is done with.
    this.#arrived = new PacketBatch(64, this.#options.slotBytes);
    this.#options.receive(batch);
    batch.count = 0;
    this.#arrived = batch;
  }

  #releaseOutbound(simulator: NetworkConditionSimulator, now: number): void {
    let batch = this.#leaving;
    batch.count = 0;
    for (let packet = simulator.pop(now); packet !== undefined; packet = simulator.pop(now)) {
      batch.append(packet.buffer, packet.offset, packet.length, packet.path);
      if (!batch.full) continue;
      batch = this.#leaving = this.#options.transmit(batch);
      batch.count = 0;
    }
    if (batch.count > 0) this.#leaving = this.#options.transmit(batch);
    this.#leaving.count = 0;
  }
}
