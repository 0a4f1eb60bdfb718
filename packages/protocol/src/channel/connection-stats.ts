import type { Channel } from "./connection-options.ts";
import { laneOf } from "./qos-manager.ts";

/** What loss recovery measures; a `LossDetector` is one. */
export interface RecoveryNumbers {
  readonly rtt: {
    readonly hasSample: boolean;
    readonly smoothedMs: number;
    readonly latestMs: number;
    readonly minMs: number;
    readonly variationMs: number;
  };
  readonly loss: { readonly sendRate: number; readonly receiveRate: number };
  readonly bursts: { readonly meanPackets: number };
  readonly packetsLost: number;
  readonly spuriousLosses: number;
  readonly bytesInFlight: number;
  readonly packetsInFlight: number;
  readonly congestion: {
    readonly name: string;
    readonly windowBytes: number;
    readonly pacingRateBytesPerSec: number;
  };
  readonly bandwidth: { readonly bytesPerSec: number };
}

/** What of a channel's numbers only grows. */
export const CHANNEL_COUNTERS = [
  "messagesSent",
  "messagesReceived",
  "bytesSent",
  "bytesReceived",
  "droppedFull",
  "droppedStale",
  "droppedTooLarge",
  "droppedLate",
  "sendsRefused",
] as const;

/** What of a connection's numbers is counted in its `ConnectionStats`, and only grows. */
export const CONNECTION_COUNTERS = [
  "bytesSent",
  "bytesReceived",
  "packetsSent",
  "packetsReceived",
  "acksSent",
  "batches",
  "batchedMessages",
  "batchedBytes",
  "batchCapacityBytes",
  "chunksRetransmitted",
  "fragmentsSent",
  "fragmentsReceived",
  "reassembliesDropped",
  "duplicatePackets",
  "earlyPackets",
  "packetsRefused",
  "malformedPackets",
  "migrations",
  "interruptions",
] as const;

/** Live numbers of one channel of a connection. */
export class ChannelStats {
  /** Messages given to `send`, and delivered to the sink; their bytes, without framing. */
  messagesSent = 0;
  messagesReceived = 0;
  bytesSent = 0;
  bytesReceived = 0;
  /** Bytes waiting; on the reliable channel those not acknowledged too. */
  queuedBytes = 0;
  /** Messages dropped unsent: no room, too old, or too large for the path as it is now. */
  droppedFull = 0;
  droppedStale = 0;
  droppedTooLarge = 0;
  /** Received `unreliableOrdered` messages older than the newest delivered. */
  droppedLate = 0;
  /** `send` calls that found the reliable queue full. */
  sendsRefused = 0;
}

/**
 * Live numbers of one connection. Reading is free and counting is plain addition. Bytes count
 * whole netcode packets: header, sequence, payload and tag, without IP and UDP.
 */
export class ConnectionStats {
  bytesSent = 0;
  bytesReceived = 0;
  packetsSent = 0;
  packetsReceived = 0;
  /** Packets that carried nothing but an ACK. */
  acksSent = 0;
  /** Packets with messages, pieces of them or reliable chunks: how many of these they held, the bytes in use and the bytes there were. */
  batches = 0;
  batchedMessages = 0;
  batchedBytes = 0;
  batchCapacityBytes = 0;
  /** Reliable pieces sent more than once. */
  chunksRetransmitted = 0;
  fragmentsSent = 0;
  fragmentsReceived = 0;
  /** Unfinished fragmented messages given up: too old, or to make room. */
  reassembliesDropped = 0;
  duplicatePackets = 0;
  /** Payloads before the hello that were neither a hello nor raw. */
  earlyPackets = 0;
  /** Packets left unacknowledged because their stream data found no room. */
  packetsRefused = 0;
  /** Payloads that could not be decoded; the first one closes the connection. */
  malformedPackets = 0;
  /** Times the connection moved to another path, and was without one meanwhile. */
  migrations = 0;
  interruptions = 0;
  /** Payload of a packet now, in bytes: follows the path's MTU. */
  payloadBytes = 0;
  /** By lane: see `of`. */
  readonly channels: readonly [ChannelStats, ChannelStats, ChannelStats] = [
    new ChannelStats(),
    new ChannelStats(),
    new ChannelStats(),
  ];
  readonly #detector: RecoveryNumbers;

  constructor(detector: RecoveryNumbers) {
    this.#detector = detector;
  }

  of(channel: Channel): ChannelStats {
    return this.channels[laneOf(channel)];
  }

  get messagesSent(): number {
    return this.channels[0].messagesSent + this.channels[1].messagesSent + this.channels[2].messagesSent;
  }

  get messagesReceived(): number {
    return this.channels[0].messagesReceived + this.channels[1].messagesReceived + this.channels[2].messagesReceived;
  }

  /** Of all channels: dropped unsent for want of room, as too old, and after arrival as too late. */
  get droppedFull(): number {
    return this.channels[1].droppedFull + this.channels[2].droppedFull;
  }

  get droppedStale(): number {
    return this.channels[1].droppedStale + this.channels[2].droppedStale;
  }

  get droppedLate(): number {
    return this.channels[1].droppedLate;
  }

  /** `send` calls that found the reliable queue full. */
  get sendsRefused(): number {
    return this.channels[0].sendsRefused;
  }

  /** Reliable bytes accepted and not yet acknowledged; unreliable bytes waiting. */
  get reliableQueuedBytes(): number {
    return this.channels[0].queuedBytes;
  }

  get unreliableQueuedBytes(): number {
    return this.channels[1].queuedBytes + this.channels[2].queuedBytes;
  }

  /** Messages that shared a packet, on average; and how full those packets were, 0..1. */
  get messagesPerPacket(): number {
    return this.batches === 0 ? 0 : this.batchedMessages / this.batches;
  }

  get packetFill(): number {
    return this.batchCapacityBytes === 0 ? 0 : this.batchedBytes / this.batchCapacityBytes;
  }

  /** Smoothed round-trip time, 0 before the first sample. */
  get rttMs(): number {
    const { rtt } = this.#detector;
    return rtt.hasSample ? rtt.smoothedMs : 0;
  }

  get latestRttMs(): number {
    return this.#detector.rtt.latestMs;
  }

  get minRttMs(): number {
    return this.#detector.rtt.minMs;
  }

  /** Mean deviation of the round-trip time. */
  get jitterMs(): number {
    const { rtt } = this.#detector;
    return rtt.hasSample ? rtt.variationMs : 0;
  }

  /** Share of the packets we sent that were lost lately, 0..1. */
  get lossRate(): number {
    return this.#detector.loss.sendRate;
  }

  /**
   * How many packets in a row were lost when one of ours was, on average lately. 1 before the first loss; independent
   * losses give 1 / (1 - `lossRate`), a link that loses in bursts more.
   */
  get meanBurstPackets(): number {
    return this.#detector.bursts.meanPackets;
  }

  /** Share of the peer's packets that did not reach us lately, 0..1. */
  get receiveLossRate(): number {
    return this.#detector.loss.receiveRate;
  }

  get packetsLost(): number {
    return this.#detector.packetsLost;
  }

  /** Packets given up for lost that had arrived: what they carried was repeated for nothing. */
  get spuriousLosses(): number {
    return this.#detector.spuriousLosses;
  }

  get bytesInFlight(): number {
    return this.#detector.bytesInFlight;
  }

  get packetsInFlight(): number {
    return this.#detector.packetsInFlight;
  }

  /** The algorithm now in use. */
  get congestionControl(): string {
    return this.#detector.congestion.name;
  }

  /** The phase that the algorithm says it is in; empty where it names none. */
  get congestionState(): string {
    const { congestion } = this.#detector;
    return "state" in congestion && typeof congestion.state === "string" ? congestion.state : "";
  }

  get congestionWindowBytes(): number {
    return this.#detector.congestion.windowBytes;
  }

  get pacingRateBytesPerSec(): number {
    return this.#detector.congestion.pacingRateBytesPerSec;
  }

  /** Delivery rate reached lately. */
  get bandwidthBytesPerSec(): number {
    return this.#detector.bandwidth.bytesPerSec;
  }
}
