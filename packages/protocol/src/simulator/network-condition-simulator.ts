import { Random } from "../random.ts";
import { checkNetworkConditions } from "./network-conditions.ts";
import type { NetworkConditions } from "./network-conditions.ts";

/** A packet that leaves the simulator; the record is reused and the bytes are borrowed until the next `push` or `pop`. */
export interface SimulatedPacket {
  buffer: Uint8Array;
  offset: number;
  length: number;
  path: number;
}

export interface NetworkConditionSimulatorOptions {
  /** Draws every loss and delay; the same seed and packets give the same result. */
  readonly seed: number;
  /** Default: a perfect link. */
  readonly conditions?: NetworkConditions | undefined;
  /** Packets under way at most; further ones are lost and counted in `overflowed`. Default 4,096. */
  readonly maxPackets?: number;
  /** Largest packet; longer ones are lost and counted in `overflowed`. Default 2,048. */
  readonly maxPacketBytes?: number;
}

const SLOTS_PER_CHUNK = 64;
/** Paths share a cell when they agree in the low bits, which only keeps two paths in order with each other. */
const PATH_CELLS = 1024;

/**
 * One direction of a bad link: latency, jitter, loss (even and in bursts), duplication, reordering
 * and a speed limit with a queue, all from one seed.
 *
 * `push` hands a packet in (its bytes are copied), `pop` hands out what has arrived by `now`.
 * Order of fate: burst and even loss, then the queue of the speed limit, then delay, then
 * duplication. Memory is taken in chunks as packets are under way, up to `maxPackets`.
 */
export class NetworkConditionSimulator {
  readonly #random: Random;
  readonly #maxPackets: number;
  readonly #slotBytes: number;
  #conditions: NetworkConditions = {};
  #burstBad = false;
  #linkFreeAt = -Infinity;
  /** Speed by which `#linkFreeAt` was counted; 0: nothing is queued. */
  #linkSpeed = 0;
  readonly #lastDueAt = new Float64Array(PATH_CELLS).fill(-Infinity);

  // Slots: the bytes under way. `#freeSlots` is a stack of slots not in use.
  readonly #chunks: Uint8Array[] = [];
  readonly #lengths: Int32Array;
  readonly #paths: Int32Array;
  readonly #freeSlots: Int32Array;
  #freeCount = 0;
  #borrowedSlot = -1;

  // A binary heap of slots by due time; equal times leave in the order they came.
  readonly #heap: Int32Array;
  readonly #dueAt: Float64Array;
  readonly #order: Float64Array;
  #count = 0;
  #pushed = 0;

  readonly #popped: SimulatedPacket = { buffer: new Uint8Array(0), offset: 0, length: 0, path: 0 };

  /** Packets handed in, lost by the conditions, doubled, and lost because the simulator or its queue was full. */
  readonly stats: { pushed: number; lost: number; duplicated: number; queueDropped: number; overflowed: number } = {
    pushed: 0,
    lost: 0,
    duplicated: 0,
    queueDropped: 0,
    overflowed: 0,
  };

  constructor(options: NetworkConditionSimulatorOptions) {
    this.#random = new Random(options.seed);
    this.#maxPackets = options.maxPackets ?? 4096;
    this.#slotBytes = options.maxPacketBytes ?? 2048;
    this.#lengths = new Int32Array(this.#maxPackets);
    this.#paths = new Int32Array(this.#maxPackets);
    this.#freeSlots = new Int32Array(this.#maxPackets);
    this.#heap = new Int32Array(this.#maxPackets);
    this.#dueAt = new Float64Array(this.#maxPackets);
    this.#order = new Float64Array(this.#maxPackets);
    if (options.conditions !== undefined) this.conditions = options.conditions;
  }

  /** May be replaced while packets are under way; those keep the delay they drew. */
  get conditions(): NetworkConditions {
    return this.#conditions;
  }

  set conditions(conditions: NetworkConditions) {
    checkNetworkConditions(conditions);
    this.#conditions = conditions;
    if (conditions.burst === undefined) this.#burstBad = false;
    if (conditions.bandwidthBytesPerSec === undefined) this.#linkSpeed = 0;
  }

  /** Sets latency, jitter and even loss, and leaves the other conditions as they are. */
  setConfiguration(latencyMs: number, jitterMs: number, lossRate: number): void {
    this.conditions = { ...this.#conditions, latencyMs, jitterMs, lossRate };
  }

  /** Packets under way. */
  get count(): number {
    return this.#count;
  }

  /** Draws the fate of one packet: false when it is lost. `push` asks this itself. */
  shouldProcessPacket(): boolean {
    const burst = this.#conditions.burst;
    if (burst !== undefined) {
      if (this.#random.chance(this.#burstBad ? burst.leaveRate : burst.enterRate)) this.#burstBad = !this.#burstBad;
      if (this.#burstBad && this.#random.chance(burst.lossRate ?? 1)) return false;
    }
    return !this.#random.chance(this.#conditions.lossRate ?? 0);
  }

  /** Draws the delay of one packet in milliseconds. `push` asks this itself. */
  getAdditionalLatency(): number {
    const latency = this.#conditions.latencyMs ?? 0;
    const jitter = this.#conditions.jitterMs ?? 0;
    return jitter === 0 ? latency : Math.max(0, latency + jitter * (2 * this.#random.next() - 1));
  }

  /** Hands a packet in; its bytes are copied. */
  push(buffer: Uint8Array, offset: number, length: number, path: number, now: number): void {
    this.#release();
    this.stats.pushed += 1;
    if (!this.shouldProcessPacket() || length > (this.#conditions.mtuBytes ?? Infinity)) {
      this.stats.lost += 1;
      return;
    }
    const sentAt = this.#transmit(length, now);
    if (sentAt < 0) {
      this.stats.queueDropped += 1;
      return;
    }
    this.#schedule(buffer, offset, length, path, sentAt);
    if (this.#random.chance(this.#conditions.duplicateRate ?? 0)) {
      this.stats.duplicated += 1;
      this.#schedule(buffer, offset, length, path, sentAt);
    }
  }

  /** The next packet that has arrived by `now`, or `undefined`. */
  pop(now: number): SimulatedPacket | undefined {
    this.#release();
    if (this.#count === 0) return undefined;
    const slot = this.#heap[0];
    if (this.#dueAt[slot] > now) return undefined;
    this.#removeFirst();
    this.#borrowedSlot = slot;
    const packet = this.#popped;
    packet.buffer = this.#chunks[Math.floor(slot / SLOTS_PER_CHUNK)];
    packet.offset = (slot % SLOTS_PER_CHUNK) * this.#slotBytes;
    packet.length = this.#lengths[slot];
    packet.path = this.#paths[slot];
    return packet;
  }

  /** When the next packet arrives, or `Infinity`. */
  nextTimeout(): number {
    return this.#count === 0 ? Infinity : this.#dueAt[this.#heap[0]];
  }

  /** Forgets every packet under way. */
  clear(): void {
    this.#release();
    for (let i = 0; i < this.#count; i += 1) this.#freeSlots[this.#freeCount++] = this.#heap[i];
    this.#count = 0;
    this.#linkSpeed = 0;
    this.#lastDueAt.fill(-Infinity);
  }

  /** When the packet has left the speed-limited link, or -1 when its queue is full. */
  #transmit(length: number, now: number): number {
    const speed = this.#conditions.bandwidthBytesPerSec;
    if (speed === undefined) return now;
    if (speed !== this.#linkSpeed) {
      // What is queued leaves at the new speed.
      const queuedMs = Math.max(0, this.#linkFreeAt - now);
      this.#linkFreeAt = now + (queuedMs * this.#linkSpeed) / speed;
      this.#linkSpeed = speed;
    }
    const startAt = Math.max(now, this.#linkFreeAt);
    const queuedBytes = ((startAt - now) * speed) / 1000;
    if (queuedBytes + length > Math.max(length, this.#conditions.queueBytes ?? 65_536)) return -1;
    this.#linkFreeAt = startAt + (length * 1000) / speed;
    return this.#linkFreeAt;
  }

  #schedule(buffer: Uint8Array, offset: number, length: number, path: number, sentAt: number): void {
    const slot = length > this.#slotBytes ? -1 : this.#takeSlot();
    if (slot < 0) {
      this.stats.overflowed += 1;
      return;
    }
    let dueAt = sentAt + this.getAdditionalLatency();
    if (this.#random.chance(this.#conditions.reorderRate ?? 0)) {
      dueAt += this.#conditions.reorderDelayMs ?? 25;
    } else {
      const cell = path & (PATH_CELLS - 1);
      dueAt = Math.max(dueAt, this.#lastDueAt[cell]);
      this.#lastDueAt[cell] = dueAt;
    }
    const chunk = this.#chunks[Math.floor(slot / SLOTS_PER_CHUNK)];
    const start = (slot % SLOTS_PER_CHUNK) * this.#slotBytes;
    for (let i = 0; i < length; i += 1) chunk[start + i] = buffer[offset + i];
    if (length > 0 && this.#random.chance(this.#conditions.corruptRate ?? 0)) {
      chunk[start + this.#random.int(length)] ^= 1 << this.#random.int(8);
    }
    this.#lengths[slot] = length;
    this.#paths[slot] = path;
    this.#dueAt[slot] = dueAt;
    this.#order[slot] = this.#pushed++;
    this.#insert(slot);
  }

  #takeSlot(): number {
    if (this.#freeCount === 0) {
      const first = this.#chunks.length * SLOTS_PER_CHUNK;
      const added = Math.min(SLOTS_PER_CHUNK, this.#maxPackets - first);
      if (added <= 0) return -1;
      this.#chunks.push(new Uint8Array(added * this.#slotBytes));
      for (let i = added - 1; i >= 0; i -= 1) this.#freeSlots[this.#freeCount++] = first + i;
    }
    return this.#freeSlots[--this.#freeCount];
  }

  /** Frees the slot that the last `pop` lent. */
  #release(): void {
    if (this.#borrowedSlot < 0) return;
    this.#freeSlots[this.#freeCount++] = this.#borrowedSlot;
    this.#borrowedSlot = -1;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#dueAt[a] - this.#dueAt[b];
    return difference < 0 || (difference === 0 && this.#order[a] < this.#order[b]);
  }

  #insert(slot: number): void {
    const heap = this.#heap;
    let at = this.#count++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(slot, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = slot;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const count = --this.#count;
    const last = heap[count];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#before(heap[child + 1], heap[child])) child += 1;
      if (!this.#before(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}
