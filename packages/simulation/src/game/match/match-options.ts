/** What a match may be told. */
import type { FavorChange } from "../../rewind/fairness/favor-settings.ts";
import type { ReceiptOptions } from "../../rewind/receipts/receipt-desk.ts";
import type { InputPolicy } from "../../prediction/input/client-prediction-handler.ts";

/** For each state with a position. */
export interface RewindHistoryLimits {
  /** Most ticks, however long they are. Default no limit. */
  readonly maxSnapshots?: number;
  /** Most memory, in bytes. Default no limit. */
  readonly maxBytes?: number;
}

/** What is remembered of one state. */
export interface RewindHistoryReport {
  readonly state: string;
  /** Ticks that are there, and that there is room for. */
  readonly snapshots: number;
  readonly maxSnapshots: number;
  /** Memory, all of it taken from the beginning. */
  readonly bytes: number;
  /** How far back it reaches when it is full. */
  readonly windowMs: number;
}

export interface MatchOptions {
  /** Seeds `world.random`. Clients are told. Default 1. */
  readonly seed?: number;
  /**
   * Gives that many random bytes, for the keys of `world.randomOf`. Default: from the seed, which is as good for a
   * test and no secret at all.
   */
  readonly entropy?: (length: number) => Uint8Array;
  /** Seats, those kept for players who may come back included. Default 64. */
  readonly maxSeats?: number;
  /** How long a player's seat and entities are kept after it is gone. Default 15,000. */
  readonly reconnectGraceMs?: number;
  /** Bytes of one snapshot. Default 1,000, which fits one packet. */
  readonly snapshotBudgetBytes?: number;
  /** How far back a shot may be judged: so much is remembered. Default 500 ms. */
  readonly maxRewindMs?: number;
  /** Limits of what is remembered for that. */
  readonly rewindHistory?: RewindHistoryLimits;
  /** How far shooters are favoured, to begin with; it may be changed while the match runs. Default: see `docs/fairness.md`. */
  readonly favorTheShooter?: FavorChange;
  /**
   * Opens the debug channel to clients: they may ask about themselves and are asked about themselves. See
   * `docs/debugging.md`. Default false.
   */
  readonly debug?: boolean;
  /** Keeps receipts of verdicts on shots, which can be judged again offline. See `docs/hit-registration.md`. Default: none. */
  readonly receipts?: ReceiptOptions;
  /** How inputs are taken in: what a missing one is, how far ahead they may be, limits, and how much is remembered. */
  readonly inputs?: InputPolicy;
  /** Milliseconds of a monotonic clock: measures what reading inputs takes, and decides nothing. Default: not measured. */
  readonly now?: () => number;
}
