/** How many people begin to play at which hour of their day, against the mean of a week: few at five, most at eight in the evening. */
const WEEKDAY = [
  0.55, 0.38, 0.26, 0.2, 0.18, 0.18, 0.22, 0.28, 0.34, 0.4, 0.45, 0.5, 0.55, 0.58, 0.62, 0.7, 0.82, 0.95, 1.1, 1.25,
  1.35, 1.3, 1.1, 0.8,
];
const WEEKEND = [
  0.75, 0.55, 0.38, 0.28, 0.22, 0.2, 0.22, 0.3, 0.45, 0.62, 0.8, 0.95, 1.05, 1.12, 1.18, 1.2, 1.22, 1.25, 1.3, 1.35,
  1.38, 1.3, 1.1, 0.85,
];
const MEAN = (5 * sum(WEEKDAY) + 2 * sum(WEEKEND)) / (7 * 24);

/** `hour`: local, counted from Monday 0:00, any number. Its mean over a week is 1. */
export function dailyDemand(hour: number): number {
  const whole = Math.floor(hour);
  const part = hour - whole;
  return (at(whole) * (1 - part) + at(whole + 1) * part) / MEAN;
}

function at(hour: number): number {
  const ofWeek = ((hour % 168) + 168) % 168;
  return (ofWeek >= 120 ? WEEKEND : WEEKDAY)[ofWeek % 24];
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
