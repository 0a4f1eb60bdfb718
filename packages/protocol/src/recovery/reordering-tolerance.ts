/** RFC 9002 section 6.1. */
const PACKET_THRESHOLD = 3;
const TIME_THRESHOLD = 9 / 8;
/** A packet later than two round trips is not taken for a reordered one. */
const MAX_TIME_THRESHOLD = 2;
/** RFC 8985 section 6.2: tolerance once gained is kept for so many losses that were real. */
const KEPT_LOSSES = 16;

/**
 * How far a packet may be overtaken before it counts as lost. Starts at RFC 9002's thresholds; a
 * packet that was given up and comes after all raises them to what would have sufficed, as RFC 9002
 * section 6.1 allows and RACK (RFC 8985) does. Sixteen real losses in a row bring them back.
 */
export class ReorderingTolerance {
  /** Packets sent later that must be acknowledged. */
  packetThreshold: number = PACKET_THRESHOLD;
  /** Time that must have passed, in round trips. */
  timeThreshold: number = TIME_THRESHOLD;
  #realLosses = 0;

  /** `overtakenBy`: how many numbers above it were acknowledged before it; `roundTrips`: how long it took. */
  onSpuriousLoss(overtakenBy: number, roundTrips: number): void {
    this.#realLosses = 0;
    if (overtakenBy >= this.packetThreshold) this.packetThreshold = overtakenBy + 1;
    const needed = Math.min(roundTrips * TIME_THRESHOLD, MAX_TIME_THRESHOLD);
    if (needed > this.timeThreshold) this.timeThreshold = needed;
  }

  /** Once for all packets that one ACK frame or timer shows as lost. */
  onLoss(): void {
    if (++this.#realLosses >= KEPT_LOSSES) this.reset();
  }

  /** The path is another one. */
  reset(): void {
    this.packetThreshold = PACKET_THRESHOLD;
    this.timeThreshold = TIME_THRESHOLD;
    this.#realLosses = 0;
  }
}
