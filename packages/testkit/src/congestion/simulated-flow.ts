/**
 * One sender and its receiver around the bottleneck, of the real parts: LossDetector, Pacer,
 * AckRanges, AckSchedule and ACK frames as bytes. The way back loses nothing. What was lost is not
 * named: the sender always has more to send, so a repetition is a packet like any other.
 */
import type { CongestionControl } from "@riposte/protocol/congestion";
import {
  AckFrame,
  AckRanges,
  AckSchedule,
  LossDetector,
  PACKET_APP_LIMITED,
  PACKET_EAGER,
  Pacer,
} from "@riposte/protocol/recovery";
import type { PacketFateListener } from "@riposte/protocol/recovery";
import { ByteReader, ByteWriter } from "@riposte/wire";
import type { Bottleneck } from "./bottleneck.ts";

const ACK_SLOT_BYTES = 160;
const ECN_ECT0 = 2;
const ECN_CE = 3;

export interface SimulatedFlowOptions {
  readonly congestion: CongestionControl;
  readonly rttMs: number;
  /** Default 0. */
  readonly startAt?: number;
  /** Default 1200. */
  readonly packetBytes?: number;
  /** A game: one packet of so many bytes each interval. Default: always more to send. */
  readonly game?: { readonly bytes: number; readonly intervalMs: number };
}

export class SimulatedFlow implements PacketFateListener {
  readonly detector: LossDetector;
  readonly rttMs: number;
  /** When the flow has something to do. */
  nextAt: number;
  /** Since `resetStatistics`. */
  deliveredBytes: number;
  packetsSent: number;
  packetsLost: number;
  /** Of a game: the longest that a packet waited for window or pacer. */
  maxHeldMs: number;
  readonly #index: number;
  readonly #link: Bottleneck;
  readonly #pacer: Pacer;
  readonly #packetBytes: number;
  readonly #intervalMs: number;
  readonly #acks: AckRanges;
  readonly #schedule: AckSchedule;
  readonly #frame: AckFrame;
  /** Packets between bottleneck and receiver, ACK frames between receiver and sender: rings by arrival. */
  readonly #packets: DelayLine;
  readonly #ackTimes: DelayLine;
  #ackBytes: Uint8Array;
  readonly #writer: ByteWriter;
  readonly #reader: ByteReader;
  #nextPacket: number;
  #wakeAt: number;
  /** Of a game: when the oldest packet not yet sent was made. */
  #dueAt: number;

  constructor(options: SimulatedFlowOptions, index: number, link: Bottleneck) {
    const startAt = options.startAt ?? 0;
    this.detector = new LossDetector({ congestion: options.congestion, now: startAt });
    this.rttMs = options.rttMs;
    this.nextAt = startAt;
    this.deliveredBytes = 0;
    this.packetsSent = 0;
    this.packetsLost = 0;
    this.maxHeldMs = 0;
    this.#index = index;
    this.#link = link;
    this.#packetBytes = options.game?.bytes ?? options.packetBytes ?? 1200;
    this.#intervalMs = options.game?.intervalMs ?? 0;
    this.#pacer = new Pacer(options.packetBytes ?? 1200, startAt);
    this.#acks = new AckRanges();
    this.#schedule = new AckSchedule();
    this.#frame = new AckFrame();
    this.#packets = new DelayLine();
    this.#ackTimes = new DelayLine();
    this.#ackBytes = new Uint8Array(this.#ackTimes.capacity * ACK_SLOT_BYTES);
    this.#writer = new ByteWriter();
    this.#reader = new ByteReader();
    this.#nextPacket = 0;
    this.#wakeAt = startAt;
    this.#dueAt = startAt;
  }

  get congestion(): CongestionControl {
    return this.detector.congestion;
  }

  resetStatistics(): void {
    this.deliveredBytes = 0;
    this.packetsSent = 0;
    this.packetsLost = 0;
    this.maxHeldMs = 0;
  }

  /** A packet left the bottleneck. */
  onDeparture(packet: number, bytes: number, marked: boolean, now: number): void {
    this.#packets.push(packet, marked ? -bytes : bytes, now + this.rttMs / 2);
    if (this.#packets.nextAt < this.nextAt) this.nextAt = this.#packets.nextAt;
  }

  /** Does what is due at `now`, which is `nextAt`. */
  run(now: number): void {
    while (this.#packets.nextAt <= now) this.#receive(now);
    if (this.#schedule.dueAt <= now) this.#acknowledge(now);
    let wake = this.#wakeAt <= now;
    while (this.#ackTimes.nextAt <= now) {
      this.#receiveAck(now);
      wake = true;
    }
    if (this.detector.nextTimeout() <= now) {
      this.detector.handleTimeout(this, now);
      wake = true;
    }
    if (wake) this.#send(now);
    this.nextAt = Math.min(
      this.#packets.nextAt,
      this.#ackTimes.nextAt,
      this.#schedule.dueAt,
      this.detector.nextTimeout(),
      this.#wakeAt,
    );
  }

  onPacketAcked(_slot: number): void {
    // Nothing hangs on it.
  }

  onPacketLost(_slot: number): void {
    this.packetsLost++;
  }

  #send(now: number): void {
    const { detector } = this;
    const bytes = this.#packetBytes;
    const game = this.#intervalMs > 0;
    this.#wakeAt = Infinity;
    for (;;) {
      if (game && this.#dueAt > now) {
        this.#wakeAt = this.#dueAt;
        return;
      }
      if (!detector.sent.hasRoom(this.#nextPacket)) return;
      if (detector.probesPending === 0) {
        if (detector.bytesInFlight >= this.congestion.windowBytes) return;
        const at = this.#pacer.nextSendAt(now);
        if (at > now) {
          this.#wakeAt = at;
          return;
        }
      }
      if (game) {
        this.maxHeldMs = Math.max(this.maxHeldMs, now - this.#dueAt);
        this.#dueAt += this.#intervalMs;
      }
      const flags = !game ? PACKET_EAGER : this.#dueAt > now ? PACKET_APP_LIMITED : 0;
      detector.onPacketSent(this.#nextPacket, bytes, flags, this, now);
      this.#pacer.onSent(bytes, now);
      this.packetsSent++;
      this.#link.push(this.#index, this.#nextPacket++, bytes, now);
    }
  }

  #receive(now: number): void {
    const line = this.#packets;
    const packet = line.number;
    const bytes = line.value;
    line.shift();
    const outOfOrder = packet !== this.#acks.largest + 1;
    this.#acks.insert(packet, bytes < 0 ? ECN_CE : ECN_ECT0, now);
    this.#schedule.onElicited(this.#intervalMs === 0, outOfOrder, now);
    this.deliveredBytes += Math.abs(bytes);
  }

  #acknowledge(now: number): void {
    const line = this.#ackTimes;
    const grown = line.push(0, 0, now + this.rttMs / 2);
    if (grown) this.#ackBytes = line.unrolled(this.#ackBytes, ACK_SLOT_BYTES);
    const slot = line.newestSlot;
    this.#acks.write(this.#writer.reset(this.#ackBytes, slot * ACK_SLOT_BYTES, (slot + 1) * ACK_SLOT_BYTES), now);
    this.#schedule.onAckSent();
  }

  #receiveAck(now: number): void {
    const line = this.#ackTimes;
    const start = line.slot * ACK_SLOT_BYTES;
    const reader = this.#reader.reset(this.#ackBytes, start, start + ACK_SLOT_BYTES);
    line.shift();
    const type = reader.u8();
    if (!this.#frame.read(reader, type === 3)) throw new Error("an ACK frame of our own is malformed");
    this.#acks.confirmReported(this.#frame.largest);
    if (!this.detector.onAckReceived(this.#frame, this, now)) return;
    this.#pacer.setRate(this.congestion.pacingRateBytesPerSec, now);
  }
}

/** What is under way over a fixed delay: a growing power-of-two ring. */
class DelayLine {
  capacity: number;
  /** When the first arrives, `Infinity` when there is none. */
  nextAt: number;
  #head: number;
  #count: number;
  #numbers: Float64Array;
  #values: Int32Array;
  #times: Float64Array;

  constructor() {
    this.capacity = 256;
    this.nextAt = Infinity;
    this.#head = 0;
    this.#count = 0;
    this.#numbers = new Float64Array(this.capacity);
    this.#values = new Int32Array(this.capacity);
    this.#times = new Float64Array(this.capacity);
  }

  get slot(): number {
    return this.#head;
  }

  get newestSlot(): number {
    return (this.#head + this.#count - 1) & (this.capacity - 1);
  }

  get number(): number {
    return this.#numbers[this.#head];
  }

  get value(): number {
    return this.#values[this.#head];
  }

  /** True when the ring grew: slots are numbered from 0 again, the first being the head. */
  push(number: number, value: number, at: number): boolean {
    const grown = this.#count === this.capacity;
    if (grown) this.#grow();
    this.#count++;
    const slot = this.newestSlot;
    this.#numbers[slot] = number;
    this.#values[slot] = value;
    this.#times[slot] = at;
    if (this.#count === 1) this.nextAt = at;
    return grown;
  }

  shift(): void {
    this.#head = (this.#head + 1) & (this.capacity - 1);
    this.nextAt = --this.#count === 0 ? Infinity : this.#times[this.#head];
  }

  /** A caller's array of `width` bytes per slot, moved as `#grow` has just moved ours. */
  unrolled(from: Uint8Array, width: number): Uint8Array {
    const to = new Uint8Array(2 * from.length);
    to.set(from.subarray(this.#grownFrom * width));
    to.set(from.subarray(0, this.#grownFrom * width), from.length - this.#grownFrom * width);
    return to;
  }

  #grownFrom = 0;

  #grow(): void {
    const head = this.#head;
    const unroll = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      for (let i = 0; i < from.length; i++) to[i] = from[(head + i) & (from.length - 1)];
      return to;
    };
    this.capacity *= 2;
    this.#numbers = unroll(this.#numbers, new Float64Array(this.capacity));
    this.#values = unroll(this.#values, new Int32Array(this.capacity));
    this.#times = unroll(this.#times, new Float64Array(this.capacity));
    this.#grownFrom = head;
    this.#head = 0;
  }
}
