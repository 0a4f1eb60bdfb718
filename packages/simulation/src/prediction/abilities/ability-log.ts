/**
 * The words of an entity's log of decided requests: how a client learns what became of each. A word holds the
 * lowest 10 bits of the tick, the ability and the reason; 0 is an empty slot.
 */
import { ABILITY_REASONS } from "./prediction-result.ts";

const TICK_BITS = 10;
const TICKS = 2 ** TICK_BITS;
const REASONS = ABILITY_REASONS.length;

/** Older entries are cleared, so that a word means one tick only. */
export const MAX_LOG_AGE_TICKS: number = TICKS / 2 - 2;

export function maxLogWord(abilities: number): number {
  return TICKS * abilities * REASONS;
}

/** `ability` and `reason` are places in their lists. */
export function logWord(tick: number, ability: number, reason: number, abilities: number): number {
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
