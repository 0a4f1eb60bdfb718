/**
 * Typed messages and calls that a game sends beside its state: chat, purchases, a kill feed.
 * Both sides list the same definitions in the game; a definition's place in that list is its
 * number on the wire, and the list is part of the schema hash.
 */
import { defineFields } from "../state/index.ts";
import type { Fields, FieldsDefinition, Values } from "../state/index.ts";
import type { MessageChannel } from "./outgoing-queue.ts";

export interface MessageDefinition<F extends Fields> {
  readonly kind: "message";
  readonly name: string;
  readonly fields: F;
  readonly record: FieldsDefinition<F>;
  readonly channel: MessageChannel;
}

export interface CallDefinition<Q extends Fields, A extends Fields> {
  readonly kind: "call";
  readonly name: string;
  readonly fields: Q;
  readonly record: FieldsDefinition<Q>;
  readonly reply: A;
  readonly replyRecord: FieldsDefinition<A>;
  /** Of the question and of the answer. */
  readonly channel: MessageChannel;
}

export type AnyMessage = MessageDefinition<Fields> | CallDefinition<Fields, Fields>;

/** The plain values a message carries. */
export type ValuesOf<M> = M extends { readonly fields: infer F extends Fields } ? Values<F> : never;

/** The plain values that a call is answered with. */
export type ReplyOf<C> = C extends { readonly reply: infer A extends Fields } ? Values<A> : never;

export interface MessageOptions {
  /**
   * Default "reliableOrdered". By another channel a message may be lost; a call that is lost, or whose answer is,
   * fails by its time limit.
   */
  readonly channel?: MessageChannel;
}

/** A message type: `const Chat = defineMessage("chat", { text: text({ maxBytes: 200 }) })`. */
export function defineMessage<const F extends Fields>(
  name: string,
  fields: F,
  options: MessageOptions = {},
): MessageDefinition<F> {
  checkName(name);
  const channel = options.channel ?? "reliableOrdered";
  return Object.freeze({ kind: "message", name, fields, record: defineFields(fields), channel });
}

/** A question with an answer, in either direction: `const Buy = defineCall("buy", { item: uint({ max: 9 }) }, { bought: bool() })`. */
export function defineCall<const Q extends Fields, const A extends Fields>(
  name: string,
  request: Q,
  reply: A,
  options: MessageOptions = {},
): CallDefinition<Q, A> {
  checkName(name);
  return Object.freeze({
    kind: "call",
    name,
    fields: request,
    record: defineFields(request),
    reply,
    replyRecord: defineFields(reply),
    channel: options.channel ?? "reliableOrdered",
  });
}

function checkName(name: string): void {
  if (name.length === 0 || name.length > 64) throw new RangeError(`a message's name has 1 to 64 characters: "${name}"`);
}
