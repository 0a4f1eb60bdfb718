/** How many seats of one node a balancer should have at hand, by how fast they went of late. */

/** More than an exchange and the one after take: what is taken meanwhile must be there. */
const HORIZON_MS = 750;
/** A rate that was higher is forgotten over so long. */
const FADE_MS = 2000;
/** Measured over at least so long. */
const MIN_INTERVAL_MS = 100;

export class SeatDemand {
  #taken = 0;
  #perMs = 0;
  #wanted = 0;
  #measuredAt = 0;
  #group = 0;
  #groupUntil = 0;

  took(seats: number): void {
    this.#taken += seats;
  }

  /** A group needs so many at once. */
  need(seats: number, until: number): void {
    this.#group = seats;
    this.#groupUntil = until;
  }

  /** What was needed at once of late; 0: nothing. */
  group(now: number): number {
    return now < this.#groupUntil ? this.#group : 0;
  }

  /** `free`: seats that are left now. */
  wanted(free: number, now: number): number {
    const elapsedMs = now - this.#measuredAt;
    if (elapsedMs >= MIN_INTERVAL_MS) {
      this.#measuredAt = now;
      this.#perMs = Math.max(this.#taken / elapsedMs, this.#perMs * Math.exp(-elapsedMs / FADE_MS));
      const expected = Math.max(0, Math.ceil(this.#perMs * HORIZON_MS - 1e-3));
      // None were left: nobody knows how many more would have been taken.
      this.#wanted = this.#taken > 0 && free === 0 ? Math.max(expected, this.#wanted * 2) : expected;
      this.#taken = 0;
    }
    return Math.max(this.#wanted, this.group(now));
  }
}
