/**
 * The abilities of one kind of entity, declared once for both sides: cooldowns, charges, costs, casts and effects with
 * every time in whole ticks. A kit never changes; the state of an entity is in its fields (`abilityFields`).
 */
import type { AbilitiesOptions, AbilityOptions, CancelCause, CancelTerms, EffectOptions } from "./ability-options.ts";
import type { EffectStacking, ResourceOptions } from "./ability-options.ts";

export interface ResourceDefinition {
  readonly name: string;
  readonly max: number;
  readonly step: number;
  readonly initial: number;
  /** Steps gained in a tick, on average. */
  readonly stepsPerTick: number;
}

export interface EffectDefinition {
  readonly name: string;
  readonly durationTicks: number;
  /** 0: no periodic ticks. */
  readonly everyTicks: number;
  readonly stacking: EffectStacking;
  /** 1 unless it stacks or extends. */
  readonly maxStacks: number;
  readonly silences: boolean;
  readonly predicted: boolean;
}

export interface AbilityCost {
  /** Place of the resource in the kit. */
  readonly resource: number;
  readonly steps: number;
}

export interface AbilityDefinition {
  readonly name: string;
  readonly cooldownTicks: number;
  /** 0: unlimited. */
  readonly charges: number;
  readonly rechargeTicks: number;
  readonly costs: readonly AbilityCost[];
  readonly castTicks: number;
  readonly cancel: Readonly<Partial<Record<CancelCause, CancelTerms>>>;
  readonly globalCooldown: boolean;
  readonly ignoresSilence: boolean;
  /** Places of its effects in the kit. */
  readonly effects: readonly number[];
}

export interface AbilityKit<A extends string = string, E extends string = string, R extends string = string> {
  readonly tickRate: number;
  readonly abilities: readonly (AbilityDefinition & { readonly name: A })[];
  readonly effects: readonly (EffectDefinition & { readonly name: E })[];
  readonly resources: readonly (ResourceDefinition & { readonly name: R })[];
  readonly globalCooldownTicks: number;
  readonly logLength: number;
}

/** Throws `RangeError` for times, costs or names that cannot be. */
export function defineAbilities<const A extends string, const E extends string = never, const R extends string = never>(
  options: AbilitiesOptions<A, E, R>,
): AbilityKit<A, E, R> {
  const { tickRate, logLength = 8 } = options;
  if (!(Number.isInteger(tickRate) && tickRate >= 1 && tickRate <= 1000))
    throw new RangeError(`tickRate must be an integer from 1 to 1000, got ${tickRate}`);
  if (!(Number.isInteger(logLength) && logLength >= 0 && logLength <= 32))
    throw new RangeError(`logLength must be an integer from 0 to 32, got ${logLength}`);
  const resources = entriesOf<R, ResourceOptions>(options.resources ?? {}, "resources").map(([name, resource]) =>
    defineResource(name, resource, tickRate),
  );
  const effects = entriesOf<E, EffectOptions>(options.effects ?? {}, "effects").map(([name, effect]) =>
    defineEffect(name, effect, tickRate),
  );
  const abilities = entriesOf<A, AbilityOptions>(options.abilities, "abilities").map(([name, ability]) =>
    defineAbility(name, ability, tickRate, resources, effects),
  );
  if (abilities.length === 0) throw new RangeError("there must be an ability");
  const { globalCooldownMs, globalCooldownTicks } = options;
  return {
    tickRate,
    abilities,
    effects,
    resources,
    globalCooldownTicks: ticksOf(globalCooldownMs, globalCooldownTicks, tickRate, "globalCooldown"),
    logLength,
  };
}

const MAX_TICKS = 2 ** 24;
const MAX_NAMES = 64;
const CAUSES: ReadonlySet<string> = new Set(["player", "movement", "damage", "ability", "event", "silence"]);
const STACKINGS: ReadonlySet<string> = new Set(["refresh", "keep", "extend", "stack"]);

function entriesOf<N extends string, O>(options: object, what: string): [N, O][] {
  const entries = Object.entries(options) as [N, O][];
  if (entries.length > MAX_NAMES) throw new RangeError(`at most ${MAX_NAMES} ${what}, got ${entries.length}`);
  for (const [name] of entries)
    if (!/^[a-z][A-Za-z0-9]*$/.test(name))
      throw new RangeError(`${what}: "${name}" must be a name such as "dash", of letters and digits`);
  return entries;
}

function defineResource<R extends string>(
  name: R,
  options: ResourceOptions,
  tickRate: number,
): ResourceDefinition & { readonly name: R } {
  const { max, step = 1 / 16, initial = max, regenerationPerSec = 0 } = options;
  if (!(step > 0 && step < Infinity)) throw new RangeError(`${name}: step must be above 0, got ${step}`);
  if (!(max > 0 && max / step <= 2 ** 24)) throw new RangeError(`${name}: max must be 1 to 2^24 steps, got ${max}`);
  if (!(initial >= 0 && initial <= max)) throw new RangeError(`${name}: initial must be 0 to ${max}, got ${initial}`);
  if (!Number.isFinite(regenerationPerSec))
    throw new RangeError(`${name}: regenerationPerSec must be finite, got ${regenerationPerSec}`);
  wholeSteps(max, step, `${name}: max`);
  return { name, max, step, initial, stepsPerTick: regenerationPerSec / tickRate / step };
}

function defineEffect<E extends string>(
  name: E,
  options: EffectOptions,
  tickRate: number,
): EffectDefinition & { readonly name: E } {
  const { stacking = "refresh", silences = false, predicted = true } = options;
  const durationTicks = ticksOf(options.durationMs, options.durationTicks, tickRate, `${name}: duration`);
  const everyTicks = ticksOf(options.everyMs, options.everyTicks, tickRate, `${name}: every`);
  if (durationTicks === 0) throw new RangeError(`${name}: an effect needs a duration`);
  if (!STACKINGS.has(stacking)) throw new RangeError(`${name}: there is no stacking "${stacking}"`);
  const stacks = stacking === "stack" || stacking === "extend";
  const maxStacks = options.maxStacks ?? 1;
  if (stacks ? !(Number.isInteger(maxStacks) && maxStacks >= 2 && maxStacks <= 255) : options.maxStacks !== undefined)
    throw new RangeError(`${name}: maxStacks must be 2 to 255 with "stack" or "extend" only, got ${options.maxStacks}`);
  return { name, durationTicks, everyTicks, stacking, maxStacks, silences, predicted };
}

function defineAbility<A extends string>(
  name: A,
  options: AbilityOptions,
  tickRate: number,
  resources: readonly ResourceDefinition[],
  effects: readonly EffectDefinition[],
): AbilityDefinition & { readonly name: A } {
  const { charges = 0, cancel = {}, globalCooldown = true, ignoresSilence = false } = options;
  const rechargeTicks = ticksOf(options.rechargeMs, options.rechargeTicks, tickRate, `${name}: recharge`);
  if (!(Number.isInteger(charges) && charges >= 0 && charges <= 255))
    throw new RangeError(`${name}: charges must be an integer from 1 to 255, got ${charges}`);
  if (charges > 0 !== rechargeTicks > 0)
    throw new RangeError(`${name}: charges and a recharge time need each other, got ${charges} and ${rechargeTicks}`);
  for (const cause of Object.keys(cancel))
    if (!CAUSES.has(cause)) throw new RangeError(`${name}: nothing is cancelled by "${cause}"`);
  const costs: AbilityCost[] = [];
  for (const [resource, cost = 0] of Object.entries(options.cost ?? {})) {
    const place = placeOf(resources, resource, name);
    const { max, step } = resources[place];
    if (!(cost >= 0 && cost <= max)) throw new RangeError(`${name}: a cost of ${resource} is 0 to ${max}, got ${cost}`);
    costs.push({ resource: place, steps: wholeSteps(cost, step, `${name}: its cost of ${resource}`) });
  }
  return {
    name,
    cooldownTicks: ticksOf(options.cooldownMs, options.cooldownTicks, tickRate, `${name}: cooldown`),
    charges,
    rechargeTicks,
    costs,
    castTicks: ticksOf(options.castMs, options.castTicks, tickRate, `${name}: cast`),
    cancel,
    globalCooldown,
    ignoresSilence,
    effects: (options.effects ?? []).map((effect) => placeOf(effects, effect, name)),
  };
}

function placeOf(list: readonly { readonly name: string }[], name: string, ability: string): number {
  const place = list.findIndex((entry) => entry.name === name);
  if (place < 0) throw new RangeError(`${ability}: "${name}" is not declared`);
  return place;
}

function wholeSteps(value: number, step: number, what: string): number {
  const steps = Math.round(value / step);
  if (Math.abs(value / step - steps) > 1e-6)
    throw new RangeError(`${what} must be a whole number of steps of ${step}, got ${value}`);
  return steps;
}

/** At least 1 for what is above 0. */
function ticksOf(ms: number | undefined, ticks: number | undefined, tickRate: number, what: string): number {
  if (ms !== undefined && ticks !== undefined) throw new RangeError(`${what}: give ms or ticks, not both`);
  const given = ticks ?? ((ms ?? 0) * tickRate) / 1000;
  if (!(given >= 0 && given <= MAX_TICKS) || (ticks !== undefined && !Number.isInteger(ticks)))
    throw new RangeError(`${what} must be 0 to ${MAX_TICKS} whole ticks, got ${given}`);
  return given === 0 ? 0 : Math.max(1, Math.round(given));
}
