import type { BitWriter } from "@riposte/wire";
import type { TableView } from "./table-view.ts";

/** What a table's stream has found out, for the encoder that writes it. */

/** As in the baseline. */
export const SAME = 1;
/** Differs from the baseline, or is not in it; not (yet) chosen for this snapshot. */
export const CHANGED = 2;
export const NEW = 3;
/** Chosen. */
export const CHANGED_CHOSEN = 4;
export const NEW_CHOSEN = 5;

export interface TableSelection {
  /** What is relevant to the client, by rising index, and the status of each by index. */
  readonly relevant: Int32Array;
  relevantCount: number;
  readonly status: Uint8Array;
  /** By place in the baseline's view: 1 when the client must forget it. */
  leaving: Uint8Array;
  /** Entities of the baseline that leave, and that stay. */
  leaves: number;
  stays: number;
  /** Chosen changes, chosen new ones, and changes that were not chosen. */
  changed: number;
  added: number;
  left: number;
}

/** Puts one table's part of one client's snapshots into bits. */
export interface TableEncoder {
  /** Starts a snapshot against a baseline and, for encoders that use it, an older one; both may be empty. */
  start(tick: number, base: TableView, older: TableView): void;
  /** Nothing will be made against this view any more. */
  giveUp(view: TableView): void;
  /** Roughly the bits of a row against an entry of the baseline; 0 when nothing differs that the client may see. */
  changeCost(index: number, entry: number): number;
  /** Roughly the bits of a row that the client does not know. */
  newCost(index: number): number;
  /** Bits that say what stays, leaves and is left out, at most. */
  overheadBits(selection: TableSelection): number;
  /** Writes a selection. It may be called again, with other choices. `view` will hold what the client knows then. */
  write(selection: TableSelection, base: TableView, view: TableView, writer: BitWriter): void;
}
