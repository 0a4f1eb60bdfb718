/**
 * The events of a kit's abilities as events of a game: played once on the client that predicts them, revoked when they
 * did not happen, and told to others by the server. One definition for each thing that can happen to each
 * ability and effect, so that what happened is the same on both sides whatever else happened in that tick.
 */
import { uint } from "../../state/index.ts";
import type { Field, RowIdentity } from "../../state/index.ts";
import { defineEvent } from "../events/define-event.ts";
import type { EventDefinition, EventOptions } from "../events/define-event.ts";
import type { EventListener, PlayedEvent } from "../events/predicted-events.ts";
import type { AbilityEvent, AbilityEventKind, AbilityEventSink } from "./ability-events.ts";
import type { AbilityKit } from "./ability-kit.ts";

type StacksFields = { readonly stacks: Field<number, number> };

export type AbilityEventDefinition = EventDefinition<StacksFields>;

/** What happened, for who plays it. */
export interface HappenedAbility {
  readonly kind: AbilityEventKind;
  /** Of the ability or the effect. */
  readonly name: string;
  /** Stacks of the effect; 1 for abilities. */
  readonly stacks: number;
}

export type AbilityListener = (happened: HappenedAbility, event: PlayedEvent) => void;

export interface AbilityEventsOptions extends EventOptions {
  /** Which are told. Default: all. */
  readonly kinds?: readonly AbilityEventKind[];
}

/** A game's world, as far as it is needed. */
export interface EmittingWorld {
  emit(definition: AbilityEventDefinition, row: RowIdentity, value: { stacks: number }): void;
}

type Subscribe = (
  definition: AbilityEventDefinition,
  play: EventListener<{ stacks: number }>,
  revoke?: EventListener<{ stacks: number }>,
) => () => void;

/** What plays events: a session, or `GameClient.events`. */
export type EventPlayer = { onEvent: Subscribe } | { on: Subscribe };

export interface AbilityEventSet {
  /** List them in the game's `events`. */
  readonly definitions: readonly AbilityEventDefinition[];
  /** A sink for `AbilityPredictor.events` that emits into a world. */
  into(world: EmittingWorld): AbilityEventSink;
  /** Hears of everything; `revoke` of what turned out not to have happened. Returns what ends it. */
  on(events: EventPlayer, play: AbilityListener, revoke?: AbilityListener): () => void;
}

/** `options`: who is told, how near, on which channel; see `defineEvent`. */
export function abilityEvents(kit: AbilityKit, options: AbilityEventsOptions = {}): AbilityEventSet {
  const { kinds = [...ABILITY_KINDS, ...EFFECT_KINDS], ...eventOptions } = options;
  const entries: {
    readonly kind: AbilityEventKind;
    readonly name: string;
    readonly definition: AbilityEventDefinition;
  }[] = [];
  const byKind = new Map<AbilityEventKind, Map<string, AbilityEventDefinition>>();
  const add = (kind: AbilityEventKind, name: string): void => {
    if (!kinds.includes(kind)) return;
    const definition: AbilityEventDefinition = defineEvent(
      `${name} ${kind}`,
      { stacks: uint({ max: 255 }) },
      eventOptions,
    );
    entries.push({ kind, name, definition });
    const byName = byKind.get(kind) ?? new Map<string, AbilityEventDefinition>();
    byKind.set(kind, byName.set(name, definition));
  };
  for (const { name, castTicks } of kit.abilities)
    for (const kind of ABILITY_KINDS) if (kind === "activated" || castTicks > 0) add(kind, name);
  for (const { name, everyTicks } of kit.effects)
    for (const kind of EFFECT_KINDS) if (kind !== "effectTicked" || everyTicks > 0) add(kind, name);
  return {
    definitions: entries.map(({ definition }) => definition),
    into: (world) => ({
      emit({ kind, name, row, stacks }: AbilityEvent): void {
        const definition = byKind.get(kind)?.get(name);
        if (definition !== undefined) world.emit(definition, row, { stacks });
      },
    }),
    on(events, play, revoke) {
      const ends = entries.map(({ kind, name, definition }) =>
        subscribe(
          events,
          definition,
          ({ stacks }, event) => play({ kind, name, stacks }, event),
          revoke && (({ stacks }, event): void => revoke({ kind, name, stacks }, event)),
        ),
      );
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

const ABILITY_KINDS: readonly AbilityEventKind[] = ["castStarted", "castCancelled", "activated"];
const EFFECT_KINDS: readonly AbilityEventKind[] = ["effectApplied", "effectTicked", "effectEnded"];

function subscribe(events: EventPlayer, ...[definition, play, revoke]: Parameters<Subscribe>): () => void {
  return "onEvent" in events ? events.onEvent(definition, play, revoke) : events.on(definition, play, revoke);
}
