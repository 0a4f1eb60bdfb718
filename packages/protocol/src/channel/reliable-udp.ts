import { varintLength } from "@riposte/wire";
import type { ByteWriter } from "@riposte/wire";
import type { CongestionControl } from "../congestion/congestion-control.ts";
import { AckRanges } from "../recovery/ack-ranges.ts";
import { AckSchedule } from "../recovery/ack-schedule.ts";
import type { AckFrame } from "../recovery/ack-frame.ts";
import { LossDetector } from "../recovery/loss-detector.ts";
import type { PacketFateListener } from "../recovery/loss-detector.ts";
import { Pacer } from "../recovery/pacer.ts";
import { PACKET_USER_FLAG, SLOT_IN_FLIGHT } from "../recovery/sent-packets.ts";
import type { ConnectionLimits } from "./connection-options.ts";
import { FRAME_MAX_STREAM_DATA, FRAME_STREAM, STREAM_LENGTH, STREAM_OFFSET } from "./frames.ts";
import { ReliableReceiver } from "./reliable-receive.ts";
import { ReliableSender } from "./reliable-send.ts";
import { SentChunks } from "./sent-chunks.ts";

/** The packet carries a MAX_STREAM_DATA, which is sent again when lost. */
export const PACKET_MAX_STREAM_DATA: number = PACKET_USER_FLAG;

const STREAM_ID = 0;
/** A chunk shorter than this, of more that waits, is left for the next packet. */
const SMALLEST_CHUNK_BYTES = 32;
const MAX_CHUNKS_PER_PACKET = 64;

export interface ReliableUdpOptions {
  readonly congestion: CongestionControl;
  readonly limits: ConnectionLimits;
  readonly packetBytes: number;
  readonly now: number;
  readonly initialRttMs?: number;
}

/**
 * Reliability over lossy packets: acknowledgements in both directions, loss detection, pacing and
 * the reliable stream. Single-packet chunks are sent again one by one, by RFC 9002's rules, and
 * never because a fixed time has passed.
 */
export class ReliableUdp implements PacketFateListener {
  readonly detector: LossDetector;
  readonly pacer: Pacer;
  readonly acks: AckRanges;
  readonly schedule: AckSchedule;
  readonly sender: ReliableSender;
  readonly receiver: ReliableReceiver;
  chunksRetransmitted: number;
  readonly #chunks: SentChunks;
  readonly #minimumWindowBytes: number;
  readonly #reserveBytes: number;
  #maxDataLost: boolean;

  constructor(options: ReliableUdpOptions) {
    const { congestion, limits, now } = options;
    this.detector = new LossDetector({
      congestion,
      now,
      ...(options.initialRttMs === undefined ? {} : { initialRttMs: options.initialRttMs }),
    });
    this.pacer = new Pacer(options.packetBytes, now);
    this.acks = new AckRanges();
    this.schedule = new AckSchedule();
    this.sender = new ReliableSender(limits.reliableSendBytes);
    this.receiver = new ReliableReceiver(limits.receiveWindowBytes, limits.reliableMessageBytes);
    this.chunksRetransmitted = 0;
    this.#chunks = new SentChunks();
    this.#minimumWindowBytes = 2 * options.packetBytes; // RFC 9002 section 7.2
    this.#reserveBytes = limits.reserveBytes;
    this.#maxDataLost = false;
  }

  /** Reliable data waits and the window has room for it. Unreliable packets take half of it at most, and never the last two packets. */
  get windowOpenForChunks(): boolean {
    const { detector } = this;
    if (!this.sender.hasData) return false;
    const window = detector.congestion.windowBytes;
    const others = detector.bytesInFlight - detector.eagerBytesInFlight;
    return detector.eagerBytesInFlight < Math.max(window - others, window / 2, this.#minimumWindowBytes);
  }

  /**
   * Unreliable messages may go: the window with its reserve has room, or hardly any of them are in
   * flight. The second holds the reserve open when a loss has just halved the window under a bulk transfer.
   */
  get windowOpenForMessages(): boolean {
    const { detector } = this;
    const { bytesInFlight } = detector;
    return (
      bytesInFlight < detector.congestion.windowBytes + this.#reserveBytes ||
      bytesInFlight - detector.eagerBytesInFlight < this.#reserveBytes
    );
  }

  get hasMaxDataToSend(): boolean {
    return this.#maxDataLost || this.receiver.shouldUpdateMaxData;
  }

  /** Index of the first chunk of the packet about to be written. */
  beginPacket(): number {
    if (this.#chunks.isFull) {
      const { sent, packetsInFlight } = this.detector;
      sent.advance();
      const slot = packetsInFlight === 0 ? -1 : sent.slotOf(sent.oldest);
      this.#chunks.releaseBelow(slot < 0 ? this.#chunks.head : sent.content[slot]);
    }
    return this.#chunks.head;
  }

  /** Writes STREAM frames until the packet is full or nothing waits; returns how many. */
  writeChunks(writer: ByteWriter): number {
    const { sender } = this;
    let count = 0;
    while (sender.hasData && count < MAX_CHUNKS_PER_PACKET) {
      const at = sender.nextOffset;
      const head = 2 + varintLength(at); // type, stream 0, offset
      const room = writer.remaining - head;
      if (room < 1 || (room < SMALLEST_CHUNK_BYTES && count > 0)) break;
      if (!sender.takeChunk(room)) break;
      const length = sender.chunkLength;
      // Without a length the frame reaches to the end of the packet; the length may cost the last bytes.
      const last = length + varintLength(length) > room;
      writer.u8(FRAME_STREAM | STREAM_OFFSET | (last ? 0 : STREAM_LENGTH));
      writer.varint(STREAM_ID);
      writer.varint(at);
      if (!last) writer.varint(length);
      sender.readChunk(writer.buffer, writer.offset);
      writer.offset += length;
      this.#chunks.add(at, length);
      if (sender.chunkIsRepeat) this.chunksRetransmitted++;
      count++;
      if (last) break;
    }
    return count;
  }

  writeMaxData(writer: ByteWriter): void {
    this.receiver.maxData = this.receiver.wantedMaxData;
    this.#maxDataLost = false;
    writer.u8(FRAME_MAX_STREAM_DATA);
    writer.varint(STREAM_ID);
    writer.varint(this.receiver.maxData);
  }

  /** Records an ack-eliciting packet. `reported` is the largest packet number its ACK frame named, or -1. */
  onPacketSent(
    packetNumber: number,
    bytes: number,
    flags: number,
    firstChunk: number,
    reported: number,
    now: number,
  ): void {
    const { detector } = this;
    const slot = detector.onPacketSent(packetNumber, bytes, flags, this, now);
    detector.sent.content[slot] = firstChunk;
    detector.sent.contentCount[slot] = this.#chunks.head - firstChunk;
    detector.sent.reported[slot] = reported;
  }

  onAckReceived(ack: AckFrame, now: number): void {
    const { detector } = this;
    if (!detector.onAckReceived(ack, this, now)) return;
    this.pacer.setRate(detector.congestion.pacingRateBytesPerSec, now);
  }

  /** For a probe: queues the oldest packet's chunks once more, without calling them lost. True when there were any. */
  repeatOldest(): boolean {
    const { sent } = this.detector;
    for (let number = sent.oldest; number <= sent.newest; number++) {
      const slot = sent.slotOf(number);
      if (slot < 0 || sent.state[slot] !== SLOT_IN_FLIGHT || sent.contentCount[slot] === 0) continue;
      if (this.#requeue(slot)) return true;
    }
    return false;
  }

  onPacketAcked(slot: number): void {
    const { sent } = this.detector;
    if (sent.reported[slot] >= 0) this.acks.confirmReported(sent.reported[slot]);
    const first = sent.content[slot];
    for (let i = 0; i < sent.contentCount[slot]; i++) {
      this.sender.onChunkAcked(this.#chunks.offset(first + i), this.#chunks.length(first + i));
    }
  }

  onPacketLost(slot: number): void {
    if ((this.detector.sent.flags[slot] & PACKET_MAX_STREAM_DATA) !== 0) this.#maxDataLost = true;
    this.#requeue(slot);
  }

  release(): void {
    this.sender.release();
    this.receiver.release();
  }

  #requeue(slot: number): boolean {
    const { sent } = this.detector;
    const first = sent.content[slot];
    let queued = false;
    for (let i = 0; i < sent.contentCount[slot]; i++) {
      if (this.sender.onChunkLost(this.#chunks.offset(first + i), this.#chunks.length(first + i))) queued = true;
    }
    return queued;
  }
}
