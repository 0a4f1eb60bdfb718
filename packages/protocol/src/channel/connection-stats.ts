import type { LossDetector } from "../recovery/loss-detector.ts";

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
  /** Messages given to `send`, and delivered to the sink. */
  messagesSent = 0;
  messagesReceived = 0;
  /** Reliable pieces sent more than once. */
  chunksRetransmitted = 0;
  fragmentsSent = 0;
  fragmentsReceived = 0;
  /** Unreliable messages dropped unsent: no room, or too old. */
  droppedFull = 0;
  droppedStale = 0;
  /** Received `unreliableOrdered` messages older than the newest delivered. */
  droppedLate = 0;
  /** Unfinished fragmented messages given up: too old, or to make room. */
  reassembliesDropped = 0;
  /** `send` calls that found the reliable queue full. */
  sendsRefused = 0;
  duplicatePackets = 0;
  /** Payloads before the hello that were neither a hello nor raw. */
  earlyPackets = 0;
  /** Packets left unacknowledged because their stream data found no room. */
  packetsRefused = 0;
  /** Payloads that could not be decoded; the first one closes the connection. */
  malformedPackets = 0;
  /** Reliable bytes accepted and not yet acknowledged; unreliable bytes waiting. */
  reliableQueuedBytes = 0;
  unreliableQueuedBytes = 0;
  readonly #detector: LossDetector;

  constructor(detector: LossDetector) {
    this.#detector = detector;
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

  /** Share of the peer's packets that did not reach us lately, 0..1. */
  get receiveLossRate(): number {
    return this.#detector.loss.receiveRate;
  }

  get packetsLost(): number {
    return this.#detector.packetsLost;
  }

  get spuriousLosses(): number {
    return this.#detector.spuriousLosses;
  }

  get bytesInFlight(): number {
    return this.#detector.bytesInFlight;
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
