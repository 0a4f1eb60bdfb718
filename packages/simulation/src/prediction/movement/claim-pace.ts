/**
 * Whether a client's ticks go faster than the server's. Its claims arrive late by changing times, but never early: how
 * far their ticks lead the server's has a greatest value, that of the shortest way through the network. When it
 * goes on rising, the client's clock is too fast. What an honest one rises by is rounding: its tick to its clock, the
 * arrival to the server's tick. So two ticks are free, and next to nothing on top.
 */
import { ClaimHolds } from "./claim-holds.ts";

export interface PaceOptions {
  /** How far a client's ticks may creep ahead, besides the two ticks that rounding takes. Default 3 ms. */
  readonly paceSlackMs?: number;
  /**
   * The same while its least delay is being learned, for a sudden change of it (a better route), and to come back to
   * what was once the least: after a queue in the network, or time that the client lost. More than the network's
   * jitter. Default 250 ms.
   */
  readonly pathChangeMs?: number;
  /**
   * Claims that come later than the earliest ones by more than this were withheld; and those that come in heaps, three
   * times on end, each after a silence of two thirds of it. Default 900 ms.
   */
  readonly withheldMs?: number;
}

/** Claims until the least delay is known. */
const LEARNING_CLAIMS = 60;
/** What the bank gains a second, so much too fast a clock may be for ever. */
const REFILL_MS_PER_SEC = 1;
const PATH_REFILL_MS_PER_SEC = 4;
/** What is forgotten of the greatest lead, so that it follows a clock that is slow. */
const FORGET_MS_PER_SEC = 0.25;
/** A rise of this much at once is no fast clock. */
const SUDDEN_MS = 120;
/** A rise of more than this is not believed at all. */
export const ABSURD_MS = 1000;
/** What is later than this is of another count of ticks: the client was started anew. */
const OTHER_COUNT_MS = 5000;
/** The least delay of late is that of the last one to two of these. */
const RECENT_MS = 2000;

export class ClaimPace {
  readonly #tickMs: number;
  readonly #slackMs: number;
  readonly #pathMs: number;
  readonly #withheldMs: number;
  readonly #holds: ClaimHolds;
  #claims = 0;
  #greatestMs = 0;
  #bankMs: number;
  #pathBankMs: number;
  #recentMs = -Infinity;
  #recentBeforeMs = -Infinity;
  #recentSince = 0;
  #lastAt = 0;
  #isLate = false;

  /** Throws `RangeError` for an option that is not above 0. */
  constructor(tickMs: number, options: PaceOptions = {}) {
    this.#tickMs = tickMs;
    this.#slackMs = 2 * tickMs + positive("paceSlackMs", options.paceSlackMs ?? 3);
    this.#pathMs = positive("pathChangeMs", options.pathChangeMs ?? 250);
    this.#withheldMs = positive("withheldMs", options.withheldMs ?? 900);
    this.#holds = new ClaimHolds((this.#withheldMs * 2) / 3);
    this.#bankMs = this.#pathMs;
    this.#pathBankMs = this.#pathMs;
  }

  /**
   * Takes in that the claim of `tick` came at `serverTick`. Returns by how many ms the client's clock has gone too far
   * ahead, 0 when it has not.
   */
  note(tick: number, serverTick: number): number {
    const now = serverTick * this.#tickMs;
    const leadMs = (tick - serverTick) * this.#tickMs;
    if (this.#claims++ === 0) {
      this.#greatestMs = leadMs;
      this.#recentSince = this.#lastAt = now;
    }
    const learning = this.#claims <= LEARNING_CLAIMS;
    const passedSec = Math.max(0, now - this.#lastAt) / 1000;
    this.#lastAt = now;
    // Only while it talks: silence is no slow clock.
    this.#greatestMs -= FORGET_MS_PER_SEC * Math.min(1, passedSec);
    this.#bankMs = Math.min(learning ? this.#pathMs : this.#slackMs, this.#bankMs + REFILL_MS_PER_SEC * passedSec);
    this.#pathBankMs = Math.min(this.#pathMs, this.#pathBankMs + PATH_REFILL_MS_PER_SEC * passedSec);
    const riseMs = leadMs - this.#greatestMs;
    if (riseMs > ABSURD_MS) {
      this.#isLate = false;
      return riseMs;
    }
    this.#noteLateness(leadMs, now);
    if (riseMs <= 0) return 0;
    this.#greatestMs = leadMs;
    if (riseMs >= SUDDEN_MS && this.#pathBankMs >= riseMs) {
      this.#pathBankMs -= riseMs;
      return 0;
    }
    this.#bankMs -= riseMs;
    if (this.#bankMs >= 0) return 0;
    const overMs = -this.#bankMs;
    this.#bankMs = 0;
    return overMs;
  }

  /** The client counts anew: its next claim is like the first. */
  restart(): void {
    this.#claims = 0;
    this.#bankMs = this.#pathMs;
    this.#recentMs = this.#recentBeforeMs = -Infinity;
    this.#holds.restart();
    this.#isLate = false;
  }

  /** Whether the claim noted last was later than the network explains. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** A client that lost time, or whose way has become longer, has no more saved up than a path may change by. */
  #noteLateness(leadMs: number, now: number): void {
    if (now - this.#recentSince >= RECENT_MS) {
      if (this.#recentMs > -Infinity) this.#greatestMs = Math.min(this.#greatestMs, this.#recentMs + this.#pathMs);
      this.#recentBeforeMs = this.#recentMs;
      this.#recentMs = -Infinity;
      this.#recentSince = now;
    }
    const earliestMs = Math.max(this.#recentMs, this.#recentBeforeMs);
    const lateMs = earliestMs > -Infinity ? earliestMs - leadMs : 0;
    this.#isLate = lateMs > this.#withheldMs && lateMs < OTHER_COUNT_MS;
    if (this.#holds.note(now, lateMs)) this.#isLate = true;
    if (leadMs > this.#recentMs) this.#recentMs = leadMs;
  }
}

function positive(name: string, value: number): number {
  if (!(value > 0 && value < Infinity)) throw new RangeError(`${name} must be above 0, got ${value}`);
  return value;
}
