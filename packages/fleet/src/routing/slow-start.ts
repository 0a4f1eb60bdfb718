/** A node that has just become ready is slow at first (cold caches, compilers), and so gets fewer players than others. */

/** What it gets of its share at the very beginning. */
const LEAST_SHARE = 0.1;

/** 0.1 to 1. */
export function slowStartShare(readyAt: number, now: number, slowStartMs: number): number {
  const age = now - readyAt;
  return age >= slowStartMs ? 1 : Math.max(LEAST_SHARE, age / slowStartMs);
}
