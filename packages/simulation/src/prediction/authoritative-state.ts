/** A tick as the server tells it, and as a client has predicted it. */
import type { StateHistory } from "./state-history.ts";

/** The server's newest word on the entities of one table, by entity index. */
export interface AuthoritativeTable {
  readonly present: Uint8Array;
  readonly ids: Int32Array;
  readonly owners: Int32Array;
  /** Settled records, one after the other. */
  readonly words: Int32Array;
  /** Tick that the record is of, where it is not the newest. */
  readonly updatedAt?: ArrayLike<number>;
}

/** The server's word on a tick: a table each, in the order of the game's states. */
export type AuthoritativeState = readonly AuthoritativeTable[];

/** What a client holds for a tick that it simulated: the records of what it predicted, a history for each table. */
export type PredictedState = readonly StateHistory[];
