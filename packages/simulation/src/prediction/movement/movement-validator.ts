/**
 * Judges the claims of one player in a game whose clients say where they are. Each claim carries the client's tick, so
 * speed is way by the client's own time, whatever the network did to the claim; and that time must not run faster than
 * the server's. What was granted (dashes, knockbacks) is added, who is put somewhere must go on from there.
 *
 * A fault puts the player back and adds to a suspicion that fades. What is done to a suspect is the game's affair: an
 * outcome is data.
 */
import type { StaticGeometry } from "../../game/statics/static-geometry.ts";
import { halved } from "../../math/half-life.ts";
import { hypot } from "../../math/index.ts";
import { ClaimFlight } from "./claim-flight.ts";
import { ABSURD_MS, ClaimPace } from "./claim-pace.ts";
import type { PaceOptions } from "./claim-pace.ts";
import type { ClaimFault, MovementClaim, MovementCounters, MovementVerdict } from "./movement-claim.ts";
import { movementRules } from "./movement-options.ts";
import type { MovementOptions } from "./movement-options.ts";
import { movementFinding, validateMovement } from "./validate-movement.ts";
import type { MovementFinding } from "./validate-movement.ts";

export interface MovementValidatorOptions extends PaceOptions {
  /** Of server and clients. Default 60. */
  readonly tickRate?: number;
  /** Rounding of places, in world units. Default 0.02. */
  readonly tolerance?: number;
  /** What speed may be exceeded by, as a share. Default 0.005. */
  readonly speedTolerance?: number;
  /** A pause between two claims counts for no more way than this. Default 1000 ms. */
  readonly maxGapMs?: number;
  /** How long after a knockback or a dash should be over it may still show in claims. Default 4000 ms. */
  readonly grantGraceMs?: number;
  /** Until a client must have carried out a placement. Default 3000 ms. */
  readonly obeyMs?: number;
  /** Suspicion from which a fault is a "flag". Default 1. */
  readonly flagAt?: number;
  /** Suspicion from which a fault is a "disconnect". Default 5. */
  readonly disconnectAt?: number;
  /** In this time half of a suspicion is forgotten. Default 30 s. */
  readonly suspicionHalfLifeSec?: number;
}

/** What each fault adds to the suspicion. A single one of the lower ones flags nobody, but far too fast a clock is two at once. */
const WEIGHTS: Readonly<Record<Exclude<ClaimFault, "none">, number>> = {
  speed: 0.6,
  teleport: 1,
  clipping: 1,
  flying: 0.6,
  pace: 0.6,
  withheld: 0.6,
  disobeyed: 0.6,
  malformed: 0.6,
};
/** A heap of withheld claims is one fault. */
const WITHHELD_AGAIN_MS = 500;

export class MovementValidator {
  readonly counters: MovementCounters = {
    accepted: 0,
    ignored: 0,
    speed: 0,
    teleport: 0,
    clipping: 0,
    flying: 0,
    pace: 0,
    withheld: 0,
    disobeyed: 0,
    malformed: 0,
  };
  readonly rules: Required<MovementOptions>;
  readonly #statics: StaticGeometry;
  readonly #options: Required<Omit<MovementValidatorOptions, keyof PaceOptions>>;
  readonly #dt: number;
  readonly #pace: ClaimPace;
  readonly #flight: ClaimFlight;
  readonly #verdict: MovementVerdict;
  readonly #finding: MovementFinding = movementFinding();
  readonly #at = { x: 0, y: 0, z: 0 };
  readonly #allowance = { distance: 0, highest: Infinity, swing: 0, tolerance: 0 };
  /** Newest tick heard of, -1 before the first. */
  #tick = -1;
  #placement = 0;
  #placedAt = 0;
  /** Since when claims of an old placement are a fault. */
  #obeyBy = 0;
  /** When a claim came that was no older than the others. */
  #heardAt = 0;
  #lateAgainAt = 0;
  /** Way left over, for rounding. */
  #carry = 0;
  /** Where it claimed to be last, whatever was made of that. */
  readonly #claimed = { x: 0, y: 0, placement: 0 };
  #granted = 0;
  #grantUntil = -1;
  /** The newest claimed dash, and what is left of its way. */
  #dashTick = -Infinity;
  #dashWay = 0;
  #suspicion = 0;
  #suspicionAt = 0;

  /** Throws `RangeError` for rules that `movementRules` rejects and options that are not above 0. */
  constructor(rules: MovementOptions, statics: StaticGeometry, options: MovementValidatorOptions = {}) {
    this.rules = movementRules(rules);
    this.#statics = statics;
    const { tickRate = 60, tolerance = 0.02, speedTolerance = 0.005, maxGapMs = 1000, obeyMs = 3000 } = options;
    const { grantGraceMs = 4000, flagAt = 1, disconnectAt = 5, suspicionHalfLifeSec = 30 } = options;
    this.#options = {
      tickRate,
      tolerance,
      speedTolerance,
      maxGapMs,
      obeyMs,
      grantGraceMs,
      flagAt,
      disconnectAt,
      suspicionHalfLifeSec,
    };
    for (const [name, value] of Object.entries(this.#options))
      if (!(value > 0 && value < Infinity)) throw new RangeError(`${name} must be above 0, got ${value}`);
    this.#dt = 1 / tickRate;
    this.#pace = new ClaimPace(1000 / tickRate, options);
    this.#flight = new ClaimFlight(this.rules, statics, tolerance);
    this.#allowance.tolerance = tolerance;
    this.#verdict = {
      outcome: "accept",
      fault: "none",
      x: 0,
      y: 0,
      z: 0,
      moved: false,
      placement: 0,
      excess: 0,
      suspicion: 0,
    };
  }

  /** The placement that claims must carry. */
  get placement(): number {
    return this.#placement;
  }

  /**
   * The server puts the player somewhere: at the start, a teleport, a respawn. Returns the placement's number: tell the
   * client, whose claims are ignored until they carry it. It goes from 1 to 65,535 and around.
   */
  place(serverTick: number, x: number, y: number, z = 0): number {
    this.#at.x = x;
    this.#at.y = y;
    this.#at.z = z;
    this.#placement = (this.#placement % 0xffff) + 1;
    this.#placedAt = serverTick;
    this.#obeyBy = serverTick + this.#ticks(this.#options.obeyMs);
    if (this.rules.height > 0) this.#flight.place(x, y, z);
    return this.#placement;
  }

  /** Allows a longer way, once, until `ticks` and `grantGraceMs` have passed. */
  grant(serverTick: number, distance: number, ticks: number): void {
    this.#endGrant(serverTick);
    this.#granted += distance * (1 + this.#options.speedTolerance);
    this.#grantUntil = Math.max(this.#grantUntil, serverTick + ticks + this.#ticks(this.#options.grantGraceMs));
  }

  /** `grant` for one dash. For games that decide about dashes themselves and whose claims carry no `dashTick`. */
  grantDash(serverTick: number): void {
    this.grant(serverTick, this.#wayOfDash(), this.rules.dashTicks);
  }

  /** `grant` for one knockback that changes the velocity by this much, see `MovementPredictor.knock`. */
  grantKnock(serverTick: number, speed: number, speedUp = 0): void {
    const { knockbackSec } = this.rules;
    // The sum of a velocity that halves in knockbackSec, and some more since it does so in steps.
    const way = (1.05 * speed * knockbackSec) / Math.LN2;
    this.grant(serverTick, way, this.#ticks(10_000 * knockbackSec));
    if (speedUp > 0) this.#flight.boost(speedUp, serverTick * this.#dt);
  }

  /** How suspicious the player is at this tick. */
  suspicionAt(serverTick: number): number {
    const passedSec = Math.max(0, serverTick - this.#suspicionAt) * this.#dt;
    return this.#suspicion * halved(passedSec / this.#options.suspicionHalfLifeSec);
  }

  /** Judges a claim that came in at `serverTick`. The verdict is reused by the next one. */
  validate(claim: MovementClaim, serverTick: number): MovementVerdict {
    const verdict = this.#verdict;
    verdict.outcome = "accept";
    verdict.fault = "none";
    verdict.excess = 0;
    verdict.moved = false;
    if (!isWellFormed(claim)) return this.#fault("malformed", 0, serverTick);
    if (this.#tick >= this.#dashTick + this.rules.dashTicks) {
      this.#save(this.#dashWay);
      this.#dashWay = 0;
    }
    const aheadMs = this.#pace.note(claim.tick, serverTick);
    if (this.#pace.isLate && serverTick >= this.#lateAgainAt) {
      this.#lateAgainAt = serverTick + this.#ticks(WITHHELD_AGAIN_MS);
      this.#fault("withheld", 0, serverTick);
      if (verdict.outcome !== "accept") return verdict;
    }
    if (claim.tick <= this.#tick) return this.#overtaken(claim, serverTick);
    this.#heardAt = serverTick;
    const elapsedTicks = this.#elapsed(claim.tick, serverTick);
    if (aheadMs <= ABSURD_MS) this.#tick = claim.tick;
    if (aheadMs > 0) {
      this.#note(claim);
      // Ahead by a tick more is the second fault: the claim that would have shown the first one was late or lost.
      return this.#putBack("pace", aheadMs, serverTick, aheadMs > this.#dt * 1000 ? 2 : 1);
    }
    this.#grantClaimedDash(claim);
    this.#endGrant(serverTick);
    if (claim.placement !== this.#placement) {
      const overMetres = this.#followElsewhere(claim, elapsedTicks * this.#dt);
      if (overMetres > 0) return this.#fault("speed", overMetres, serverTick);
      if (serverTick < this.#obeyBy) return this.#ignore(serverTick);
      this.#obeyBy = serverTick + this.#ticks(this.#options.obeyMs) / 2;
      return this.#fault("disobeyed", (serverTick - this.#placedAt) * this.#dt * 1000, serverTick);
    }
    return this.#judge(claim, elapsedTicks, serverTick);
  }

  #judge(claim: MovementClaim, elapsedTicks: number, serverTick: number): MovementVerdict {
    const { maxSpeed, height } = this.rules;
    const at = this.#at;
    const finding = this.#finding;
    const allowance = this.#allowance;
    const elapsedSec = elapsedTicks * this.#dt;
    const walked = this.#carry + elapsedSec * maxSpeed * (1 + this.#options.speedTolerance);
    const far = hypot(claim.x - at.x, claim.y - at.y);
    allowance.distance = walked + this.#dashWay + this.#granted;
    if (height > 0) {
      const { x, y, z = 0 } = claim;
      this.#flight.fadeBoost(serverTick * this.#dt);
      allowance.highest = this.#flight.highest(x, y, z, Math.min(far, allowance.distance), elapsedSec);
      allowance.swing = this.#flight.swing(elapsedSec);
    }
    this.#note(claim);
    validateMovement(at, claim, allowance, this.rules, this.#statics, finding);
    at.x = finding.x;
    at.y = finding.y;
    at.z = finding.z;
    // What was left over is in the place where it may be instead.
    if (far > allowance.distance) this.#carry = 0;
    if (finding.fault !== "none") return this.#putBack(finding.fault, finding.excess, serverTick);
    if (height > 0) this.#flight.accept(at.x, at.y, at.z, elapsedSec);
    const dashed = Math.max(0, Math.min(this.#dashWay, far - walked));
    this.#dashWay -= dashed;
    this.#granted -= Math.max(0, Math.min(this.#granted, far - walked - dashed));
    this.#carry = 0;
    this.#save(walked - far);
    this.counters.accepted++;
    return this.#finish(serverTick);
  }

  /** A client that does not yet know that it was put elsewhere is no faster for that. Returns how much too far it went. */
  #followElsewhere(claim: MovementClaim, elapsedSec: number): number {
    const claimed = this.#claimed;
    const isElsewhere = claim.placement !== claimed.placement;
    const far = hypot(claim.x - claimed.x, claim.y - claimed.y);
    const walked = this.#carry + elapsedSec * this.rules.maxSpeed * (1 + this.#options.speedTolerance);
    this.#carry = 0;
    this.#save(walked - far);
    this.#note(claim);
    return isElsewhere ? 0 : far - walked - this.#dashWay - this.#granted;
  }

  #note({ x, y, placement }: MovementClaim): void {
    this.#claimed.x = x;
    this.#claimed.y = y;
    this.#claimed.placement = placement;
  }

  /** Ticks since the claim before; the most that a pause counts for after the first placement. */
  #elapsed(tick: number, serverTick: number): number {
    const most = this.#ticks(this.#options.maxGapMs);
    return Math.min(most, this.#tick < 0 ? Math.max(1, serverTick - this.#placedAt) : tick - this.#tick);
  }

  #grantClaimedDash({ dashTick }: MovementClaim): void {
    const { dashSpeed, dashCooldownTicks } = this.rules;
    if (dashTick === undefined || dashSpeed === 0 || dashTick < 0 || dashTick > this.#tick) return;
    if (dashTick - this.#dashTick < dashCooldownTicks) return;
    this.#dashTick = dashTick;
    this.#dashWay = this.#wayOfDash() * (1 + this.#options.speedTolerance);
  }

  /** What a dash adds to walking. */
  #wayOfDash(): number {
    const { dashSpeed, dashTicks, maxSpeed } = this.rules;
    return Math.max(0, dashSpeed - maxSpeed) * dashTicks * this.#dt;
  }

  #putBack(fault: Exclude<ClaimFault, "none">, excess: number, serverTick: number, times = 1): MovementVerdict {
    this.place(serverTick, this.#at.x, this.#at.y, this.#at.z);
    this.#verdict.moved = true;
    return this.#fault(fault, excess, serverTick, times);
  }

  #fault(fault: Exclude<ClaimFault, "none">, excess: number, serverTick: number, times = 1): MovementVerdict {
    const verdict = this.#verdict;
    this.#suspicion = this.suspicionAt(serverTick) + WEIGHTS[fault] * times;
    this.#suspicionAt = serverTick;
    this.counters[fault]++;
    verdict.fault = fault;
    verdict.excess = excess;
    if (this.#suspicion >= this.#options.disconnectAt) verdict.outcome = "disconnect";
    else if (this.#suspicion >= this.#options.flagAt) verdict.outcome = "flag";
    else if (verdict.moved) verdict.outcome = "correct";
    else verdict.outcome = fault === "withheld" ? "accept" : "ignore";
    return this.#finish(serverTick);
  }

  /** An old claim; or, when no other has come for long, one of a client that was started anew and counts from the beginning. */
  #overtaken({ tick }: MovementClaim, serverTick: number): MovementVerdict {
    if (serverTick - this.#heardAt > this.#ticks(this.#options.obeyMs)) {
      this.#heardAt = serverTick;
      this.#tick = tick;
      this.#dashTick = -Infinity;
      this.#pace.restart();
      this.place(serverTick, this.#at.x, this.#at.y, this.#at.z);
      this.#verdict.moved = true;
    }
    return this.#ignore(serverTick);
  }

  #ignore(serverTick: number): MovementVerdict {
    this.counters.ignored++;
    this.#verdict.outcome = "ignore";
    return this.#finish(serverTick);
  }

  #finish(serverTick: number): MovementVerdict {
    const verdict = this.#verdict;
    verdict.x = this.#at.x;
    verdict.y = this.#at.y;
    verdict.z = this.#at.z;
    verdict.placement = this.#placement;
    verdict.suspicion = this.suspicionAt(serverTick);
    return verdict;
  }

  #endGrant(serverTick: number): void {
    if (serverTick <= this.#grantUntil) return;
    this.#save(this.#granted);
    this.#granted = 0;
  }

  /** Way that was possible and not gone is left over for rounding, as much as that takes. */
  #save(way: number): void {
    const most = 2 * this.#options.tolerance + this.rules.maxSpeed * this.#dt;
    this.#carry = Math.min(most, this.#carry + Math.max(0, way));
  }

  #ticks(ms: number): number {
    return Math.ceil(ms / (this.#dt * 1000));
  }
}

function isWellFormed({ tick, x, y, z = 0, dashTick = 0 }: MovementClaim): boolean {
  return Number.isSafeInteger(tick) && tick >= 0 && Number.isFinite(x + y + z) && !Number.isNaN(dashTick);
}
