/**
 * What a match remembers for shots and judges them by: the history of each state, the sights that `seenBy` answers with,
 * how far shooters are favoured, statistics, receipts; and what comes late.
 */
import { MAX_EXTRAPOLATION_MS } from "../../prediction/interpolation/state-interpolator.ts";
import type { ViewStamp } from "../../prediction/input/player-input.ts";
import { createSights } from "../../rewind/create-sights.ts";
import { FavorTheShooter } from "../../rewind/fairness/favor-the-shooter.ts";
import { MovingDoors } from "../../rewind/fairness/moving-doors.ts";
import { HistoryRecorder } from "../../rewind/history-recorder.ts";
import type { LateNews } from "../../rewind/late-news.ts";
import { ReceiptDesk } from "../../rewind/receipts/receipt-desk.ts";
import type { ReceiptCounters } from "../../rewind/receipts/receipt-desk.ts";
import { RecentReceipts } from "../../rewind/receipts/recent-receipts.ts";
import { LagCompensationStats } from "../../rewind/registration/lag-compensation-stats.ts";
import { RewoundSight } from "../../rewind/rewound-sight.ts";
import type { ViewResolver } from "../../rewind/view-resolver.ts";
import type { AnyGame } from "../define-game.ts";
import type { AnyWorldTable, States, World } from "../world.ts";
import type { MatchInputs } from "./match-inputs.ts";
import type { MatchOptions, RewindHistoryReport } from "./match-options.ts";
import type { Seat } from "./seat.ts";

export interface MatchRewindOptions {
  readonly game: AnyGame;
  readonly world: World<States>;
  readonly tables: readonly AnyWorldTable[];
  readonly seats: readonly (Seat | undefined)[];
  readonly inputs: MatchInputs;
  /** What the match was told. */
  readonly match: MatchOptions;
  /** The tick that is being simulated. */
  readonly now: () => number;
}

export class MatchRewind {
  /** Of shots that `HitRegistration` judged. */
  readonly stats: LagCompensationStats;
  readonly favorTheShooter: FavorTheShooter;
  readonly maxRewindMs: number;
  readonly maxExtrapolationTicks: number;
  readonly #options: MatchRewindOptions;
  readonly #recorders: readonly HistoryRecorder[];
  readonly #receipts: ReceiptDesk | undefined;
  /** While the debug channel is open. */
  readonly #recentReceipts: RecentReceipts | undefined;
  /** Another one whenever what a player sees may be something else. */
  #moment = 0;

  constructor(options: MatchRewindOptions) {
    const { game, tables, match } = options;
    const { maxRewindMs = 500 } = match;
    this.#options = options;
    this.maxRewindMs = maxRewindMs;
    this.maxExtrapolationTicks = MAX_EXTRAPOLATION_MS / game.tickMs;
    this.favorTheShooter = new FavorTheShooter(maxRewindMs, match.favorTheShooter);
    this.stats = new LagCompensationStats(match.now);
    this.#recentReceipts = match.debug === true ? new RecentReceipts(RECENT_RECEIPTS, match.receipts) : undefined;
    const receipts = this.#recentReceipts ?? match.receipts;
    this.#receipts = receipts && new ReceiptDesk(receipts, game.statics);
    const limits = { ...match.rewindHistory, tickMs: game.tickMs, windowMs: maxRewindMs + UPDATE_GAP_MS };
    this.#recorders = tables.map((table) => new HistoryRecorder(table.state, table, limits));
    this.#giveSights();
  }

  /** Receipts that were kept, and those that were not; `undefined` where none are. */
  get receipts(): Readonly<ReceiptCounters> | undefined {
    return this.#receipts?.counters;
  }

  /** The last receipts of a seat's player, while the debug channel is open. */
  receiptsOf(seat: number): readonly Uint8Array[] {
    return this.#recentReceipts?.of(seat) ?? [];
  }

  /** Somebody else has the seat. */
  forget(seat: number): void {
    this.stats.forget(seat);
    this.#recentReceipts?.forget(seat);
  }

  /** See `Match.rewindHistory`. */
  report(): RewindHistoryReport[] {
    const { game } = this.#options;
    return Object.keys(game.states).flatMap((state, number) => {
      const { history, reader } = this.#recorders[number];
      if (!reader.hasPlaces) return [];
      const { snapshots, maxSnapshots, bytes } = history;
      return [{ state, snapshots, maxSnapshots, bytes, windowMs: (maxSnapshots - 1) * game.tickMs }];
    });
  }

  beginTick(): void {
    this.#moment++;
  }

  /**
   * Gives the game's `late` what came too late for its own tick, each with what its player saw then. `beginLate` hears before
   * each of which tick it is, and after the last one that what follows is of the tick at hand.
   */
  judgeLate(beginLate: (tick?: number) => void): void {
    const { game, world, seats, inputs } = this.#options;
    if (game.late === undefined) return;
    for (const seat of seats) {
      if (seat?.connected !== true) continue;
      try {
        for (let count = 0; count < MAX_LATE_AT_ONCE; count++) {
          const tick = inputs.takeLate(seat);
          if (tick < 0) break;
          seat.lookLate(tick);
          this.#moment++;
          beginLate(tick);
          game.late(world, inputs.late, seat.id, tick);
        }
      } finally {
        if (seat.lateTick >= 0) {
          seat.lookLate(-1);
          beginLate();
        }
        const { tooLateInputs } = seat.stats;
        if (tooLateInputs > seat.tooLateTold) {
          this.stats.noteTooLate(seat.id, tooLateInputs - seat.tooLateTold);
          seat.tooLateTold = tooLateInputs;
        }
        this.#moment++;
      }
    }
  }

  /** Remembers where everybody is after `tick`. */
  record(tick: number): void {
    for (let i = 0; i < this.#recorders.length; i++) this.#recorders[i].record(tick);
  }

  #giveSights(): void {
    const { game, tables, seats, now } = this.#options;
    const { statics, tickMs, snapDistance } = game;
    const { maxExtrapolationTicks, favorTheShooter: favor } = this;
    const stamps = {
      stampOf: (seat: number, weapon?: string): Readonly<ViewStamp> | undefined =>
        seats[seat]?.stampAt(now(), favor.of(weapon)),
      resolverOf: (seat: number): ViewResolver | undefined => seats[seat]?.resolver,
      lateTickOf: (seat: number): number => seats[seat]?.lateTick ?? -1,
      lateNewsOf: (seat: number): LateNews | undefined => seats[seat]?.lateNews,
      wasCut: (seat: number): boolean => seats[seat]?.isViewCut ?? false,
    };
    const sight = { stamps, maxExtrapolationTicks, snapDistance };
    const contexts = createSights(
      tables,
      statics,
      () => this.#moment,
      (table, number) => {
        const { history, reader } = this.#recorders[number];
        const prediction = game.tablePredictions[number];
        return { history, source: new RewoundSight({ ...sight, table, number, history, reader, prediction }) };
      },
      { stats: this.stats, receipts: this.#receipts },
    );
    const blockers = tables.flatMap((table, number) =>
      table.state.rewound.blocks ? [new MovingDoors(table, this.#recorders[number].reader, contexts[number])] : [],
    );
    tables.forEach((table, number) => {
      table.victims = { history: this.#recorders[number].history, statics, blockers, favor, tickMs, now };
    });
  }
}

/** Of each player, while the debug channel is open. */
const RECENT_RECEIPTS = 16;
/** An update that a picture is made from may be this much older than the picture, for want of room in snapshots. */
const UPDATE_GAP_MS = 500;
/** Late inputs of one player that are judged in one tick. */
const MAX_LATE_AT_ONCE = 16;
