/**
 * The one rounding of the house: every number that is settled, sent, compared or kept in a history
 * goes through `roundToLevel` and comes back through `levelValue`, so all of them see the same integers.
 */

/** A number line of `maxLevel + 1` evenly spaced values. */
export interface Levels {
  /** Distance between two neighbours. */
  readonly step: number;
  /** `(level + offset) * step + base` is the value: `base` is 0 when the minimum is a whole number of steps, so that 0 stays exactly 0. */
  readonly offset: number;
  readonly base: number;
  /** Largest level; the smallest is 0. At most 2^32 - 1. */
  readonly maxLevel: number;
}

/** The level nearest to `value`, clamped into the range; halves go up, NaN becomes level 0. */
export function roundToLevel(levels: Levels, value: number): number {
  const level = Math.floor((value - levels.base) / levels.step + 0.5) - levels.offset;
  if (!(level > 0)) return 0;
  return level > levels.maxLevel ? levels.maxLevel : level;
}

/** The value of a level. `roundToLevel(levels, levelValue(levels, n)) === n` for every level. */
export function levelValue(levels: Levels, level: number): number {
  return (level + levels.offset) * levels.step + levels.base;
}

/**
 * Levels from `min` up to at most `max`. Throws `RangeError` when there would be more than 2^32 levels
 * or when the range is so far from 0 that doubles cannot tell the levels apart.
 */
export function createLevels(min: number, max: number, step: number, what: string): Levels {
  if (!Number.isFinite(min) || !Number.isFinite(max) || min > max) {
    throw new RangeError(`${what}: min ${min} and max ${max} must be finite and in order`);
  }
  if (!(step > 0) || !Number.isFinite(step)) throw new RangeError(`${what}: step ${step} must be above 0`);
  const maxLevel = Math.floor((max - min) / step + 1e-6);
  if (maxLevel > 0xffffffff) throw new RangeError(`${what}: more than 2^32 values between ${min} and ${max}`);
  if (Math.max(Math.abs(min), Math.abs(max)) / step > 2 ** 44) {
    throw new RangeError(`${what}: step ${step} is too fine for values as large as ${max}`);
  }
  const offset = Math.round(min / step);
  const whole = Math.abs(offset - min / step) < 1e-6;
  return { step, offset: whole ? offset : 0, base: whole ? 0 : min, maxLevel };
}

/** Bits that hold every integer from 0 to `max`. */
export function bitsFor(max: number): number {
  return max <= 0 ? 0 : 32 - Math.clz32(max);
}
