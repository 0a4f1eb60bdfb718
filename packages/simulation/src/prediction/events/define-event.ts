/**
 * Events: what happens once in a step and leaves no state behind, such as a muzzle flash, a blast or a sound. A step
 * emits them; the client that predicts the step plays them at once, everybody near hears of them from the server.
 */
import { defineFields } from "../../state/index.ts";
import type { Fields, FieldsDefinition } from "../../state/index.ts";
import type { MessageChannel } from "../../game/outgoing-queue.ts";

export interface EventOptions {
  /** How the server's word goes out. Default "reliableOrdered"; on another channel an event may be lost. */
  readonly channel?: MessageChannel;
  /** Who hears of it: those near the entity and its owner ("all", the default), or its owner only. */
  readonly audience?: "all" | "owner";
  /** How near, in world units, around the entity. Default: the game's `interest.radius`; without one, everywhere. */
  readonly radius?: number;
}

export interface EventDefinition<F extends Fields = Fields> {
  readonly kind: "event";
  readonly name: string;
  readonly fields: F;
  readonly record: FieldsDefinition<F>;
  readonly channel: MessageChannel;
  readonly audience: "all" | "owner";
  readonly radius: number | undefined;
}

/** `const Blast = defineEvent("blast", { x: coordinate, y: coordinate })`. List it in the game's `events`. */
export function defineEvent<const F extends Fields>(
  name: string,
  fields: F,
  options: EventOptions = {},
): EventDefinition<F> {
  if (name.length === 0 || name.length > 64) throw new RangeError(`an event's name has 1 to 64 characters: "${name}"`);
  const { channel = "reliableOrdered", audience = "all", radius } = options;
  if (radius !== undefined && !(radius > 0))
    throw new RangeError(`event "${name}": radius must be above 0, got ${radius}`);
  return Object.freeze({ kind: "event", name, fields, record: defineFields(fields), channel, audience, radius });
}
