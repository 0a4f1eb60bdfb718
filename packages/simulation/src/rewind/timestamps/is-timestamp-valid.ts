/**
 * How old, and how new, a picture can honestly be when the input that was given to it is judged.
 *
 *     drawn                        input leaves      input is judged
 *     --|------------------------------|--------------------|----> time
 *       |<- view delay ->|<- way down ->|<- way up ->|<lead>|
 *
 * The two ways are the shortest round trip and what jitter adds to it. The lead is what the server commands, and a frame for each message of inputs
 * that gets lost in a row. The view delay is what a client needs to have a newer snapshot nearly always: one interval, one
 * more for each that was lost in a row, and the jitter. Nothing of it is the client's word.
 */

/** What the server knows of one client's link, in milliseconds, and of what it sent. */
export interface TimestampEvidence {
  /** Tick whose input is judged, and the length of one. */
  readonly tick: number;
  readonly tickMs: number;
  /** The shortest round trip lately; `undefined` while none was measured: then nothing is known of how old a picture may be. */
  readonly rttMs: number | undefined;
  /** Mean deviation of the round trip: the most of the last seconds. */
  readonly jitterMs: number;
  /** Snapshots lost one after the other: the most of the last seconds. */
  readonly lostInARow: number;
  /** Messages of the client that get lost one after the other, as far as its clock reckons with that. */
  readonly inputsLostInARow: number;
  /** How late the server's own ticks began: the most of the last seconds. */
  readonly serverLateMs: number;
  /** Between two snapshots. */
  readonly snapshotMs: number;
  /** How far ahead of the simulation clients are told to be with their inputs. */
  readonly inputLeadMs: number;
  /** Whether the client has just begun: then it draws as far behind as clients begin, until it has measured its link. */
  readonly isStarting: boolean;
  /** Newest snapshot that was sent, how far beyond the newest clients carry on, and how far ahead of the news they may draw. */
  readonly newestSentTick: number;
  readonly maxExtrapolationTicks: number;
  readonly maxAheadTicks: number;
}

/** The ticks between which an honest view is. */
export interface TimestampBounds {
  oldestTick: number;
  newestTick: number;
}

/** Milliseconds from the picture to the judgement of its input that the link accounts for; `Infinity` while nothing is measured. */
export function honestAgeMs(evidence: TimestampEvidence): number {
  const { rttMs, snapshotMs, inputLeadMs } = evidence;
  if (rttMs === undefined) return Infinity;
  const viewMs = Math.min(MAX_VIEW_DELAY_MS, snapshotMs * (1 + evidence.lostInARow));
  const leadMs = inputLeadMs + evidence.inputsLostInARow * FRAME_MS;
  const startMs = evidence.isStarting ? START_DELAY_MS : 0;
  const unsteadyMs = jitterSpreadMs(evidence.jitterMs) + Math.min(MAX_SERVER_LATE_MS, evidence.serverLateMs);
  return rttMs + leadMs + unsteadyMs + viewMs + startMs + SLACK_MS;
}

/** What jitter of this mean deviation may add to the shortest round trip, at most `MAX_SPREAD_MS`. */
function jitterSpreadMs(jitterMs: number): number {
  return Math.min(MAX_SPREAD_MS, jitterMs * SPREAD);
}

/** Writes the bounds of `evidence` into `out`. */
export function timestampBounds(evidence: TimestampEvidence, out: TimestampBounds): void {
  const { tick, tickMs, rttMs, maxAheadTicks } = evidence;
  out.oldestTick = Math.max(0, tick - honestAgeMs(evidence) / tickMs);
  const sent = Math.max(0, evidence.newestSentTick) + evidence.maxExtrapolationTicks + maxAheadTicks;
  // What has not had the time to arrive, and be answered, is no news; and nobody draws beyond the present, by which the
  // input is judged: the state after the tick before.
  const leastMs = Math.max(0, (rttMs ?? 0) - SLACK_MS);
  out.newestTick = Math.min(sent, tick - leastMs / tickMs + maxAheadTicks, tick - 1);
  // Of two kinds of evidence that cannot both be, what was sent is certain.
  if (out.newestTick < out.oldestTick) out.newestTick = Math.min(sent, out.oldestTick);
}

/** Whether a picture of `viewTick` (fractional) can have been on that client's screen. */
export function isTimestampValid(viewTick: number, evidence: TimestampEvidence): boolean {
  const bounds = { oldestTick: 0, newestTick: 0 };
  timestampBounds(evidence, bounds);
  return viewTick >= bounds.oldestTick && viewTick <= bounds.newestTick;
}

/** Most milliseconds that jitter accounts for: it can be feigned by answering late now and then. */
const MAX_SPREAD_MS = 200;
/** A server that is later skips ticks, and so do the clocks of its clients. */
const MAX_SERVER_LATE_MS = 250;
/** Of a slow client; each takes its inputs along in one message. */
const FRAME_MS = 1000 / 30;
/** A frame, and what the clocks of clients are off while they are corrected. */
const SLACK_MS = 45;
/**
 * From the largest of the mean deviations lately to the span from the shortest round trip to the longest, for jitter that
 * is spread evenly.
 */
const SPREAD = 4;
/** How far behind the newest snapshot clients begin, and the most that they aim at (`ViewTimeline`). */
const START_DELAY_MS = 100;
const MAX_VIEW_DELAY_MS = 500;
