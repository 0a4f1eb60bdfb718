/** What an operator looks at to find a fair balance: the settings, what they give to whom, and the peeker's advantage. */
import type { StampCheck } from "../timestamps/stamp-check.ts";
import type { DelayMeter } from "./delay-meter.ts";
import type { FavorTheShooterSettings } from "./favor-settings.ts";
import { favorAt } from "./favor-the-shooter.ts";
import type { FavorTheShooter } from "./favor-the-shooter.ts";
import { peekersAdvantages } from "./peekers-advantage.ts";
import type { PeekersAdvantage, PlayerDelays } from "./peekers-advantage.ts";

/** Figures in milliseconds; those that are not measured yet are `undefined`. */
export interface PlayerFairness {
  readonly seat: number;
  readonly clientId: bigint;
  /** The shortest round trip of the last seconds. */
  readonly rttMs: number | undefined;
  /** The part of its rewind that this round trip gets, without a weapon's own settings. */
  readonly favor: number;
  /** How old a picture this player can honestly have when its input is judged: what is older is cut to that. */
  readonly honestAgeMs: number | undefined;
  readonly inputDelayMs: number | undefined;
  readonly viewDelayMs: number | undefined;
  /** Views that were older or newer than its link accounts for, and their part lately, 0..1. */
  readonly implausibleViews: number;
  readonly viewSuspicion: number;
}

export interface FairnessReport {
  readonly settings: FavorTheShooterSettings;
  readonly peekersAdvantage: PeekersAdvantage;
  readonly players: readonly PlayerFairness[];
}

/** What is looked at: a seat of a match. */
export interface FairSeat {
  readonly id: number;
  readonly clientId: bigint;
  readonly connected: boolean;
  readonly stamps: StampCheck;
  readonly delays: DelayMeter;
  readonly stats: { readonly implausibleViews: number; readonly viewSuspicion: number };
}

/** At `tick`, of those who are connected. */
export function reportFairness(
  favor: FavorTheShooter,
  seats: readonly (FairSeat | undefined)[],
  tick: number,
): FairnessReport {
  const delays = new Map<number, PlayerDelays>();
  const players: PlayerFairness[] = [];
  for (const seat of seats) {
    if (seat?.connected !== true) continue;
    if (seat.delays.isKnown) delays.set(seat.id, seat.delays);
    const { rttMs } = seat.stamps.evidenceAt(tick);
    const { implausibleViews, viewSuspicion } = seat.stats;
    players.push({
      seat: seat.id,
      clientId: seat.clientId,
      rttMs,
      favor: favorAt(favor.of(), rttMs ?? 0),
      honestAgeMs: rttMs === undefined ? undefined : seat.stamps.honestAgeMs(tick),
      inputDelayMs: seat.delays.isKnown ? seat.delays.inputDelayMs : undefined,
      viewDelayMs: seat.delays.isKnown ? seat.delays.viewDelayMs : undefined,
      implausibleViews,
      viewSuspicion,
    });
  }
  return { settings: favor.settings, peekersAdvantage: peekersAdvantages(delays), players };
}
