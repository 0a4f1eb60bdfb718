/** The mathematics of drawn motion: one number over time, from what is known of it at a few moments. */

/**
 * How far an entity is carried on when the view is `overTicks` beyond the newest update: at full speed for the first half
 * of `maxTicks`, then ever slower, and no farther from there on: three quarters of `maxTicks` in all.
 */
export function extrapolatedTicks(overTicks: number, maxTicks: number): number {
  const half = maxTicks / 2;
  if (!(maxTicks > 0)) return 0;
  if (overTicks <= half) return overTicks > 0 ? overTicks : 0;
  const slowing = Math.min(overTicks, maxTicks) - half;
  return half + slowing - (slowing * slowing) / maxTicks;
}

/**
 * The cubic from `a` to `b` at `fraction` (0 to 1) that leaves with the speed `leaving` and arrives with `arriving`, both
 * in units per whole interval.
 */
export function hermite(a: number, b: number, leaving: number, arriving: number, fraction: number): number {
  const rest = 1 - fraction;
  const bend = rest * (leaving - (b - a)) - fraction * (arriving - (b - a));
  return a + (b - a) * fraction + fraction * rest * bend;
}

/**
 * The speed at the end of an interval of `ticks` with the mean speed `mean`, when the mean speed of the interval before,
 * of `earlierTicks`, was `earlier`: that of the parabola through the three points. An entity that stands, or that has
 * turned round, is not thrown on: the result never points against `mean` and is at most three times as fast. It depends
 * on the past alone, so that the curve through an update stays what it was when the next one comes.
 */
export function speedAfter(mean: number, ticks: number, earlier: number, earlierTicks: number): number {
  const speed = mean + ((mean - earlier) * ticks) / (ticks + earlierTicks);
  if (speed * mean <= 0) return 0;
  return Math.abs(speed) > Math.abs(3 * mean) ? 3 * mean : speed;
}
