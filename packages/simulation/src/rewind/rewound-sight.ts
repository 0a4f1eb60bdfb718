/**
 * What a player saw of one state, on the server: every target as it was at the view tick that came with the player's input,
 * checked against what the server has really sent.
 *
 * A client draws an entity between two updates it has. `ViewResolver` finds the same two, entity by entity, from what was
 * sent to the client and has arrived. A stamp that names no snapshot of these is no honest one: then the receipts it
 * claims say which two ticks are blended. What the player's client predicts (its own entities, and those in reach that the
 * game declares shared or remote) is looked at as it is now, at the input's tick, or was then, when that is late. A player without a stamp sees everybody
 * as they were after the last tick.
 */
import { hypot } from "../math/index.ts";
import type { Fields, RowIdentity, StateTable } from "../state/index.ts";
import type { ViewStamp } from "../prediction/input/player-input.ts";
import { extrapolatedTicks } from "../prediction/interpolation/curve.ts";
import { extrapolationLimit, isCurvedMode } from "../prediction/interpolation/interpolation-mode.ts";
import type { TablePrediction } from "../prediction/prediction-options.ts";
import { FastestStep } from "./history/fastest-step.ts";
import type { SnapshotHistory } from "./history/snapshot-history.ts";
import type { LateNews } from "./late-news.ts";
import type { PoseReader } from "./pose-reader.ts";
import type { SightSource } from "./sight-source.ts";
import type { RewindQuery } from "./rewind-query.ts";
import type { FadingDifferences, RewindView } from "./rewound-poses.ts";
import type { DrawnPicture, ViewResolver } from "./view-resolver.ts";

interface StampSource {
  /** The checked stamp of a seat's current input; `undefined` when it has none. */
  stampOf(seat: number, weapon?: string): Readonly<ViewStamp> | undefined;
  /** What resolves that stamp; `undefined`: nothing is known of the client's snapshots. */
  resolverOf(seat: number): ViewResolver | undefined;
  /** Whether that stamp claimed what cannot be. Default: none is. */
  wasCut?(seat: number): boolean;
  /** Tick of the seat's input that is judged late just now. Default -1: none is. */
  lateTickOf?(seat: number): number;
  /** What is told of the seat's late news. Default: nothing. */
  lateNewsOf?(seat: number): LateNews | undefined;
}

export interface RewoundSightOptions {
  readonly table: StateTable<Fields>;
  /** The table's place among the tables of the game. */
  readonly number: number;
  readonly history: SnapshotHistory;
  readonly reader: PoseReader;
  readonly stamps: StampSource;
  readonly maxExtrapolationTicks: number;
  /** What clients predict of others. */
  readonly prediction: Pick<TablePrediction, "sharedRadius" | "remoteRadius">;
  /** Of the game. */
  readonly snapDistance: number;
}

export class RewoundSight implements SightSource, RewindView, FadingDifferences {
  viewTick = -1;
  newsTick = -1;
  isWithin = true;
  outside = 0;
  isViewCut = false;
  readonly #options: RewoundSightOptions;
  #resolver: ViewResolver | undefined;
  #withEarlier = false;
  readonly #fastest: FastestStep;
  /** What was still fading from the picture. */
  #news: LateNews | undefined;
  #laterTicks = 0;
  /** For a stamp that nothing is known of: the two ticks, and the share of the second. */
  #from = -1;
  #to = -1;
  #fraction = 0;

  constructor(options: RewoundSightOptions) {
    this.#options = options;
    this.#fastest = new FastestStep(options.history);
  }

  viewOf(row: RowIdentity, laterTicks: number, towardsNow: number, weapon?: string): RewindView {
    const { stamps, history } = this.#options;
    const stamp = row.owner < 0 ? undefined : stamps.stampOf(row.owner, weapon);
    this.#resolver = undefined;
    this.#news = undefined;
    this.#laterTicks = laterTicks;
    this.isWithin = true;
    this.isViewCut = stamp !== undefined && (stamps.wasCut?.(row.owner) ?? false);
    if (stamp === undefined || stamp.viewTick < 0) {
      this.viewTick = this.newsTick = -1;
      this.#set(history.newestTick, history.newestTick, 0);
      return this;
    }
    this.viewTick = this.newsTick = stamp.viewTick;
    if (stamp.snapshotTick >= 0 && stamp.snapshotTick < stamp.viewTick) this.newsTick = stamp.snapshotTick;
    if (laterTicks !== 0 || towardsNow > 0) {
      this.#lookLater(stamp.viewTick + laterTicks, Math.min(1, towardsNow), this.#nowOf(row.owner));
      return this;
    }
    const resolver = stamps.resolverOf(row.owner);
    if (resolver?.known === true) {
      this.#resolver = resolver;
      this.#withEarlier = resolver.isCurved && history.paths.includes("estimated");
    } else this.#findTicks(stamp);
    const moves = stamp.mode !== "none" && stamp.mode !== "step";
    const isLate = stamp.viewTick > stamp.snapshotTick || this.#resolver?.carriesOn(this.#options.number) === true;
    const isCurved = history.bends && isCurvedMode(stamp.mode);
    if (this.#resolver !== undefined) this.#findNews(row.owner);
    this.isWithin = !(moves && isLate) && !isCurved && this.#news === undefined;
    if (!this.isWithin) this.outside = this.#farthestOutside(stamp, isCurved);
    return this;
  }

  get fading(): FadingDifferences | undefined {
    return this.#news === undefined ? undefined : this;
  }

  get count(): number {
    return this.#news?.count ?? 0;
  }

  get snapDistance(): number {
    return this.#options.snapDistance;
  }

  weightOf(i: number): number {
    return this.#news?.weightOf(i, this.viewTick) ?? 0;
  }

  resolveFading(i: number, isBefore: boolean, id: number, out: DrawnPicture): boolean {
    const rewriting = this.#news?.at(i);
    if (rewriting === undefined) return false;
    const resolver = isBefore ? rewriting.before : rewriting.after;
    return resolver.resolve(this.#options.number, id, out, this.#withEarlier);
  }

  resolve(id: number, out: DrawnPicture): boolean {
    if (this.#resolver !== undefined) return this.#resolver.resolve(this.#options.number, id, out, this.#withEarlier);
    out.fromTick = this.#from;
    out.toTick = this.#to;
    out.fraction = this.#fraction;
    return true;
  }

  addLive(row: RowIdentity, query: RewindQuery): void {
    // Without a stamp the player sees nothing in the past.
    if (this.viewTick < 0) return;
    const { table, history, reader, prediction } = this.#options;
    const { owners, alive, highWater, positionX, positionY } = table;
    const { owner } = row;
    const late = this.#options.stamps.lateTickOf?.(owner) ?? -1;
    const radius = Math.max(prediction.sharedRadius, prediction.remoteRadius);
    const eye = radius > 0 ? this.#placeOf(row) : NOWHERE;
    for (let index = 0; index < highWater; index++) {
      if (owners[index] !== owner) {
        if (radius <= 0 || alive[index] === 0 || positionX === undefined || positionY === undefined) continue;
        const reach = owners[index] < 0 ? prediction.sharedRadius : radius;
        if (!(hypot(positionX[index] - eye.x, positionY[index] - eye.y) <= reach)) continue;
      }
      if (alive[index] === 0 || (row.index === index && row === table.rowAt(index))) continue;
      if (late < 0) reader.write(history, index, false, true);
      else if (!history.setLiveAt(index, table.idAt(index), Math.min(late + this.#laterTicks, history.newestTick)))
        continue;
      query.meetLive(index);
    }
  }

  /** Who is carried on goes so far at most; a curve between two kept ticks swings out no farther than its speeds allow. */
  #farthestOutside({ mode }: Readonly<ViewStamp>, isCurved: boolean): number {
    const { history, maxExtrapolationTicks, snapDistance } = this.#options;
    const limit = extrapolationLimit(mode, maxExtrapolationTicks);
    let ticks = extrapolatedTicks(limit, limit);
    // An estimated speed is at most three times as fast as the way says; Bezier's control points are a third of it away.
    if (isCurved && history.paths.includes("estimated")) ticks = Math.max(ticks * 3, history.maxSnapshots);
    else if (isCurved) ticks = Math.max(ticks, history.maxSnapshots / 3);
    return this.#fastest.perTick() * ticks * ROUNDING + (this.#news === undefined ? 0 : snapDistance);
  }

  #findNews(seat: number): void {
    const news = this.#options.stamps.lateNewsOf?.(seat);
    if (news === undefined) return;
    for (let i = 0; i < news.count; i++) if (news.weightOf(i, this.viewTick) > 0) this.#news = news;
  }

  /** Where the player is, if its row is one of this table. */
  #placeOf(row: RowIdentity): { readonly x: number; readonly y: number } {
    const { table } = this.#options;
    const { positionX, positionY } = table;
    if (positionX === undefined || positionY === undefined || row !== table.rowAt(row.index)) return NOWHERE;
    return { x: positionX[row.index], y: positionY[row.index] };
  }

  /** What now is for an input that is looked at so much later: the tick before, in which everybody was when it was due. */
  #nowOf(seat: number): number {
    const { stamps, history } = this.#options;
    const late = stamps.lateTickOf?.(seat) ?? -1;
    return late < 0 ? history.newestTick : Math.min(history.newestTick, late - 1 + this.#laterTicks);
  }

  /** At one moment, `share` of the way from `tick` to `now`. */
  #lookLater(tick: number, share: number, now: number): void {
    const { oldestTick, newestTick } = this.#options.history;
    const moment = Math.min(newestTick, Math.max(oldestTick, tick + (now - tick) * share));
    this.viewTick = moment;
    const from = Math.floor(moment);
    this.#set(from, Math.min(newestTick, from + 1), moment - from);
  }

  /** The two snapshots that the client had on either side of its view tick. */
  #findTicks(stamp: Readonly<ViewStamp>): void {
    const { history, maxExtrapolationTicks } = this.#options;
    const view = Math.max(stamp.viewTick, history.oldestTick);
    const below = Math.floor(view);
    let from = -1;
    let to = -1;
    let before = -1;
    // From the newest receipt down: the last one above the view and the first two not above it.
    for (let i = -1; i < 32; i++) {
      if (i >= 0 && ((stamp.receiptMask >>> i) & 1) === 0) continue;
      const tick = stamp.snapshotTick - 1 - i;
      if (tick < history.oldestTick || tick > history.newestTick) continue;
      if (tick > view) to = tick;
      else if (from < 0) from = tick;
      else {
        before = tick;
        break;
      }
    }
    if (from >= 0 && to >= 0) {
      this.#set(from, to, (view - from) / (to - from));
    } else if (from >= 0 && before >= 0) {
      const over = extrapolatedTicks(view - from, extrapolationLimit(stamp.mode, maxExtrapolationTicks));
      this.#set(before, from, 1 + over / (from - before));
    } else if (from >= 0) {
      this.#set(from, from, 0);
    } else {
      // Older than every receipt: between the two ticks around it, as nothing better is known.
      const clamped = Math.min(Math.max(below, history.oldestTick), history.newestTick);
      const next = Math.min(clamped + 1, history.newestTick);
      this.#set(clamped, next, next === clamped ? 0 : Math.min(1, Math.max(0, view - clamped)));
    }
  }

  #set(from: number, to: number, fraction: number): void {
    this.#from = from;
    this.#to = to;
    this.#fraction = fraction;
  }
}

const ROUNDING = 1 + 1e-6;
const NOWHERE = { x: Number.NaN, y: Number.NaN };
