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

/** What is known of one number around a moment: where it was at up to four updates, and how fast where that was told. */
export interface CurvePoints {
  from: number;
  to: number;
  /** Ticks from `from` to `to`; 0 when they are the same. */
  spanTicks: number;
  /** At the two updates before `from`, and the ticks from each to the next: 0 where there is none, or a jump between. */
  earlier: number;
  earlierTicks: number;
  earliest: number;
  earliestTicks: number;
  /** Whether the speeds at `from` and `to` are known, in units per tick. Otherwise they are estimated. */
  isTold: boolean;
  leaving: number;
  arriving: number;
}

/** Points for a caller to keep and fill in. */
export function createCurvePoints(): CurvePoints {
  return {
    from: 0,
    to: 0,
    spanTicks: 0,
    earlier: 0,
    earlierTicks: 0,
    earliest: 0,
    earliestTicks: 0,
    isTold: false,
    leaving: 0,
    arriving: 0,
  };
}

/** Where the number is drawn: at `fraction` of the way between the two updates, or `beyondTicks` (above 0) after the second. */
export function drawnAt(points: Readonly<CurvePoints>, fraction: number, beyondTicks: number): number {
  const { from, to, spanTicks } = points;
  if (beyondTicks > 0) return to + speedAtEnd(points) * beyondTicks;
  if (spanTicks <= 0) return to;
  return hermite(from, to, speedAtStart(points) * spanTicks, speedAtEnd(points) * spanTicks, fraction);
}

/** Units per tick at `from`. */
function speedAtStart(points: Readonly<CurvePoints>): number {
  const { from, to, spanTicks, earlier, earlierTicks, earliest, earliestTicks } = points;
  if (points.isTold) return points.leaving;
  if (earlierTicks <= 0) return (to - from) / spanTicks;
  const before = (from - earlier) / earlierTicks;
  if (earliestTicks <= 0) return before;
  return speedAfter(before, earlierTicks, (earlier - earliest) / earliestTicks, earliestTicks);
}

/** Units per tick at `to`. */
function speedAtEnd(points: Readonly<CurvePoints>): number {
  const { from, to, spanTicks, earlier, earlierTicks } = points;
  if (points.isTold) return points.arriving;
  const mean = spanTicks > 0 ? (to - from) / spanTicks : 0;
  if (earlierTicks <= 0) return mean;
  return speedAfter(mean, spanTicks, (from - earlier) / earlierTicks, earlierTicks);
}
