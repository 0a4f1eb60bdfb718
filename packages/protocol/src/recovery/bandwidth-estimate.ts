import { PACKET_APP_LIMITED } from "./sent-packets.ts";
import type { SentPackets } from "./sent-packets.ts";

/** Round trips that the maximum looks back. */
const WINDOW_ROUNDS = 10;

/**
 * Delivery rate by the method of draft-cheng-iccrg-delivery-rate-estimation: each packet remembers
 * how much had been delivered when it was sent; its ACK gives the rate since then, over the longer
 * of the time to send and the time to be acknowledged. A sample of a sender that had nothing more
 * to send counts only when it is above the estimate.
 */
export class BandwidthEstimate {
  /** Highest delivery rate of the last ten round trips, 0 before the first sample. */
  bytesPerSec: number;
  /** Rate by the newest ACK frame, 0 when it gave none. */
  sampleBytesPerSec: number;
  /** Bytes acknowledged so far. */
  deliveredBytes: number;
  /** Bytes declared lost so far. */
  lostBytes: number;
  /**
   * Of the newest packet that the newest ACK frame acknowledged: `deliveredBytes` when it was sent,
   * bytes in flight with it, bytes lost since, and whether the sender had run out of data about then.
   */
  samplePriorDelivered: number;
  sampleSentInFlight: number;
  sampleLostSince: number;
  sampleAppLimited: boolean;
  #newest: number;
  /** Packets sent before this much is delivered follow a pause of the sender. */
  #appLimitedUntil: number;
  #deliveredAt: number;
  #firstSentAt: number;
  #priorDeliveredAt: number;
  #sendElapsed: number;
  #previousBest: number;
  #windowStartedAt: number;

  constructor(now: number) {
    this.bytesPerSec = 0;
    this.sampleBytesPerSec = 0;
    this.deliveredBytes = 0;
    this.#deliveredAt = now;
    this.#firstSentAt = now;
    this.lostBytes = 0;
    this.samplePriorDelivered = 0;
    this.sampleSentInFlight = 0;
    this.sampleLostSince = 0;
    this.sampleAppLimited = false;
    this.#newest = -1;
    this.#appLimitedUntil = -1;
    this.#priorDeliveredAt = now;
    this.#sendElapsed = 0;
    this.#previousBest = 0;
    this.#windowStartedAt = now;
  }

  /** The path is another one; the totals go on. */
  reset(now: number): void {
    this.bytesPerSec = 0;
    this.sampleBytesPerSec = 0;
    this.#appLimitedUntil = -1;
    this.#deliveredAt = now;
    this.#firstSentAt = now;
    this.#priorDeliveredAt = now;
    this.#previousBest = 0;
    this.#windowStartedAt = now;
  }

  onSent(sent: SentPackets, slot: number, bytesInFlightBefore: number, now: number): void {
    if (bytesInFlightBefore === 0) {
      this.#firstSentAt = now;
      this.#deliveredAt = now;
    }
    sent.firstSentAt[slot] = this.#firstSentAt;
    sent.deliveredAt[slot] = this.#deliveredAt;
    sent.delivered[slot] = this.deliveredBytes;
    sent.inFlight[slot] = bytesInFlightBefore + sent.bytes[slot];
    sent.lost[slot] = this.lostBytes;
    // What follows a pause gives too low a rate until the pause itself has been acknowledged.
    const ranOut = (sent.flags[slot] & PACKET_APP_LIMITED) !== 0;
    if (this.#appLimitedUntil >= this.deliveredBytes) sent.flags[slot] |= PACKET_APP_LIMITED;
    if (ranOut) this.#appLimitedUntil = this.deliveredBytes + sent.inFlight[slot];
  }

  onAcked(sent: SentPackets, slot: number, now: number): void {
    this.deliveredBytes += sent.bytes[slot];
    this.#deliveredAt = now;
    if (sent.number[slot] < this.#newest) return;
    this.#newest = sent.number[slot];
    this.samplePriorDelivered = sent.delivered[slot];
    this.sampleSentInFlight = sent.inFlight[slot];
    this.sampleLostSince = -sent.lost[slot];
    this.#priorDeliveredAt = sent.deliveredAt[slot];
    this.#sendElapsed = sent.sentAt[slot] - sent.firstSentAt[slot];
    this.sampleAppLimited = (sent.flags[slot] & PACKET_APP_LIMITED) !== 0;
    this.#firstSentAt = sent.sentAt[slot];
  }

  onLost(bytes: number): void {
    this.lostBytes += bytes;
  }

  /** Once behind all packets of an ACK frame. */
  onAckProcessed(minRttMs: number, smoothedRttMs: number, now: number): void {
    this.sampleBytesPerSec = 0;
    if (this.#newest < 0) return;
    this.#newest = -1;
    this.sampleLostSince += this.lostBytes;
    const elapsedMs = Math.max(this.#sendElapsed, now - this.#priorDeliveredAt);
    const bytes = this.deliveredBytes - this.samplePriorDelivered;
    // Shorter than the lowest round trip: the interval is too short to mean anything.
    if (elapsedMs <= 0 || elapsedMs < minRttMs) return;
    this.sampleBytesPerSec = (bytes / elapsedMs) * 1000;
    if (this.sampleAppLimited && this.sampleBytesPerSec < this.bytesPerSec) return;
    // A maximum over two half windows: at least five rounds, at most ten.
    if (now - this.#windowStartedAt > (WINDOW_ROUNDS / 2) * smoothedRttMs) {
      this.bytesPerSec = Math.max(this.#previousBest, this.sampleBytesPerSec);
      this.#previousBest = this.sampleBytesPerSec;
      this.#windowStartedAt = now;
    } else {
      if (this.sampleBytesPerSec > this.#previousBest) this.#previousBest = this.sampleBytesPerSec;
      if (this.sampleBytesPerSec > this.bytesPerSec) this.bytesPerSec = this.sampleBytesPerSec;
    }
  }
}
