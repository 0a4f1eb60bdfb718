/**
 * The ability state of an entity, as fields of its state: so it is settled, sent, compared, kept and replayed like
 * everything else, and a correction undoes costs, cooldowns, charges and effects without a mechanism of its own.
 *
 * Times are kept as the tick at which something ends: it changes when an ability is used and not in every tick, so
 * a running cooldown costs no bits. A new row has full charges, no effects and empty resources (`reset` fills them).
 */
import { float, uint } from "../../state/index.ts";
import type { Audience, Field } from "../../state/index.ts";
import type { AbilityKit } from "./ability-kit.ts";
import { maxLogWord } from "./ability-log.ts";

export interface AbilityFieldsOptions {
  /** Who is sent cooldowns, charges, resources and verdicts. Default "owner". */
  readonly audience?: Audience;
  /** Who is sent what is being cast, for cast bars over heads. Default: as `audience`. */
  readonly casts?: Audience;
  /** Who is sent the effects. Default: as `audience`. */
  readonly effects?: Audience;
}

/** Spread this into `defineState`. Only the resources, which bear their own names, are for a game to read and write. */
export type AbilityFields<R extends string> = { readonly [K in R]: Field<number, number, Float64Array> };

export function abilityFields<A extends string, E extends string, R extends string>(
  kit: AbilityKit<A, E, R>,
  options: AbilityFieldsOptions = {},
): AbilityFields<R> {
  const { audience = "owner", casts = audience, effects = audience } = options;
  const fields: Record<string, Field<number, number>> = {};
  const add = (name: string, field: Field<number, number>): void => {
    if (Object.hasOwn(fields, name)) throw new RangeError(`two ability fields would be called "${name}"`);
    fields[name] = field;
  };
  for (const { name, max, step } of kit.resources) add(name, float({ min: 0, max, step, audience }));
  for (const ability of kit.abilities) {
    if (ability.cooldownTicks > 0) add(fieldNames.readyAt(ability.name), uint({ max: MAX_TICK, audience }));
    if (ability.charges === 0) continue;
    add(fieldNames.spent(ability.name), uint({ max: ability.charges, audience }));
    add(fieldNames.rechargeAt(ability.name), uint({ max: MAX_TICK, audience }));
  }
  if (kit.globalCooldownTicks > 0) add(fieldNames.globalReadyAt, uint({ max: MAX_TICK, audience }));
  if (kit.abilities.some((ability) => ability.castTicks > 0)) {
    add(fieldNames.casting, uint({ max: kit.abilities.length, audience: casts }));
    add(fieldNames.castEndsAt, uint({ max: MAX_TICK, audience: casts }));
  }
  for (const { name, everyTicks, stacking, maxStacks, predicted } of kit.effects) {
    add(fieldNames.endsAt(name), uint({ max: MAX_TICK, audience: effects, predicted }));
    if (everyTicks > 0) add(fieldNames.tickAt(name), uint({ max: MAX_TICK, audience: effects, predicted }));
    if (stacking === "stack") add(fieldNames.stacks(name), uint({ max: maxStacks, audience: effects, predicted }));
  }
  for (let slot = 0; slot < kit.logLength; slot++)
    add(fieldNames.log(slot), uint({ max: maxLogWord(kit.abilities.length), audience }));
  // One field for each of R among them: the compiler cannot see that.
  return fields as unknown as AbilityFields<R>;
}

/** Ticks are whole numbers up to this: over a year at 60 Hz. */
const MAX_TICK = 2 ** 31 - 1;

/** So many ticks after a tick, as far as ticks go. */
export function later(tick: number, ticks: number): number {
  return Math.min(tick + ticks, MAX_TICK);
}

/** What the fields are called. */
export const fieldNames: AbilityFieldNames = {
  readyAt: (ability) => `${ability}ReadyAt`,
  spent: (ability) => `${ability}Spent`,
  rechargeAt: (ability) => `${ability}RechargeAt`,
  globalReadyAt: "globalReadyAt",
  casting: "casting",
  castEndsAt: "castEndsAt",
  endsAt: (effect) => `${effect}EndsAt`,
  tickAt: (effect) => `${effect}TickAt`,
  stacks: (effect) => `${effect}Stacks`,
  log: (slot) => `abilityLog${slot}`,
};

interface AbilityFieldNames {
  readyAt(ability: string): string;
  spent(ability: string): string;
  rechargeAt(ability: string): string;
  readonly globalReadyAt: string;
  /** 0: nothing; else the place of the ability in the kit, plus one. */
  readonly casting: string;
  readonly castEndsAt: string;
  /** 0: the effect is not there. */
  endsAt(effect: string): string;
  tickAt(effect: string): string;
  stacks(effect: string): string;
  log(slot: number): string;
}
