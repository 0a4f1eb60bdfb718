/** What became of one request to use an ability. */
import type { AbilityKit } from "./ability-kit.ts";

/**
 * Why a request was refused. `refused` is the game's own rule, which only the server may know; `lost`: the server never
 * had the request (its input did not arrive in time; inside a run of refusals the reason of the run is told instead);
 * `unknown`: the server's log has forgotten it.
 */
export const ABILITY_REASONS = [
  "none",
  "silenced",
  "casting",
  "globalCooldown",
  "charges",
  "cooldown",
  "cost",
  "refused",
  "lost",
  "unknown",
] as const;

export type AbilityReason = (typeof ABILITY_REASONS)[number];

/** `predicted` is a client's own opinion; the others are the server's word, or what the client refuses itself. */
export type PredictionOutcome = "predicted" | "confirmed" | "rejected";

export interface PredictionResult<A extends string = string> {
  /** Of the request, unique for its entity: made of the tick of the input and the ability. The same on both sides. */
  key: number;
  ability: A;
  outcome: PredictionOutcome;
  /** "none" unless rejected. */
  reason: AbilityReason;
  /** Tick of the input that asked for it. */
  tick: number;
}

/** A record for results of these abilities. */
export function predictionResult<A extends string>(kit: AbilityKit<A>): PredictionResult<A> {
  return { key: -1, ability: kit.abilities[0].name, outcome: "rejected", reason: "unknown", tick: -1 };
}
