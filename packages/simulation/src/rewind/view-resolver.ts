/**
 * Derives from a view stamp how the client drew an entity: which two updates it mixed, and in what share. It does what the
 * client's `StateInterpolator` does, with what the client had: the snapshots that went into the picture, and in each of
 * these the tick from which the entity's record was (a snapshot without room for an entity leaves it as it was).
 */
import { extrapolatedTicks } from "../prediction/interpolation/curve.ts";
import { extrapolationLimit, isCurvedMode } from "../prediction/interpolation/interpolation-mode.ts";
import type { InterpolationMode } from "../prediction/interpolation/interpolation-mode.ts";
import type { ViewStamp } from "../prediction/input/player-input.ts";
import { ABSENT, REPLACED } from "./sent-snapshots.ts";
import type { SentSnapshots } from "./sent-snapshots.ts";

/** How an entity was drawn: the state at `fromTick` and that at `toTick`, mixed at `fraction` (above 1: extrapolated). */
export interface DrawnPicture {
  fromTick: number;
  toTick: number;
  fraction: number;
  /** How far the second is carried on; see `StateSample`. */
  beyondTicks: number;
  /** The two updates before the first, where speeds are estimated from them; -1: none. */
  earlierTick: number;
  earliestTick: number;
  mode: InterpolationMode;
}

export function createDrawnPicture(): DrawnPicture {
  return {
    fromTick: -1,
    toTick: -1,
    fraction: 0,
    beyondTicks: 0,
    earlierTick: -1,
    earliestTick: -1,
    mode: "linear",
  };
}

export class ViewResolver {
  readonly #sent: SentSnapshots;
  readonly #maxExtrapolationTicks: number;
  /** For the newest stamp: number of its snapshot, and of the receipts around its view. */
  #snapshot = -1;
  #view = -1;
  #mode: InterpolationMode = "linear";
  #above = -1;
  #below = -1;
  /** The newest updates that are not after the view, the newest first, and how many. */
  readonly #updates: Int32Array = new Int32Array(MOST_UPDATES);
  #count = 0;

  constructor(sent: SentSnapshots, maxExtrapolationTicks: number) {
    this.#sent = sent;
    this.#maxExtrapolationTicks = maxExtrapolationTicks;
  }

  /** Whether the stamp that was begun names a snapshot that was sent and received. */
  get known(): boolean {
    return this.#snapshot >= 0;
  }

  /** Takes a stamp, which is believed. False when it names no snapshot that was sent and received: nothing is known then. */
  begin(stamp: Readonly<ViewStamp>): boolean {
    const sent = this.#sent;
    this.#snapshot = sent.numberOf(stamp.snapshotTick);
    this.#view = stamp.viewTick;
    this.#mode = stamp.mode;
    this.#above = this.#below = -1;
    if (this.#snapshot < 0 || !sent.wasReceived(this.#snapshot) || stamp.viewTick < 0) {
      this.#snapshot = -1;
      return false;
    }
    for (let number = this.#snapshot; number >= sent.oldest && this.#below < 0; number--) {
      if (!sent.wasReceived(number)) continue;
      if (sent.tickOf(number) > stamp.viewTick) this.#above = number;
      else this.#below = number;
    }
    return true;
  }

  /** Whether what has a velocity was drawn along a curve. */
  get isCurved(): boolean {
    return isCurvedMode(this.#mode);
  }

  /**
   * How the entity was drawn in the picture that was begun; false when it was not drawn. `withEarlier`: also which updates
   * came before, for `earlierTick` and `earliestTick`.
   */
  resolve(table: number, id: number, out: DrawnPicture, withEarlier = false): boolean {
    if (this.#snapshot < 0) return false;
    out.mode = this.#mode;
    return (!withEarlier && this.#resolveUsual(table, id, out)) || this.#resolveAny(table, id, out, withEarlier);
  }

  /** Whether the newest snapshot of the picture has no news since the view of some entity: such are carried on. */
  carriesOn(table: number): boolean {
    return this.#snapshot >= 0 && this.#sent.oldestRecordTick(this.#snapshot, table) <= this.#view;
  }

  /** Nearly always: the entity was in every snapshot since the view, and is new in the two around it. */
  #resolveUsual(table: number, id: number, out: DrawnPicture): boolean {
    const sent = this.#sent;
    const above = this.#above;
    const below = this.#below;
    if (above < 0 || below < 0) return false;
    const to = sent.tickOf(above);
    const from = sent.tickOf(below);
    if (sent.recordTick(above, table, id) !== to || sent.recordTick(below, table, id) !== from) return false;
    for (let number = this.#snapshot; number > above; number--)
      if (sent.wasReceived(number) && sent.recordTick(number, table, id) < 0) return false;
    this.#count = 0;
    this.#set(out, from, to, (this.#view - from) / (to - from));
    return true;
  }

  /**
   * What `StateInterpolator.sample` mixes of the updates that it was given by these snapshots. A record is no newer than the
   * snapshot it is in: looked through from the newest one down, few are needed.
   */
  #resolveAny(table: number, id: number, out: DrawnPicture, withEarlier: boolean): boolean {
    const sent = this.#sent;
    const view = this.#view;
    let number = this.#snapshot;
    let gone = false;
    for (; number >= sent.oldest; number--) {
      if (!sent.wasReceived(number)) continue;
      const tick = sent.recordTick(number, table, id);
      if (tick === REPLACED) return false;
      if (tick !== ABSENT) break;
      if (sent.tickOf(number) <= view) return false;
      gone = true;
    }
    // The first update after the view, and before it the last ones: two only beyond the last, two more for speeds.
    const updates = this.#updates;
    const more = withEarlier ? 2 : 0;
    let above = -1;
    let first = -1;
    this.#count = 0;
    for (; number >= sent.oldest; number--) {
      if (!sent.wasReceived(number)) continue;
      const wanted = (above >= 0 ? 1 : 2) + more;
      if (this.#count >= wanted && sent.tickOf(number) <= updates[wanted - 1]) break;
      const tick = sent.recordTick(number, table, id);
      if (tick < 0) {
        // It came back with a record from before it went: then what was newest before that counts as its first update.
        const kept = tick === ABSENT && first < sent.tickOf(number) ? this.#newestBefore(number, table, id) : -1;
        if (kept <= first) break;
        if (kept > view) return false;
        this.#push(kept);
        break;
      }
      first = tick;
      if (tick > view) {
        above = tick;
        this.#count = 0;
      } else this.#push(tick);
    }
    if (this.#count === 0) return false;
    const [last, before] = updates;
    if (above >= 0) {
      this.#set(out, last, above, (view - last) / (above - last), 1);
      return true;
    }
    const over = gone ? 0 : extrapolatedTicks(view - last, extrapolationLimit(this.#mode, this.#maxExtrapolationTicks));
    if (this.#count < 2) this.#set(out, last, last, 0, 1);
    else this.#set(out, before, last, 1 + over / (last - before), 2);
    out.beyondTicks = over;
    return true;
  }

  /** An update from before those that were pushed already; what they had from before it was no update. */
  #push(tick: number): void {
    while (this.#count > 0 && this.#updates[this.#count - 1] <= tick) this.#count--;
    if (this.#count < MOST_UPDATES) this.#updates[this.#count++] = tick;
  }

  /** The newest update of the entity in a snapshot or those before, as long as its place was nobody else's; -1: none. */
  #newestBefore(from: number, table: number, id: number): number {
    const sent = this.#sent;
    let newest = -1;
    for (let number = from; number >= sent.oldest && sent.tickOf(number) > newest; number--) {
      if (!sent.wasReceived(number)) continue;
      const tick = sent.recordTick(number, table, id);
      if (tick === REPLACED) break;
      if (tick > newest) newest = tick;
    }
    return newest;
  }

  /** `next`: place among the updates of the one before `from`. */
  #set(out: DrawnPicture, from: number, to: number, fraction: number, next = 0): void {
    const steps = this.#mode === "none" || this.#mode === "step";
    out.fromTick = steps && fraction >= 1 ? to : from;
    out.toTick = steps ? out.fromTick : to;
    out.fraction = steps ? 0 : fraction;
    out.beyondTicks = 0;
    out.earlierTick = next < this.#count ? this.#updates[next] : -1;
    out.earliestTick = next + 1 < this.#count ? this.#updates[next + 1] : -1;
  }
}

/** The two that are mixed, and the two before. */
const MOST_UPDATES = 4;
