/** The ability state of an entity as plain data, for whoever debugs: the same on both sides, so that they can be compared. */
import type { RowIdentity } from "../../state/index.ts";
import { fieldNames } from "./ability-fields.ts";
import type { AbilityKit } from "./ability-kit.ts";
import { logAbility, logReason, logTick } from "./ability-log.ts";
import { ABILITY_REASONS } from "./prediction-result.ts";
import type { AbilityReason } from "./prediction-result.ts";

export interface AbilityView<A extends string = string, E extends string = string, R extends string = string> {
  readonly tick: number;
  readonly resources: Readonly<Record<R, number>>;
  /** Until any ability that heeds it can start. */
  readonly globalCooldownTicks: number;
  readonly cast: { readonly ability: A; readonly leftTicks: number; readonly totalTicks: number } | undefined;
  readonly abilities: Readonly<Record<A, AbilityStatus>>;
  /** Those that are there. */
  readonly effects: Readonly<Partial<Record<E, EffectStatus>>>;
  /** Decided requests, oldest first. */
  readonly log: readonly LoggedRequest<A>[];
}

export interface AbilityStatus {
  /** Until it is ready again. */
  readonly cooldownTicks: number;
  /** Infinity when it needs none. */
  readonly charges: number;
  /** Until the next charge is back; 0 when none is missing. */
  readonly rechargeTicks: number;
}

export interface EffectStatus {
  readonly leftTicks: number;
  readonly stacks: number;
  /** Until its next periodic tick; 0 when it has none. */
  readonly nextTicks: number;
}

export interface LoggedRequest<A extends string = string> {
  readonly ability: A;
  readonly tick: number;
  /** "none": it was accepted. */
  readonly reason: AbilityReason;
}

/**
 * `row` is a row of any table of the state: the server's, a client's predicted or drawn one, or `authoritative(row)`.
 * `tick` is the tick that row is from.
 */
export function inspectAbilities<A extends string, E extends string, R extends string>(
  kit: AbilityKit<A, E, R>,
  row: RowIdentity,
  tick: number,
): AbilityView<A, E, R> {
  const read = (name: string): number => {
    const value: unknown = Reflect.get(row, name);
    return typeof value === "number" ? value : 0;
  };
  const left = (at: number): number => Math.max(0, at - tick);
  const casting = kit.abilities[read(fieldNames.casting) - 1];
  const abilities = kit.abilities.map(({ name, charges }): [A, AbilityStatus] => [
    name,
    {
      cooldownTicks: left(read(fieldNames.readyAt(name))),
      charges: charges === 0 ? Infinity : charges - read(fieldNames.spent(name)),
      rechargeTicks: left(read(fieldNames.rechargeAt(name))),
    },
  ]);
  const effects = kit.effects
    .filter(({ name }) => read(fieldNames.endsAt(name)) > 0)
    .map(({ name, stacking }): [E, EffectStatus] => [
      name,
      {
        leftTicks: left(read(fieldNames.endsAt(name))),
        stacks: stacking === "stack" ? read(fieldNames.stacks(name)) : 1,
        nextTicks: left(read(fieldNames.tickAt(name))),
      },
    ]);
  const log = Array.from({ length: kit.logLength }, (_, slot) => read(fieldNames.log(slot)))
    .filter((word) => word > 0)
    .map((word) => ({
      ability: kit.abilities[logAbility(word, kit.abilities.length)].name,
      tick: logTick(word, kit.abilities.length, tick),
      reason: ABILITY_REASONS[logReason(word)],
    }));
  log.sort((a, b) => a.tick - b.tick);
  return {
    tick,
    // One entry for each name, by construction.
    resources: Object.fromEntries(kit.resources.map(({ name }) => [name, read(name)])) as Record<R, number>,
    globalCooldownTicks: left(read(fieldNames.globalReadyAt)),
    cast: casting && {
      ability: casting.name,
      leftTicks: left(read(fieldNames.castEndsAt)),
      totalTicks: casting.castTicks,
    },
    abilities: Object.fromEntries(abilities) as Record<A, AbilityStatus>,
    effects: Object.fromEntries(effects) as Partial<Record<E, EffectStatus>>,
    log,
  };
}

export interface AbilityDifference {
  /** Such as "abilities.dash.cooldownTicks". */
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

/**
 * Where two views differ. They may be of different ticks: times left are compared by the tick at which they end. Only
 * what changes in the ticks between (regeneration, effects that tick or end) differs then.
 */
export function compareAbilities(a: AbilityView, b: AbilityView): AbilityDifference[] {
  const differences: AbilityDifference[] = [];
  const latest = Math.max(a.tick, b.tick);
  compare("", withInstants(a, latest), withInstants(b, latest), differences);
  return differences;
}

/** A copy in which times left have become the ticks at which they end, or 0 when that is not after `latest`. */
function withInstants(view: AbilityView, latest: number): object {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => {
        if (!TIMES.has(key) || typeof entry !== "number") return [key, plain(entry)];
        const endsAt = view.tick + entry;
        return [key, endsAt > latest ? endsAt : 0];
      }),
    );
  };
  const { tick: _tick, ...rest } = view;
  return plain(rest) as object;
}

const TIMES = new Set(["globalCooldownTicks", "cooldownTicks", "rechargeTicks", "leftTicks", "nextTicks"]);

function compare(path: string, a: unknown, b: unknown, out: AbilityDifference[]): void {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    if (a !== b) out.push({ path, a, b });
    return;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
    compare(path === "" ? key : `${path}.${key}`, Reflect.get(a, key), Reflect.get(b, key), out);
}
