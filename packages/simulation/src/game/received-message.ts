/** A typed message on its way into a game's `receive`. */
import type { Fields, Values } from "../state/index.ts";
import type { ReceivedMessage } from "./define-game.ts";
import type { AnyMessage } from "./message.ts";

export class Received implements ReceivedMessage {
  readonly definition: AnyMessage;
  readonly value: Values<Fields>;

  constructor(definition: AnyMessage, value: Values<Fields>) {
    this.definition = definition;
    this.value = value;
  }

  is<N extends AnyMessage>(definition: N): this is ReceivedMessage<N> {
    const own: unknown = this.definition;
    return own === definition;
  }
}
