import type { AckSample, CongestionControl, LostPacket } from "./congestion-control.ts";
import { HyStart } from "./hystart.ts";

export interface CubicOptions {
  /** RFC 9438's SMSS. Default 1200. */
  readonly packetBytes?: number;
  /** Default ten packets (RFC 9002 section 7.2). */
  readonly initialWindowBytes?: number;
  /** Give up some of the window when losses come below the last maximum (RFC 9438 section 4.7). Default true. */
  readonly fastConvergence?: boolean;
  /** Leave the first slow start by HyStart++ (RFC 9406). Default true. */
  readonly hyStart?: boolean;
}

const MINIMUM_WINDOW_PACKETS = 2;
/** RFC 9438 section 5: C in packets per second cubed. */
const CUBIC_C = 0.4;
/** RFC 9438 section 4.6. */
const CUBIC_BETA = 0.7;
/** RFC 9438 section 4.3: grows the Reno-friendly estimate as fast as Reno on average, with this beta. */
const RENO_ALPHA = (3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA);
/** RFC 9438 section 4.2: the window grows by half per round trip at most. */
const MAX_TARGET_GROWTH = 1.5;
/** As in NewReno. */
const PACING_GAIN = 1.25;
const PACING_GAIN_SLOW_START = 2;

/**
 * CUBIC (RFC 9438): after a loss the window comes back to where the loss was along a cubic curve of
 * time, so that growth does not depend on the round trip; never slower than Reno would. HyStart++
 * ends the first slow start. A window that is not in use does not grow, and the curve's clock
 * stands still meanwhile (section 5.8). Reductions go by the window rather than by what is in
 * flight, as in RFC 9002: a window that only grows in use is not far above it.
 */
export class CubicCongestionControl implements CongestionControl {
  readonly name = "cubic";
  windowBytes: number;
  pacingRateBytesPerSec: number;
  readonly #packetBytes: number;
  readonly #fastConvergence: boolean;
  #hyStart: HyStart | undefined;
  #slowStartThreshold: number;
  /** Packets sent before it belong to a loss that the window already answered. */
  #recoveryStartedAt: number;
  /** Start of the curve's clock; -1: congestion avoidance has not begun since the last reduction. */
  #epochAt: number;
  /** Since when the window has not been in use, or -1. */
  #idleAt: number;
  #maxBytes: number;
  /** Seconds from the epoch to the plateau. */
  #plateauSec: number;
  /** What Reno would have, and where it was before the last reduction. */
  #renoBytes: number;
  #priorBytes: number;
  #smoothedRttSec: number;
  /** Newest send time and whether the window was in use, over the packets of the ACK being processed. */
  #ackedSentAt: number;
  /** Packets lost and not found spurious, of the newest congestion event. */
  #eventLosses: number;
  #pendingLosses: number;
  readonly #undo: { windowBytes: number; slowStartThreshold: number; maxBytes: number; priorBytes: number };

  constructor(options: CubicOptions = {}) {
    this.#packetBytes = options.packetBytes ?? 1200;
    this.#fastConvergence = options.fastConvergence ?? true;
    this.#hyStart = options.hyStart === false ? undefined : new HyStart();
    this.windowBytes = options.initialWindowBytes ?? 10 * this.#packetBytes;
    this.pacingRateBytesPerSec = Infinity;
    this.#slowStartThreshold = Infinity;
    this.#recoveryStartedAt = -Infinity;
    this.#epochAt = -1;
    this.#idleAt = -1;
    this.#maxBytes = 0;
    this.#plateauSec = 0;
    this.#renoBytes = 0;
    this.#priorBytes = 0;
    this.#smoothedRttSec = 0;
    this.#ackedSentAt = -Infinity;
    this.#eventLosses = 0;
    this.#pendingLosses = 0;
    this.#undo = { windowBytes: 0, slowStartThreshold: 0, maxBytes: 0, priorBytes: 0 };
  }

  get pacingIntervalMs(): number {
    return (this.#packetBytes / this.pacingRateBytesPerSec) * 1000;
  }

  onPacketSent(_bytes: number, _bytesInFlight: number, _now: number): void {
    // The window and the curve are the whole state.
  }

  onPacketAcked(bytes: number, sentAt: number, priorBytesInFlight: number, now: number): void {
    if (sentAt > this.#ackedSentAt) this.#ackedSentAt = sentAt;
    if (sentAt <= this.#recoveryStartedAt) return;
    if (this.windowBytes < this.#slowStartThreshold) {
      // Half used is in use here: the pacer spreads a doubling window over the round trip.
      if (2 * priorBytesInFlight >= this.windowBytes) this.windowBytes += bytes * (this.#hyStart?.growth ?? 1);
      return;
    }
    if (priorBytesInFlight >= 0.75 * this.windowBytes) this.#grow(bytes, now);
    else if (this.#idleAt < 0) this.#idleAt = now;
  }

  onPacketLost(_packet: LostPacket): void {
    this.#pendingLosses++;
  }

  onPacketsLost(_bytes: number, sentAt: number, persistent: boolean, now: number): void {
    const losses = this.#pendingLosses;
    this.#pendingLosses = 0;
    if (this.#reduce(sentAt, now)) this.#eventLosses = losses;
    else this.#eventLosses += losses;
    if (!persistent) return;
    // RFC 9438 section 4.8: like a retransmission timeout. The next curve starts on its plateau.
    this.windowBytes = MINIMUM_WINDOW_PACKETS * this.#packetBytes;
    this.#maxBytes = 0;
    this.#eventLosses = 0;
    this.#recoveryStartedAt = -Infinity;
  }

  onEcnCongestion(sentAt: number, now: number): void {
    if (this.#reduce(sentAt, now)) this.#eventLosses = Infinity; // a mark is never spurious
  }

  /** RFC 9438 section 4.9.2: when nothing of a congestion event was really lost, it did not happen. */
  onSpuriousLoss(_now: number): void {
    if (this.#eventLosses === 0 || --this.#eventLosses > 0) return;
    const undo = this.#undo;
    if (this.windowBytes >= undo.windowBytes) return;
    this.windowBytes = undo.windowBytes;
    this.#slowStartThreshold = undo.slowStartThreshold;
    this.#maxBytes = undo.maxBytes;
    this.#priorBytes = undo.priorBytes;
    this.#recoveryStartedAt = -Infinity;
    this.#epochAt = -1;
  }

  onAckProcessed(sample: AckSample): void {
    this.#smoothedRttSec = sample.smoothedRttMs / 1000;
    const inSlowStart = this.windowBytes < this.#slowStartThreshold;
    // RFC 9406 section 4.3: for the first slow start only.
    if (inSlowStart && this.#slowStartThreshold === Infinity && this.#hyStart !== undefined) {
      const rttMs = sample.rttSampled ? sample.latestRttMs : -1;
      if (this.#hyStart.onAck(this.#ackedSentAt, rttMs, sample.now)) {
        this.#slowStartThreshold = this.windowBytes;
        this.#maxBytes = 0;
      }
    }
    this.#ackedSentAt = -Infinity;
    const gain = this.windowBytes < this.#slowStartThreshold ? PACING_GAIN_SLOW_START : PACING_GAIN;
    this.pacingRateBytesPerSec = (gain * this.windowBytes * 1000) / Math.max(sample.smoothedRttMs, 0.1);
  }

  /** Congestion avoidance, RFC 9438 sections 4.2 to 4.5. */
  #grow(bytes: number, now: number): void {
    const window = this.windowBytes;
    const packet = this.#packetBytes;
    if (this.#epochAt < 0) this.#startEpoch(now);
    if (this.#idleAt >= 0) this.#epochAt += now - this.#idleAt;
    this.#idleAt = -1;
    const elapsedSec = (now - this.#epochAt) / 1000;
    // Once it is back where the last reduction was, the estimate grows as Reno itself does.
    const alpha = this.#renoBytes < this.#priorBytes ? RENO_ALPHA : 1;
    this.#renoBytes += (alpha * bytes * packet) / window;
    if (this.#curve(elapsedSec) < this.#renoBytes) {
      if (this.#renoBytes > window) this.windowBytes = this.#renoBytes;
      return;
    }
    const ahead = this.#curve(elapsedSec + this.#smoothedRttSec);
    const target = Math.max(window, Math.min(ahead, MAX_TARGET_GROWTH * window));
    this.windowBytes = window + ((target - window) * bytes) / window;
  }

  /** W_cubic: C (t - K)^3 + W_max. */
  #curve(elapsedSec: number): number {
    return CUBIC_C * (elapsedSec - this.#plateauSec) ** 3 * this.#packetBytes + this.#maxBytes;
  }

  #startEpoch(now: number): void {
    this.#epochAt = now;
    this.#idleAt = -1;
    this.#renoBytes = this.windowBytes;
    // RFC 9438 sections 4.8 and 4.10: behind a timeout or HyStart++ there is no maximum to return to.
    if (this.#maxBytes < this.windowBytes) this.#maxBytes = this.windowBytes;
    this.#plateauSec = Math.cbrt((this.#maxBytes - this.windowBytes) / this.#packetBytes / CUBIC_C);
  }

  /** True when it is a new congestion event. */
  #reduce(sentAt: number, now: number): boolean {
    if (sentAt <= this.#recoveryStartedAt) return false;
    const window = this.windowBytes;
    const undo = this.#undo;
    undo.windowBytes = window;
    undo.slowStartThreshold = this.#slowStartThreshold;
    undo.maxBytes = this.#maxBytes;
    undo.priorBytes = this.#priorBytes;
    this.#recoveryStartedAt = now;
    const shrinking = this.#fastConvergence && window < this.#maxBytes;
    this.#maxBytes = shrinking ? (window * (1 + CUBIC_BETA)) / 2 : window;
    this.#priorBytes = window;
    this.windowBytes = Math.max(window * CUBIC_BETA, MINIMUM_WINDOW_PACKETS * this.#packetBytes);
    this.#slowStartThreshold = this.windowBytes;
    this.#epochAt = -1;
    return true;
  }
}
