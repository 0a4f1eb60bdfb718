/**
 * Whether a client's ticks go faster than the server's. Its claims arrive late by changing times, but never early: how
 * far their ticks lead the server's has a greatest value, that of the shortest way through the network. When it
 * goes on rising, the client's clock is too fast. What it may rise by is a bank that fills slowly.
 */

export interface PaceOptions {
  /** How far a client's ticks may creep ahead. Default 40 ms. */
  readonly paceSlackMs?: number;
  /**
   * The same while its least delay is being learned, and for a sudden change of it: a better route. More than the
   * network's jitter. Default 250 ms.
   */
  readonly pathChangeMs?: number;
  /** Claims that come later than the earliest by more than this were withheld. Default 900 ms. */
  readonly withheldMs?: number;
}

/** Claims until the least delay is known. */
const LEARNING_CLAIMS = 60;
/** What the bank gains a second, so much too fast a clock may be for ever. */
const REFILL_MS_PER_SEC = 10;
const PATH_REFILL_MS_PER_SEC = 4;
/** What is forgotten of the greatest lead, so that it follows a clock that is slow. */
const FORGET_MS_PER_SEC = 1;
/** A rise of this much at once is no fast clock. */
const SUDDEN_MS = 120;
/** A rise of more than this is not believed at all. */
export const ABSURD_MS = 1000;
/** What is later than this is of another count of ticks: the client was started anew. */
const OTHER_COUNT_MS = 5000;
/** So much lower the lead must have been for so long before that is the new rule. */
const REBASE_BY_MS = 80;
const REBASE_AFTER_MS = 3000;

export class ClaimPace {
  readonly #tickMs: number;
  readonly #slackMs: number;
  readonly #pathMs: number;
  readonly #withheldMs: number;
  #claims = 0;
  #greatestMs = 0;
  #bankMs: number;
  #pathBankMs: number;
  #recentMs = -Infinity;
  #recentSince = 0;
  #lastAt = 0;
  #isLate = false;

  /** Throws `RangeError` for an option that is not above 0. */
  constructor(tickMs: number, options: PaceOptions = {}) {
    this.#tickMs = tickMs;
    this.#slackMs = positive("paceSlackMs", options.paceSlackMs ?? 40);
    this.#pathMs = positive("pathChangeMs", options.pathChangeMs ?? 250);
    this.#withheldMs = positive("withheldMs", options.withheldMs ?? 900);
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
    this.#isLate = -riseMs > this.#withheldMs && -riseMs < OTHER_COUNT_MS;
    if (riseMs > ABSURD_MS) return riseMs;
    this.#rebase(leadMs, now);
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
    this.#recentMs = -Infinity;
    this.#isLate = false;
  }

  /** Whether the claim noted last was later than the network explains. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** A client that stood still for long, or whose way has become longer, is measured anew: it has nothing saved up. */
  #rebase(leadMs: number, now: number): void {
    if (leadMs > this.#recentMs) this.#recentMs = leadMs;
    if (now - this.#recentSince < REBASE_AFTER_MS) return;
    const lostMs = this.#greatestMs - this.#recentMs;
    if (lostMs > REBASE_BY_MS) {
      // What a few seconds showed may not be the least delay: that is learned again, with some of what was lost.
      this.#greatestMs = this.#recentMs;
      this.#bankMs += REBASE_BY_MS;
      this.#claims = 1;
    }
    this.#recentMs = -Infinity;
    this.#recentSince = now;
  }
}

function positive(name: string, value: number): number {
  if (!(value > 0 && value < Infinity)) throw new RangeError(`${name} must be above 0, got ${value}`);
  return value;
}
