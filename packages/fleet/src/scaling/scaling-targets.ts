/** What a region should have at a moment: its settings, or those of the entry of its schedule that matches first. */
import type { RegionScaling, ScheduledTarget } from "../config/load-balancer-config.ts";

export interface ScalingTargets {
  readonly freeSeats: number;
  readonly minNodes: number;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;

export function targetsAt(config: RegionScaling, unixMs: number): ScalingTargets {
  const entry = config.schedule.find((scheduled) => holdsAt(scheduled, unixMs));
  return {
    freeSeats: entry?.targetFreeSeats ?? config.targetFreeSeats,
    minNodes: Math.min(config.maxNodes, entry?.minNodes ?? config.minNodes),
  };
}

/** The larger of what is to be now and what is to be then, so that it is there in time. */
export function targetsUntil(config: RegionScaling, unixMs: number, untilMs: number): ScalingTargets {
  const now = targetsAt(config, unixMs);
  if (config.schedule.length === 0) return now;
  const then = targetsAt(config, untilMs);
  return {
    freeSeats: Math.max(now.freeSeats, then.freeSeats),
    minNodes: Math.max(now.minNodes, then.minNodes),
  };
}

/** A time over midnight belongs to the day on which it begins; one that ends where it begins is the whole day. */
function holdsAt({ days, from, to }: ScheduledTarget, unixMs: number): boolean {
  const minutes = Math.floor(unixMs / MINUTE_MS);
  const minute = minutes % DAY_MINUTES;
  // 1 January 1970 was a Thursday.
  const day = (Math.floor(minutes / DAY_MINUTES) + 4) % 7;
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const isOn = (weekday: number): boolean => days.length === 0 || days.includes(weekday);
  if (begin < end) return isOn(day) && minute >= begin && minute < end;
  return (minute >= begin && isOn(day)) || (minute < end && isOn((day + 6) % 7));
}

/** Of "HH:MM". */
function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}
