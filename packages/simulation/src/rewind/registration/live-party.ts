/** Answers for the game while one of its shots is judged. */
import type { AnyWorldTable } from "../../game/world.ts";
import type { Fields, Row, RowIdentity } from "../../state/index.ts";
import type { HitRecord } from "./hit-validation.ts";
import type { RegistrationRules, RegistrationWorld } from "./registration-rules.ts";
import type { HitRequest } from "./hit-request.ts";
import type { ClaimedTarget, ShotParty } from "./shot.ts";
import type { ValidationBudget } from "./validation-budget.ts";

export class LiveParty implements ShotParty {
  /** By target. */
  readonly rules: RegistrationRules[] = [];
  /** Of the shooters' state. */
  rulesOfShooter: RegistrationRules = {};
  /** Whether a budget was taken to explain the claim of the shot. */
  explainsClaim = false;
  readonly #targets: readonly AnyWorldTable[];
  readonly #shooters: AnyWorldTable;
  readonly #budget: ValidationBudget;
  #shooter: RowIdentity | undefined;
  #request: HitRequest<string, string> | undefined;
  #world: RegistrationWorld | undefined;
  #claim = -1;
  #claimTarget = 0;

  constructor(targets: readonly AnyWorldTable[], shooters: AnyWorldTable, budget: ValidationBudget) {
    this.#targets = targets;
    this.#shooters = shooters;
    this.#budget = budget;
  }

  /** Whose shot is judged next. */
  begin(
    shooter: RowIdentity,
    request: HitRequest<string, string>,
    claimTarget: number,
    world: RegistrationWorld,
  ): void {
    this.#shooter = shooter;
    this.#request = request;
    this.#world = world;
    this.#claim = request.claim ?? -1;
    this.#claimTarget = claimTarget;
    this.explainsClaim = false;
  }

  takeBudget(): boolean {
    const world = this.#world;
    return world?.isServer !== true || this.#budget.take(this.#shooter?.owner ?? -1, world.tick);
  }

  takeClaimBudget(): boolean {
    this.explainsClaim = this.#world?.isServer === true && this.takeBudget();
    return this.explainsClaim;
  }

  drawSeed(): number {
    const shooter = this.#shooter;
    const world = this.#world;
    const seed = this.#request?.seed;
    if (seed !== undefined || shooter === undefined || world === undefined) return (seed ?? 0) >>> 0;
    return world.randomOf(shooter, this.#request?.tick ?? world.tick).bits();
  }

  accepts(entity: Row<Fields>, target: number): boolean {
    return this.rules[target].accept?.(entity) ?? true;
  }

  isOwn(entity: RowIdentity): boolean {
    const owner = this.#shooter?.owner ?? -1;
    return owner >= 0 && entity.owner === owner;
  }

  isFriend(entity: Row<Fields>, target: number): boolean {
    const { teamOf } = this.rules[target];
    const { teamOf: teamOfShooter } = this.rulesOfShooter;
    if (teamOf === undefined || teamOfShooter === undefined || this.#shooter === undefined || this.isOwn(entity))
      return false;
    const team = teamOf(entity);
    return team !== undefined && team === teamOfShooter(this.#shooters.rowAt(this.#shooter.index));
  }

  protection(hit: HitRecord, newsMs: number): string | undefined {
    if (this.#world?.isServer !== true || this.#shooter === undefined) return undefined;
    const { victims } = this.rules[hit.target];
    return victims?.protects(hit.entity.index, hit, this.#shooter, newsMs, this.#request?.weapon ?? "");
  }

  claimedTarget(out: ClaimedTarget): void {
    const target = this.#claimTarget;
    const table = this.#targets[target];
    out.isShooter = Object.is(table, this.#shooters) && this.#claim === this.#shooter?.id;
    const place = table.indexOf(this.#claim);
    out.isGone = place < 0;
    const entity = table.rowAt(Math.max(0, place));
    out.isOwn = place >= 0 && this.isOwn(entity);
    out.isFriend = place >= 0 && this.isFriend(entity, target);
  }

  isClaimedEntity(entity: Row<Fields>): boolean {
    return entity.id === this.#claim;
  }

  isClaimedHit(hit: HitRecord): boolean {
    return hit.target === this.#claimTarget && hit.id === this.#claim;
  }
}
