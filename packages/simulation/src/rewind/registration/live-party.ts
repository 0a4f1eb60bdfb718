/** Answers for the game while one of its shots is judged. */
import type { WorldTable } from "../../game/world-table.ts";
import type { Fields, Row, RowIdentity } from "../../state/index.ts";
import type { HitRecord } from "./hit-validation.ts";
import type { RegistrationRules, RegistrationWorld } from "./hit-registration.ts";
import type { HitRequest } from "./hit-request.ts";
import type { ClaimedTarget, ShotParty } from "./shot.ts";
import type { ValidationBudget } from "./validation-budget.ts";

export class LiveParty<F extends Fields> implements ShotParty<F> {
  rules: RegistrationRules<F>;
  /** Whether a budget was taken to explain the claim of the shot. */
  explainsClaim = false;
  readonly #targets: WorldTable<F>;
  readonly #isSameTable: boolean;
  readonly #budget: ValidationBudget;
  #shooter: RowIdentity | undefined;
  #request: HitRequest | undefined;
  #world: RegistrationWorld | undefined;
  #claim = -1;

  constructor(targets: WorldTable<F>, isSameTable: boolean, budget: ValidationBudget, rules: RegistrationRules<F>) {
    this.#targets = targets;
    this.#isSameTable = isSameTable;
    this.#budget = budget;
    this.rules = rules;
  }

  /** Whose shot is judged next. */
  begin(shooter: RowIdentity, request: HitRequest, world: RegistrationWorld): void {
    this.#shooter = shooter;
    this.#request = request;
    this.#world = world;
    this.#claim = request.claim ?? -1;
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

  accepts(entity: Row<F>): boolean {
    return this.rules.accept?.(entity) ?? true;
  }

  isOwn(entity: RowIdentity): boolean {
    const owner = this.#shooter?.owner ?? -1;
    return owner >= 0 && entity.owner === owner;
  }

  isFriend(entity: Row<F>): boolean {
    const { teamOf } = this.rules;
    if (teamOf === undefined || !this.#isSameTable || this.#shooter === undefined || this.isOwn(entity)) return false;
    const team = teamOf(entity);
    return team !== undefined && team === teamOf(this.#targets.rowAt(this.#shooter.index));
  }

  protection(hit: HitRecord<F>, newsMs: number): string | undefined {
    if (this.#world?.isServer !== true || this.#shooter === undefined) return undefined;
    return this.rules.victims?.protects(hit.entity.index, hit, this.#shooter, newsMs, this.#request?.weapon ?? "");
  }

  claimedTarget(out: ClaimedTarget): void {
    out.isShooter = this.#isSameTable && this.#claim === this.#shooter?.id;
    const place = this.#targets.indexOf(this.#claim);
    out.isGone = place < 0;
    const entity = this.#targets.rowAt(Math.max(0, place));
    out.isOwn = place >= 0 && this.isOwn(entity);
    out.isFriend = place >= 0 && this.isFriend(entity);
  }

  isClaimedEntity(entity: Row<F>): boolean {
    return entity.id === this.#claim;
  }

  isClaimedHit(hit: HitRecord<F>): boolean {
    return hit.id === this.#claim;
  }
}
