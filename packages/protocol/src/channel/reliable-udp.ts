import { varintLength } from "@riposte/wire";
import type { ByteWriter } from "@riposte/wire";
import type { CongestionControl } from "../congestion/congestion-control.ts";
import { AckRanges } from "../recovery/ack-ranges.ts";
import { AckSchedule } from "../recovery/ack-schedule.ts";
import type { AckFrame } from "../recovery/ack-frame.ts";
import { LossDetector } from "../recovery/loss-detector.ts";
import type { PacketFateListener } from "../recovery/loss-detector.ts";
import { Pacer } from "../recovery/pacer.ts";
import { PACKET_MTU_PROBE, PACKET_USER_FLAG, SLOT_IN_FLIGHT } from "../recovery/sent-packets.ts";
import type { ConnectionLimits } from "./connection-options.ts";
import { FRAME_MAX_DATA, FRAME_STREAM, STREAM_LENGTH, STREAM_OFFSET } from "./frames.ts";
import { ReliableReceiver } from "./reliable-receive.ts";
import { ReliableStreams } from "./reliable-streams.ts";
import { SentChunks } from "./sent-chunks.ts";

/** The packet carries a MAX_DATA, which is sent again when lost. */
export const PACKET_MAX_DATA: number = PACKET_USER_FLAG;

/** A chunk shorter than this, of more that waits, is left for the next packet. */
const SMALLEST_CHUNK_BYTES = 32;
const MAX_CHUNKS_PER_PACKET = 64;

/** Who else wants to know what became of a packet. */
export interface PacketFates {
  /** `bytes` is 0 for an MTU probe, whose size its owner knows. */
  acked(packetNumber: number, bytes: number, isMtuProbe: boolean): void;
  lost(packetNumber: number, bytes: number, isMtuProbe: boolean): void;
}

export interface ReliableUdpOptions {
  readonly congestion: CongestionControl;
  readonly limits: ConnectionLimits;
  readonly packetBytes: number;
  readonly now: number;
  readonly fates: PacketFates;
  readonly initialRttMs?: number;
}

/**
 * Reliability over lossy packets: acknowledgements in both directions, loss detection, pacing and
 * the reliable streams. Single-packet chunks are sent again one by one, by RFC 9002's rules, and
 * never because a fixed time has passed.
 */
export class ReliableUdp implements PacketFateListener {
  readonly detector: LossDetector;
  readonly pacer: Pacer;
  readonly acks: AckRanges;
  readonly schedule: AckSchedule;
  readonly sender: ReliableStreams;
  readonly receiver: ReliableReceiver;
  chunksRetransmitted: number;
  readonly #fates: PacketFates;
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
    this.sender = new ReliableStreams(limits.reliableSendBytes);
    this.receiver = new ReliableReceiver({
      windowBytes: limits.receiveWindowBytes,
      messageBytes: limits.reliableMessageBytes,
      unfinishedBytes: limits.reliableUnfinishedBytes,
    });
    this.chunksRetransmitted = 0;
    this.#fates = options.fates;
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

  /** Another algorithm from now on, on the same path. */
  setCongestionControl(congestion: CongestionControl, now: number): void {
    this.detector.congestion = congestion;
    this.pacer.setRate(congestion.pacingRateBytesPerSec, now);
  }

  /** The connection goes on by another path: see `LossDetector.resetPath`. */
  resetPath(congestion: CongestionControl, now: number): void {
    this.detector.resetPath(congestion, this, now);
    this.pacer.setRate(congestion.pacingRateBytesPerSec, now);
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

  /** Chunks written since `beginPacket` answered `first`. */
  chunksSince(first: number): number {
    return this.#chunks.head - first;
  }

  /** Writes one STREAM frame of a packet that began at chunk `first`; false when nothing waits or fits. */
  writeChunk(writer: ByteWriter, first: number): boolean {
    const { sender } = this;
    const count = this.chunksSince(first);
    if (count >= MAX_CHUNKS_PER_PACKET || !sender.choose()) return false;
    const { current } = sender;
    const at = current.nextOffset;
    const head = 1 + varintLength(current.id) + varintLength(at);
    const room = writer.remaining - head;
    if (room < 1 || (room < SMALLEST_CHUNK_BYTES && count > 0) || !sender.takeChunk(room)) return false;
    const length = current.chunkLength;
    // Without a length the frame reaches to the end of the packet; the length may cost the last bytes.
    const last = length + varintLength(length) > room;
    writer.u8(FRAME_STREAM | STREAM_OFFSET | (last ? 0 : STREAM_LENGTH));
    writer.varint(current.id);
    writer.varint(at);
    if (!last) writer.varint(length);
    current.readChunk(writer.buffer, writer.offset);
    writer.offset += length;
    this.#chunks.add(current.id, at, length);
    if (current.chunkIsRepeat) this.chunksRetransmitted++;
    return true;
  }

  writeMaxData(writer: ByteWriter): void {
    this.receiver.maxData = this.receiver.wantedMaxData;
    this.#maxDataLost = false;
    writer.u8(FRAME_MAX_DATA);
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
    this.#fates.acked(sent.number[slot], sent.bytes[slot], (sent.flags[slot] & PACKET_MTU_PROBE) !== 0);
    if (sent.reported[slot] >= 0) this.acks.confirmReported(sent.reported[slot]);
    const first = sent.content[slot];
    if (!this.#chunks.holds(first)) return;
    for (let i = 0; i < sent.contentCount[slot]; i++) {
      const chunk = first + i;
      this.sender.onChunkAcked(this.#chunks.stream(chunk), this.#chunks.offset(chunk), this.#chunks.length(chunk));
    }
  }

  onPacketLost(slot: number): void {
    const { sent } = this.detector;
    this.#fates.lost(sent.number[slot], sent.bytes[slot], (sent.flags[slot] & PACKET_MTU_PROBE) !== 0);
    if ((sent.flags[slot] & PACKET_MAX_DATA) !== 0) this.#maxDataLost = true;
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
      const chunk = first + i;
      const [stream, offset, length] = [
        this.#chunks.stream(chunk),
        this.#chunks.offset(chunk),
        this.#chunks.length(chunk),
      ];
      if (this.sender.onChunkLost(stream, offset, length)) queued = true;
    }
    return queued;
  }
}
