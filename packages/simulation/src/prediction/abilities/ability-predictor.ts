/**
 * Uses abilities by their rules, on the server and in prediction alike: call `step` for each entity in every tick, then
 * `activate` for what its player asks for. All state is in the entity's fields; what is kept here are reused results.
 *
 * A request is known by the tick of its input and the ability: there is no key that a client could choose.
 */
import type { RowIdentity } from "../../state/index.ts";
import type { AbilityDefinition, AbilityKit } from "./ability-kit.ts";
import type { AbilityEvent, AbilityEventKind, AbilityEventSink } from "./ability-events.ts";
import { fieldNames, MAX_TICK } from "./ability-fields.ts";
import { logAbility, logReason, logTick, logWord, MAX_LOG_AGE_TICKS } from "./ability-log.ts";
import type { CancelCause } from "./ability-options.ts";
import { ABILITY_REASONS, predictionResult } from "./prediction-result.ts";
import type { AbilityReason, PredictionResult } from "./prediction-result.ts";

/** What is needed of a world; a game's `World` is one. */
export interface AbilityWorld {
  /** The tick that is being simulated. */
  readonly tick: number;
  /** Whether this side decides. */
  readonly isServer: boolean;
}

/** A table whose state has the fields of a kit. */
export interface AbilityTable {
  readonly columns: object;
}

/** What a step brought about by itself; valid until the next one. */
export interface AbilityStep<A extends string = string, E extends string = string> {
  /** The ability whose cast is through. */
  readonly completed: A | undefined;
  /** Stacks of an effect that has a periodic tick now; else 0. */
  ticks(effect: E): number;
  /** Whether its time is up. */
  ended(effect: E): boolean;
}

export class AbilityPredictor<A extends string = string, E extends string = string, R extends string = string> {
  readonly kit: AbilityKit<A, E, R>;
  /** Hears of events on this side. */
  events: AbilityEventSink | undefined;
  readonly #abilities = new Map<string, number>();
  readonly #effects = new Map<string, number>();
  readonly #resources: readonly Float64Array[];
  readonly #readyAt: readonly (Int32Array | undefined)[];
  readonly #spent: readonly (Int32Array | undefined)[];
  readonly #rechargeAt: readonly (Int32Array | undefined)[];
  readonly #globalReadyAt: Int32Array | undefined;
  readonly #casting: Int32Array | undefined;
  readonly #castEndsAt: Int32Array | undefined;
  readonly #endsAt: readonly Int32Array[];
  readonly #tickAt: readonly (Int32Array | undefined)[];
  readonly #stacks: readonly (Int32Array | undefined)[];
  readonly #log: readonly Int32Array[];
  readonly #result: PredictionResult<A>;
  readonly #step: StepRecord<A, E>;
  readonly #event: Writable<AbilityEvent> = { kind: "activated", name: "", row: NOBODY, tick: -1, stacks: 1 };

  /** For the rows of one table. Throws `TypeError` when its state lacks fields of the kit. */
  constructor(kit: AbilityKit<A, E, R>, table: AbilityTable) {
    this.kit = kit;
    this.#result = predictionResult(kit);
    const numbers = (name: string): Int32Array => {
      const column: unknown = Reflect.get(table.columns, name);
      if (column instanceof Int32Array) return column;
      throw new TypeError(`the state has no field "${name}": spread abilityFields into defineState`);
    };
    this.#resources = kit.resources.map(({ name }) => {
      const column: unknown = Reflect.get(table.columns, name);
      if (column instanceof Float64Array) return column;
      throw new TypeError(`the state has no field "${name}": spread abilityFields into defineState`);
    });
    const { abilities, effects } = kit;
    const hasCasts = abilities.some(({ castTicks }) => castTicks > 0);
    this.#readyAt = abilities.map((a) => (a.cooldownTicks > 0 ? numbers(fieldNames.readyAt(a.name)) : undefined));
    this.#spent = abilities.map((a) => (a.charges > 0 ? numbers(fieldNames.spent(a.name)) : undefined));
    this.#rechargeAt = abilities.map((a) => (a.charges > 0 ? numbers(fieldNames.rechargeAt(a.name)) : undefined));
    this.#globalReadyAt = kit.globalCooldownTicks > 0 ? numbers(fieldNames.globalReadyAt) : undefined;
    this.#casting = hasCasts ? numbers(fieldNames.casting) : undefined;
    this.#castEndsAt = hasCasts ? numbers(fieldNames.castEndsAt) : undefined;
    this.#endsAt = effects.map((e) => numbers(fieldNames.endsAt(e.name)));
    this.#tickAt = effects.map((e) => (e.everyTicks > 0 ? numbers(fieldNames.tickAt(e.name)) : undefined));
    this.#stacks = effects.map((e) => (e.stacking === "stack" ? numbers(fieldNames.stacks(e.name)) : undefined));
    this.#log = Array.from({ length: kit.logLength }, (_, slot) => numbers(fieldNames.log(slot)));
    abilities.forEach(({ name }, i) => this.#abilities.set(name, i));
    effects.forEach(({ name }, i) => this.#effects.set(name, i));
    this.#step = new StepRecord(this.#effects);
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

  /** A fresh start: full charges, no cooldowns, casts or effects, resources as declared. The log stays. No events. */
  reset(row: RowIdentity): void {
    const { index } = row;
    const { resources } = this.kit;
    for (let i = 0; i < resources.length; i++) this.#resources[i][index] = resources[i].initial;
    clear(this.#readyAt, index);
    clear(this.#spent, index);
    clear(this.#rechargeAt, index);
    clear(this.#endsAt, index);
    clear(this.#tickAt, index);
    clear(this.#stacks, index);
    if (this.#globalReadyAt !== undefined) this.#globalReadyAt[index] = 0;
    this.#endCast(index);
  }

  /** One tick of an entity: resources and charges come back, effects tick and end, a cast may be through. Before `activate`. */
  step(row: RowIdentity, world: AbilityWorld): AbilityStep<A, E> {
    const { index } = row;
    const { tick } = world;
    this.#step.clear();
    this.#recover(index, tick);
    const { effects } = this.kit;
    for (let i = 0; i < effects.length; i++) if (this.#endsAt[i][index] > 0) this.#stepEffect(row, i, tick);
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
    this.#note(row.index, place, tick, reason);
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
    this.#emit("castCancelled", ability.name, row, world.tick, 1);
    return true;
  }

  /** What `row` is casting. */
  castOf(row: RowIdentity): A | undefined {
    const casting = this.#casting?.[row.index] ?? 0;
    return casting === 0 ? undefined : this.kit.abilities[casting - 1].name;
  }

  /** Puts an effect on an entity, by its stacking rule. */
  apply(row: RowIdentity, effect: E, world: AbilityWorld): void {
    this.#apply(row, this.#effectPlace(effect), world.tick);
    if (this.kit.effects[this.#effectPlace(effect)].silences && !this.#castIgnoresSilence(row.index))
      this.cancel(row, "silence", world);
  }

  /** Takes an effect off, with all its stacks. Returns whether it was there. */
  remove(row: RowIdentity, effect: E, world: AbilityWorld): boolean {
    const place = this.#effectPlace(effect);
    if (this.#endsAt[place][row.index] === 0) return false;
    this.#endEffect(row, place, world.tick);
    return true;
  }

  /** How strong an effect is: 0 when it is not there, 1, or its stacks. */
  stacksOf(row: RowIdentity, effect: E): number {
    return this.#stacksAt(this.#effectPlace(effect), row.index);
  }

  isActive(row: RowIdentity, effect: E): boolean {
    return this.#endsAt[this.#effectPlace(effect)][row.index] > 0;
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
    for (let slot = 0; slot < this.#log.length; slot++) {
      const word = this.#log[slot][index];
      if (word !== 0 && tick - logTick(word, abilities.length, tick) > MAX_LOG_AGE_TICKS) this.#log[slot][index] = 0;
    }
  }

  #stepEffect(row: RowIdentity, place: number, tick: number): void {
    const { index } = row;
    const { name, everyTicks } = this.kit.effects[place];
    const endsAt = this.#endsAt[place][index];
    const tickAt = this.#tickAt[place];
    if (tickAt !== undefined && tick >= tickAt[index] && tickAt[index] <= endsAt) {
      tickAt[index] = later(tickAt[index], everyTicks);
      const stacks = this.#stacksAt(place, index);
      this.#step.stacks[place] = stacks;
      this.#emit("effectTicked", name, row, tick, stacks);
    }
    if (tick < endsAt) return;
    this.#step.over[place] = 1;
    this.#endEffect(row, place, tick);
  }

  #reasonAgainst(index: number, place: number, tick: number): number {
    const ability = this.kit.abilities[place];
    if (!ability.ignoresSilence && this.#isSilenced(index)) return SILENCED;
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
    this.#emit("castStarted", ability.name, row, tick, 1);
  }

  #takeEffect(row: RowIdentity, place: number, tick: number): void {
    const { name, effects } = this.kit.abilities[place];
    this.#emit("activated", name, row, tick, 1);
    for (let i = 0; i < effects.length; i++) this.#apply(row, effects[i], tick);
  }

  #cancelByAbility(row: RowIdentity, tick: number): void {
    const casting = this.#casting![row.index] - 1;
    const { name, cancel } = this.kit.abilities[casting];
    this.#endCast(row.index);
    if (cancel.ability === "refund") this.#refund(row.index, casting);
    this.#emit("castCancelled", name, row, tick, 1);
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

  #apply(row: RowIdentity, place: number, tick: number): void {
    const { index } = row;
    const { name, durationTicks, everyTicks, stacking, maxStacks } = this.kit.effects[place];
    const endsAt = this.#endsAt[place];
    const stacks = this.#stacks[place];
    if (endsAt[index] === 0) {
      endsAt[index] = later(tick, durationTicks);
      const tickAt = this.#tickAt[place];
      if (tickAt !== undefined) tickAt[index] = later(tick, everyTicks);
      if (stacks !== undefined) stacks[index] = 1;
    } else if (stacking === "keep") {
      return;
    } else if (stacking === "extend") {
      endsAt[index] = Math.min(later(endsAt[index], durationTicks), later(tick, durationTicks * maxStacks));
    } else {
      endsAt[index] = later(tick, durationTicks);
      if (stacks !== undefined && stacks[index] < maxStacks) stacks[index]++;
    }
    this.#emit("effectApplied", name, row, tick, this.#stacksAt(place, index));
  }

  #endEffect(row: RowIdentity, place: number, tick: number): void {
    const { index } = row;
    const stacks = this.#stacksAt(place, index);
    this.#endsAt[place][index] = 0;
    const tickAt = this.#tickAt[place];
    if (tickAt !== undefined) tickAt[index] = 0;
    const column = this.#stacks[place];
    if (column !== undefined) column[index] = 0;
    this.#emit("effectEnded", this.kit.effects[place].name, row, tick, stacks);
  }

  #endCast(index: number): void {
    if (this.#casting === undefined || this.#castEndsAt === undefined) return;
    this.#casting[index] = 0;
    this.#castEndsAt[index] = 0;
  }

  #stacksAt(place: number, index: number): number {
    if (this.#endsAt[place][index] === 0) return 0;
    return this.#stacks[place]?.[index] ?? 1;
  }

  #isSilenced(index: number): boolean {
    const { effects } = this.kit;
    for (let i = 0; i < effects.length; i++) if (effects[i].silences && this.#endsAt[i][index] > 0) return true;
    return false;
  }

  #castIgnoresSilence(index: number): boolean {
    const casting = this.#casting?.[index] ?? 0;
    return casting > 0 && this.kit.abilities[casting - 1].ignoresSilence;
  }

  /** Logs a decision over the oldest entry. Refusals of one ability for one reason, one after the other, are logged once: keys are held. */
  #note(index: number, place: number, tick: number, reason: number): void {
    const count = this.kit.abilities.length;
    let oldest = -1;
    let oldestTick = Infinity;
    let newest = 0;
    let newestTick = -Infinity;
    for (let slot = 0; slot < this.#log.length; slot++) {
      const word = this.#log[slot][index];
      const at = word === 0 ? -Infinity : logTick(word, count, tick);
      if (oldest < 0 || at < oldestTick) {
        oldest = slot;
        oldestTick = at;
      }
      if (word !== 0 && at >= newestTick && logAbility(word, count) === place) {
        newest = word;
        newestTick = at;
      }
    }
    if (oldest < 0 || (reason !== NONE && newest !== 0 && logReason(newest) === reason)) return;
    this.#log[oldest][index] = logWord(tick, place, reason, count);
  }

  #emit(kind: AbilityEventKind, name: string, row: RowIdentity, tick: number, stacks: number): void {
    if (this.events === undefined) return;
    const event = this.#event;
    event.kind = kind;
    event.name = name;
    event.row = row;
    event.tick = tick;
    event.stacks = stacks;
    this.events.emit(event);
  }

  #abilityPlace(ability: string): number {
    const place = this.#abilities.get(ability);
    if (place === undefined) throw new RangeError(`there is no ability "${ability}"`);
    return place;
  }

  #effectPlace(effect: string): number {
    const place = this.#effects.get(effect);
    if (place === undefined) throw new RangeError(`there is no effect "${effect}"`);
    return place;
  }
}

/** The key of a request: an ability (by its place in the kit) asked for with the input of a tick. */
export function abilityKey(kit: AbilityKit, tick: number, place: number): number {
  return tick * kit.abilities.length + place;
}

class StepRecord<A extends string, E extends string> implements AbilityStep<A, E> {
  completed: A | undefined;
  readonly stacks: Uint8Array;
  readonly over: Uint8Array;
  readonly #places: ReadonlyMap<string, number>;

  constructor(places: ReadonlyMap<string, number>) {
    this.#places = places;
    this.stacks = new Uint8Array(places.size);
    this.over = new Uint8Array(places.size);
  }

  ticks(effect: E): number {
    return this.stacks[this.#places.get(effect) ?? -1] ?? 0;
  }

  ended(effect: E): boolean {
    return this.over[this.#places.get(effect) ?? -1] === 1;
  }

  clear(): void {
    this.completed = undefined;
    this.stacks.fill(0);
    this.over.fill(0);
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const predictors = new WeakMap<object, WeakMap<object, unknown>>();
const NOBODY: RowIdentity = { id: -1, owner: -1, index: -1 };
const [NONE, SILENCED, CASTING, GLOBAL_COOLDOWN, CHARGES, COOLDOWN, COST, REFUSED] = ABILITY_REASONS.keys();

function clear(columns: readonly (Int32Array | undefined)[], index: number): void {
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column !== undefined) column[index] = 0;
  }
}

/** As settling rounds. */
function stepsOf(value: number, step: number): number {
  return Math.floor(value / step + 0.5);
}

function later(tick: number, ticks: number): number {
  return Math.min(tick + ticks, MAX_TICK);
}
