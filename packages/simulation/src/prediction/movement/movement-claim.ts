/** What a client claims about its movement, and what the server makes of it. */
import type { MovementFault, MovementPlace } from "./validate-movement.ts";

export interface MovementClaim extends MovementPlace {
  /** The client's own tick, counted up with its clock. */
  readonly tick: number;
  /** Number of the newest placement that the client has carried out: the one it was told when it was put somewhere. */
  readonly placement: number;
  /** Tick in which its last dash began, when the rules have a cooldown for dashes. */
  readonly dashTick?: number;
}

/**
 * What may be wrong with a claim, besides where it is: "pace", the client's ticks run faster than the server's;
 * "withheld", it was kept back; "disobeyed", placements are not carried out; "malformed", no numbers.
 */
export type ClaimFault = MovementFault | "pace" | "withheld" | "disobeyed" | "malformed";

/**
 * - accept: the player is where it claims.
 * - ignore: overtaken by a newer claim, or made before a placement was carried out. Nothing changes.
 * - correct: the player is put back.
 * - flag: the same, and suspicion has reached `flagAt`.
 * - disconnect: suspicion has reached `disconnectAt`.
 */
export type MovementOutcome = "accept" | "ignore" | "correct" | "flag" | "disconnect";

/** Reused by the validator for each claim. */
export interface MovementVerdict {
  outcome: MovementOutcome;
  fault: ClaimFault;
  /** Where the player is now. */
  x: number;
  y: number;
  z: number;
  /** Whether the client must be put there: tell it x, y, z and `placement`. */
  moved: boolean;
  /** The placement its claims must carry from now on. */
  placement: number;
  /** By how much too far, high or deep, in world units; by how many ms too fast or late. */
  excess: number;
  suspicion: number;
}

/** How often, for each player. */
export interface MovementCounters {
  accepted: number;
  ignored: number;
  speed: number;
  teleport: number;
  clipping: number;
  flying: number;
  pace: number;
  withheld: number;
  disobeyed: number;
  malformed: number;
}
