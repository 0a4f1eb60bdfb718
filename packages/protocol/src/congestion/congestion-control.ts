/**
 * What a congestion control algorithm is told and what it answers: one interface for native UDP
 * and QUIC. It is told of each packet (RFC 9002 section 7), and once per ACK frame of the round
 * trip and the delivery rate (for algorithms that model the path). It keeps no packet list.
 */

/** What one ACK frame taught; one record, reused. */
export interface AckSample {
  now: number;
  latestRttMs: number;
  smoothedRttMs: number;
  minRttMs: number;
  ackedBytes: number;
  lostBytes: number;
  /** Before and after this frame was processed. */
  priorBytesInFlight: number;
  bytesInFlight: number;
  /** All bytes acknowledged so far. */
  deliveredBytes: number;
  /** 0 when the frame gave no sample. */
  deliveryRateBytesPerSec: number;
  /** The frame gave a round-trip sample: `latestRttMs` is new. */
  rttSampled: boolean;
  /**
   * Of the newest packet that the frame acknowledged: `deliveredBytes` when it was sent, bytes in
   * flight with it, bytes lost since, and whether the sender had run out of data about then.
   */
  priorDeliveredBytes: number;
  sentBytesInFlight: number;
  lostSinceSentBytes: number;
  appLimited: boolean;
}

/** A packet that was declared lost; one record, reused. */
export interface LostPacket {
  packetNumber: number;
  bytes: number;
  /** Bytes in flight when it was sent, with it. */
  sentBytesInFlight: number;
  /** Bytes lost since it was sent, with it. */
  lostSinceSentBytes: number;
  appLimited: boolean;
}

export interface CongestionControl {
  readonly name: string;
  /** Bytes that may be in flight. */
  readonly windowBytes: number;
  /** What the pacer lets pass; `Infinity` while nothing is known of the path. */
  readonly pacingRateBytesPerSec: number;
  /** Time between two full-size packets at that rate. */
  readonly pacingIntervalMs: number;
  /** `bytesInFlight` counts this packet. */
  onPacketSent(bytes: number, bytesInFlight: number, now: number): void;
  /** `priorBytesInFlight` is what was in flight when the ACK frame came: tells whether the window was in use. */
  onPacketAcked(bytes: number, sentAt: number, priorBytesInFlight: number, now: number): void;
  /** Each packet declared lost, in the order they were sent; `onPacketsLost` follows. */
  onPacketLost(packet: LostPacket): void;
  /** Some packets were declared lost, the newest of them sent at `sentAt`. `persistent`: RFC 9002 section 7.6. */
  onPacketsLost(bytes: number, sentAt: number, persistent: boolean, now: number): void;
  /** The path marked packets as having met congestion; the newest acknowledged was sent at `sentAt`. */
  onEcnCongestion(sentAt: number, now: number): void;
  /** A packet given up for lost was acknowledged after all. */
  onSpuriousLoss(now: number): void;
  /** Last call for each ACK frame. */
  onAckProcessed(sample: AckSample): void;
}
