/** What judging a shot needs of a sight, beyond the queries that a game makes itself. */
import type { Fields } from "../state/index.ts";
import type { ReceiptDesk } from "./receipts/receipt-desk.ts";
import type { ShotTape } from "./receipts/shot-tape.ts";
import type { LagCompensationStats } from "./registration/lag-compensation-stats.ts";
import type { SeenBy, SeenPose } from "./seen-by.ts";

/** Where verdicts are counted. */
export interface ShotDesk {
  readonly stats: LagCompensationStats;
  /** Keeps receipts. */
  readonly receipts?: ReceiptDesk | undefined;
}

export interface ShotSight<F extends Fields> extends SeenBy<F> {
  /** Tick of the newest news that the picture was made of, at most `viewTick`; -1 without a picture. */
  readonly newsTick: number;
  /** Whether the view stamp of the shooter's input claimed what cannot be, and was cut. */
  readonly isViewCut: boolean;
  /** On a server. */
  readonly desk: ShotDesk | undefined;
  /** Entities of this state looked at closely since the beginning. */
  readonly examined: number;
  /** Notes on the tape what is looked at of this state from now on; `undefined`: no longer. */
  record(tape: ShotTape | undefined): void;
  /** After `record` of all that are shot at: the same of whatever else stops shots. */
  recordBlockers(tape: ShotTape | undefined): void;
  /** How far ray `i` of the last ray query got, or the last sweep: to whom it met, to the wall, or its range. */
  reachOf(i: number): number;
  /** How far a ray gets before static geometry or what `blocks` stops it, at most `range`. */
  wallAlong(
    x: number,
    y: number,
    z: number,
    dx: number,
    dy: number,
    dz: number,
    range: number,
    inPlane: boolean,
  ): number;
  /** Where whoever was seen at a place of the table stood; false when nobody was. */
  stoodWhenSeen(place: number, out: SeenPose): boolean;
}
