/**
 * Spreads packets over the round trip (RFC 9002 section 7.7) by a token bucket. It asks for no
 * timer finer than a quantum: what a quantum lets pass may go in one burst. Only packets with
 * reliable data are charged and wait; unreliable messages pass, and the window alone bounds them.
 */

/** Shortest time the pacer plans for. */
const PACER_QUANTUM_MS = 2;
/**
 * A burst that may go at once after a pause: what the rate gives in so much time, from two to ten
 * full-size packets (RFC 9002 section 7.7). Ten on a slow link would be a standing queue.
 */
const BURST_MS = 10;
const MIN_BURST_PACKETS = 2;
const MAX_BURST_PACKETS = 10;

export class Pacer {
  readonly #packetBytes: number;
  #burstBytes: number;
  #tokens: number;
  #capacity: number;
  #bytesPerMs: number;
  #updatedAt: number;

  constructor(packetBytes: number, now: number) {
    this.#packetBytes = packetBytes;
    this.#burstBytes = MAX_BURST_PACKETS * packetBytes;
    this.#tokens = this.#burstBytes;
    this.#capacity = this.#burstBytes;
    this.#bytesPerMs = Infinity;
    this.#updatedAt = now;
  }

  /** `Infinity`: no pacing. */
  setRate(bytesPerSec: number, now: number): void {
    this.#refill(now);
    this.#bytesPerMs = bytesPerSec / 1000;
    const burst = Math.max(this.#bytesPerMs * BURST_MS, MIN_BURST_PACKETS * this.#packetBytes);
    this.#burstBytes = Math.min(burst, MAX_BURST_PACKETS * this.#packetBytes);
    this.#capacity = Math.max(this.#burstBytes, this.#bytesPerMs * PACER_QUANTUM_MS);
  }

  /** When the next packet may go: not after `now` if at once. */
  nextSendAt(now: number): number {
    this.#refill(now);
    if (this.#tokens > 0 || this.#bytesPerMs === Infinity) return now;
    // Wait for a quantum's worth, not for one packet: fewer wake-ups, same rate.
    return now + Math.max(PACER_QUANTUM_MS, -this.#tokens / this.#bytesPerMs);
  }

  onSent(bytes: number, now: number): void {
    this.#refill(now);
    this.#tokens -= bytes;
    // Probes may borrow, but never more than a burst.
    if (this.#tokens < -this.#burstBytes) this.#tokens = -this.#burstBytes;
  }

  #refill(now: number): void {
    const elapsed = now - this.#updatedAt;
    if (elapsed <= 0) return;
    this.#updatedAt = now;
    const tokens = this.#tokens + elapsed * this.#bytesPerMs;
    this.#tokens = tokens < this.#capacity ? tokens : this.#capacity;
  }
}
