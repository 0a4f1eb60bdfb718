/**
 * What BBR believes of the path (draft-ietf-ccwg-bbr section 5.5): bandwidth, round trip and volume,
 * long-term from probing and short-term from losses since. No decisions: BbrCongestionControl makes them.
 */
import type { AckSample } from "./congestion-control.ts";
import { WindowedMax } from "./windowed-max.ts";

/** BBR.Beta: what one round trip of losses takes at most. */
export const BBR_BETA = 0.7;
const MIN_RTT_WINDOW_MS = 10_000;
const PROBE_RTT_INTERVAL_MS = 5000;
const EXTRA_ACKED_ROUNDS = 10;

export class BbrPathModel {
  /** Highest delivery rate of this and the last probing cycle, and what is left of it by recent losses; bytes per second. */
  maxBandwidth: number;
  bandwidth: number;
  bandwidthShortTerm: number;
  /** Bytes in flight that were fine when last probed, and those that are by recent losses. `Infinity`: no limit known. */
  inflightLongTerm: number;
  inflightShortTerm: number;
  /** `Infinity` before the first sample. */
  minRttMs: number;
  /** The last lowest round trip is too old: time to drain the path and measure. */
  probeRttExpired: boolean;
  probeRttMinAt: number;
  /** Volume that ACKs bunch up to. */
  extraAcked: number;
  /** All bytes acknowledged. */
  delivered: number;
  /** The newest ACK was the first of a round trip, counted in packets; the same, for losses. */
  roundStart: boolean;
  lossRoundStart: boolean;
  lossInRound: boolean;
  roundsSinceProbeUp: number;
  roundCount: number;
  /** Of the newest ACK. */
  sampleBandwidth: number;
  sampleDelivered: number;
  sampleAppLimited: boolean;
  #priorCycleBandwidth: number;
  #cycleBandwidth: number;
  #nextRoundDelivered: number;
  #lossRoundDelivered: number;
  #bandwidthLatest: number;
  #inflightLatest: number;
  #probeRttMinMs: number;
  #minRttAt: number;
  #extraAckedFrom: number;
  #extraAckedDelivered: number;
  readonly #extraAckedMax: WindowedMax;
  #limitedFrom: number;
  #limitedUntil: number;

  constructor() {
    this.maxBandwidth = 0;
    this.bandwidth = 0;
    this.bandwidthShortTerm = Infinity;
    this.inflightLongTerm = Infinity;
    this.inflightShortTerm = Infinity;
    this.minRttMs = Infinity;
    this.probeRttExpired = false;
    this.probeRttMinAt = 0;
    this.extraAcked = 0;
    this.delivered = 0;
    this.roundStart = false;
    this.lossRoundStart = false;
    this.lossInRound = false;
    this.roundsSinceProbeUp = 0;
    this.roundCount = 0;
    this.sampleBandwidth = 0;
    this.sampleDelivered = 0;
    this.sampleAppLimited = false;
    this.#priorCycleBandwidth = 0;
    this.#cycleBandwidth = 0;
    this.#nextRoundDelivered = 0;
    this.#lossRoundDelivered = 0;
    this.#bandwidthLatest = 0;
    this.#inflightLatest = 0;
    this.#probeRttMinMs = Infinity;
    this.#minRttAt = 0;
    this.#extraAckedFrom = 0;
    this.#extraAckedDelivered = 0;
    this.#extraAckedMax = new WindowedMax();
    this.#limitedFrom = Infinity;
    this.#limitedUntil = -1;
  }

  /** Bytes in flight that fill the path without a queue; `Infinity` while it is unknown. */
  get bdp(): number {
    return (this.bandwidth * this.minRttMs) / 1000;
  }

  startRound(): void {
    this.#nextRoundDelivered = this.delivered;
  }

  /** First news of an ACK: rounds and bandwidth (UpdateLatestDeliverySignals, UpdateMaxBw). */
  takeSample(sample: AckSample): void {
    const prior = sample.priorDeliveredBytes;
    const rate = sample.deliveryRateBytesPerSec;
    this.delivered = sample.deliveredBytes;
    this.sampleBandwidth = rate;
    this.sampleDelivered = sample.deliveredBytes - prior;
    this.sampleAppLimited = sample.appLimited || (prior >= this.#limitedFrom && prior <= this.#limitedUntil);
    if (rate > this.#bandwidthLatest) this.#bandwidthLatest = rate;
    if (this.sampleDelivered > this.#inflightLatest) this.#inflightLatest = this.sampleDelivered;
    this.lossRoundStart = prior >= this.#lossRoundDelivered;
    if (this.lossRoundStart) this.#lossRoundDelivered = this.delivered;
    this.roundStart = prior >= this.#nextRoundDelivered;
    if (this.roundStart) {
      this.startRound();
      this.roundCount++;
      this.roundsSinceProbeUp++;
    }
    if (rate > this.#cycleBandwidth && (rate >= this.maxBandwidth || !this.sampleAppLimited)) {
      this.#cycleBandwidth = rate;
      this.maxBandwidth = Math.max(this.#priorCycleBandwidth, rate);
    }
  }

  /** Last of an ACK: AdvanceLatestDeliverySignals, BoundBWForModel. */
  finishSample(): void {
    if (this.lossRoundStart) {
      this.#bandwidthLatest = this.sampleBandwidth;
      this.#inflightLatest = this.sampleDelivered;
    }
    this.bandwidth = Math.min(this.maxBandwidth, this.bandwidthShortTerm);
  }

  /** A cycle of probing is over: what was measured in the one before it is forgotten. */
  advanceBandwidthFilter(): void {
    this.#priorCycleBandwidth = this.#cycleBandwidth;
    this.#cycleBandwidth = 0;
    this.maxBandwidth = this.#priorCycleBandwidth;
  }

  /** The first loss of a round: the round that answers it begins. */
  noteLoss(): void {
    this.#lossRoundDelivered = this.delivered;
    this.lossInRound = true;
  }

  /** Losses while not probing: once per round, down towards what was delivered lately (LossLowerBounds). */
  lowerShortTerm(windowBytes: number): void {
    if (this.bandwidthShortTerm === Infinity) this.bandwidthShortTerm = this.maxBandwidth;
    if (this.inflightShortTerm === Infinity) this.inflightShortTerm = windowBytes;
    this.bandwidthShortTerm = Math.max(this.#bandwidthLatest, BBR_BETA * this.bandwidthShortTerm);
    this.inflightShortTerm = Math.max(this.#inflightLatest, BBR_BETA * this.inflightShortTerm);
  }

  resetShortTerm(): void {
    this.bandwidthShortTerm = Infinity;
    this.inflightShortTerm = Infinity;
  }

  resetCongestionSignals(): void {
    this.lossInRound = false;
    this.#bandwidthLatest = 0;
    this.#inflightLatest = 0;
  }

  updateAckAggregation(ackedBytes: number, windowBytes: number, steady: boolean, now: number): void {
    let expected = (this.bandwidth * (now - this.#extraAckedFrom)) / 1000;
    if (this.#extraAckedDelivered <= expected) {
      this.#extraAckedDelivered = 0;
      this.#extraAckedFrom = now;
      expected = 0;
    }
    this.#extraAckedDelivered += ackedBytes;
    const extra = Math.min(this.#extraAckedDelivered - expected, windowBytes);
    this.extraAcked = this.#extraAckedMax.update(extra, this.roundCount, steady ? EXTRA_ACKED_ROUNDS : 1);
  }

  restartAckAggregation(now: number): void {
    this.#extraAckedFrom = now;
    this.#extraAckedDelivered = 0;
  }

  /** `rttMs` is -1 when the ACK gave none. */
  updateMinRtt(rttMs: number, now: number): void {
    this.probeRttExpired = now > this.probeRttMinAt + PROBE_RTT_INTERVAL_MS;
    if (rttMs >= 0 && (rttMs < this.#probeRttMinMs || this.probeRttExpired)) {
      // The very first sample only starts the clock.
      if (this.#probeRttMinMs === Infinity) this.probeRttExpired = false;
      this.#probeRttMinMs = rttMs;
      this.probeRttMinAt = now;
    }
    if (this.#probeRttMinMs < this.minRttMs || now > this.#minRttAt + MIN_RTT_WINDOW_MS) {
      this.minRttMs = this.#probeRttMinMs;
      this.#minRttAt = this.probeRttMinAt;
    }
  }

  /** What is sent until all that is in flight now has been delivered says little about the bandwidth. */
  markAppLimited(bytesInFlight: number): void {
    if (this.#limitedUntil < this.delivered) this.#limitedFrom = this.delivered;
    this.#limitedUntil = this.delivered + bytesInFlight;
  }
}
