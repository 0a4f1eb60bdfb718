import { RangeSet } from "../recovery/range-set.ts";
import { ByteRing, copyBytes } from "./byte-ring.ts";
import type { Channel } from "./connection-options.ts";
import { CLOSE_FLOW_CONTROL_ERROR, CLOSE_PROTOCOL_VIOLATION } from "./frames.ts";
import { INITIAL_STREAM_WINDOW_BYTES } from "./reliable-send.ts";

/** Gaps remembered; honest senders stay far below. A chunk that would make more is refused. */
const MAX_GAPS = 512;
const INITIAL_ASSEMBLY_BYTES = 4096;
/** A larger assembly buffer is freed behind its message. */
const KEPT_ASSEMBLY_BYTES = 64 * 1024;

export const CHUNK_ACCEPTED = 0;
/** No room to remember it: the packet must not be acknowledged. */
export const CHUNK_REFUSED = -1;

/** Where decoded messages go. */
export interface MessageTarget {
  /** True once the connection is closed: nothing more is delivered. */
  readonly closed: boolean;
  deliver(channel: Channel, buffer: Uint8Array, offset: number, length: number): void;
}

/**
 * The receiving half of a reliable stream. Bytes in order go straight to the messages, most of
 * them without being copied; only what came too early waits in a ring. The peer may have as much
 * under way as it has already delivered (at least 64 KiB, at most the window of the limits), so
 * that no memory is committed to a peer that has sent little.
 */
export class ReliableReceiver {
  /** Offset up to which the peer was allowed to send. */
  maxData: number;
  readonly #windowBytes: number;
  readonly #messageLimitBytes: number;
  readonly #ring: ByteRing;
  readonly #early: RangeSet;
  /** Everything below was taken. */
  #base: number;
  /** Length of the message under way, -1 while its prefix is. */
  #messageLength: number;
  #messageHave: number;
  #assembly: Uint8Array;
  readonly #prefix: Uint8Array;
  #prefixHave: number;

  constructor(windowBytes: number, messageLimitBytes: number) {
    this.maxData = INITIAL_STREAM_WINDOW_BYTES;
    this.#windowBytes = Math.max(windowBytes, INITIAL_STREAM_WINDOW_BYTES);
    this.#messageLimitBytes = messageLimitBytes;
    this.#ring = new ByteRing(4096, this.#windowBytes);
    this.#early = new RangeSet(MAX_GAPS);
    this.#base = 0;
    this.#messageLength = -1;
    this.#messageHave = 0;
    this.#assembly = EMPTY;
    this.#prefix = new Uint8Array(8);
    this.#prefixHave = 0;
  }

  /** What the peer should be allowed now. */
  get wantedMaxData(): number {
    return this.#base + Math.min(Math.max(this.#base, INITIAL_STREAM_WINDOW_BYTES), this.#windowBytes);
  }

  /** A quarter of the window is used up: time for MAX_STREAM_DATA. */
  get shouldUpdateMaxData(): boolean {
    return this.wantedMaxData - this.maxData >= (this.wantedMaxData - this.#base) / 4;
  }

  /** Takes one chunk. Answers CHUNK_ACCEPTED, CHUNK_REFUSED or the code to close with. */
  receive(at: number, buffer: Uint8Array, offset: number, length: number, target: MessageTarget): number {
    const end = at + length;
    if (end > this.maxData) return CLOSE_FLOW_CONTROL_ERROR;
    if (end <= this.#base) return CHUNK_ACCEPTED;
    if (at > this.#base) {
      const used = this.#early.count === 0 ? this.#base : this.#early.end(this.#early.count - 1);
      if (!this.#ring.reserve(this.#base, used, end) || !this.#early.insert(at, end)) return CHUNK_REFUSED;
      this.#ring.write(at, buffer, offset, length);
      return CHUNK_ACCEPTED;
    }
    const from = offset + (this.#base - at);
    this.#base = end;
    if (!this.#feed(buffer, from, offset + length, target)) return CLOSE_PROTOCOL_VIOLATION;
    while (this.#early.count > 0 && this.#early.start(0) <= this.#base && !target.closed) {
      if (!this.#feedEarly(target)) return CLOSE_PROTOCOL_VIOLATION;
    }
    return CHUNK_ACCEPTED;
  }

  /** Frees the storage. */
  release(): void {
    this.#early.clear();
    this.#ring.shrink(0);
    this.#assembly = EMPTY;
  }

  /** The first early range has been reached: takes the part of it that lies in one piece. */
  #feedEarly(target: MessageTarget): boolean {
    const end = this.#early.end(0);
    if (end <= this.#base) {
      this.#early.removeFirst();
      return true;
    }
    const index = this.#ring.indexOf(this.#base);
    const length = Math.min(end - this.#base, this.#ring.bytes.length - index);
    this.#base += length;
    if (this.#base === end) this.#early.removeFirst();
    return this.#feed(this.#ring.bytes, index, index + length, target);
  }

  /** The next bytes of the stream. False when a message is longer than allowed. */
  #feed(buffer: Uint8Array, from: number, to: number, target: MessageTarget): boolean {
    let at = from;
    while (at < to && !target.closed) {
      if (this.#messageLength >= 0) {
        at += this.#append(buffer, at, to);
        if (this.#messageHave === this.#messageLength) this.#deliverAssembled(target);
        continue;
      }
      this.#prefix[this.#prefixHave++] = buffer[at++];
      if (this.#prefixHave < 1 << (this.#prefix[0] >> 6)) continue;
      const length = this.#takePrefix();
      if (length > this.#messageLimitBytes) return false;
      if (length <= to - at) {
        target.deliver("reliableOrdered", buffer, at, length);
        at += length;
      } else {
        this.#messageLength = length;
        this.#messageHave = 0;
      }
    }
    return true;
  }

  #takePrefix(): number {
    let length = this.#prefix[0] & 0x3f;
    for (let i = 1; i < this.#prefixHave; i++) length = length * 256 + this.#prefix[i];
    this.#prefixHave = 0;
    return length;
  }

  #append(buffer: Uint8Array, from: number, to: number): number {
    const length = Math.min(this.#messageLength - this.#messageHave, to - from);
    const needed = this.#messageHave + length;
    if (needed > this.#assembly.length) {
      // Grows with what came, not with what was announced.
      const size = Math.max(INITIAL_ASSEMBLY_BYTES, Math.min(2 * needed, this.#messageLength));
      const larger = new Uint8Array(size);
      larger.set(this.#assembly.subarray(0, this.#messageHave));
      this.#assembly = larger;
    }
    copyBytes(buffer, from, length, this.#assembly, this.#messageHave);
    this.#messageHave = needed;
    return length;
  }

  #deliverAssembled(target: MessageTarget): void {
    const length = this.#messageLength;
    const buffer = this.#assembly;
    this.#messageLength = -1;
    if (buffer.length > KEPT_ASSEMBLY_BYTES) this.#assembly = EMPTY;
    target.deliver("reliableOrdered", buffer, 0, length);
  }
}

const EMPTY = new Uint8Array(0);
