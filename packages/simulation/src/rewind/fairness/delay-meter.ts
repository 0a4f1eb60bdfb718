/** Measures one player's delays while it plays: see `PlayerDelays`. */
import type { PlayerDelays } from "./peekers-advantage.ts";

export class DelayMeter implements PlayerDelays {
  /** NaN before the first measurement. */
  inputDelayMs: number = Number.NaN;
  viewDelayMs: number = Number.NaN;

  /**
   * An input of the player was simulated. `rttMs`: its round trip; `stockMs`: how far the newest input that had come was ahead
   * of it; `ageMs`: how long ago, by the server's time, the picture was that it was given at.
   */
  note(rttMs: number, stockMs: number, ageMs: number): void {
    const inputMs = rttMs / 2 + Math.max(0, stockMs);
    const viewMs = Math.max(0, ageMs - inputMs);
    if (Number.isNaN(this.inputDelayMs)) {
      this.inputDelayMs = inputMs;
      this.viewDelayMs = viewMs;
      return;
    }
    this.inputDelayMs += (inputMs - this.inputDelayMs) / NOTES;
    this.viewDelayMs += (viewMs - this.viewDelayMs) / NOTES;
  }

  get isKnown(): boolean {
    return !Number.isNaN(this.inputDelayMs);
  }

  clear(): void {
    this.inputDelayMs = this.viewDelayMs = Number.NaN;
  }
}

/** A running mean over about so many inputs. A match notes every eighth: a second. */
const NOTES = 8;
