/** Round-trip time after RFC 9002 section 5: latest, smoothed, variation and minimum. */

/** RFC 9002 section 6.2.2: assumed before the first sample. */
export const INITIAL_RTT_MS = 333;

export class RttEstimator {
  /** The newest sample, 0 before the first. */
  latestMs: number;
  smoothedMs: number;
  /** Mean deviation of the samples: the jitter of the path. */
  variationMs: number;
  /** Lowest sample, 0 before the first. */
  minMs: number;
  hasSample: boolean;

  constructor(initialRttMs: number = INITIAL_RTT_MS) {
    this.latestMs = 0;
    this.smoothedMs = initialRttMs;
    this.variationMs = initialRttMs / 2;
    this.minMs = 0;
    this.hasSample = false;
  }

  /** Nothing is known any more: the path is another one. */
  reset(): void {
    this.latestMs = 0;
    this.smoothedMs = INITIAL_RTT_MS;
    this.variationMs = INITIAL_RTT_MS / 2;
    this.minMs = 0;
    this.hasSample = false;
  }

  /** One sample. `ackDelayMs` is what the peer says it waited, already limited to what it may wait. */
  update(latestMs: number, ackDelayMs: number): void {
    this.latestMs = latestMs;
    if (!this.hasSample) {
      this.hasSample = true;
      this.minMs = latestMs;
      this.smoothedMs = latestMs;
      this.variationMs = latestMs / 2;
      return;
    }
    if (latestMs < this.minMs) this.minMs = latestMs;
    // RFC 9002 section 5.3 leaves a delay out altogether that would bring the sample below the minimum. ACKs here may
    // wait for 100 ms, and the minimum itself may have waited: it counts as far as the minimum.
    const adjusted = latestMs - ackDelayMs > this.minMs ? latestMs - ackDelayMs : this.minMs;
    this.variationMs = 0.75 * this.variationMs + 0.25 * Math.abs(this.smoothedMs - adjusted);
    this.smoothedMs = 0.875 * this.smoothedMs + 0.125 * adjusted;
  }
}
