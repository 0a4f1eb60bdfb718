/**
 * Uses abilities by their rules, on the server and in prediction alike: call `step` for each entity in every tick, then
 * `activate` for what its player asks for. All state is in the entity's fields; what is kept here are reused results.
 *
 * A request is known by the tick of its input and the ability: there is no key that a client could choose.
 */
import type { RowIdentity } from "../../state/index.ts";
import { clearRow, countColumn, resourceColumn } from "./ability-columns.ts";
import type { AbilityTable } from "./ability-columns.ts";
import { AbilityEffects } from "./ability-effects.ts";
import { AbilityEmitter } from "./ability-events.ts";
import type { AbilityEventSink } from "./ability-events.ts";
import { fieldNames, later } from "./ability-fields.ts";
import type { AbilityDefinition, AbilityKit } from "./ability-kit.ts";
import { AbilityLog } from "./ability-log.ts";
import type { CancelCause } from "./ability-options.ts";
import { StepRecord } from "./ability-step.ts";
import type { AbilityStep } from "./ability-step.ts";
import { ABILITY_REASONS, predictionResult } from "./prediction-result.ts";
import type { AbilityReason, PredictionResult } from "./prediction-result.ts";

/** What is needed of a world; a game's `World` is one. */
export interface AbilityWorld {
  /** The tick that is being simulated. */
  readonly tick: number;
  /** Whether this side decides. */
  readonly isServer: boolean;
}

export class AbilityPredictor<A extends string = string, E extends string = string, R extends string = string> {
  readonly kit: AbilityKit<A, E, R>;
  readonly #places: ReadonlyMap<string, number>;
  readonly #resources: readonly Float64Array[];
  readonly #readyAt: readonly (Int32Array | undefined)[];
  readonly #spent: readonly (Int32Array | undefined)[];
  readonly #rechargeAt: readonly (Int32Array | undefined)[];
  readonly #globalReadyAt: Int32Array | undefined;
  readonly #casting: Int32Array | undefined;
  readonly #castEndsAt: Int32Array | undefined;
  readonly #effects: AbilityEffects<E>;
  readonly #log: AbilityLog;
  readonly #emitter = new AbilityEmitter();
  readonly #result: PredictionResult<A>;
  readonly #step: StepRecord<A, E>;

  /** For the rows of one table. Throws `TypeError` when its state lacks fields of the kit. */
  constructor(kit: AbilityKit<A, E, R>, table: AbilityTable) {
    this.kit = kit;
    this.#result = predictionResult(kit);
    const { abilities } = kit;
    const count = (name: string): Int32Array => countColumn(table, name);
    this.#places = new Map(abilities.map(({ name }, place) => [name, place]));
    const hasCasts = abilities.some(({ castTicks }) => castTicks > 0);
    this.#resources = kit.resources.map(({ name }) => resourceColumn(table, name));
    this.#readyAt = abilities.map((a) => (a.cooldownTicks > 0 ? count(fieldNames.readyAt(a.name)) : undefined));
    this.#spent = abilities.map((a) => (a.charges > 0 ? count(fieldNames.spent(a.name)) : undefined));
    this.#rechargeAt = abilities.map((a) => (a.charges > 0 ? count(fieldNames.rechargeAt(a.name)) : undefined));
    this.#globalReadyAt = kit.globalCooldownTicks > 0 ? count(fieldNames.globalReadyAt) : undefined;
    this.#casting = hasCasts ? count(fieldNames.casting) : undefined;
    this.#castEndsAt = hasCasts ? count(fieldNames.castEndsAt) : undefined;
    this.#effects = new AbilityEffects(kit.effects, table, this.#emitter);
    this.#log = new AbilityLog(
      Array.from({ length: kit.logLength }, (_, slot) => count(fieldNames.log(slot))),
      abilities.length,
    );
    this.#step = new StepRecord(this.#effects.places);
  }

  /** The predictor of a table, the same one every time. */
  static of<A extends string, E extends string, R extends string>(
    kit: AbilityKit<A, E, R>,
    table: AbilityTable,
  ): AbilityPredictor<A, E, R> {
    let byTable = predictors.get(kit);
    if (byTable === undefined) predictors.set(kit, (byTable = new WeakMap()));
    let predictor = byTable.get(table) as AbilityPredictor<A, E, R> | undefined;
    if (predictor === undefined) byTable.set(table, (predictor = new AbilityPredictor(kit, table)));
    return predictor;
  }

  /** Hears of events on this side. */
  get events(): AbilityEventSink | undefined {
    return this.#emitter.sink;
  }

  set events(sink: AbilityEventSink | undefined) {
    this.#emitter.sink = sink;
  }

  /** A fresh start: full charges, no cooldowns, casts or effects, resources as declared. The log stays. No events. */
  reset(row: RowIdentity): void {
    const { index } = row;
    const { resources } = this.kit;
    for (let i = 0; i < resources.length; i++) this.#resources[i][index] = resources[i].initial;
    clearRow(this.#readyAt, index);
    clearRow(this.#spent, index);
    clearRow(this.#rechargeAt, index);
    this.#effects.reset(index);
    if (this.#globalReadyAt !== undefined) this.#globalReadyAt[index] = 0;
    this.#endCast(index);
  }

  /** One tick of an entity: resources and charges come back, effects tick and end, a cast may be through. Before `activate`. */
  step(row: RowIdentity, world: AbilityWorld): AbilityStep<A, E> {
    const { index } = row;
    const { tick } = world;
    this.#step.clear();
    this.#recover(index, tick);
    this.#log.forget(index, tick);
    this.#effects.step(row, tick, this.#step);
    const casting = this.#casting?.[index] ?? 0;
    if (casting > 0 && tick >= this.#castEndsAt![index]) {
      this.#endCast(index);
      this.#step.completed = this.kit.abilities[casting - 1].name;
      this.#takeEffect(row, casting - 1, tick);
    }
    return this.#step;
  }

  /**
   * The player of `row` asks for an ability with the input of this tick. `allowed`: the game's own rule; what only
   * the server can know is true on a client. The result is reused: it is valid until the next call.
   */
  activate(row: RowIdentity, ability: A, world: AbilityWorld, allowed = true): PredictionResult<A> {
    const place = this.#abilityPlace(ability);
    const { tick, isServer } = world;
    let reason = this.#reasonAgainst(row.index, place, tick);
    if (reason === NONE && !allowed) reason = REFUSED;
    this.#log.note(row.index, place, tick, reason);
    if (reason === NONE) this.#start(row, place, tick);
    const result = this.#result;
    result.key = abilityKey(this.kit, tick, place);
    result.ability = ability;
    result.outcome = reason !== NONE ? "rejected" : isServer ? "confirmed" : "predicted";
    result.reason = ABILITY_REASONS[reason];
    result.tick = tick;
    return result;
  }

  /** Why `activate` would refuse it; "none" when it would not. Changes nothing. */
  reasonAgainst(row: RowIdentity, ability: A, world: AbilityWorld): AbilityReason {
    return ABILITY_REASONS[this.#reasonAgainst(row.index, this.#abilityPlace(ability), world.tick)];
  }

  /** Ends the cast of `row`, if it has one that this may end. Returns whether it did. */
  cancel(row: RowIdentity, cause: CancelCause, world: AbilityWorld): boolean {
    const { index } = row;
    const casting = this.#casting?.[index] ?? 0;
    if (casting === 0) return false;
    const ability = this.kit.abilities[casting - 1];
    const terms = ability.cancel[cause];
    if (terms === undefined && cause !== "silence") return false;
    this.#endCast(index);
    if (terms === "refund") this.#refund(index, casting - 1);
    this.#emitter.emit("castCancelled", ability.name, row, world.tick, 1);
    return true;
  }

  /** What `row` is casting. */
  castOf(row: RowIdentity): A | undefined {
    const casting = this.#casting?.[row.index] ?? 0;
    return casting === 0 ? undefined : this.kit.abilities[casting - 1].name;
  }

  /** Puts an effect on an entity, by its stacking rule. */
  apply(row: RowIdentity, effect: E, world: AbilityWorld): void {
    const place = this.#effects.placeOf(effect);
    this.#effects.apply(row, place, world.tick);
    if (this.kit.effects[place].silences && !this.#castIgnoresSilence(row.index)) this.cancel(row, "silence", world);
  }

  /** Takes an effect off, with all its stacks. Returns whether it was there. */
  remove(row: RowIdentity, effect: E, world: AbilityWorld): boolean {
    const place = this.#effects.placeOf(effect);
    if (!this.#effects.isActive(row.index, place)) return false;
    this.#effects.end(row, place, world.tick);
    return true;
  }

  /** How strong an effect is: 0 when it is not there, 1, or its stacks. */
  stacksOf(row: RowIdentity, effect: E): number {
    return this.#effects.stacksAt(row.index, this.#effects.placeOf(effect));
  }

  isActive(row: RowIdentity, effect: E): boolean {
    return this.#effects.isActive(row.index, this.#effects.placeOf(effect));
  }

  #recover(index: number, tick: number): void {
    const { resources, abilities } = this.kit;
    for (let i = 0; i < resources.length; i++) {
      const { stepsPerTick, step, max } = resources[i];
      if (stepsPerTick === 0) continue;
      // Whole steps that add up to the exact rate over time.
      const gained = Math.floor((tick + 1) * stepsPerTick) - Math.floor(tick * stepsPerTick);
      // As `stepsOf`, written out: a number that is passed on may be boxed.
      const column = this.#resources[i];
      const value = (Math.floor(column[index] / step + 0.5) + gained) * step;
      column[index] = value < 0 ? 0 : value > max ? max : value;
    }
    for (let i = 0; i < abilities.length; i++) {
      const spent = this.#spent[i];
      if (spent === undefined || spent[index] === 0) continue;
      const rechargeAt = this.#rechargeAt[i]!;
      if (tick < rechargeAt[index]) continue;
      spent[index]--;
      rechargeAt[index] = spent[index] === 0 ? 0 : later(rechargeAt[index], abilities[i].rechargeTicks);
    }
  }

  #reasonAgainst(index: number, place: number, tick: number): number {
    const ability = this.kit.abilities[place];
    if (!ability.ignoresSilence && this.#effects.isSilenced(index)) return SILENCED;
    const casting = this.#casting?.[index] ?? 0;
    if (casting > 0 && (casting - 1 === place || this.kit.abilities[casting - 1].cancel.ability === undefined))
      return CASTING;
    if (ability.globalCooldown && this.#globalReadyAt !== undefined && tick < this.#globalReadyAt[index])
      return GLOBAL_COOLDOWN;
    const spent = this.#spent[place];
    if (spent !== undefined && spent[index] >= ability.charges) return CHARGES;
    const readyAt = this.#readyAt[place];
    if (readyAt !== undefined && tick < readyAt[index]) return COOLDOWN;
    for (let i = 0; i < ability.costs.length; i++) {
      const { resource, steps } = ability.costs[i];
      const { step } = this.kit.resources[resource];
      if (Math.floor(this.#resources[resource][index] / step + 0.5) < steps) return COST;
    }
    return NONE;
  }

  /** It may: what it costs is taken now, cast or not. */
  #start(row: RowIdentity, place: number, tick: number): void {
    const { index } = row;
    const ability = this.kit.abilities[place];
    if ((this.#casting?.[index] ?? 0) > 0) this.#cancelByAbility(row, tick);
    for (let i = 0; i < ability.costs.length; i++) this.#pay(index, ability, i, -1);
    const readyAt = this.#readyAt[place];
    if (readyAt !== undefined) readyAt[index] = later(tick, ability.cooldownTicks);
    const spent = this.#spent[place];
    if (spent !== undefined) {
      if (spent[index] === 0) this.#rechargeAt[place]![index] = later(tick, ability.rechargeTicks);
      spent[index]++;
    }
    if (ability.globalCooldown && this.#globalReadyAt !== undefined)
      this.#globalReadyAt[index] = later(tick, this.kit.globalCooldownTicks);
    if (ability.castTicks === 0) return this.#takeEffect(row, place, tick);
    this.#casting![index] = place + 1;
    this.#castEndsAt![index] = later(tick, ability.castTicks);
    this.#emitter.emit("castStarted", ability.name, row, tick, 1);
  }

  #takeEffect(row: RowIdentity, place: number, tick: number): void {
    const { name, effects } = this.kit.abilities[place];
    this.#emitter.emit("activated", name, row, tick, 1);
    for (let i = 0; i < effects.length; i++) this.#effects.apply(row, effects[i], tick);
  }

  #cancelByAbility(row: RowIdentity, tick: number): void {
    const casting = this.#casting![row.index] - 1;
    const { name, cancel } = this.kit.abilities[casting];
    this.#endCast(row.index);
    if (cancel.ability === "refund") this.#refund(row.index, casting);
    this.#emitter.emit("castCancelled", name, row, tick, 1);
  }

  #refund(index: number, place: number): void {
    const ability = this.kit.abilities[place];
    for (let i = 0; i < ability.costs.length; i++) this.#pay(index, ability, i, 1);
    const readyAt = this.#readyAt[place];
    if (readyAt !== undefined) readyAt[index] = 0;
    const spent = this.#spent[place];
    if (spent !== undefined && spent[index] > 0 && --spent[index] === 0) this.#rechargeAt[place]![index] = 0;
  }

  #pay(index: number, ability: AbilityDefinition, cost: number, sign: 1 | -1): void {
    const { resource, steps } = ability.costs[cost];
    const { step, max } = this.kit.resources[resource];
    const value = (stepsOf(this.#resources[resource][index], step) + sign * steps) * step;
    this.#resources[resource][index] = Math.max(0, Math.min(max, value));
  }

  #endCast(index: number): void {
    if (this.#casting === undefined || this.#castEndsAt === undefined) return;
    this.#casting[index] = 0;
    this.#castEndsAt[index] = 0;
  }

  #castIgnoresSilence(index: number): boolean {
    const casting = this.#casting?.[index] ?? 0;
    return casting > 0 && this.kit.abilities[casting - 1].ignoresSilence;
  }

  #abilityPlace(ability: string): number {
    const place = this.#places.get(ability);
    if (place === undefined) throw new RangeError(`there is no ability "${ability}"`);
    return place;
  }
}

/** The key of a request: an ability (by its place in the kit) asked for with the input of a tick. */
export function abilityKey(kit: AbilityKit, tick: number, place: number): number {
  return tick * kit.abilities.length + place;
}

const predictors = new WeakMap<object, WeakMap<object, unknown>>();
const [NONE, SILENCED, CASTING, GLOBAL_COOLDOWN, CHARGES, COOLDOWN, COST, REFUSED] = ABILITY_REASONS.keys();

/** As settling rounds. */
function stepsOf(value: number, step: number): number {
  return Math.floor(value / step + 0.5);
}
