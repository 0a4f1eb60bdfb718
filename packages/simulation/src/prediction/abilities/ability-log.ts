/**
 * An entity's log of decided requests: how a client learns what became of each. A word of it holds the lowest 10 bits of
 * the tick, the ability and the reason; 0 is an empty slot.
 */
import { ABILITY_REASONS } from "./prediction-result.ts";

const TICK_BITS = 10;
const TICKS = 1 << TICK_BITS;
const REASONS = ABILITY_REASONS.length;

/** Older entries are cleared, so that a word means one tick only. */
const MAX_LOG_AGE_TICKS = TICKS / 2 - 2;

export function maxLogWord(abilities: number): number {
  return TICKS * abilities * REASONS;
}

/** `ability` and `reason` are places in their lists. */
function logWord(tick: number, ability: number, reason: number, abilities: number): number {
  return 1 + ((tick & (TICKS - 1)) * abilities + ability) * REASONS + reason;
}

/** The tick nearest to `near` that the word can mean. */
export function logTick(word: number, abilities: number, near: number): number {
  const low = Math.floor((word - 1) / (abilities * REASONS));
  return near + (((low - near + TICKS / 2) & (TICKS - 1)) - TICKS / 2);
}

export function logAbility(word: number, abilities: number): number {
  return Math.floor((word - 1) / REASONS) % abilities;
}

export function logReason(word: number): number {
  return (word - 1) % REASONS;
}

/** The logs of the rows of one table. */
export class AbilityLog {
  readonly #slots: readonly Int32Array[];
  readonly #abilities: number;

  /** `slots`: a column each; `abilities`: how many the kit has. */
  constructor(slots: readonly Int32Array[], abilities: number) {
    this.#slots = slots;
    this.#abilities = abilities;
  }

  /** Clears what is too old to be told from what is new. */
  forget(index: number, tick: number): void {
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const word = this.#slots[slot][index];
      if (word !== 0 && tick - logTick(word, this.#abilities, tick) > MAX_LOG_AGE_TICKS) this.#slots[slot][index] = 0;
    }
  }

  /** Logs a decision over the oldest entry. Refusals of one ability for one reason, one after the other, are logged once: keys are held. */
  note(index: number, place: number, tick: number, reason: number): void {
    const count = this.#abilities;
    let oldest = -1;
    let oldestTick = Infinity;
    let newest = 0;
    let newestTick = -Infinity;
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const word = this.#slots[slot][index];
      const at = word === 0 ? -Infinity : logTick(word, count, tick);
      if (oldest < 0 || at < oldestTick) {
        oldest = slot;
        oldestTick = at;
      }
      if (word !== 0 && at >= newestTick && logAbility(word, count) === place) {
        newest = word;
        newestTick = at;
      }
    }
    if (oldest < 0 || (reason !== 0 && newest !== 0 && logReason(newest) === reason)) return;
    this.#slots[oldest][index] = logWord(tick, place, reason, count);
  }
}
