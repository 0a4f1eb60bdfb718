import type { ByteWriter } from "@riposte/wire";
import { PACKET_APP_LIMITED, PACKET_EAGER } from "../recovery/sent-packets.ts";
import type { ConnectionStats } from "./connection-stats.ts";
import { FRAME_PING } from "./frames.ts";
import type { HelloExchange } from "./hello-exchange.ts";
import { MAX_MESSAGE_HEAD_BYTES, MessageWriter } from "./message-writer.ts";
import { netcodePacketBytes } from "./packet-size.ts";
import { PACKET_MAX_STREAM_DATA } from "./reliable-udp.ts";
import type { ReliableUdp } from "./reliable-udp.ts";
import type { UnreliableQueue } from "./unreliable-queue.ts";

/** A receiver that only acknowledges adds a PING to every so manieth ACK, so that it learns which were seen. */
const PING_EVERY_ACKS = 16;
/** An ACK of a few ranges. */
const SMALL_ACK_BYTES = 56;

export interface PacketBatcherOptions {
  readonly hello: HelloExchange | undefined;
  readonly udp: ReliableUdp;
  readonly queue: UnreliableQueue;
  readonly stats: ConnectionStats;
  /** The carrier loses nothing: a probe is a PING or new data, never a repetition. */
  readonly reliableCarrier: boolean;
  readonly unreliableMaxAgeMs: number;
}

/**
 * Decides what goes into each packet. Messages of all channels share packets: acknowledgements and
 * control first, then unreliable messages, then reliable chunks in what is left. Nothing waits for
 * a packet to fill: whoever calls `fill` once per tick gets a tick's messages batched.
 */
export class PacketBatcher {
  readonly #hello: HelloExchange | undefined;
  readonly #udp: ReliableUdp;
  readonly #queue: UnreliableQueue;
  readonly #stats: ConnectionStats;
  readonly #reliableCarrier: boolean;
  readonly #unreliableMaxAgeMs: number;
  readonly #messages: MessageWriter;
  #acksInARow: number;

  constructor(options: PacketBatcherOptions) {
    this.#hello = options.hello;
    this.#udp = options.udp;
    this.#queue = options.queue;
    this.#stats = options.stats;
    this.#reliableCarrier = options.reliableCarrier;
    this.#unreliableMaxAgeMs = options.unreliableMaxAgeMs;
    this.#messages = new MessageWriter();
    this.#acksInARow = 0;
  }

  /** Writes the frames of one packet and returns their length, 0 when there is nothing to send now. */
  fill(writer: ByteWriter, packetNumber: number, now: number): number {
    const udp = this.#udp;
    const { detector, pacer, schedule, sender } = udp;
    const queue = this.#queue;
    this.dropStale(now);
    const probing = detector.probesPending > 0;
    if (probing && !this.#reliableCarrier && !sender.hasData) udp.repeatOldest();
    const messages = queue.count > 0 && (probing || udp.windowOpenForMessages);
    const chunks = sender.hasData && (probing || (udp.windowOpenForChunks && pacer.nextSendAt(now) <= now));
    const maxData = udp.hasMaxDataToSend;
    const ackDue = schedule.dueAt <= now;
    const answer = this.#hello?.answerDue ?? false;
    if (!messages && !chunks && !maxData && !ackDue && !probing && !answer) return 0;

    let flags = 0;
    let reported = -1;
    let eliciting = false;
    if (this.#hello?.announcing) {
      this.#hello.write(writer);
      flags = PACKET_EAGER;
      eliciting = true;
    }
    if (schedule.pending && (ackDue || !(messages && this.#ackCrowdsOut(writer))) && udp.acks.write(writer, now)) {
      reported = udp.acks.largest;
      schedule.onAckSent();
    }
    if (maxData) {
      udp.writeMaxData(writer);
      flags |= PACKET_EAGER | PACKET_MAX_STREAM_DATA;
      eliciting = true;
    }
    if (messages && this.#messages.write(writer, queue, reported < 0)) {
      eliciting = true;
      this.#stats.unreliableQueuedBytes = queue.queuedBytes;
      this.#stats.fragmentsSent = this.#messages.fragments;
    }
    const firstChunk = udp.beginPacket();
    const hasChunks = chunks && udp.writeChunks(writer) > 0;
    if (hasChunks) {
      flags |= PACKET_EAGER;
      eliciting = true;
    }
    if (!eliciting && (probing || (reported >= 0 && ++this.#acksInARow >= PING_EVERY_ACKS))) {
      writer.u8(FRAME_PING);
      flags |= PACKET_EAGER;
      eliciting = true;
    }
    const { length } = writer;
    if (!eliciting) {
      if (length > 0) this.#stats.acksSent++;
      return length;
    }
    this.#acksInARow = 0;
    if (queue.count === 0 && !sender.hasData) flags |= PACKET_APP_LIMITED;
    const bytes = netcodePacketBytes(length, packetNumber);
    udp.onPacketSent(packetNumber, bytes, flags, firstChunk, reported, now);
    if (hasChunks) pacer.onSent(bytes, now);
    return length;
  }

  /** When `fill` has work, `now` if at once. */
  nextTimeout(now: number): number {
    const udp = this.#udp;
    if (this.#hello?.answerDue || udp.detector.probesPending > 0 || udp.hasMaxDataToSend) return now;
    if (this.#queue.count > 0 && udp.windowOpenForMessages) return now;
    const at = udp.schedule.dueAt;
    return udp.windowOpenForChunks ? Math.min(at, udp.pacer.nextSendAt(now)) : at;
  }

  /** Drops unreliable messages that waited too long. */
  dropStale(now: number): void {
    if (this.#queue.count === 0) return;
    this.#stats.droppedStale += this.#queue.dropOlder(now - this.#unreliableMaxAgeMs);
    this.#stats.unreliableQueuedBytes = this.#queue.queuedBytes;
  }

  /** The first message fits into this packet, but not next to an ACK: the ACK rides on the next one. */
  #ackCrowdsOut(writer: ByteWriter): boolean {
    const needed = this.#queue.firstLength + MAX_MESSAGE_HEAD_BYTES;
    return needed <= writer.remaining && needed + SMALL_ACK_BYTES > writer.remaining;
  }
}
