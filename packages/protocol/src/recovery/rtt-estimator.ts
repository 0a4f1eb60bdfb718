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
    // RFC 9002 section 5.3: the delay counts only as far as it leaves a plausible sample.
    const adjusted = latestMs >= this.minMs + ackDelayMs ? latestMs - ackDelayMs : latestMs;
    this.variationMs = 0.75 * this.variationMs + 0.25 * Math.abs(this.smoothedMs - adjusted);
    this.smoothedMs = 0.875 * this.smoothedMs + 0.125 * adjusted;
  }
}
