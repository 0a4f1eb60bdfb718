import { varintLength } from "@riposte/wire";
import type { ByteWriter } from "@riposte/wire";
import { FRAGMENT_ORDERED, FRAME_FRAGMENT, MAX_FRAGMENTS, MESSAGE_LENGTH } from "./frames.ts";
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
  /** Fragments written. */
  fragments: number;
  /** Messages dropped because the path no longer takes packets of their fragments' size, or 256 of them do not suffice. */
  tooLarge: number;
  readonly #queue: UnreliableQueue;
  readonly #ordered: boolean;
  /** Fragmented messages that are not ordered have numbers of their own: that of the one under way, and of the next. */
  #fragmented: number;
  #nextFragmented: number;

  constructor(queue: UnreliableQueue, ordered: boolean) {
    this.fragments = 0;
    this.tooLarge = 0;
    this.#queue = queue;
    this.#ordered = ordered;
    this.#fragmented = 0;
    this.#nextFragmented = 0;
  }

  /** Bytes that `write` would take of an empty packet with `room`: the whole message, or its next fragment. 0 when nothing waits. */
  nextBytes(packetBytes: number, room: number): number {
    const queue = this.#queue;
    if (queue.count === 0) return 0;
    if (queue.sentFragments === 0 && queue.firstFrameBytes <= room) return queue.firstFrameBytes;
    return MAX_FRAGMENT_HEAD_BYTES + this.#fragmentBytes(packetBytes);
  }

  /**
   * Writes up to `most` messages, or the next fragment of the first, into what the writer has left. `room` is what an
   * empty packet of `packetBytes` has for messages: what fits there waits for the next packet rather
   * than being cut. What has waited too long is left to `UnreliableQueue.dropExpired`, and what is behind it for the next
   * call. Returns how many messages and fragments it wrote.
   */
  write(writer: ByteWriter, most: number, packetBytes: number, room: number, now: number): number {
    const queue = this.#queue;
    while (queue.count > 0) {
      if (queue.sentFragments === 0 && queue.firstFrameBytes <= room) {
        const before = queue.count;
        writer.offset += queue.takeFrames(most, writer.remaining, writer.buffer, writer.offset, now);
        return before - queue.count;
      }
      const fragmentBytes = this.#fragmentBytes(packetBytes);
      const last = Math.ceil(queue.firstLength / fragmentBytes) - 1;
      if (last < 1) return 0; // fits into a packet without a hello
      if (MAX_FRAGMENT_HEAD_BYTES + fragmentBytes <= room && last < MAX_FRAGMENTS) {
        return this.#writeFragment(writer, fragmentBytes, last) ? 1 : 0;
      }
      this.tooLarge++;
      queue.pop();
    }
    return 0;
  }

  #fragmentBytes(packetBytes: number): number {
    return this.#queue.sentFragments > 0 ? this.#queue.fragmentBytes : packetBytes - FRAGMENT_ROOM_BYTES;
  }

  #writeFragment(writer: ByteWriter, fragmentBytes: number, last: number): boolean {
    const queue = this.#queue;
    const fragment = queue.sentFragments;
    const from = fragment * fragmentBytes;
    const size = fragment === last ? queue.firstLength - from : fragmentBytes;
    const number = this.#ordered ? queue.firstNumber : fragment === 0 ? this.#nextFragmented : this.#fragmented;
    if (2 + varintLength(number) + 2 + varintLength(size) + size > writer.remaining) return false;
    if (fragment === 0) {
      queue.fragmentBytes = fragmentBytes;
      if (!this.#ordered) this.#fragmented = this.#nextFragmented++;
    }
    writer.varint(FRAME_FRAGMENT | MESSAGE_LENGTH | (this.#ordered ? FRAGMENT_ORDERED : 0));
    writer.varint(number);
    writer.u8(fragment);
    writer.u8(last);
    writer.varint(size);
    queue.readFirst(from, size, writer.buffer, writer.offset);
    writer.offset += size;
    this.fragments++;
    queue.sentFragments++;
    if (fragment === last) queue.pop();
    return true;
  }
}
