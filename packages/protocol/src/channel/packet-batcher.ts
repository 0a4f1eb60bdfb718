import type { ByteWriter } from "@riposte/wire";
import { PACKET_APP_LIMITED, PACKET_EAGER } from "../recovery/sent-packets.ts";
import type { ConnectionStats } from "./connection-stats.ts";
import { FRAME_PING } from "./frames.ts";
import type { HelloExchange } from "./hello-exchange.ts";
import { MessageWriter } from "./message-writer.ts";
import { LANE_ORDERED, LANE_RELIABLE, LANE_UNORDERED } from "./qos-manager.ts";
import type { QosManager } from "./qos-manager.ts";
import { netcodePacketBytes } from "./packet-size.ts";
import { PACKET_MAX_DATA } from "./reliable-udp.ts";
import type { ReliableUdp } from "./reliable-udp.ts";
import type { UnreliableQueue } from "./unreliable-queue.ts";

/** A receiver that only acknowledges adds a PING to every so manieth ACK, so that it learns which were seen. */
const PING_EVERY_ACKS = 16;
/** Of a packet behind which more follows so much is filled up, at most: packets of one size leave in one system call (GSO). */
const MAX_PADDING_SHARE = 1 / 16;
/** An ACK of a few ranges. */
const SMALL_ACK_BYTES = 56;

export interface PacketBatcherOptions {
  readonly hello: HelloExchange | undefined;
  readonly udp: ReliableUdp;
  readonly ordered: UnreliableQueue;
  readonly unordered: UnreliableQueue;
  readonly qos: QosManager;
  readonly stats: ConnectionStats;
  /** See `BatchOptions`. */
  readonly intervalMs: number;
}

/**
 * Decides what goes into each packet, and when. Messages of all channels share packets:
 * acknowledgements and control first, then messages and reliable chunks as priorities and weights
 * have it. Messages wait for others until an interval is over, a packet is full, or `flush`; what
 * has to be sent anyway takes them along.
 */
export class PacketBatcher {
  /** The carrier below loses nothing: a probe is a PING or new data, never a repetition. */
  reliableCarrier: boolean;
  /** Bytes in each packet's header beyond netcode's own. */
  extraHeaderBytes: number;
  readonly #hello: HelloExchange | undefined;
  readonly #udp: ReliableUdp;
  readonly #qos: QosManager;
  readonly #stats: ConnectionStats;
  readonly #intervalMs: number;
  /** By lane; that of the reliable lane is never used. */
  readonly #queues: readonly UnreliableQueue[];
  readonly #writers: readonly MessageWriter[];
  #acksInARow: number;
  /** Since when messages wait for others; `Infinity`: none does. */
  #heldSince: number;
  #flushing: boolean;

  constructor(options: PacketBatcherOptions) {
    const { ordered, unordered } = options;
    this.reliableCarrier = false;
    this.extraHeaderBytes = 0;
    this.#hello = options.hello;
    this.#udp = options.udp;
    this.#qos = options.qos;
    this.#stats = options.stats;
    this.#intervalMs = options.intervalMs;
    this.#queues = [ordered, ordered, unordered];
    const writer = new MessageWriter(ordered, true);
    this.#writers = [writer, writer, new MessageWriter(unordered, false)];
    this.#acksInARow = 0;
    this.#heldSince = Infinity;
    this.#flushing = false;
  }

  /** What is queued goes as soon as window and pacer let it. */
  flush(): void {
    this.#flushing = true;
  }

  /** Tells the batcher the time, behind anything that may have been queued. */
  enter(now: number): void {
    if (this.#heldSince === Infinity && this.#hasNew()) this.#heldSince = now;
  }

  /** Writes the frames of one packet and returns their length, 0 when there is nothing to send now. */
  fill(writer: ByteWriter, packetNumber: number, now: number): number {
    const udp = this.#udp;
    const { detector, schedule, sender } = udp;
    const packetBytes = writer.remaining;
    this.dropStale(now);
    const probing = detector.probesPending > 0;
    if (probing && !this.reliableCarrier && !sender.hasData) udp.repeatOldest();
    const lanes = this.#openLanes(packetBytes, probing, now);
    const maxData = udp.hasMaxDataToSend;
    const ackDue = schedule.dueAt <= now;
    const wanted = lanes !== 0 && (sender.hasLost || this.#isDue(packetBytes, now));
    if (!wanted && !maxData && !ackDue && !probing && !this.#hello?.answerDue) return 0;

    let flags = 0;
    let reported = -1;
    let eliciting = false;
    if (this.#hello?.announcing) {
      this.#hello.write(writer);
      flags = PACKET_EAGER;
      eliciting = true;
    }
    const room = writer.remaining;
    this.#qos.begin(lanes, now);
    const withAck = schedule.pending && (ackDue || !this.#ackCrowdsOut(lanes, packetBytes, room, now));
    if (withAck && udp.acks.write(writer, now)) {
      reported = udp.acks.largest;
      schedule.onAckSent();
    }
    if (maxData) {
      udp.writeMaxData(writer);
      flags |= PACKET_EAGER | PACKET_MAX_DATA;
      eliciting = true;
    }
    const firstChunk = udp.beginPacket();
    if (this.#writeLanes(writer, lanes, packetBytes, room, firstChunk, now)) eliciting = true;
    const hasChunks = udp.chunksSince(firstChunk) > 0;
    if (hasChunks) flags |= PACKET_EAGER;
    if (!eliciting && (probing || (reported >= 0 && ++this.#acksInARow >= PING_EVERY_ACKS))) {
      writer.u8(FRAME_PING);
      flags |= PACKET_EAGER;
      eliciting = true;
    }
    if (!eliciting) {
      if (writer.length > 0) this.#stats.acksSent++;
      return writer.length;
    }
    this.#acksInARow = 0;
    if (!this.#hasNew()) {
      this.#heldSince = Infinity;
      this.#flushing = false;
      if (!sender.hasLost) flags |= PACKET_APP_LIMITED;
    } else if (!hasChunks && !this.reliableCarrier && writer.remaining <= packetBytes * MAX_PADDING_SHARE) {
      writer.zeros(writer.remaining); // PADDING frames
    }
    const { length } = writer;
    const bytes = netcodePacketBytes(length, packetNumber) + this.extraHeaderBytes;
    udp.onPacketSent(packetNumber, bytes, flags, firstChunk, reported, now);
    if (hasChunks) udp.pacer.onSent(bytes, now);
    this.#stats.chunksRetransmitted = udp.chunksRetransmitted;
    return length;
  }

  /** When `fill` has work for a packet of this size, `now` if at once. */
  nextTimeout(packetBytes: number, now: number): number {
    const udp = this.#udp;
    if (this.#hello?.answerDue || udp.detector.probesPending > 0 || udp.hasMaxDataToSend) return now;
    let openAt = Infinity;
    if (udp.windowOpenForMessages) {
      for (let lane = LANE_ORDERED; lane <= LANE_UNORDERED; lane++) {
        if (this.#queues[lane].count === 0) continue;
        openAt = Math.min(openAt, this.#qos.nextSendAt(lane, this.#nextBytes(lane, packetBytes), now));
      }
    }
    if (udp.windowOpenForChunks) {
      const allowedAt = this.#qos.nextSendAt(LANE_RELIABLE, this.#nextBytes(LANE_RELIABLE, packetBytes), now);
      openAt = Math.min(openAt, Math.max(udp.pacer.nextSendAt(now), allowedAt));
    }
    const due = udp.sender.hasLost || this.#isDue(packetBytes, now);
    return Math.min(udp.schedule.dueAt, due ? openAt : Math.max(openAt, this.#heldSince + this.#intervalMs));
  }

  /** Drops unreliable messages that waited too long. */
  dropStale(now: number): void {
    this.#dropStaleOf(LANE_ORDERED, now);
    this.#dropStaleOf(LANE_UNORDERED, now);
  }

  #dropStaleOf(lane: number, now: number): void {
    const queue = this.#queues[lane];
    if (queue.count === 0) return;
    const stats = this.#stats.channels[lane];
    stats.droppedStale += queue.dropExpired(now);
    stats.queuedBytes = queue.queuedBytes;
  }

  /** Something waits that was never sent. */
  #hasNew(): boolean {
    return (
      this.#queues[LANE_ORDERED].count > 0 || this.#queues[LANE_UNORDERED].count > 0 || this.#udp.sender.unsentBytes > 0
    );
  }

  /** Messages have waited long enough for others. */
  #isDue(packetBytes: number, now: number): boolean {
    if (this.#flushing || now >= this.#heldSince + this.#intervalMs) return true;
    const messageBytes = this.#queues[LANE_ORDERED].queuedBytes + this.#queues[LANE_UNORDERED].queuedBytes;
    return messageBytes + this.#udp.sender.unsentBytes >= packetBytes;
  }

  /** The lanes (bits) that have something to send and may. */
  #openLanes(packetBytes: number, probing: boolean, now: number): number {
    const udp = this.#udp;
    let lanes = 0;
    if (probing || udp.windowOpenForMessages) {
      for (let lane = LANE_ORDERED; lane <= LANE_UNORDERED; lane++) {
        if (this.#mayGoOn(lane, packetBytes, now)) lanes |= 1 << lane;
      }
    }
    const paced = probing || (udp.windowOpenForChunks && udp.pacer.nextSendAt(now) <= now);
    if (paced && this.#mayGoOn(LANE_RELIABLE, packetBytes, now)) lanes |= 1 << LANE_RELIABLE;
    return lanes;
  }

  /** A lane has something, and its rate limit lets it pass. */
  #mayGoOn(lane: number, packetBytes: number, now: number): boolean {
    const has = lane === LANE_RELIABLE ? this.#udp.sender.hasData : this.#queues[lane].count > 0;
    return has && this.#qos.nextSendAt(lane, this.#nextBytes(lane, packetBytes), now) <= now;
  }

  /** About what a lane puts into the next packet. */
  #nextBytes(lane: number, packetBytes: number): number {
    const bytes = lane === LANE_RELIABLE ? this.#udp.sender.unsentBytes : this.#queues[lane].firstLength;
    return bytes < packetBytes ? bytes : packetBytes;
  }

  #writeLanes(
    writer: ByteWriter,
    lanes: number,
    packetBytes: number,
    room: number,
    firstChunk: number,
    now: number,
  ): boolean {
    let rest = lanes;
    let pieces = 0;
    while (rest !== 0) {
      const lane = this.#qos.next(rest, now);
      const from = writer.offset;
      const wrote =
        lane === LANE_RELIABLE
          ? Number(this.#udp.writeChunk(writer, firstChunk))
          : this.#writeMessages(lane, rest, writer, packetBytes, room, now);
      if (wrote > 0) {
        pieces += wrote;
        this.#qos.onSent(lane, writer.offset - from, now);
      }
      if (wrote === 0 || !this.#mayGoOn(lane, packetBytes, now)) rest &= ~(1 << lane);
    }
    if (pieces === 0) return false;
    this.#stats.batches++;
    this.#stats.batchedMessages += pieces;
    this.#stats.batchedBytes += writer.length;
    this.#stats.batchCapacityBytes += packetBytes;
    return true;
  }

  /** Messages of a lane: one, or as many as fit where nobody else waits for a turn and no rate limits it. */
  #writeMessages(
    lane: number,
    lanes: number,
    writer: ByteWriter,
    packetBytes: number,
    room: number,
    now: number,
  ): number {
    // What stood behind the messages written before.
    this.#dropStaleOf(lane, now);
    const messages = this.#writers[lane];
    const stats = this.#stats.channels[lane];
    const most = lanes === 1 << lane && !this.#qos.isLimited(lane) ? Infinity : 1;
    const fragments = messages.fragments;
    const tooLarge = messages.tooLarge;
    const wrote = messages.write(writer, most, packetBytes, room, now);
    this.#stats.fragmentsSent += messages.fragments - fragments;
    stats.droppedTooLarge += messages.tooLarge - tooLarge;
    stats.queuedBytes = this.#queues[lane].queuedBytes;
    return wrote;
  }

  /** What goes first fits into this packet, but not next to an ACK: the ACK rides on the next one. */
  #ackCrowdsOut(lanes: number, packetBytes: number, room: number, now: number): boolean {
    if (lanes === 0) return false;
    const lane = this.#qos.next(lanes, now);
    if (lane === LANE_RELIABLE) return false;
    const needed = this.#writers[lane].nextBytes(packetBytes, room);
    return needed <= room && needed + SMALL_ACK_BYTES > room;
  }
}
