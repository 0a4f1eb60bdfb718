import type { AckSample, CongestionControl, LostPacket } from "./congestion-control.ts";

export interface NewRenoOptions {
  /** RFC 9002's max_datagram_size. Default 1200. */
  readonly packetBytes?: number;
  /** Default ten packets (RFC 9002 section 7.2). */
  readonly initialWindowBytes?: number;
}

/** RFC 9002 section 7.2. */
const MINIMUM_WINDOW_PACKETS = 2;
const LOSS_REDUCTION_FACTOR = 0.5;
/** RFC 9002 section 7.7: a little faster than the window per round trip, so that the window stays the limit. */
const PACING_GAIN = 1.25;
/** In slow start the window doubles each round trip, so the pacer must let twice as much pass. */
const PACING_GAIN_SLOW_START = 2;

/**
 * NewReno as RFC 9002 section 7 has it: slow start, congestion avoidance, one reduction per round
 * trip of losses, collapse on persistent congestion. A window that is not in use does not grow
 * (section 7.8): a game that sends little is never mistaken for proof of a fast path.
 */
export class NewRenoCongestionControl implements CongestionControl {
  readonly name = "newReno";
  windowBytes: number;
  pacingRateBytesPerSec: number;
  readonly #packetBytes: number;
  #slowStartThreshold: number;
  /** Packets sent before it belong to a loss that the window already answered. */
  #recoveryStartedAt: number;
  #ackedInAvoidance: number;

  constructor(options: NewRenoOptions = {}) {
    this.#packetBytes = options.packetBytes ?? 1200;
    this.windowBytes = options.initialWindowBytes ?? 10 * this.#packetBytes;
    this.pacingRateBytesPerSec = Infinity;
    this.#slowStartThreshold = Infinity;
    this.#recoveryStartedAt = -Infinity;
    this.#ackedInAvoidance = 0;
  }

  get pacingIntervalMs(): number {
    return (this.#packetBytes / this.pacingRateBytesPerSec) * 1000;
  }

  onPacketSent(_bytes: number, _bytesInFlight: number, _now: number): void {
    // The window is the whole state.
  }

  onPacketAcked(bytes: number, sentAt: number, priorBytesInFlight: number, _now: number): void {
    if (sentAt <= this.#recoveryStartedAt) return;
    if (this.windowBytes < this.#slowStartThreshold) {
      // Half used is in use here: the pacer spreads a doubling window over the round trip.
      if (2 * priorBytesInFlight >= this.windowBytes) this.windowBytes += bytes;
      return;
    }
    if (priorBytesInFlight < 0.75 * this.windowBytes) return;
    // RFC 9002 section 7.3.3: one packet for each window acknowledged.
    this.#ackedInAvoidance += bytes;
    if (this.#ackedInAvoidance < this.windowBytes) return;
    this.#ackedInAvoidance -= this.windowBytes;
    this.windowBytes += this.#packetBytes;
  }

  onPacketLost(_packet: LostPacket): void {
    // What counts is that there was a loss, not how many.
  }

  onPacketsLost(_bytes: number, sentAt: number, persistent: boolean, now: number): void {
    this.#reduce(sentAt, now);
    if (!persistent) return;
    this.windowBytes = MINIMUM_WINDOW_PACKETS * this.#packetBytes;
    this.#recoveryStartedAt = -Infinity;
  }

  onEcnCongestion(sentAt: number, now: number): void {
    this.#reduce(sentAt, now);
  }

  onSpuriousLoss(_now: number): void {
    // RFC 9002 leaves undoing to others.
  }

  onAckProcessed(sample: AckSample): void {
    const gain = this.windowBytes < this.#slowStartThreshold ? PACING_GAIN_SLOW_START : PACING_GAIN;
    const roundTripMs = Math.max(sample.smoothedRttMs, 0.1);
    this.pacingRateBytesPerSec = (gain * this.windowBytes * 1000) / roundTripMs;
  }

  #reduce(sentAt: number, now: number): void {
    if (sentAt <= this.#recoveryStartedAt) return;
    this.#recoveryStartedAt = now;
    this.#ackedInAvoidance = 0;
    const reduced = this.windowBytes * LOSS_REDUCTION_FACTOR;
    this.windowBytes = Math.max(reduced, MINIMUM_WINDOW_PACKETS * this.#packetBytes);
    this.#slowStartThreshold = this.windowBytes;
  }
}
