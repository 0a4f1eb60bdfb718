/**
 * What a player saw, on the server: every target as it was at the view tick that came with the
 * player's input, checked against what the server has really sent.
 *
 * A client draws an entity between two snapshots it has; the receipts in the view stamp say which,
 * so the same two ticks are blended here. Entities that the player owns are predicted by its
 * client, so they are looked at as they are now.
 */
import type { Fields, Hitbox, RowIdentity, StateTable } from "../state/index.ts";
import type { StaticGeometry } from "../game/statics/static-geometry.ts";
import type { ViewStamp } from "../prediction/input/input-buffer.ts";
import type { PoseHistory } from "./pose-history.ts";
import { extrapolatedTicks } from "../prediction/interpolation/curve.ts";
import { RaySight } from "./ray-sight.ts";
import type { SeenPose } from "./seen-by.ts";

/** The checked stamp of a seat's current input; `undefined` when it has none. */
export interface StampSource {
  stampOf(seat: number): Readonly<ViewStamp> | undefined;
}

export class RewoundSight<F extends Fields> extends RaySight<F> {
  readonly #history: PoseHistory;
  readonly #stamps: StampSource;
  readonly #maxExtrapolationTicks: number;
  readonly #angles: Float64Array | undefined;
  #from = -1;
  #to = -1;
  #fraction = 0;

  constructor(
    table: StateTable<F>,
    hitbox: Hitbox,
    statics: StaticGeometry,
    history: PoseHistory,
    stamps: StampSource,
    maxExtrapolationTicks: number,
  ) {
    super(table, hitbox, statics);
    this.#history = history;
    this.#stamps = stamps;
    this.#maxExtrapolationTicks = maxExtrapolationTicks;
    this.#angles = angleColumn(table, hitbox);
  }

  protected override prepare(row: RowIdentity): void {
    const stamp = this.#stamps.stampOf(row.owner);
    this.viewTick = stamp?.viewTick ?? -1;
    this.#from = -1;
    if (stamp === undefined || stamp.viewTick < 0) return;
    this.#findTicks(stamp);
  }

  protected override locate(index: number, pose: SeenPose): boolean {
    const { table } = this;
    if (this.#from < 0 || table.owners[index] === this.shooter?.owner) {
      pose.x = table.positionX?.[index] ?? Number.NaN;
      pose.y = table.positionY?.[index] ?? Number.NaN;
      pose.angle = this.#angles?.[index] ?? 0;
      return true;
    }
    const history = this.#history;
    const from = history.at(index, this.#from);
    const to = history.at(index, this.#to);
    const id = table.idAt(index);
    // Born since: it could not be seen. Born between the two: it was drawn where it first appeared.
    if (history.ids[to] !== id) return false;
    const first = history.ids[from] === id ? from : to;
    let fraction = this.#fraction;
    if (history.jumps[first] !== history.jumps[to]) fraction = fraction < 1 ? 0 : 1;
    pose.x = history.x[first] + (history.x[to] - history.x[first]) * fraction;
    pose.y = history.y[first] + (history.y[to] - history.y[first]) * fraction;
    pose.angle = history.angle[first] + wrapAngle(history.angle[to] - history.angle[first]) * fraction;
    return true;
  }

  /** The two snapshots that the client had on either side of its view tick. */
  #findTicks(stamp: Readonly<ViewStamp>): void {
    const history = this.#history;
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
      const over = extrapolatedTicks(view - from, this.#maxExtrapolationTicks);
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

/** The column that turns a capsule. */
export function angleColumn<F extends Fields>(table: StateTable<F>, hitbox: Hitbox): Float64Array | undefined {
  if (hitbox.shape !== "capsule" || hitbox.angle === undefined) return undefined;
  const columns: Readonly<Record<string, unknown>> = table.columns;
  const column = columns[hitbox.angle];
  return column instanceof Float64Array ? column : undefined;
}

function wrapAngle(angle: number): number {
  const turn = angle / (2 * Math.PI);
  return (turn - Math.floor(turn + 0.5)) * 2 * Math.PI;
}
