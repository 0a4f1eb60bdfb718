/**
 * One link that several flows share: a first-in, first-out queue in bytes in front of a fixed rate.
 * Losses at random before the queue, by overflow at its end. Only the queue's bookkeeping; FlowSimulator
 * moves the packets.
 */
import { Random } from "@riposte/protocol";

const INITIAL_CAPACITY = 1024;
/** Cells of the delay histogram, over the time a full queue takes at the link's first rate. */
const DELAY_CELLS = 4096;

export interface BottleneckOptions {
  readonly bytesPerSec: number;
  readonly bufferBytes: number;
  /** Share of packets lost at random. Default 0. */
  readonly lossRate?: number;
  /** Packets that find more than this waiting are marked (ECN CE). Default `Infinity`: none. */
  readonly markBytes?: number;
  readonly seed: number;
}

export class Bottleneck {
  bytesPerSec: number;
  readonly bufferBytes: number;
  lossRate: number;
  /** When the packet on the wire has gone, `Infinity` while there is none. */
  nextDepartureAt: number;
  /** The packet that went last. */
  departedFlow: number;
  departedPacket: number;
  departedBytes: number;
  departedMarked: boolean;
  queuedBytes: number;
  /** Since `resetStatistics`. */
  servedBytes: number;
  overflowed: number;
  delaySumMs: number;
  departures: number;
  readonly #delays: Float64Array;
  readonly #cellMs: number;
  readonly #markBytes: number;
  readonly #random: Random;
  #head: number;
  #count: number;
  #flow: Int32Array;
  #packet: Float64Array;
  #bytes: Int32Array;
  #marked: Uint8Array;
  #queuedAt: Float64Array;

  constructor(options: BottleneckOptions) {
    this.bytesPerSec = options.bytesPerSec;
    this.bufferBytes = options.bufferBytes;
    this.lossRate = options.lossRate ?? 0;
    this.nextDepartureAt = Infinity;
    this.departedFlow = -1;
    this.departedPacket = -1;
    this.departedBytes = 0;
    this.departedMarked = false;
    this.queuedBytes = 0;
    this.servedBytes = 0;
    this.overflowed = 0;
    this.delaySumMs = 0;
    this.departures = 0;
    this.#delays = new Float64Array(DELAY_CELLS);
    this.#cellMs = ((options.bufferBytes / options.bytesPerSec) * 1000 * 1.02) / DELAY_CELLS;
    this.#markBytes = options.markBytes ?? Infinity;
    this.#random = new Random(options.seed);
    this.#head = 0;
    this.#count = 0;
    this.#flow = new Int32Array(INITIAL_CAPACITY);
    this.#packet = new Float64Array(INITIAL_CAPACITY);
    this.#bytes = new Int32Array(INITIAL_CAPACITY);
    this.#marked = new Uint8Array(INITIAL_CAPACITY);
    this.#queuedAt = new Float64Array(INITIAL_CAPACITY);
  }

  get meanDelayMs(): number {
    return this.departures === 0 ? 0 : this.delaySumMs / this.departures;
  }

  /** Waiting time that this fraction of the packets did not pass. */
  delayPercentileMs(fraction: number): number {
    let below = 0;
    for (let cell = 0; cell < DELAY_CELLS; cell++) {
      below += this.#delays[cell];
      if (below >= fraction * this.departures) return cell * this.#cellMs;
    }
    return DELAY_CELLS * this.#cellMs;
  }

  resetStatistics(): void {
    this.servedBytes = 0;
    this.overflowed = 0;
    this.delaySumMs = 0;
    this.departures = 0;
    this.#delays.fill(0);
  }

  /** From now on; the packet on the wire goes at the old rate. */
  setRate(bytesPerSec: number): void {
    this.bytesPerSec = bytesPerSec;
  }

  push(flow: number, packet: number, bytes: number, now: number): void {
    if (this.#random.chance(this.lossRate)) return;
    if (this.queuedBytes + bytes > this.bufferBytes && this.#count > 0) {
      this.overflowed++;
      return;
    }
    if (this.#count === this.#flow.length) this.#grow();
    const slot = (this.#head + this.#count++) & (this.#flow.length - 1);
    this.#flow[slot] = flow;
    this.#packet[slot] = packet;
    this.#bytes[slot] = bytes;
    this.#marked[slot] = this.queuedBytes > this.#markBytes ? 1 : 0;
    this.#queuedAt[slot] = now;
    if (this.#count === 1) this.#serve(now);
    else this.queuedBytes += bytes;
  }

  /** The packet on the wire has gone: its fields are in `departed...`. */
  depart(): void {
    const now = this.nextDepartureAt;
    const slot = this.#head;
    this.departedFlow = this.#flow[slot];
    this.departedPacket = this.#packet[slot];
    this.departedBytes = this.#bytes[slot];
    this.departedMarked = this.#marked[slot] === 1;
    this.servedBytes += this.departedBytes;
    this.#head = (slot + 1) & (this.#flow.length - 1);
    this.nextDepartureAt = Infinity;
    if (--this.#count === 0) return;
    this.queuedBytes -= this.#bytes[this.#head];
    this.#serve(now);
  }

  #serve(now: number): void {
    const waitedMs = now - this.#queuedAt[this.#head];
    this.delaySumMs += waitedMs;
    this.departures++;
    this.#delays[Math.min(Math.floor(waitedMs / this.#cellMs), DELAY_CELLS - 1)]++;
    this.nextDepartureAt = now + (this.#bytes[this.#head] / this.bytesPerSec) * 1000;
  }

  #grow(): void {
    const unroll = <T extends Float64Array | Int32Array | Uint8Array>(from: T, to: T): T => {
      for (let i = 0; i < from.length; i++) to[i] = from[(this.#head + i) & (from.length - 1)];
      return to;
    };
    const capacity = 2 * this.#flow.length;
    this.#flow = unroll(this.#flow, new Int32Array(capacity));
    this.#packet = unroll(this.#packet, new Float64Array(capacity));
    this.#bytes = unroll(this.#bytes, new Int32Array(capacity));
    this.#marked = unroll(this.#marked, new Uint8Array(capacity));
    this.#queuedAt = unroll(this.#queuedAt, new Float64Array(capacity));
    this.#head = 0;
  }
}
