/**
 * Checks the view stamp of a player's input once a tick: against what was sent, what the link accounts for, and how far
 * back shots are judged at all. What goes beyond is cut to that, and counted. Then it is moved towards the present by what
 * shooters of this latency are not favoured.
 */
import { copyViewStamp, createViewStamp } from "../../prediction/input/player-input.ts";
import { MAX_AHEAD_MS } from "../../prediction/interpolation/state-interpolator.ts";
import type { ViewStamp } from "../../prediction/input/player-input.ts";
import { favorAt } from "../fairness/favor-the-shooter.ts";
import type { WeaponFavor } from "../fairness/favor-settings.ts";
import type { SentSnapshots } from "../sent-snapshots.ts";
import type { ViewResolver } from "../view-resolver.ts";
import { honestAgeMs, timestampBounds } from "./is-timestamp-valid.ts";
import type { TimestampBounds, TimestampEvidence } from "./is-timestamp-valid.ts";
import { LinkEvidence } from "./link-evidence.ts";
import type { RecentExtreme } from "./recent-extreme.ts";
import { ToldReceipts } from "./told-receipts.ts";

export interface StampCounters {
  clampedViews: number;
  implausibleViews: number;
  viewSuspicion: number;
}

export interface StampCheckOptions {
  readonly tickMs: number;
  /** Between two snapshots. */
  readonly snapshotMs: number;
  readonly inputLeadMs: number;
  readonly maxExtrapolationTicks: number;
  readonly sent: SentSnapshots;
  readonly resolver: ViewResolver;
  /** How far back the match remembers. */
  readonly maxRewindMs: number;
  /** How late the server's ticks were; kept by the match. */
  readonly lateness: RecentExtreme;
  /** Kept by the check. */
  readonly counters: StampCounters;
}

export class StampCheck {
  readonly link: LinkEvidence;
  /** Which snapshots the client said to have, with which inputs. */
  readonly told: ToldReceipts = new ToldReceipts();
  /** Whether the stamp checked last claimed what cannot be, or was beyond the limit. */
  isCut = false;
  readonly tickMs: number;
  readonly #options: StampCheckOptions;
  readonly #checked: ViewStamp = createViewStamp();
  #checkedAtTick = -1;
  #checkedFor: WeaponFavor | undefined;
  /** Tick of the first snapshot of this connection, -1 before it. */
  #startedAtTick = -1;
  readonly #evidence: { -readonly [K in keyof TimestampEvidence]: TimestampEvidence[K] };
  readonly #bounds: TimestampBounds = { oldestTick: 0, newestTick: 0 };

  constructor(options: StampCheckOptions) {
    const { tickMs, snapshotMs, inputLeadMs, maxExtrapolationTicks } = options;
    this.#options = options;
    this.tickMs = tickMs;
    this.link = new LinkEvidence(tickMs);
    this.#evidence = {
      tick: 0,
      tickMs,
      rttMs: undefined,
      jitterMs: 0,
      lostInARow: 0,
      inputsLostInARow: 0,
      serverLateMs: 0,
      snapshotMs,
      inputLeadMs,
      isStarting: true,
      newestSentTick: -1,
      maxExtrapolationTicks,
      maxAheadTicks: MAX_AHEAD_MS / tickMs,
    };
  }

  /** The snapshot of `tick` goes out. */
  noteSent(tick: number): void {
    this.#evidence.newestSentTick = tick;
    if (this.#startedAtTick < 0) this.#startedAtTick = tick;
  }

  /** What is known when the input of `tick` is judged. Reused. */
  evidenceAt(tick: number): Readonly<TimestampEvidence> {
    const evidence = this.#evidence;
    const { link } = this;
    evidence.tick = tick;
    evidence.rttMs = link.rttMsAt(tick);
    evidence.jitterMs = link.jitterMsAt(tick);
    evidence.lostInARow = link.lostInARowAt(tick);
    evidence.inputsLostInARow = link.inputsLostInARowAt(tick);
    evidence.serverLateMs = this.#options.lateness.at(tick);
    evidence.isStarting = (tick - this.#startedAtTick) * evidence.tickMs < START_MS;
    return evidence;
  }

  /** How old a view of this player may honestly be when its input of `tick` is judged; `Infinity` while nothing is measured. */
  honestAgeMs(tick: number): number {
    return honestAgeMs(this.evidenceAt(tick));
  }

  /**
   * `stamp`, which came with the input of `tick`, as far as it can be true, is within the limit, and is favoured. The resolver
   * is set to it. `isRepeated`: the input is missing, and the stamp is of the one before. Borrowed until the next call.
   */
  check(tick: number, stamp: Readonly<ViewStamp>, favor: WeaponFavor, isRepeated = false): Readonly<ViewStamp> {
    const checked = this.#checked;
    if (this.#checkedAtTick === tick && this.#checkedFor === favor) return checked;
    const isFirst = this.#checkedAtTick !== tick;
    this.#checkedAtTick = tick;
    this.#checkedFor = favor;
    copyViewStamp(stamp, checked);
    const bounds = this.#bounds;
    const evidence = this.evidenceAt(tick);
    timestampBounds(evidence, bounds);
    const limit = Math.max(0, tick - this.#ticksOf(this.#options.maxRewindMs));
    const oldest = Math.max(bounds.oldestTick, limit);
    checked.viewTick = Math.min(Math.max(stamp.viewTick, oldest), Math.max(bounds.newestTick, oldest));
    const told = isRepeated ? -1 : this.told.newestAt(tick - this.#ticksOf(DRAWN_LATER_MS));
    const isOldNews = stamp.snapshotTick < told;
    if (isOldNews) checked.snapshotTick = told;
    // What is older is looked at as it really was then, not as the client says it had it.
    if (stamp.viewTick < oldest) checked.snapshotTick = -1;
    const { sent, resolver } = this.#options;
    checked.receiptMask = sent.receiptsBefore(checked.snapshotTick);
    const known = resolver.begin(checked);
    // Receipts that the message had no room for are known from others; those of what was never sent are not true.
    this.isCut =
      !known || isOldNews || checked.viewTick !== stamp.viewTick || (stamp.receiptMask & ~checked.receiptMask) !== 0;
    if (isFirst) this.#count(stamp.viewTick, limit, isOldNews);
    this.#favor(tick, favor, favorAt(favor, evidence.rttMs ?? 0));
    return checked;
  }

  /** Moves the view to where `share` of its rewind is left, and no more than the settings allow. That is no false claim. */
  #favor(tick: number, { maxRewindMs }: WeaponFavor, share: number): void {
    const checked = this.#checked;
    const { viewTick } = checked;
    const now = tick - 1;
    const favored = share < 1 && viewTick < now ? now - (now - viewTick) * share : viewTick;
    checked.viewTick = Math.max(favored, tick - this.#ticksOf(maxRewindMs));
    if (checked.viewTick === viewTick) return;
    checked.snapshotTick = -1;
    checked.receiptMask = 0;
    this.#options.resolver.begin(checked);
  }

  /** What is checked next is another stamp, whatever its tick. */
  forget(): void {
    this.#checkedAtTick = -1;
  }

  #ticksOf(ms: number): number {
    return Math.ceil(ms / this.tickMs);
  }

  /** The client is back, or another connection of it. */
  clear(): void {
    this.link.clear();
    this.told.clear();
    this.#checkedAtTick = -1;
    this.#checkedFor = undefined;
    this.#startedAtTick = -1;
    this.#evidence.newestSentTick = -1;
  }

  #count(viewTick: number, limit: number, isOldNews: boolean): void {
    const { counters } = this.#options;
    const { oldestTick, newestTick } = this.#bounds;
    // A view that is beyond the limit for everybody says nothing of this player.
    const isImplausible = isOldNews || viewTick > newestTick || (viewTick < oldestTick && oldestTick > limit);
    if (this.isCut) counters.clampedViews++;
    if (isImplausible) counters.implausibleViews++;
    counters.viewSuspicion += (Number(isImplausible) - counters.viewSuspicion) / SUSPICION_VIEWS;
  }
}

/** For so long a client may draw as far behind as clients begin: three seconds, and the time to get away from there. */
const START_MS = 5000;
/** What has come is drawn in the next frame, and the input after that says so: three frames of a slow client. */
const DRAWN_LATER_MS = 100;
/** Suspicion is the part of about so many views, of the newest most. */
const SUSPICION_VIEWS = 256;
