/** One place in a match: who has it, what comes from them and what goes to them. */
import type { SnapshotStream } from "../../state/index.ts";
import { SpawnLedger } from "../../prediction/spawns/spawn-ledger.ts";
import type { DebugLink } from "../../debug/debug-link.ts";
import type { SeatDebug } from "../../debug/seat-debug.ts";
import type { ClientPredictionHandler, InputCounters } from "../../prediction/input/client-prediction-handler.ts";
import { createInputCounters } from "../../prediction/input/client-prediction-handler.ts";
import type { ViewStamp } from "../../prediction/input/player-input.ts";
import { DelayMeter } from "../../rewind/fairness/delay-meter.ts";
import type { WeaponFavor } from "../../rewind/fairness/favor-settings.ts";
import type { PlayerDelays } from "../../rewind/fairness/peekers-advantage.ts";
import { SentSnapshots } from "../../rewind/sent-snapshots.ts";
import type { RecentExtreme } from "../../rewind/timestamps/recent-extreme.ts";
import { StampCheck } from "../../rewind/timestamps/stamp-check.ts";
import type { StampCounters } from "../../rewind/timestamps/stamp-check.ts";
import { LateNews } from "../../rewind/late-news.ts";
import { ViewResolver } from "../../rewind/view-resolver.ts";
import type { RoomClient } from "../define-game.ts";
import type { InterestEye } from "../interest-eye.ts";
import type { MessagePeer } from "../message-router.ts";

/** How a player's inputs arrive, since it took the seat. */
export interface InputStats extends Readonly<InputCounters> {
  /** Ticks with a `seenBy` whose view stamp claimed what cannot be or was beyond the rewind limit, and was cut. */
  readonly clampedViews: number;
  /** Of these: the view was older or newer than the player's own link accounts for. */
  readonly implausibleViews: number;
  /** The part of such views among the last 256 or so, 0..1. */
  readonly viewSuspicion: number;
}

/** As the match counts. */
export interface SeatCounters extends InputCounters, StampCounters {
  /** Messages dropped as malformed. */
  malformed: number;
  snapshotsSent: number;
  snapshotBytes: number;
}

export type SeatStats = Readonly<SeatCounters>;

/** What a server may know of a seat. */
export interface SeatInfo extends RoomClient {
  /** False while the match waits for the player to come back. */
  readonly connected: boolean;
  readonly stats: SeatStats;
  /** How late this player's inputs are for others, and others for it; NaN while nothing is measured. */
  readonly delays: PlayerDelays;
}

export interface SeatOptions {
  readonly id: number;
  readonly clientId: bigint;
  readonly userData: Uint8Array;
  readonly handler: ClientPredictionHandler;
  /** Kept by the handler and the seat. */
  readonly stats: SeatCounters;
  /** Tables of the game. */
  readonly tableCount: number;
  readonly tickMs: number;
  readonly snapshotMs: number;
  readonly maxRewindMs: number;
  /** How late the match's ticks were. */
  readonly lateness: RecentExtreme;
  readonly maxExtrapolationTicks: number;
  readonly slideHalfLifeMs: number;
  readonly peer: MessagePeer;
  readonly debug: DebugLink;
  readonly inspector: SeatDebug;
  readonly stream: SnapshotStream;
  readonly eye: InterestEye;
  readonly randomKey: Uint32Array;
}

export class Seat implements SeatInfo {
  readonly id: number;
  readonly clientId: bigint;
  userData: Uint8Array;
  connected = true;
  /** Tick at which the seat is given up when the player does not come back. */
  expiresAtTick: number = Infinity;
  readonly handler: ClientPredictionHandler;
  readonly stats: SeatCounters;
  readonly peer: MessagePeer;
  /** Closed unless the match opened the debug channel. */
  readonly debug: DebugLink;
  readonly inspector: SeatDebug;
  stream: SnapshotStream;
  readonly eye: InterestEye;
  /** Of the random numbers of the player's entities: for the player and the server only. */
  readonly randomKey: Uint32Array;
  lastSnapshotTick = -1;
  /** What the player's step has spawned and its client may not know of. */
  readonly spawns: SpawnLedger = new SpawnLedger();
  /** What the player's client knows from which snapshot, and how it drew that. */
  readonly sent: SentSnapshots;
  readonly resolver: ViewResolver;
  readonly stamps: StampCheck;
  readonly delays: DelayMeter = new DelayMeter();
  readonly lateNews: LateNews;
  /** Of the input that is judged late just now; -1: none is. */
  lateTick = -1;
  /** Of `stats.tooLateInputs`, what is in the statistics of shots. */
  tooLateTold = 0;

  constructor(options: SeatOptions) {
    this.id = options.id;
    this.clientId = options.clientId;
    this.userData = options.userData;
    this.handler = options.handler;
    this.stats = options.stats;
    this.sent = new SentSnapshots(options.tableCount);
    this.resolver = new ViewResolver(this.sent, options.maxExtrapolationTicks);
    this.stamps = new StampCheck({
      tickMs: options.tickMs,
      snapshotMs: options.snapshotMs,
      inputLeadMs: options.handler.inputLeadMs,
      maxRewindMs: options.maxRewindMs,
      lateness: options.lateness,
      maxExtrapolationTicks: options.maxExtrapolationTicks,
      sent: this.sent,
      resolver: this.resolver,
      counters: this.stats,
    });
    this.lateNews = new LateNews({
      sent: this.sent,
      maxExtrapolationTicks: options.maxExtrapolationTicks,
      halfLifeTicks: options.slideHalfLifeMs / options.tickMs,
    });
    this.peer = options.peer;
    this.debug = options.debug;
    this.inspector = options.inspector;
    this.stream = options.stream;
    this.eye = options.eye;
    this.randomKey = options.randomKey;
  }

  /** Whether the stamp checked last claimed what cannot be, or was beyond the limit. */
  get isViewCut(): boolean {
    return this.stamps.isCut;
  }

  /** The snapshot of `tick` goes out. */
  noteSnapshot(tick: number, bytes: number): void {
    this.lastSnapshotTick = tick;
    this.sent.note(tick, this.stream);
    this.stamps.noteSent(tick);
    this.stats.snapshotsSent++;
    this.stats.snapshotBytes += bytes;
  }

  /**
   * A message of inputs up to `newestInputTick`, after tick `now`, says which snapshots have arrived; what was never sent is
   * ignored.
   */
  noteReceived(newestInputTick: number, tick: number, mask: number, now: number): void {
    if (this.sent.numberOf(tick) < 0) return;
    this.stamps.told.note(newestInputTick, tick);
    const lost = this.sent.noteReceived(tick, mask);
    if (lost >= 0) this.stamps.link.noteReceipt(now, tick, lost);
    this.stream.acknowledge(tick);
    this.spawns.acknowledge(tick);
  }

  /**
   * What the player saw at the input of the tick `now`, or at the one that is judged late, as far as that can be true;
   * `undefined` when it gave none.
   */
  stampAt(now: number, favor: WeaponFavor): Readonly<ViewStamp> | undefined {
    const { origin, stamp, lateStamp } = this.handler;
    if (this.lateTick >= 0)
      return lateStamp.viewTick < 0 ? undefined : this.stamps.check(this.lateTick, lateStamp, favor);
    if (origin === 2 || stamp.viewTick < 0) return undefined;
    return this.stamps.check(now, stamp, favor, origin !== 0);
  }

  /** What is seen from now on is what the player saw at the input of `tick` that was taken late; -1: that of the current tick. */
  lookLate(tick: number): void {
    this.lateTick = tick;
    this.stamps.forget();
  }

  /** The input of `tick` is simulated: what is to be measured of it. Delays change slowly: a part of the inputs says enough. */
  noteTaken(tick: number): void {
    if ((tick - this.id) % MEASURED_EVERY_TICKS !== 0) return;
    const { origin, stamp, depth = 0 } = this.handler;
    const rttMs = this.stamps.link.smoothedRttMs;
    if (origin !== 0 || stamp.viewTick < 0 || rttMs === undefined) return;
    const { tickMs } = this.stamps;
    // Whoever steps out is not drawn before the news of it, however far ahead the others are drawn.
    const seenTick = Math.min(stamp.viewTick, stamp.snapshotTick);
    const ageMs = Math.min((tick - seenTick) * tickMs, this.stamps.honestAgeMs(tick));
    this.delays.note(rttMs, depth * tickMs, ageMs);
  }

  /** The player is back, or another connection of it: nothing of the old one counts. */
  restart(userData: Uint8Array, stream: SnapshotStream, tick: number): void {
    this.userData = userData;
    this.stream = stream;
    this.connected = true;
    this.expiresAtTick = Infinity;
    this.lastSnapshotTick = -1;
    this.sent.clear();
    this.stamps.clear();
    this.delays.clear();
    this.lateNews.clear();
    this.disconnect(tick);
    this.connected = true;
  }

  disconnect(tick: number): void {
    this.connected = false;
    this.peer.close();
    this.debug.close();
    this.spawns.clear();
    this.handler.reset(tick);
  }
}

/** Seats take turns. */
const MEASURED_EVERY_TICKS = 8;

export function createSeatCounters(): SeatCounters {
  return {
    ...createInputCounters(),
    clampedViews: 0,
    implausibleViews: 0,
    viewSuspicion: 0,
    malformed: 0,
    snapshotsSent: 0,
    snapshotBytes: 0,
  };
}
