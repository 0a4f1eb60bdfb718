/**
 * HyStart++ (RFC 9406): leaves slow start when the round trip grows, before the queue overflows,
 * by way of a cautious phase (conservative slow start) that can find out it was called too early.
 * For paced senders, so the RFC's limit L is infinite.
 */

/** RFC 9406 section 4.3. */
const MIN_RTT_THRESHOLD_MS = 4;
const MAX_RTT_THRESHOLD_MS = 16;
const MIN_RTT_DIVISOR = 8;
const RTT_SAMPLES = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

export class HyStart {
  /** Part of each acknowledged byte that the window grows by: 1, or a quarter in conservative slow start. */
  growth: number;
  /** Packets sent from then on end the round when acknowledged. */
  #roundStartedAt: number;
  #lastRoundMinMs: number;
  #roundMinMs: number;
  #samples: number;
  #baselineMinMs: number;
  #cautiousRounds: number;

  constructor() {
    this.growth = 1;
    this.#roundStartedAt = -Infinity;
    this.#lastRoundMinMs = Infinity;
    this.#roundMinMs = Infinity;
    this.#samples = 0;
    this.#baselineMinMs = Infinity;
    this.#cautiousRounds = 0;
  }

  /**
   * One ACK, of which the newest packet was sent at `sentAt`; `rttMs` is -1 when it gave no sample.
   * True: slow start is over.
   */
  onAck(sentAt: number, rttMs: number, now: number): boolean {
    let over = false;
    if (sentAt >= this.#roundStartedAt) {
      over = this.growth < 1 && ++this.#cautiousRounds >= CSS_ROUNDS;
      this.#roundStartedAt = now;
      this.#lastRoundMinMs = this.#roundMinMs;
      this.#roundMinMs = Infinity;
      this.#samples = 0;
    }
    if (rttMs < 0) return over;
    this.#samples++;
    if (rttMs < this.#roundMinMs) this.#roundMinMs = rttMs;
    if (this.#samples < RTT_SAMPLES) return over;
    if (this.growth < 1) {
      // The round trip came down again: what we took for a queue was not one.
      if (this.#roundMinMs < this.#baselineMinMs) this.growth = 1;
    } else if (this.#roundMinMs >= this.#lastRoundMinMs + this.#thresholdMs()) {
      this.growth = 1 / CSS_GROWTH_DIVISOR;
      this.#baselineMinMs = this.#roundMinMs;
      this.#cautiousRounds = 0;
    }
    return over && this.growth < 1;
  }

  #thresholdMs(): number {
    return Math.max(MIN_RTT_THRESHOLD_MS, Math.min(this.#lastRoundMinMs / MIN_RTT_DIVISOR, MAX_RTT_THRESHOLD_MS));
  }
}
