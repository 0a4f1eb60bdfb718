/** What a `GameClient` is made with. */
import { MAX_INPUTS } from "../../prediction/input/input-message.ts";
import { INTERPOLATION_MODES } from "../../prediction/interpolation/interpolation-mode.ts";
import { MAX_AHEAD_MS } from "../../prediction/interpolation/state-interpolator.ts";
import type { InterpolationMode } from "../../prediction/interpolation/interpolation-mode.ts";

export interface GameClientOptions {
  /**
   * Older inputs sent again with each new one, 0 to 31. Default: 2, and as many as it takes that 1 input in 10,000 gets
   * lost altogether when `updateLink` tells of loss (`inputCopies`).
   */
  readonly inputRedundancy?: number;
  /** Half-life of the drawn error after a correction; 0: corrections are drawn at once. Default 60 ms. */
  readonly smoothingHalfLifeMs?: number;
  /** How entities of others are drawn; it may be changed later. Default "linear". */
  readonly interpolationMode?: InterpolationMode;
  /**
   * On lines with a longer round trip than this (ms) others are drawn in mode "extrapolation", without delay: what is shot at
   * is less old, and within what the server rewinds. Default: never.
   */
  readonly extrapolateAboveMs?: number;
  /**
   * How far ahead of the newest news mode "ahead" draws others, in ms, 0 to 200. When it is given, and above 0, long lines get
   * that mode instead of "extrapolation". Default 200, for whoever asks for the mode by name.
   */
  readonly extrapolateByMs?: number;
  /**
   * Own inputs act this many ticks later on this client, 0 to 10: that much less is predicted, and that much less is
   * there to be wrong, at the price of a slower answer. They reach the server as early as ever. Default 0.
   */
  readonly inputDelayTicks?: number;
  /** Most bytes that inputs and predicted states are kept in. Default 4 MiB. */
  readonly historyBytes?: number;
}

/** Throws `RangeError` for what cannot be. */
export function checkOptions(options: GameClientOptions): void {
  const { inputRedundancy, inputDelayTicks = 0, interpolationMode, extrapolateByMs = 0 } = options;
  if (!(Number.isInteger(inputDelayTicks) && inputDelayTicks >= 0 && inputDelayTicks <= MAX_INPUT_DELAY_TICKS))
    throw new RangeError(`inputDelayTicks must be 0 to ${MAX_INPUT_DELAY_TICKS}, got ${inputDelayTicks}`);
  if (inputRedundancy !== undefined && !(inputRedundancy >= 0 && inputRedundancy < MAX_INPUTS))
    throw new RangeError(`inputRedundancy must be 0 to ${MAX_INPUTS - 1}, got ${inputRedundancy}`);
  if (!(extrapolateByMs >= 0 && extrapolateByMs <= MAX_AHEAD_MS))
    throw new RangeError(`extrapolateByMs must be 0 to ${MAX_AHEAD_MS}, got ${extrapolateByMs}`);
  if (interpolationMode !== undefined) checkMode(interpolationMode);
}

/** Throws `RangeError` for a mode that does not exist. */
export function checkMode(mode: InterpolationMode): void {
  if (!INTERPOLATION_MODES.includes(mode)) throw new RangeError(`there is no interpolation mode "${mode}"`);
}

const MAX_INPUT_DELAY_TICKS = 10;
