/**
 * Derives from a view stamp how the client drew an entity: which two updates it mixed, and in what share. It does what the
 * client's `StateInterpolator` does, with what the client had: the snapshots that went into the picture, and in each of
 * these the tick from which the entity's record was (a snapshot without room for an entity leaves it as it was).
 */
import { extrapolatedTicks } from "../prediction/interpolation/curve.ts";
import type { InterpolationMode } from "../prediction/interpolation/interpolation-mode.ts";
import type { ViewStamp } from "../prediction/input/player-input.ts";
import { ABSENT, REPLACED, SENT_SNAPSHOTS } from "./sent-snapshots.ts";
import type { SentSnapshots } from "./sent-snapshots.ts";

/** How an entity was drawn: the state at `fromTick` and that at `toTick`, mixed at `fraction` (above 1: extrapolated). */
export interface DrawnPicture {
  fromTick: number;
  toTick: number;
  fraction: number;
  mode: InterpolationMode;
}

export function createDrawnPicture(): DrawnPicture {
  return { fromTick: -1, toTick: -1, fraction: 0, mode: "linear" };
}

export class ViewResolver {
  readonly #sent: SentSnapshots;
  readonly #maxExtrapolationTicks: number;
  /** Updates of one entity that the client had, oldest first. */
  readonly #updates = new Float64Array(SENT_SNAPSHOTS);
  #count = 0;
  #cameAt = 0;
  #goneAt = Infinity;
  /** For the newest stamp: number of its snapshot, and of the receipts around its view. */
  #snapshot = -1;
  #view = -1;
  #mode: InterpolationMode = "linear";
  #above = -1;
  #below = -1;

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

  /** How the entity was drawn in the picture that was begun; false when it was not drawn. */
  resolve(table: number, id: number, out: DrawnPicture): boolean {
    if (this.#snapshot < 0) return false;
    out.mode = this.#mode;
    if (this.#resolveUsual(table, id, out)) return true;
    this.#collect(table, id);
    return this.#pick(out);
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
    this.#set(out, from, to, (this.#view - from) / (to - from));
    return true;
  }

  /** Every update that the client had of the entity, as `StateInterpolator.update` keeps them. */
  #collect(table: number, id: number): void {
    const sent = this.#sent;
    let newest = -1;
    this.#count = 0;
    this.#goneAt = Infinity;
    for (let number = sent.oldest; number <= this.#snapshot; number++) {
      if (!sent.wasReceived(number)) continue;
      const tick = sent.recordTick(number, table, id);
      if (tick === REPLACED) {
        this.#count = 0;
        newest = -1;
      } else if (tick === ABSENT) {
        if (this.#count > 0 && this.#goneAt === Infinity) this.#goneAt = sent.tickOf(number);
      } else {
        if (this.#goneAt !== Infinity) this.#count = 0;
        this.#goneAt = Infinity;
        const known = newest;
        newest = Math.max(newest, tick);
        if (this.#count === 0) this.#cameAt = newest;
        else if (newest <= known) continue;
        this.#updates[this.#count++] = newest;
      }
    }
  }

  /** As `StateInterpolator.sample`. */
  #pick(out: DrawnPicture): boolean {
    const updates = this.#updates;
    const count = this.#count;
    const view = this.#view;
    if (count === 0 || view >= this.#goneAt || view < this.#cameAt) return false;
    let older = count - 1;
    while (older >= 0 && updates[older] > view) older--;
    if (older < 0) this.#set(out, updates[0], updates[0], 0);
    else if (older + 1 < count) {
      const from = updates[older];
      const to = updates[older + 1];
      this.#set(out, from, to, (view - from) / (to - from));
    } else {
      const newest = updates[older];
      const over = extrapolatedTicks(view - newest, this.#maxExtrapolationTicks);
      if (older === 0 || this.#goneAt !== Infinity || over <= 0) this.#set(out, newest, newest, 0);
      else this.#set(out, updates[older - 1], newest, 1 + over / (newest - updates[older - 1]));
    }
    return true;
  }

  #set(out: DrawnPicture, from: number, to: number, fraction: number): void {
    const steps = this.#mode === "none" || this.#mode === "step";
    out.fromTick = steps && fraction >= 1 ? to : from;
    out.toTick = steps ? out.fromTick : to;
    out.fraction = steps ? 0 : fraction;
  }
}
