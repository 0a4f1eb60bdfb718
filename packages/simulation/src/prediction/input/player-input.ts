/** One input of a player: what was pressed in one tick, and what was on the screen when it was. */
import type { Fields, Values } from "../../state/index.ts";
import type { InterpolationMode } from "../interpolation/interpolation-mode.ts";

/** What a player saw when an input was sampled. */
export interface ViewStamp {
  /** Fractional tick that was drawn, a whole number of 1/256; -1: nothing was. */
  viewTick: number;
  /** Newest snapshot that had gone into the picture, -1: none. */
  snapshotTick: number;
  /** Bit i: snapshot `snapshotTick - 1 - i` had gone into it, too. Bits too old for the message to tell are 0. */
  receiptMask: number;
  /** How the picture was made from the snapshots. */
  mode: InterpolationMode;
}

/** An input with its number. A tick has one input, so the tick is the number. */
export interface PlayerInput<F extends Fields = Fields> {
  readonly tick: number;
  readonly values: Values<F>;
  readonly view: Readonly<ViewStamp>;
}

export function createViewStamp(): ViewStamp {
  return { viewTick: -1, snapshotTick: -1, receiptMask: 0, mode: "linear" };
}

export function copyViewStamp(from: Readonly<ViewStamp>, to: ViewStamp): void {
  to.viewTick = from.viewTick;
  to.snapshotTick = from.snapshotTick;
  to.receiptMask = from.receiptMask;
  to.mode = from.mode;
}

/** How the server came by a tick's input; what a client used is always its own ("received"). */
export type InputOrigin = "received" | "repeated" | "neutral";

/** By its place: the number in snapshots and in the server's notes. */
export const INPUT_ORIGINS: readonly InputOrigin[] = ["received", "repeated", "neutral"];
