/** A link for claims: it loses some, delays the others by up to its jitter, lets them overtake each other, or bunches them. */

/** A small seeded source of numbers from 0 to 1. */
export function numbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * - even: each packet by itself, evenly from 0 to the jitter; they overtake each other.
 * - bunched: nothing for a while, then all that waited at once.
 * - swaying: the delay wanders, as a queue that fills and drains, touching its least every second or so.
 * - standing: a queue that is filled for up to 20 s, and empty for as long.
 */
export type JitterKind = "even" | "bunched" | "swaying" | "standing";

export class ClaimLink {
  readonly #random: () => number;
  readonly #baseMs: number;
  readonly #jitterMs: number;
  readonly #lossRate: number;
  readonly #kind: JitterKind;
  #releaseAt = 0;
  #swayMs = 0;
  #swayAim = 0;
  #swayAt = 0;
  #standsUntil = 10_000;

  constructor(random: () => number, kind: JitterKind, baseMs: number, jitterMs: number, lossRate: number) {
    this.#random = random;
    this.#kind = kind;
    this.#baseMs = baseMs;
    this.#jitterMs = jitterMs;
    this.#lossRate = lossRate;
  }

  /** When what is sent at `now` arrives; -1: never. */
  send(now: number): number {
    if (this.#random() < this.#lossRate) return -1;
    return now + this.#baseMs + this.#delay(now);
  }

  /** The same for what is sent again until it arrives. */
  sendReliably(now: number): number {
    let at = now;
    for (;;) {
      const arrival = this.send(at);
      if (arrival >= 0) return arrival;
      at += 2 * this.#baseMs + this.#jitterMs + 30;
    }
  }

  #delay(now: number): number {
    if (this.#kind === "even") return this.#random() * this.#jitterMs;
    if (this.#kind === "bunched") {
      if (now > this.#releaseAt) this.#releaseAt = now + this.#random() * this.#jitterMs;
      return this.#releaseAt - now;
    }
    const passed = now - this.#swayAt;
    this.#swayAt = now;
    const step = passed * 0.6;
    const off = this.#swayAim - this.#swayMs;
    if (Math.abs(off) <= step) {
      this.#swayMs = this.#swayAim;
      if (this.#kind === "standing") {
        if (now < this.#standsUntil) return this.#swayMs;
        this.#standsUntil = now + this.#random() * 20_000;
      }
      this.#swayAim = this.#swayAim > 0 && this.#random() < 0.6 ? 0 : this.#random() * this.#jitterMs;
    } else this.#swayMs += Math.sign(off) * step;
    return this.#swayMs;
  }
}
