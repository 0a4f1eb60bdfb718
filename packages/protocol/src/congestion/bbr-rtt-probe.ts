/**
 * The clock of BBR's ProbeRTT (draft-ietf-ccwg-bbr section 5.3.4.3): once so little is in flight that the
 * queue drains, it lasts 200 ms and a round trip.
 */

const DURATION_MS = 200;

export class RttProbe {
  /** -1: there is still too much in flight. */
  #doneAt: number;
  #roundDone: boolean;

  constructor() {
    this.#doneAt = -1;
    this.#roundDone = false;
  }

  start(): void {
    this.#doneAt = -1;
  }

  /** True when the measurement begins: a round trip is to be counted from here. */
  begins(bytesInFlight: number, windowBytes: number, now: number): boolean {
    if (this.#doneAt >= 0 || bytesInFlight > windowBytes) return false;
    this.#doneAt = now + DURATION_MS;
    this.#roundDone = false;
    return true;
  }

  /** True when it has lasted long enough, by time and by round trips. */
  onAck(roundStart: boolean, now: number): boolean {
    if (this.#doneAt < 0) return false;
    if (roundStart) this.#roundDone = true;
    return this.#roundDone && this.isOver(now);
  }

  /** By time alone: enough for a sender that was idle. */
  isOver(now: number): boolean {
    return this.#doneAt >= 0 && now > this.#doneAt;
  }
}
