/**
 * From seats that were taken to a player who is answered. The player is answered when one of these is so, at `answerBy` at the
 * latest; else it is to ask again:
 *
 * - another balancer holds a copy: the highest-ranked one of those that are alive and not slow, or else the next;
 * - none is alive, or would take one, but the node has confirmed that it keeps the seats, or knows that nobody else can tell it.
 *
 * The driver asks for the next step at first, after each reply and time-out, when the node has reported, when another balancer has
 * claimed the same key, and at `wakeAt`.
 */
import type { ClaimReply, SeatClaim } from "./seat-claim.ts";
import { fromMessage } from "./seat-claim.ts";
import { highestRanked } from "./rendezvous.ts";

export type ClaimStep<A> =
  /** Send the claim to this balancer. */
  | { readonly kind: "ask"; readonly peer: string }
  | { readonly kind: "wait"; readonly wakeAt: number }
  | { readonly kind: "done"; readonly outcome: ClaimOutcome<A> };

export interface ClaimOutcome<A> {
  /** What the player is told: the own answer or an earlier one; undefined: to ask again. */
  readonly use: SeatClaim<A> | undefined;
  /** The own seats are not used, and nobody else can have a copy: `SeatPool.giveBack`. Else the node frees them in time. */
  readonly giveBack: boolean;
}

/** `partner`: who else knows what is used. */
export type SettleClaim<A> = (use: SeatClaim<A> | undefined, partner: string | undefined, now: number) => void;

/** A balancer that is about to answer the same key is asked again after. */
const PENDING_RETRY_MS = 40;
/** Before those are asked again that did not answer. */
const ROUND_PAUSE_MS = 50;

export class PendingClaim<A> {
  readonly claim: SeatClaim<A>;
  readonly answerBy: number;
  readonly #live: ReadonlySet<string>;
  readonly #slow: ReadonlySet<string>;
  readonly #settle: SettleClaim<A>;
  /** In this round. */
  readonly #tried: Set<string> = new Set();
  /** Those that could have taken it, and have not. */
  readonly #hadChance: Set<string> = new Set();
  #asked: string | undefined;
  #retryAt = 0;
  #storedAt: string | undefined;
  #earlier: SeatClaim<A> | undefined;
  #earlierAt: string | undefined;
  /** Somebody may have a copy, or has one. */
  #copied = false;
  #outcome: ClaimOutcome<A> | undefined;

  /** Made by `ClaimBook.begin`. `live`: the other balancers, at any time; those that are `slow` are not asked. `settle` is called once. */
  constructor(
    claim: SeatClaim<A>,
    answerBy: number,
    { live, slow }: { readonly live: ReadonlySet<string>; readonly slow: ReadonlySet<string> },
    settle: SettleClaim<A>,
  ) {
    this.claim = claim;
    this.answerBy = answerBy;
    this.#live = live;
    this.#slow = slow;
    this.#settle = settle;
  }

  /** `isKept`: `SeatPool.isKept` of the seats. */
  step(isKept: boolean, now: number): ClaimStep<A> {
    if (this.#outcome !== undefined) return { kind: "done", outcome: this.#outcome };
    if (this.#earlier !== undefined) return this.#finish(this.#earlier, this.#earlierAt, now);
    if (now > this.answerBy) return this.#finish(undefined, undefined, now);
    if (this.#storedAt !== undefined) return this.#finish(this.claim, this.#storedAt, now);
    // Each that is there had its chance, also one that came meanwhile.
    if (isKept && this.#next(this.#hadChance) === undefined) return this.#finish(this.claim, undefined, now);
    if (this.#asked !== undefined) return { kind: "wait", wakeAt: this.answerBy };
    if (now < this.#retryAt) return { kind: "wait", wakeAt: Math.min(this.#retryAt, this.answerBy) };
    const peer = this.#next(this.#tried);
    if (peer !== undefined) {
      this.#asked = peer;
      this.#tried.add(peer);
      return { kind: "ask", peer };
    }
    // Until the node says something there is time for another round.
    this.#tried.clear();
    this.#retryAt = now + ROUND_PAUSE_MS;
    return { kind: "wait", wakeAt: Math.min(this.#retryAt, this.answerBy) };
  }

  /** Late replies, after `unanswered`, count as well. */
  replied(peer: string, reply: ClaimReply<A>, now: number): void {
    if (peer === this.#asked) this.#asked = undefined;
    switch (reply.kind) {
      case "stored":
        this.#copied = true;
        if (now <= this.answerBy) this.#storedAt ??= peer;
        return;
      case "exists":
        this.supersede(fromMessage(reply.claim, now), peer);
        return;
      case "pending":
        this.#tried.delete(peer);
        this.#retryAt = now + PENDING_RETRY_MS;
        return;
      case "busy":
        this.#hadChance.add(peer);
    }
  }

  /** The peer did not reply in time. `mayHaveIt`: false when the claim surely did not reach it. Default true. */
  unanswered(peer: string, mayHaveIt = true): void {
    if (peer === this.#asked) this.#asked = undefined;
    if (!mayHaveIt) return;
    this.#copied = true;
    this.#hadChance.add(peer);
  }

  /** As good as answered. */
  get isStored(): boolean {
    return this.#storedAt !== undefined;
  }

  /** Another answer to the key goes before, unless this one is stored. */
  supersede(earlier: SeatClaim<A>, holder: string): void {
    if (this.#storedAt !== undefined || this.#earlier !== undefined) return;
    this.#earlier = earlier;
    this.#earlierAt = holder;
  }

  #next(except: ReadonlySet<string>): string | undefined {
    const leftOut = this.#slow.size === 0 ? except : new Set([...except, ...this.#slow]);
    return highestRanked(this.claim.key, this.#live, leftOut);
  }

  #finish(use: SeatClaim<A> | undefined, partner: string | undefined, now: number): ClaimStep<A> {
    const mayBeCopied = this.#copied || this.#asked !== undefined;
    this.#outcome = { use, giveBack: use !== this.claim && !mayBeCopied };
    this.#settle(use, partner, now);
    return { kind: "done", outcome: this.#outcome };
  }
}
