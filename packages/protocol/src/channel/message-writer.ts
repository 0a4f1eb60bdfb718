import { varintLength } from "@riposte/wire";
import type { ByteWriter } from "@riposte/wire";
import {
  FRAGMENT_BYTES,
  FRAGMENT_ORDERED,
  FRAME_DATAGRAM,
  FRAME_FRAGMENT,
  FRAME_ORDERED,
  MESSAGE_LENGTH,
} from "./frames.ts";
import type { UnreliableQueue } from "./unreliable-queue.ts";

/** Frame type, message number and length of an ordered message at their longest. */
export const MAX_MESSAGE_HEAD_BYTES: number = 2 + 8 + 2;

/**
 * Writes waiting unreliable messages into a packet, as many as fit, in the order they were sent.
 * What is too large even for an empty packet goes in fragments, one after the other.
 */
export class MessageWriter {
  /** Messages finished, and fragments written. */
  messages: number;
  fragments: number;
  #nextOrdered: number;
  #nextFragmented: number;

  constructor() {
    this.messages = 0;
    this.fragments = 0;
    this.#nextOrdered = 0;
    this.#nextFragmented = 0;
  }

  /** Fills the packet from the queue. `fresh`: nothing is in it that could be left out, so a message that does not fit is cut. */
  write(writer: ByteWriter, queue: UnreliableQueue, fresh: boolean): boolean {
    let wrote = false;
    while (queue.count > 0) {
      const whole = queue.sentFragments === 0 && this.#writeWhole(writer, queue);
      if (!whole && !(queue.sentFragments > 0 || (fresh && !wrote))) break;
      if (!whole && !this.#writeFragment(writer, queue)) break;
      wrote = true;
    }
    return wrote;
  }

  #writeWhole(writer: ByteWriter, queue: UnreliableQueue): boolean {
    const length = queue.firstLength;
    const ordered = queue.firstIsOrdered;
    const head = (ordered ? 2 + varintLength(this.#nextOrdered) : 1) + varintLength(length);
    if (head + length > writer.remaining) return false;
    if (ordered) {
      writer.varint(FRAME_ORDERED | MESSAGE_LENGTH);
      writer.varint(this.#nextOrdered++);
    } else {
      writer.u8(FRAME_DATAGRAM | MESSAGE_LENGTH);
    }
    writer.varint(length);
    queue.readFirst(0, length, writer.buffer, writer.offset);
    writer.offset += length;
    queue.pop();
    this.messages++;
    return true;
  }

  #writeFragment(writer: ByteWriter, queue: UnreliableQueue): boolean {
    const length = queue.firstLength;
    const last = Math.ceil(length / FRAGMENT_BYTES) - 1;
    const fragment = queue.sentFragments;
    const from = fragment * FRAGMENT_BYTES;
    const size = fragment === last ? length - from : FRAGMENT_BYTES;
    const ordered = queue.firstIsOrdered;
    const begun = fragment > 0;
    const sequence = begun ? queue.sequence : ordered ? this.#nextOrdered : this.#nextFragmented;
    const head = 2 + varintLength(sequence) + 2 + varintLength(size);
    if (last < 1 || head + size > writer.remaining) return false;
    if (!begun) {
      queue.sequence = sequence;
      if (ordered) this.#nextOrdered++;
      else this.#nextFragmented++;
    }
    writer.varint(FRAME_FRAGMENT | MESSAGE_LENGTH | (ordered ? FRAGMENT_ORDERED : 0));
    writer.varint(sequence);
    writer.u8(fragment);
    writer.u8(last);
    writer.varint(size);
    queue.readFirst(from, size, writer.buffer, writer.offset);
    writer.offset += size;
    this.fragments++;
    queue.sentFragments++;
    if (fragment === last) {
      queue.pop();
      this.messages++;
    }
    return true;
  }
}
