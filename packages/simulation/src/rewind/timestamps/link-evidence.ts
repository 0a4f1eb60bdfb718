/**
 * What the server knows of one client's link, gathered: the round trip, jitter and loss that the connection measured, and
 * how long snapshots took to be acknowledged by inputs.
 *
 * A client can answer late, on purpose, but never early. So of two measurements of the round trip the shorter one counts,
 * and the shortest of the last one to two seconds: whoever answers late now and then gains nothing by it. Jitter and loss
 * count for as long as an honest client remembers them (`ViewTimeline`), since it draws accordingly.
 */
import { log } from "../../math/index.ts";
import { RecentExtreme } from "./recent-extreme.ts";

/** What a connection measures itself. A server's `ConnectionStats` are such. */
export interface MeasuredLink {
  /** Smoothed round trip, 0 before the first sample; and its mean deviation. */
  readonly rttMs: number;
  readonly jitterMs: number;
  /** The newest sample. Default `rttMs`. */
  readonly latestRttMs?: number;
  /** Share of packets lost lately, 0..1: on their way to the client, and from it. Default: not known. */
  readonly lossRate?: number;
  readonly receiveLossRate?: number;
  /** How many packets in a row are lost when one is. Default 1. */
  readonly meanBurstPackets?: number;
}

export class LinkEvidence {
  readonly #tickMs: number;
  readonly #rtt: RecentExtreme;
  readonly #receipt: RecentExtreme;
  readonly #jitter: RecentExtreme;
  readonly #expectedRun: RecentExtreme;
  readonly #run: RecentExtreme;
  readonly #inputRun: RecentExtreme;
  /** What was told last, and the tick of the first time. */
  #rttMs: number | undefined;
  #jitterMs = 0;
  #sinceTick = 0;
  #knowsLoss = false;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    const ticks = (ms: number): number => Math.ceil(ms / tickMs);
    this.#rtt = new RecentExtreme("least", ticks(ROUND_TRIP_WINDOW_MS));
    this.#receipt = new RecentExtreme("least", ticks(ROUND_TRIP_WINDOW_MS));
    this.#jitter = new RecentExtreme("largest", ticks(CLIENT_MEMORY_MS));
    this.#expectedRun = new RecentExtreme("largest", ticks(CLIENT_MEMORY_MS));
    this.#run = new RecentExtreme("largest", ticks(CLIENT_MEMORY_MS));
    this.#inputRun = new RecentExtreme("largest", ticks(CLIENT_MEMORY_MS));
  }

  /** What the connection has measured; see `Match.updateLink`. */
  note(tick: number, link: MeasuredLink): void {
    const { rttMs, jitterMs, latestRttMs = rttMs, lossRate, receiveLossRate, meanBurstPackets = 1 } = link;
    if (!(rttMs > 0)) return;
    if (this.#rttMs === undefined) this.#sinceTick = tick;
    this.#rttMs = rttMs;
    this.#jitterMs = jitterMs;
    this.#rtt.note(tick, latestRttMs);
    // RFC 9002 begins with half a round trip, which is no measurement.
    if ((tick - this.#sinceTick) * this.#tickMs >= JITTER_SETTLES_MS) this.#jitter.note(tick, jitterMs);
    this.#inputRun.note(tick, lossRun(receiveLossRate ?? lossRate ?? 0, meanBurstPackets, STARVED));
    if (lossRate === undefined) return;
    this.#knowsLoss = true;
    this.#expectedRun.note(tick, lossRun(lossRate, meanBurstPackets, RARE));
  }

  /** A message of inputs, at `tick`, is the first that has the snapshot of `snapshotTick`; `lostBefore` in a row had not come. */
  noteReceipt(tick: number, snapshotTick: number, lostBefore: number): void {
    // It came some time before the next tick.
    this.#receipt.note(tick, tick + 1 - snapshotTick);
    this.#run.note(tick, lostBefore);
  }

  /** Smoothed, as it was told last; `undefined` before that. */
  get smoothedRttMs(): number | undefined {
    return this.#rttMs;
  }

  /** The shortest lately; `undefined` while the connection has measured nothing. */
  rttMsAt(tick: number): number | undefined {
    if (this.#rttMs === undefined) return undefined;
    const measured = this.#rtt.at(tick);
    return Math.min(measured === Infinity ? this.#rttMs : measured, this.#receipt.at(tick) * this.#tickMs);
  }

  jitterMsAt(tick: number): number {
    return Math.max(this.#jitterMs, this.#jitter.at(tick));
  }

  /** Snapshots that were lost one after the other, as far as the connection's own loss makes that likely. */
  lostInARowAt(tick: number): number {
    const run = this.#run.at(tick);
    return this.#knowsLoss ? Math.min(run, this.#expectedRun.at(tick)) : run;
  }

  inputsLostInARowAt(tick: number): number {
    return this.#inputRun.at(tick);
  }

  clear(): void {
    this.#rttMs = undefined;
    this.#jitterMs = 0;
    this.#knowsLoss = false;
    for (const extreme of [this.#rtt, this.#receipt, this.#jitter, this.#expectedRun, this.#run, this.#inputRun])
      extreme.clear();
  }
}

/**
 * The fewest packets of which it is rarer than `rarity` that more are lost one after the other: a link loses `lossRate` of
 * them, and after a lost one the next, too, so often that `meanBurstPackets` are lost in a row on average.
 */
export function lossRun(lossRate: number, meanBurstPackets: number, rarity: number): number {
  if (!(lossRate > rarity)) return 0;
  const next = Math.min(MOST_LOSS, Math.max(lossRate, 1 - 1 / Math.max(1, meanBurstPackets)));
  return 1 + Math.ceil(log(rarity / Math.min(lossRate, MOST_LOSS)) / log(next) - ROUNDING);
}

const ROUND_TRIP_WINDOW_MS = 1000;
const JITTER_SETTLES_MS = 1000;
/** How long a client remembers late frames. */
export const CLIENT_MEMORY_MS = 12_000;
/** More losses in a row than happen this often are not believed. */
const RARE = 1e-3;
/** As often a client lets an input come too late (`InputTimeline`). */
const STARVED = 0.02;
const MOST_LOSS = 0.99;
/** Of a quotient of logarithms that should be whole. */
const ROUNDING = 1e-9;
