/**
 * What judging shots comes to, in one match: verdicts by outcome and reason, how far back they look, what they cost, and whose
 * they are. Suspicion is a hint for people: it decides nothing.
 */
import { HIT_REASONS } from "./hit-validation.ts";
import type { HitReason, HitValidation } from "./hit-validation.ts";

/** Upper ends of the buckets of `rewindCounts`, in ms; the last bucket has what is beyond. A shot at the present is in the first. */
export const REWIND_BUCKETS_MS: readonly number[] = [0, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500];

/** One in so many verdicts is timed. */
const SAMPLED_VERDICTS = 16;
/** Suspicion is the part of about so many verdicts, of the newest most. */
const SUSPICION_VERDICTS = 64;

interface Counts {
  verdicts: number;
  hits: number;
  /** Of these, by the state of the first whom the shot hit. */
  readonly hitsByTable: Record<string, number>;
  misses: number;
  rejected: number;
  /** How often each reason was given; a verdict may have several. `tooLate` counts inputs that came too late for `late`, too. */
  readonly reasons: Record<HitReason, number>;
  /** Claims that agree with the verdict, and that do not. */
  claimsAgreed: number;
  claimsDiffered: number;
  /** Shots with a view stamp that was cut. */
  cutViews: number;
}

/** Of one player, since it took the seat. */
export interface PlayerHitStats extends Readonly<Omit<Counts, "reasons" | "hitsByTable">> {
  readonly hitsByTable: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<HitReason, number>>;
  /**
   * The part of its last 64 verdicts or so, 0..1, that no honest client asks for often: cut view stamps, turns beyond `maxTurn`,
   * more shots than the budget, claims that are not so (unless the target had gone or was protected).
   */
  readonly suspicion: number;
}

export interface LagCompensationReport extends Readonly<Omit<Counts, "reasons" | "hitsByTable">> {
  readonly hitsByTable: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<HitReason, number>>;
  /** Verdicts on inputs that came late. */
  readonly lateVerdicts: number;
  /** Shots that were fired, by how long ago their targets were seen; see `REWIND_BUCKETS_MS`. */
  readonly rewindCounts: readonly number[];
  /** Rays, sweeps and blows against the past, and entities that were looked at closely for them. */
  readonly rays: number;
  readonly examined: number;
  /** Time spent on verdicts: every 16th is measured, and counts for 16. 0 without a clock. */
  readonly seconds: number;
}

interface Judged extends Pick<HitValidation, "outcome" | "reasons" | "claim" | "isViewCut" | "rewindMs"> {
  readonly hit?: { readonly table: string } | undefined;
}

interface Player extends Counts {
  suspicion: number;
}

export class LagCompensationStats {
  readonly #counts = createCounts();
  readonly #rewindCounts: number[] = Array.from({ length: REWIND_BUCKETS_MS.length + 1 }, () => 0);
  readonly #players = new Map<number, Player>();
  readonly #now: (() => number) | undefined;
  #lateVerdicts = 0;
  #rays = 0;
  #examined = 0;
  #seconds = 0;
  #startedAt = 0;

  /** `now`: milliseconds of a monotonic clock, for the measurement only. */
  constructor(now?: () => number) {
    this.#now = now;
  }

  /** A verdict begins. */
  begin(): void {
    if (this.#isSampled()) this.#startedAt = this.#now?.() ?? 0;
  }

  /** It is there; `owner`: the shooter's seat, -1: nobody's. `rays` and `examined`: what it took. */
  note(verdict: Judged, owner: number, isLate: boolean, rays: number, examined: number): void {
    if (this.#isSampled()) this.#seconds += (((this.#now?.() ?? 0) - this.#startedAt) / 1000) * SAMPLED_VERDICTS;
    this.#rays += rays;
    this.#examined += examined;
    if (isLate) this.#lateVerdicts++;
    if (verdict.outcome !== "rejected") this.#rewindCounts[bucketOf(verdict.rewindMs)]++;
    count(this.#counts, verdict);
    if (owner < 0) return;
    const player = this.#playerOf(owner);
    count(player, verdict);
    player.suspicion += (Number(isSuspicious(verdict)) - player.suspicion) / SUSPICION_VERDICTS;
  }

  /** So many inputs of a seat came too late to be judged. */
  noteTooLate(seat: number, inputs: number): void {
    this.#counts.reasons.tooLate += inputs;
    this.#playerOf(seat).reasons.tooLate += inputs;
  }

  /** The seat has another player. */
  forget(seat: number): void {
    this.#players.delete(seat);
  }

  /** A copy. */
  report(): LagCompensationReport {
    return {
      ...copyCounts(this.#counts),
      lateVerdicts: this.#lateVerdicts,
      rewindCounts: [...this.#rewindCounts],
      rays: this.#rays,
      examined: this.#examined,
      seconds: this.#seconds,
    };
  }

  /** A copy of what is known of a seat's player. */
  playerReport(seat: number): PlayerHitStats {
    const player = this.#players.get(seat);
    return { ...copyCounts(player ?? createCounts()), suspicion: player?.suspicion ?? 0 };
  }

  #isSampled(): boolean {
    return this.#now !== undefined && this.#counts.verdicts % SAMPLED_VERDICTS === 0;
  }

  #playerOf(seat: number): Player {
    let player = this.#players.get(seat);
    if (player === undefined) this.#players.set(seat, (player = { ...createCounts(), suspicion: 0 }));
    return player;
  }
}

function createCounts(): Counts {
  const reasons = Object.fromEntries(HIT_REASONS.map((reason) => [reason, 0])) as Record<HitReason, number>;
  const claims = { claimsAgreed: 0, claimsDiffered: 0 };
  return { verdicts: 0, hits: 0, hitsByTable: {}, misses: 0, rejected: 0, reasons, ...claims, cutViews: 0 };
}

function copyCounts(counts: Counts): Counts {
  return { ...counts, reasons: { ...counts.reasons }, hitsByTable: { ...counts.hitsByTable } };
}

function count(counts: Counts, { outcome, reasons, claim, isViewCut, hit }: Judged): void {
  counts.verdicts++;
  if (outcome === "hit") counts.hits++;
  else if (outcome === "miss") counts.misses++;
  else counts.rejected++;
  if (hit !== undefined) counts.hitsByTable[hit.table] = (counts.hitsByTable[hit.table] ?? 0) + 1;
  for (let i = 0; i < reasons.length; i++) counts.reasons[reasons[i]]++;
  if (claim === "agrees") counts.claimsAgreed++;
  else if (claim === "differs") counts.claimsDiffered++;
  if (isViewCut) counts.cutViews++;
}

function isSuspicious({ isViewCut, claim, reasons }: Judged): boolean {
  if (isViewCut || reasons.includes("angle") || reasons.includes("budget")) return true;
  return claim === "differs" && !reasons.includes("gone") && !reasons.includes("protected");
}

function bucketOf(ms: number): number {
  let bucket = 0;
  while (bucket < REWIND_BUCKETS_MS.length && ms > REWIND_BUCKETS_MS[bucket]) bucket++;
  return bucket;
}
