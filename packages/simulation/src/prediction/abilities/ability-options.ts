/** What a game says of its abilities. Every time is given in ms or in ticks (not both) and becomes whole ticks. */

/** What may end a cast before its time. `silence` always does; the others only where the ability lists them. */
export type CancelCause = "player" | "movement" | "damage" | "ability" | "event" | "silence";

/** Whether a cancelled cast gives back what it took (cost, charge and cooldown; never the global cooldown). */
export type CancelTerms = "refund" | "forfeit";

/**
 * What a second application does to a running effect: `refresh` starts its time again, `keep` changes nothing, `extend`
 * adds the duration (up to `maxStacks` durations from now), `stack` starts its time again and makes it stronger by one
 * (up to `maxStacks`).
 */
export type EffectStacking = "refresh" | "keep" | "extend" | "stack";

export interface ResourceOptions {
  /** A resource goes from 0 to this. */
  readonly max: number;
  /** Its smallest difference; costs are whole steps. Default 1 / 16. */
  readonly step?: number;
  /** Per second; negative: it drains. Exact over time, whatever the step. Default 0. */
  readonly regenerationPerSec?: number;
  /** After `reset`. Default `max`. */
  readonly initial?: number;
}

export interface EffectOptions {
  readonly durationMs?: number;
  readonly durationTicks?: number;
  /** Periodic ticks: the first one period after it was applied, the last at the end of a whole number of periods. Default none. */
  readonly everyMs?: number;
  readonly everyTicks?: number;
  /** Default "refresh". */
  readonly stacking?: EffectStacking;
  /** For "stack" and "extend": 2 to 255. */
  readonly maxStacks?: number;
  /** While it lasts, no ability can be started, and one that is being cast is cancelled. Default false. */
  readonly silences?: boolean;
  /** Whether the owner's client foresees it. False for what only others do to it, such as poison. Default true. */
  readonly predicted?: boolean;
}

export interface AbilityOptions<R extends string = string, E extends string = string> {
  /** From the start of one use to the start of the next. Default 0. */
  readonly cooldownMs?: number;
  readonly cooldownTicks?: number;
  /** Uses that can be saved up, 1 to 255. Needs a recharge time. Default: unlimited. */
  readonly charges?: number;
  /** Time in which one charge comes back; one after the other. */
  readonly rechargeMs?: number;
  readonly rechargeTicks?: number;
  /** Taken when it starts. */
  readonly cost?: Readonly<Partial<Record<R, number>>>;
  /** From the start until it takes effect. Default 0: at once. */
  readonly castMs?: number;
  readonly castTicks?: number;
  /** What may cancel the cast, and whether that gives back what it took. Default: nothing but silence, which forfeits. */
  readonly cancel?: Readonly<Partial<Record<CancelCause, CancelTerms>>>;
  /** Whether it waits for the global cooldown and starts it. Default true. */
  readonly globalCooldown?: boolean;
  /** Whether it can be used while silenced. Default false. */
  readonly ignoresSilence?: boolean;
  /** Put on its user when it takes effect. */
  readonly effects?: readonly E[];
}

export interface AbilitiesOptions<A extends string, E extends string, R extends string> {
  /** Of the game. */
  readonly tickRate: number;
  readonly resources?: Readonly<Record<R, ResourceOptions>>;
  readonly effects?: Readonly<Record<E, EffectOptions>>;
  readonly abilities: Readonly<Record<A, AbilityOptions<NoInfer<R>, NoInfer<E>>>>;
  /** After any ability, none that heeds it can start for this long. Default 0. */
  readonly globalCooldownMs?: number;
  readonly globalCooldownTicks?: number;
  /** Decided requests that an entity remembers, 0 to 32: how a client learns the server's verdicts. Default 8. */
  readonly logLength?: number;
}
