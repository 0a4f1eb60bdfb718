import type { Channel, GameConnection } from "@riposte/protocol/channel";
import { MESSAGE_BYTES } from "./message.ts";

const ROOM = 1024;

/**
 * Sends each message in a packet of its own. Within a message handler everything waits for the end of the wake-up and
 * shares packets, so messages from there are kept until after it and then flushed one by one.
 */
export class LoneSender {
  readonly #flush: () => void;
  readonly #bytes: Uint8Array = new Uint8Array(ROOM * MESSAGE_BYTES);
  readonly #connections: (GameConnection | undefined)[] = [];
  readonly #channels: Channel[] = [];
  #count = 0;

  constructor(flush: () => void) {
    this.#flush = flush;
  }

  send(connection: GameConnection, channel: Channel, buffer: Uint8Array, offset: number): void {
    if (this.#count === ROOM) throw new RangeError("more messages in one wake-up than a window has");
    if (this.#count === 0) queueMicrotask(this.#sendAll);
    const start = this.#count * MESSAGE_BYTES;
    for (let i = 0; i < MESSAGE_BYTES; i++) this.#bytes[start + i] = buffer[offset + i];
    this.#connections[this.#count] = connection;
    this.#channels[this.#count] = channel;
    this.#count++;
  }

  readonly #sendAll = (): void => {
    for (let i = 0; i < this.#count; i++) {
      this.#connections[i]?.send(this.#channels[i], this.#bytes, i * MESSAGE_BYTES, MESSAGE_BYTES);
      this.#flush();
    }
    this.#count = 0;
  };
}
