/**
 * Preloaded (`--import`) into a process of which a test moves the wall clock: an hour ahead with SIGUSR2, and with the next one an
 * hour behind, and right again with the third. Monotonic clocks and timers go on, as they do when somebody sets a clock.
 */
const HOUR_MS = 3_600_000;
const STEPS = [0, HOUR_MS, -HOUR_MS];
const RealDate = Date;
let step = 0;

class SteppedDate extends RealDate {
  constructor(...values: readonly unknown[]) {
    if (values.length === 0) super(SteppedDate.now());
    else super(...(values as [number]));
  }

  static override now(): number {
    return RealDate.now() + STEPS[step % STEPS.length];
  }
}

globalThis.Date = SteppedDate as DateConstructor;
process.on("SIGUSR2", () => step++);
