import type { LaneWriter } from "./message-lane.ts";
import type { Connection } from "@riposte/protocol/channel";
import { CONNECTION_EVENT, DATAGRAM, MESSAGE_RELIABLE, SERVER_EVENT, encode } from "./records.ts";
import type { ConnectionEvent, ServerEvent } from "./records.ts";

/** A connection by the names that it has in the other thread, and what of it has not been read there. */
export interface NamedConnection {
  readonly connection: Connection;
  readonly slot: number;
  readonly generation: number;
  /** Bytes of reliable messages that wait for room in the ring. */
  unreadBytes: number;
}

/** What waits for room, in its order: an event, or a reliable message. */
interface Waiting {
  readonly from: NamedConnection | undefined;
  readonly kind: number;
  readonly argument: number;
  readonly bytes: Uint8Array;
}

/**
 * From the network thread to the game. What the ring has no room for waits here: the peers' windows shrink by it, so it
 * is never more than all windows together. Everything written in one wake-up is published at its end, and the game thread
 * is woken once.
 */
export class Upstream {
  readonly #writer: LaneWriter;
  readonly #wakeGame: () => void;
  readonly #waiting: Waiting[] = [];
  #scheduled = false;

  constructor(writer: LaneWriter, wakeGame: () => void) {
    this.#writer = writer;
    this.#wakeGame = wakeGame;
  }

  /** Records that were dropped because the game did not keep up. */
  get dropped(): number {
    return this.#writer.dropped;
  }

  reliable(from: NamedConnection, stream: number, buffer: Uint8Array, offset: number, length: number): void {
    this.#schedule();
    const { slot, generation } = from;
    if (
      this.#waiting.length === 0 &&
      this.#writer.writeReliable(MESSAGE_RELIABLE, slot, generation, stream, buffer, offset, length)
    ) {
      return;
    }
    const bytes = buffer.slice(offset, offset + length);
    this.#waiting.push({ from, kind: MESSAGE_RELIABLE, argument: stream, bytes });
    from.unreadBytes += length;
    from.connection.setUnreadBytes(from.unreadBytes);
  }

  unreliable(
    from: NamedConnection,
    kind: number,
    argument: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    this.#schedule();
    this.#writer.writeUnreliable(kind, from.slot, from.generation, argument, 0, buffer, offset, length);
  }

  datagram(path: number, buffer: Uint8Array, offset: number, length: number): void {
    this.#schedule();
    this.#writer.writeDatagram(DATAGRAM, path, buffer, offset, length);
  }

  event(event: ServerEvent): void {
    this.#event(undefined, SERVER_EVENT, encode(event));
  }

  connectionEvent(event: ConnectionEvent, from: NamedConnection): void {
    this.#event(from, CONNECTION_EVENT, encode(event));
  }

  /** The game thread has read. */
  handleRoom(): void {
    while (this.#waiting.length > 0 && this.#write(this.#waiting[0])) this.#waiting.shift();
    this.#schedule();
  }

  readonly publish = (): void => {
    this.#scheduled = false;
    if (this.#writer.publish()) this.#wakeGame();
  };

  #event(from: NamedConnection | undefined, kind: number, bytes: Uint8Array): void {
    this.#schedule();
    const event: Waiting = { from, kind, argument: 0, bytes };
    // Not before a message that waits.
    if (this.#waiting.length > 0) this.#waiting.push(event);
    else this.#write(event);
  }

  #write({ from, kind, argument, bytes }: Waiting): boolean {
    if (kind !== MESSAGE_RELIABLE || from === undefined) {
      this.#writer.writeEvent(kind, from?.slot ?? 0, from?.generation ?? 0, argument, bytes);
      return true;
    }
    if (!this.#writer.writeReliable(kind, from.slot, from.generation, argument, bytes, 0, bytes.length)) return false;
    from.unreadBytes -= bytes.length;
    from.connection.setUnreadBytes(from.unreadBytes);
    return true;
  }

  /** At the end of the wake-up, whatever it was for. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.publish);
  }
}
