/**
 * Which answer a key has: a balancer's memory of its own answers and of those that others have copied to it, so that a player
 * who asks again, anywhere, is told the same.
 *
 * Each answer is at two balancers. When one of them is lost, the other copies it to a third. Two balancers that work on the
 * same key at once ask the same third one, which knows whose came first, or each other: then the one that ranks higher for the
 * key goes first.
 *
 * With one balancer lost a key keeps its answer. With the two that know it lost at the same time, it gets another one when it is
 * asked again; the seat of the first is free again after its time. So it is where a claim was slower than its time-out and
 * went to another balancer than the retry did: therefore a balancer asks all others (`find`) about a key that is asked again.
 */
import { PendingClaim } from "./pending-claim.ts";
import { highestRanked, outranks } from "./rendezvous.ts";
import { fromMessage } from "./seat-claim.ts";
import type { ClaimMessage, ClaimReply, SeatClaim } from "./seat-claim.ts";

export interface ClaimBookOptions {
  /** This balancer's id. */
  readonly self: string;
  /** Default 90000 ms. */
  readonly rememberMs?: number;
  /** Default 131072; beyond, the oldest are forgotten. */
  readonly maxClaims?: number;
}

/** How a claim came. */
export interface ClaimArrival<A> {
  /** The balancer that sent it. */
  readonly from: string;
  /** How long it was under way at most. */
  readonly ageMs: number;
  /** Has the node told of the seats from here, too (`SeatPool.hold`); false where that cannot be, as where it is not heard. */
  readonly hold: (claim: SeatClaim<A>) => boolean;
  readonly now: number;
}

interface Entry<A> {
  readonly claim: SeatClaim<A>;
  readonly forgetAt: number;
  /** Who else knows it. */
  partner: string | undefined;
}

export class ClaimBook<A> {
  readonly self: string;
  /** Answers that were forgotten early. */
  dropped = 0;
  readonly #maxClaims: number;
  readonly #entries: Map<string, Entry<A>> = new Map();
  readonly #pending: Map<string, PendingClaim<A>> = new Map();
  /** By client: how many entries it is in. */
  readonly #ofClient: Map<string, number> = new Map();
  /** Keys of which nobody else may know. */
  readonly #uncopied: Set<string> = new Set();
  readonly #live: Set<string> = new Set();
  readonly #slow: Set<string> = new Set();
  #epochs: ReadonlyMap<string, number> = new Map();
  #rememberMs: number;

  constructor(options: ClaimBookOptions) {
    this.self = options.self;
    this.#rememberMs = options.rememberMs ?? 90_000;
    this.#maxClaims = options.maxClaims ?? 131_072;
  }

  get size(): number {
    return this.#entries.size;
  }

  get live(): ReadonlySet<string> {
    return this.#live;
  }

  setRememberMs(rememberMs: number): void {
    this.#rememberMs = rememberMs;
  }

  /** The other balancers that are alive, with the epoch of each: who comes back with another one has forgotten everything. */
  setLive(peers: ReadonlyMap<string, number>): void {
    const lost = new Set<string>();
    for (const peer of this.#live) if (peers.get(peer) !== this.#epochs.get(peer)) lost.add(peer);
    this.#epochs = new Map(peers);
    this.#live.clear();
    for (const peer of peers.keys()) if (peer !== this.self) this.#live.add(peer);
    if (lost.size === 0) return;
    for (const [key, entry] of this.#entries) {
      if (entry.partner === undefined || !lost.has(entry.partner)) continue;
      entry.partner = undefined;
      this.#uncopied.add(key);
    }
  }

  /** Those of them that have not answered lately: no player waits for their answer. */
  setSlow(peers: Iterable<string>): void {
    this.#slow.clear();
    for (const peer of peers) this.#slow.add(peer);
  }

  /** The answer that the key has, if any. */
  find(key: string, now: number): SeatClaim<A> | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.forgetAt > now ? entry.claim : undefined;
  }

  /** Answers that are remembered for a client. */
  countOf(clientId: string): number {
    return this.#ofClient.get(clientId) ?? 0;
  }

  /** The answer that is being worked on here: to be waited for. */
  pending(key: string): PendingClaim<A> | undefined {
    return this.#pending.get(key);
  }

  /** Seats were taken for a key that has no answer and none pending. */
  begin(claim: SeatClaim<A>, answerBy: number): PendingClaim<A> {
    if (this.#pending.has(claim.key)) throw new RangeError(`there is a claim for the key ${JSON.stringify(claim.key)}`);
    const peers = { live: this.#live, slow: this.#slow };
    const pending = new PendingClaim<A>(claim, answerBy, peers, (use, partner, now) => {
      this.#pending.delete(claim.key);
      if (use !== undefined) this.#remember(use, now + this.#rememberMs, partner);
    });
    this.#pending.set(claim.key, pending);
    return pending;
  }

  /**
   * Another balancer's claim. What may have been under way until after `answerBy` is not taken: the node may have been told
   * meanwhile, from here as well, that nobody has these seats.
   */
  receive(message: ClaimMessage<A>, { from, ageMs, hold, now }: ClaimArrival<A>): ClaimReply<A> {
    const { key, by, epoch, nodeId } = message;
    const known = this.find(key, now);
    if (known !== undefined) {
      if (known.by !== by || known.epoch !== epoch || known.nodeId !== nodeId || !isSameSeat(known, message)) {
        return { kind: "exists", claim: this.toMessage(known, now) };
      }
      return { kind: "stored" };
    }
    const pending = this.#pending.get(key);
    if (pending !== undefined && !message.settled && !outranks(key, by, this.self)) return { kind: "pending" };
    if (pending?.isStored === true) return { kind: "pending" };
    if (!message.settled && ageMs > message.answerInMs) return { kind: "busy" };
    const claim = fromMessage(message, now);
    // Of an answer that stands already, whoever has it sees to it that the node knows.
    if (!hold(claim) && !message.settled) return { kind: "busy" };
    pending?.supersede(claim, from);
    this.#remember(claim, now + Math.min(message.rememberMs, this.#rememberMs), from);
    return { kind: "stored" };
  }

  /** To send. */
  toMessage(claim: SeatClaim<A>, now: number): ClaimMessage<A> {
    const { until, ...rest } = claim;
    const entry = this.#entries.get(claim.key);
    // One that is over and not swept yet is of an earlier use of the key.
    const isSettled = entry !== undefined && entry.forgetAt > now;
    const answerBy = this.#pending.get(claim.key)?.answerBy ?? now;
    return {
      ...rest,
      ttlMs: Math.max(0, until - now),
      rememberMs: isSettled ? entry.forgetAt - now : this.#rememberMs,
      settled: isSettled,
      answerInMs: Math.max(0, answerBy - now),
    };
  }

  /**
   * Answers that nobody else knows any more, and who should: at most `limit`. They count as copied; say `copyFailed` when there
   * was no reply. (One of `exists` is final: the key got another answer meanwhile.)
   */
  toCopy(limit: number, now: number): { readonly peer: string; readonly claim: ClaimMessage<A> }[] {
    const copies: { peer: string; claim: ClaimMessage<A> }[] = [];
    if (this.#live.size === 0) return copies;
    for (const key of this.#uncopied) {
      if (copies.length >= limit) break;
      this.#uncopied.delete(key);
      const entry = this.#entries.get(key);
      const peer = highestRanked(key, this.#live, this.#slow) ?? highestRanked(key, this.#live);
      if (entry === undefined || entry.forgetAt <= now || entry.partner !== undefined || peer === undefined) continue;
      entry.partner = peer;
      copies.push({ peer, claim: this.toMessage(entry.claim, now) });
    }
    return copies;
  }

  /** It is copied again later. */
  copyFailed(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.partner = undefined;
    this.#uncopied.add(key);
  }

  /** Forgets what is over. A few times a second. */
  sweep(now: number): void {
    for (const [key, { forgetAt }] of this.#entries) {
      if (forgetAt > now) break;
      this.#forget(key);
    }
  }

  #remember(claim: SeatClaim<A>, forgetAt: number, partner: string | undefined): void {
    this.#forget(claim.key);
    this.#entries.set(claim.key, { claim, forgetAt, partner });
    for (const { clientId } of claim.seats) this.#ofClient.set(clientId, this.countOf(clientId) + 1);
    if (partner === undefined) this.#uncopied.add(claim.key);
    if (this.#entries.size <= this.#maxClaims) return;
    // Several at once: to find the first entry of a map takes as long as many were deleted before it.
    let left = Math.ceil(this.#maxClaims / 16);
    for (const oldest of this.#entries.keys()) {
      this.#forget(oldest);
      this.dropped++;
      if (--left === 0) return;
    }
  }

  #forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    for (const { clientId } of entry.claim.seats) {
      const count = this.countOf(clientId) - 1;
      if (count > 0) this.#ofClient.set(clientId, count);
      else this.#ofClient.delete(clientId);
    }
    this.#entries.delete(key);
    this.#uncopied.delete(key);
  }
}

function isSameSeat<A>(claim: SeatClaim<A>, message: ClaimMessage<A>): boolean {
  return claim.seats.length === message.seats.length && claim.seats[0]?.seat === message.seats[0]?.seat;
}
