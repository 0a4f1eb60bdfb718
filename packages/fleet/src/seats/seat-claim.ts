/** Seats that were taken for a key, with what the player is told: what balancers copy to each other. */
import type { HeldClaim } from "./seat-pool.ts";

export interface SeatClaim<A> extends HeldClaim {
  /** The balancer that took the seats. */
  readonly by: string;
  readonly nodeId: string;
  /** What the player is told. Small is better: it is held `rememberMs`, here and at another balancer. */
  readonly answer: A;
}

/** As it is sent to another balancer. */
export interface ClaimMessage<A> extends Omit<SeatClaim<A>, "until"> {
  /** What is left of the time for which the seats are kept, and of that for which the answer is remembered. */
  readonly ttlMs: number;
  readonly rememberMs: number;
  /** The player may have been answered already. */
  readonly settled: boolean;
  /** What is left, as it is sent, of the time in which the player may be answered; of no meaning where it is settled. */
  readonly answerInMs: number;
}

/**
 * - `stored`: it is remembered there from now on, and told to the node from there, too
 * - `exists`: the key has this answer already; the own one is not stored
 * - `pending`: that balancer is about to answer the same key, and goes first: ask again
 * - `busy`: it cannot hold it, does not hear the node, or may have got the claim too late
 */
export type ClaimReply<A> =
  | { readonly kind: "stored" }
  | { readonly kind: "exists"; readonly claim: ClaimMessage<A> }
  | { readonly kind: "pending" }
  | { readonly kind: "busy" };

export function fromMessage<A>(message: ClaimMessage<A>, now: number): SeatClaim<A> {
  const { key, by, nodeId, epoch, seats, answer, ttlMs } = message;
  return { key, by, nodeId, epoch, seats, answer, until: now + ttlMs };
}
