/**
 * What a player saw, on the server: every target as it was at the view tick that came with the
 * player's input, checked against what the server has really sent.
 *
 * A client draws an entity between two updates it has. `ViewResolver` finds the same two, entity by entity, from what was
 * sent to the client and has arrived. A stamp that names no snapshot of these is no honest one: then the receipts it
 * claims say which two ticks are blended. Entities that the player owns are predicted by its client, so they are
 * looked at as they are now.
 */
import type { Fields, Hitbox, RowIdentity, StateTable } from "../state/index.ts";
import type { StaticGeometry } from "../game/statics/static-geometry.ts";
import type { ViewStamp } from "../prediction/input/player-input.ts";
import type { PoseHistory } from "./pose-history.ts";
import { extrapolatedTicks } from "../prediction/interpolation/curve.ts";
import { createDrawnPicture } from "./view-resolver.ts";
import type { DrawnPicture, ViewResolver } from "./view-resolver.ts";
import { RaySight } from "./ray-sight.ts";
import type { SeenPose } from "./seen-by.ts";

export interface StampSource {
  /** The checked stamp of a seat's current input; `undefined` when it has none. */
  stampOf(seat: number): Readonly<ViewStamp> | undefined;
  /** What resolves that stamp; `undefined`: nothing is known of the client's snapshots. */
  resolverOf(seat: number): ViewResolver | undefined;
}

export class RewoundSight<F extends Fields> extends RaySight<F> {
  readonly #history: PoseHistory;
  readonly #stamps: StampSource;
  readonly #maxExtrapolationTicks: number;
  readonly #angles: Float64Array | undefined;
  readonly #number: number;
  #from = -1;
  #to = -1;
  #fraction = 0;
  readonly #picture: DrawnPicture = createDrawnPicture();
  #resolver: ViewResolver | undefined;

  /** `number`: the table's place among the tables of the game. */
  constructor(
    table: StateTable<F>,
    number: number,
    hitbox: Hitbox,
    statics: StaticGeometry,
    history: PoseHistory,
    stamps: StampSource,
    maxExtrapolationTicks: number,
  ) {
    super(table, hitbox, statics);
    this.#number = number;
    this.#history = history;
    this.#stamps = stamps;
    this.#maxExtrapolationTicks = maxExtrapolationTicks;
    this.#angles = angleColumn(table, hitbox);
  }

  protected override prepare(row: RowIdentity): void {
    const stamp = this.#stamps.stampOf(row.owner);
    this.viewTick = stamp?.viewTick ?? -1;
    this.#from = -1;
    this.#resolver = undefined;
    if (stamp === undefined || stamp.viewTick < 0) return;
    const resolver = this.#stamps.resolverOf(row.owner);
    if (resolver?.known === true) this.#resolver = resolver;
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
    const id = table.idAt(index);
    const picture = this.#picture;
    if (this.#resolver === undefined) {
      picture.fromTick = this.#from;
      picture.toTick = this.#to;
      picture.fraction = this.#fraction;
    } else if (!this.#resolver.resolve(this.#number, id, picture)) return false;
    // An update from before the history was longer ago than any shot may be judged at.
    const from = history.at(index, Math.max(picture.fromTick, history.oldestTick));
    const to = history.at(index, Math.max(picture.toTick, history.oldestTick));
    // Born since: it could not be seen. Born between the two: it was drawn where it first appeared.
    if (history.ids[to] !== id) return false;
    const first = history.ids[from] === id ? from : to;
    let { fraction } = picture;
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
