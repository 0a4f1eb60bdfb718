import type { AckSample, CongestionControl, LostPacket } from "../congestion/congestion-control.ts";
import type { AckFrame } from "./ack-frame.ts";
import { LAZY_ACK_DELAY_MS, MAX_ACK_DELAY_MS } from "./ack-schedule.ts";
import { BandwidthEstimate } from "./bandwidth-estimate.ts";
import { LossBursts } from "./loss-bursts.ts";
import { LossEstimate } from "./loss-estimate.ts";
import { ReorderingTolerance } from "./reordering-tolerance.ts";
import { RttEstimator } from "./rtt-estimator.ts";
import {
  PACKET_APP_LIMITED,
  PACKET_EAGER,
  PACKET_MTU_PROBE,
  SLOT_ABANDONED,
  SLOT_ACKED,
  SLOT_IN_FLIGHT,
  SLOT_LOST,
  SentPackets,
} from "./sent-packets.ts";

/** RFC 9002 section 6.1.2. */
const GRANULARITY_MS = 1;
/** How many numbers back an ACK of a packet given up for lost is still recognised. */
const LATE_PACKETS = 512;
/** How many numbers before a lost packet's the one before it is looked for: some numbers are not recorded. */
const RUN_GAP_PACKETS = 8;
/** RFC 9002 section 7.6.1. */
const PERSISTENT_CONGESTION_THRESHOLD = 3;
/**
 * Backoff of the probe timer ends here, or at two plain timeouts if that is longer. RFC 9002 lets
 * it double for ever; a game wants to know within half a second that the path is back.
 */
const MAX_BACKOFF_MS = 500;

/** Whoever knows what is in the packets. Called while an ACK frame or a timer is processed. */
export interface PacketFateListener {
  /** Once for each packet, also when it had been given up for lost before. */
  onPacketAcked(slot: number): void;
  onPacketLost(slot: number, now: number): void;
}

export interface LossDetectorOptions {
  readonly congestion: CongestionControl;
  readonly now: number;
  readonly initialRttMs?: number;
}

/**
 * Loss detection after RFC 9002 section 6: a packet is lost when one sent three later, or one sent
 * an eighth of a round trip later, has been acknowledged, or more where the path reorders; a probe
 * timeout asks for probes and never declares a loss itself. Also keeps what hangs on it: packets in flight, RTT, loss and
 * bandwidth estimates, and the congestion controller's news.
 */
export class LossDetector {
  readonly sent: SentPackets;
  readonly rtt: RttEstimator;
  readonly loss: LossEstimate;
  readonly bursts: LossBursts;
  readonly bandwidth: BandwidthEstimate;
  readonly reordering: ReorderingTolerance;
  /** May be replaced on a live connection. */
  congestion: CongestionControl;
  bytesInFlight: number;
  packetsInFlight: number;
  /** Of `bytesInFlight`, those in packets marked `PACKET_EAGER`. */
  eagerBytesInFlight: number;
  /** Probe packets that should be sent now, whatever the window says. */
  probesPending: number;
  /** Probe timeouts since the last ACK that acknowledged something. */
  probeTimeouts: number;
  packetsLost: number;
  spuriousLosses: number;
  #largestAcked: number;
  /** The lowest number given up for lost that may still be acknowledged; `Infinity`: none. */
  #lateFrom: number;
  #lastSentAt: number;
  /** When the oldest packet before the largest acknowledged is given up; `Infinity`: none waits. */
  #lossAt: number;
  #ce: number;
  #firstSampleAt: number;
  readonly #sample: AckSample;
  readonly #lostPacket: LostPacket;

  constructor(options: LossDetectorOptions) {
    this.sent = new SentPackets();
    this.rtt = new RttEstimator(options.initialRttMs);
    this.loss = new LossEstimate();
    this.bursts = new LossBursts();
    this.bandwidth = new BandwidthEstimate(options.now);
    this.reordering = new ReorderingTolerance();
    this.congestion = options.congestion;
    this.bytesInFlight = 0;
    this.packetsInFlight = 0;
    this.probesPending = 0;
    this.probeTimeouts = 0;
    this.packetsLost = 0;
    this.spuriousLosses = 0;
    this.eagerBytesInFlight = 0;
    this.#largestAcked = -1;
    this.#lateFrom = Infinity;
    this.#lastSentAt = options.now;
    this.#lossAt = Infinity;
    this.#ce = 0;
    this.#firstSampleAt = Infinity;
    this.#sample = {
      now: 0,
      latestRttMs: 0,
      smoothedRttMs: 0,
      minRttMs: 0,
      ackedBytes: 0,
      lostBytes: 0,
      priorBytesInFlight: 0,
      bytesInFlight: 0,
      deliveredBytes: 0,
      deliveryRateBytesPerSec: 0,
      rttSampled: false,
      priorDeliveredBytes: 0,
      sentBytesInFlight: 0,
      lostSinceSentBytes: 0,
      appLimited: false,
    };
    this.#lostPacket = { packetNumber: 0, bytes: 0, sentBytesInFlight: 0, lostSinceSentBytes: 0, appLimited: false };
  }

  /** Records an ack-eliciting packet and returns its slot in `sent`. Other packets are not recorded. */
  onPacketSent(packetNumber: number, bytes: number, flags: number, listener: PacketFateListener, now: number): number {
    const sent = this.sent;
    if (!sent.hasRoom(packetNumber)) this.#giveUp(packetNumber, listener, now);
    // Whoever has filled the window was held back by it, whether or not there was more to send.
    const filled = this.bytesInFlight + bytes >= this.congestion.windowBytes;
    const slot = sent.add(packetNumber, now, bytes, filled ? flags & ~PACKET_APP_LIMITED : flags);
    this.bandwidth.onSent(sent, slot, this.bytesInFlight, now);
    this.bytesInFlight += bytes;
    this.packetsInFlight++;
    if ((flags & PACKET_EAGER) !== 0) this.eagerBytesInFlight += bytes;
    this.#lastSentAt = now;
    if (this.probesPending > 0) this.probesPending--;
    this.congestion.onPacketSent(bytes, this.bytesInFlight, now);
    return slot;
  }

  /** True when the frame acknowledged something new. Numbers never sent, or not recorded, are passed over. */
  onAckReceived(ack: AckFrame, listener: PacketFateListener, now: number): boolean {
    const sent = this.sent;
    const priorBytesInFlight = this.bytesInFlight;
    let newestSlot = -1;
    let ackedPackets = 0;
    this.#sample.rttSampled = false;
    if (sent.newest - this.#lateFrom > LATE_PACKETS) this.#lateFrom = Infinity;
    const back = this.#lateFrom < sent.oldest ? this.#lateFrom : sent.oldest;
    for (let i = 0; i < ack.rangeCount && ack.highest[i] >= back; i++) {
      const highest = ack.highest[i] < sent.newest ? ack.highest[i] : sent.newest;
      const lowest = ack.lowest[i] > back ? ack.lowest[i] : back;
      for (let number = highest; number >= lowest; number--) {
        const slot = sent.slotOf(number);
        if (slot < 0) continue;
        if (sent.state[slot] === SLOT_LOST) this.#onSpuriousLoss(slot, listener, now);
        if (sent.state[slot] !== SLOT_IN_FLIGHT) continue;
        if (newestSlot < 0) {
          newestSlot = slot;
          if (number > this.#largestAcked) this.#largestAcked = number;
          if (number === ack.largest) this.#takeRttSample(slot, ack.delayMs, now);
        }
        ackedPackets++;
        this.#remove(slot, SLOT_ACKED);
        this.loss.onAcked();
        this.bandwidth.onAcked(sent, slot, now);
        this.congestion.onPacketAcked(sent.bytes[slot], sent.sentAt[slot], priorBytesInFlight, now);
        listener.onPacketAcked(slot);
      }
    }
    if (newestSlot < 0) return false;
    const ackedBytes = priorBytesInFlight - this.bytesInFlight;
    if (ack.ce > this.#ce) {
      this.#ce = ack.ce;
      this.congestion.onEcnCongestion(sent.sentAt[newestSlot], now);
    }
    this.probeTimeouts = 0;
    this.probesPending = 0;
    const lostBytes = this.#detectLost(listener, now);
    this.bandwidth.onAckProcessed(this.rtt.minMs, this.rtt.smoothedMs, now);
    this.#reportSample(ackedBytes, lostBytes, priorBytesInFlight, now);
    return ackedPackets > 0;
  }

  /** Declares losses that are due by time, or asks for a probe: then true. */
  handleTimeout(listener: PacketFateListener, now: number): boolean {
    if (now < this.nextTimeout()) return false;
    if (this.#lossAt !== Infinity) {
      this.#detectLost(listener, now);
      return false;
    }
    this.probeTimeouts++;
    // RFC 9002 section 6.2.4: a second probe makes it robust against the loss of one.
    this.probesPending = this.probeTimeouts > 1 ? 2 : 1;
    this.#lastSentAt = now;
    return true;
  }

  /**
   * The path is another one (RFC 9000 section 9.4): nothing is known of its round trip, and what went by the old path
   * counts as lost without saying anything about the new one.
   */
  resetPath(congestion: CongestionControl, listener: PacketFateListener, now: number): void {
    const { sent } = this;
    for (let number = sent.oldest; number <= sent.newest; number++) {
      const slot = sent.slotOf(number);
      if (slot < 0 || sent.state[slot] !== SLOT_IN_FLIGHT) continue;
      this.#remove(slot, SLOT_ABANDONED);
      listener.onPacketLost(slot, now);
    }
    sent.advance();
    this.congestion = congestion;
    this.rtt.reset();
    this.reordering.reset();
    this.bandwidth.reset(now);
    this.probeTimeouts = 0;
    this.probesPending = 0;
    this.#lateFrom = Infinity;
    this.#lossAt = Infinity;
    this.#firstSampleAt = Infinity;
    this.#lastSentAt = now;
  }

  nextTimeout(): number {
    if (this.#lossAt !== Infinity) return this.#lossAt;
    if (this.packetsInFlight === 0 || this.probesPending > 0) return Infinity;
    return this.#lastSentAt + this.#probeTimeoutMs();
  }

  /** RFC 9002 section 6.2.1, without backoff. */
  #probeTimeoutBaseMs(maxAckDelayMs: number): number {
    return this.rtt.smoothedMs + Math.max(4 * this.rtt.variationMs, GRANULARITY_MS) + maxAckDelayMs;
  }

  #probeTimeoutMs(): number {
    const base = this.#probeTimeoutBaseMs(this.eagerBytesInFlight > 0 ? MAX_ACK_DELAY_MS : LAZY_ACK_DELAY_MS);
    return Math.min(base * (1 << Math.min(this.probeTimeouts, 10)), Math.max(MAX_BACKOFF_MS, 2 * base));
  }

  #takeRttSample(slot: number, delayMs: number, now: number): void {
    // The peer may hold back the ACK of a packet of unreliable messages longer.
    const eager = (this.sent.flags[slot] & PACKET_EAGER) !== 0;
    const limit = eager ? MAX_ACK_DELAY_MS : LAZY_ACK_DELAY_MS;
    if (!this.rtt.hasSample) this.#firstSampleAt = now;
    this.#sample.rttSampled = true;
    this.rtt.update(now - this.sent.sentAt[slot], delayMs < limit ? delayMs : limit);
  }

  /** RFC 9002 section 6.1. Returns the bytes lost. */
  #detectLost(listener: PacketFateListener, now: number): number {
    const sent = this.sent;
    const rtt = this.rtt.latestMs > this.rtt.smoothedMs ? this.rtt.latestMs : this.rtt.smoothedMs;
    const { packetThreshold, timeThreshold } = this.reordering;
    const delay = Math.max(timeThreshold * rtt, GRANULARITY_MS);
    const before = this.bytesInFlight;
    let newestSentAt = 0;
    let runStartedAt = Infinity; // first loss since the last packet that did arrive
    let longestRunMs = 0;
    this.#lossAt = Infinity;
    for (let number = sent.oldest; number < this.#largestAcked; number++) {
      const slot = sent.slotOf(number);
      if (slot < 0) continue;
      const state = sent.state[slot];
      if (state === SLOT_ACKED) runStartedAt = Infinity;
      if (state !== SLOT_IN_FLIGHT) continue;
      const sentAt = sent.sentAt[slot];
      if (this.#largestAcked - number < packetThreshold && sentAt + delay > now) {
        this.#lossAt = sentAt + delay;
        break; // what follows was sent later still
      }
      if ((sent.flags[slot] & PACKET_MTU_PROBE) !== 0) {
        this.#declareLost(slot, listener, now);
        continue;
      }
      newestSentAt = sentAt;
      if (sentAt > this.#firstSampleAt && runStartedAt === Infinity) runStartedAt = sentAt;
      if (sentAt - runStartedAt > longestRunMs) longestRunMs = sentAt - runStartedAt;
      this.#declareLost(slot, listener, now);
    }
    sent.advance();
    const lostBytes = before - this.bytesInFlight;
    if (lostBytes === 0) return 0;
    this.reordering.onLoss();
    // RFC 9002 section 7.6: everything between two lost packets far apart was lost too.
    const duration = this.#probeTimeoutBaseMs(LAZY_ACK_DELAY_MS) * PERSISTENT_CONGESTION_THRESHOLD;
    const persistent = longestRunMs > duration;
    this.congestion.onPacketsLost(lostBytes, newestSentAt, persistent, now);
    return lostBytes;
  }

  /** The ring is as large as it may be: what is too old for it counts as lost. */
  #giveUp(packetNumber: number, listener: PacketFateListener, now: number): void {
    const sent = this.sent;
    while (!sent.hasRoom(packetNumber)) {
      const slot = sent.slotOf(sent.oldest);
      if (slot >= 0 && sent.state[slot] === SLOT_IN_FLIGHT) {
        const bytes = sent.bytes[slot];
        this.#declareLost(slot, listener, now);
        this.congestion.onPacketsLost(bytes, sent.sentAt[slot], false, now);
      }
      sent.advance();
    }
  }

  #declareLost(slot: number, listener: PacketFateListener, now: number): void {
    const { sent, bandwidth } = this;
    this.#remove(slot, SLOT_LOST);
    // RFC 8899 section 3, item 7: the loss of an MTU probe says nothing about congestion.
    if ((sent.flags[slot] & PACKET_MTU_PROBE) !== 0) {
      listener.onPacketLost(slot, now);
      return;
    }
    if (sent.number[slot] < this.#lateFrom) this.#lateFrom = sent.number[slot];
    this.packetsLost++;
    this.loss.onLost();
    this.bursts.onLost(this.#isLostBefore(sent.number[slot]));
    bandwidth.onLost(sent.bytes[slot]);
    const packet = this.#lostPacket;
    packet.packetNumber = sent.number[slot];
    packet.bytes = sent.bytes[slot];
    packet.sentBytesInFlight = sent.inFlight[slot];
    packet.lostSinceSentBytes = bandwidth.lostBytes - sent.lost[slot];
    packet.appLimited = (sent.flags[slot] & PACKET_APP_LIMITED) !== 0;
    this.congestion.onPacketLost(packet);
    listener.onPacketLost(slot, now);
  }

  #onSpuriousLoss(slot: number, listener: PacketFateListener, now: number): void {
    const { sent } = this;
    sent.state[slot] = SLOT_ACKED;
    listener.onPacketAcked(slot);
    if ((sent.flags[slot] & PACKET_MTU_PROBE) !== 0) return;
    const rtt = this.rtt.latestMs > this.rtt.smoothedMs ? this.rtt.latestMs : this.rtt.smoothedMs;
    this.reordering.onSpuriousLoss(this.#largestAcked - sent.number[slot], (now - sent.sentAt[slot]) / rtt);
    this.spuriousLosses++;
    this.loss.onSpuriousLoss();
    this.bursts.onSpuriousLoss();
    this.congestion.onSpuriousLoss(now);
  }

  /** Whether the packet sent before this one was lost, too. */
  #isLostBefore(packetNumber: number): boolean {
    const { sent } = this;
    for (let number = packetNumber - 1; number >= packetNumber - RUN_GAP_PACKETS; number--) {
      const slot = sent.slotOf(number);
      if (slot >= 0 && (sent.flags[slot] & PACKET_MTU_PROBE) === 0) return sent.state[slot] === SLOT_LOST;
    }
    return false;
  }

  #remove(slot: number, state: number): void {
    const sent = this.sent;
    sent.state[slot] = state;
    this.bytesInFlight -= sent.bytes[slot];
    this.packetsInFlight--;
    if ((sent.flags[slot] & PACKET_EAGER) !== 0) this.eagerBytesInFlight -= sent.bytes[slot];
  }

  #reportSample(ackedBytes: number, lostBytes: number, priorBytesInFlight: number, now: number): void {
    const sample = this.#sample;
    sample.now = now;
    sample.latestRttMs = this.rtt.latestMs;
    sample.smoothedRttMs = this.rtt.smoothedMs;
    sample.minRttMs = this.rtt.minMs;
    sample.ackedBytes = ackedBytes;
    sample.lostBytes = lostBytes;
    sample.priorBytesInFlight = priorBytesInFlight;
    sample.bytesInFlight = this.bytesInFlight;
    sample.deliveredBytes = this.bandwidth.deliveredBytes;
    sample.deliveryRateBytesPerSec = this.bandwidth.sampleBytesPerSec;
    sample.priorDeliveredBytes = this.bandwidth.samplePriorDelivered;
    sample.sentBytesInFlight = this.bandwidth.sampleSentInFlight;
    sample.lostSinceSentBytes = this.bandwidth.sampleLostSince;
    sample.appLimited = this.bandwidth.sampleAppLimited;
    this.congestion.onAckProcessed(sample);
  }
}
