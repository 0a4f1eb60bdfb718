import { varintLength } from "@riposte/wire";
import type { ByteWriter } from "@riposte/wire";
import {
  FRAGMENT_ORDERED,
  FRAME_DATAGRAM,
  FRAME_FRAGMENT,
  FRAME_ORDERED,
  MAX_FRAGMENTS,
  MESSAGE_LENGTH,
} from "./frames.ts";
import type { UnreliableQueue } from "./unreliable-queue.ts";

/** Left free beside a fragment in its packet: for its head, and for a hello or a short ACK before it. */
const FRAGMENT_ROOM_BYTES = 96;
/** Type, number, index, last and length of a fragment at their longest. */
const MAX_FRAGMENT_HEAD_BYTES = 2 + 8 + 1 + 1 + 2;

/**
 * Writes the waiting messages of one unreliable channel into packets, in the order they were sent.
 * What is too large even for an empty packet goes in fragments of equal size, one after the other.
 */
export class MessageWriter {
  /** Messages sent to their end, and fragments written. */
  messages: number;
  fragments: number;
  /** Messages dropped because the path no longer takes packets of their fragments' size, or 256 of them do not suffice. */
  tooLarge: number;
  readonly #queue: UnreliableQueue;
  readonly #ordered: boolean;
  #nextOrdered: number;
  #nextFragmented: number;

  constructor(queue: UnreliableQueue, ordered: boolean) {
    this.messages = 0;
    this.fragments = 0;
    this.tooLarge = 0;
    this.#queue = queue;
    this.#ordered = ordered;
    this.#nextOrdered = 0;
    this.#nextFragmented = 0;
  }

  /** Bytes that `write` would take of an empty packet with `room`: the whole message, or its next fragment. 0 when nothing waits. */
  nextBytes(packetBytes: number, room: number): number {
    const queue = this.#queue;
    if (queue.count === 0) return 0;
    const whole = this.#headBytes + queue.firstLength;
    if (queue.sentFragments === 0 && whole <= room) return whole;
    return MAX_FRAGMENT_HEAD_BYTES + this.#fragmentBytes(packetBytes);
  }

  /**
   * Writes the first message, or its next fragment, into what the writer has left. `room` is what an empty packet of
   * `packetBytes` has for messages: what fits there waits for the next packet rather than being cut.
   */
  write(writer: ByteWriter, packetBytes: number, room: number): boolean {
    const queue = this.#queue;
    while (queue.count > 0) {
      if (queue.sentFragments === 0) {
        const whole = this.#headBytes + queue.firstLength;
        if (whole <= writer.remaining) return this.#writeWhole(writer);
        if (whole <= room) return false;
      }
      const fragmentBytes = this.#fragmentBytes(packetBytes);
      const last = Math.ceil(queue.firstLength / fragmentBytes) - 1;
      if (last < 1) return false; // fits into a packet without a hello
      if (MAX_FRAGMENT_HEAD_BYTES + fragmentBytes <= room && last < MAX_FRAGMENTS) {
        return this.#writeFragment(writer, fragmentBytes, last);
      }
      this.tooLarge++;
      queue.pop();
    }
    return false;
  }

  get #headBytes(): number {
    const length = this.#queue.firstLength;
    return (this.#ordered ? 2 + varintLength(this.#nextOrdered) : 1) + varintLength(length);
  }

  #fragmentBytes(packetBytes: number): number {
    return this.#queue.sentFragments > 0 ? this.#queue.fragmentBytes : packetBytes - FRAGMENT_ROOM_BYTES;
  }

  #writeWhole(writer: ByteWriter): true {
    const queue = this.#queue;
    const length = queue.firstLength;
    if (this.#ordered) {
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

  #writeFragment(writer: ByteWriter, fragmentBytes: number, last: number): boolean {
    const queue = this.#queue;
    const length = queue.firstLength;
    const fragment = queue.sentFragments;
    const from = fragment * fragmentBytes;
    const size = fragment === last ? length - from : fragmentBytes;
    const begun = fragment > 0;
    const sequence = begun ? queue.sequence : this.#ordered ? this.#nextOrdered : this.#nextFragmented;
    if (2 + varintLength(sequence) + 2 + varintLength(size) + size > writer.remaining) return false;
    if (!begun) {
      queue.sequence = sequence;
      queue.fragmentBytes = fragmentBytes;
      if (this.#ordered) this.#nextOrdered++;
      else this.#nextFragmented++;
    }
    writer.varint(FRAME_FRAGMENT | MESSAGE_LENGTH | (this.#ordered ? FRAGMENT_ORDERED : 0));
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
