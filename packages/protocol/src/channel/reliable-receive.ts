import { copyBytes } from "@riposte/wire";
import { RangeSet } from "../recovery/range-set.ts";
import { ByteRing } from "./byte-ring.ts";
import type { Channel } from "./connection-options.ts";
import {
  CLOSE_FLOW_CONTROL_ERROR,
  CLOSE_PROTOCOL_VIOLATION,
  CLOSE_TOO_MUCH_UNFINISHED,
  MAX_STREAMS,
} from "./frames.ts";
import { INITIAL_WINDOW_BYTES } from "./reliable-streams.ts";

/** Gaps remembered of one stream; honest senders stay far below. A chunk that would make more is refused. */
const MAX_GAPS = 512;
/** Storage of a stream begins so small, since a peer may begin all of them. */
const INITIAL_RING_BYTES = 256;
const INITIAL_ASSEMBLY_BYTES = 256;
/** A larger assembly buffer is freed behind its message. */
const KEPT_ASSEMBLY_BYTES = 64 * 1024;

export const CHUNK_ACCEPTED = 0;
/** No room to remember it: the packet must not be acknowledged. */
export const CHUNK_REFUSED = -1;

/** Where decoded messages go. */
export interface MessageTarget {
  /** True once the connection is closed: nothing more is delivered. */
  readonly closed: boolean;
  deliver(channel: Channel, buffer: Uint8Array, offset: number, length: number, stream: number): void;
}

export interface ReliableReceiverOptions {
  /** What the peer may have under way on all streams together. */
  readonly windowBytes: number;
  /** Largest message. */
  readonly messageBytes: number;
  /** What the unfinished messages of all streams may hold. */
  readonly unfinishedBytes: number;
}

/**
 * The receiving half of the reliable channel: up to 256 streams that share one window. Bytes in
 * order go straight to the messages, most of them without being copied; only what came too early
 * waits in a ring of its stream. The peer may have as much under way as it has already delivered (at
 * least 64 KiB, at most the window), so that no memory is committed to a peer that has sent little.
 */
export class ReliableReceiver {
  /** Bytes that the peer was allowed to send, counted over all streams. */
  maxData: number;
  /** What unfinished messages hold now. */
  unfinishedBytes: number;
  /** Delivered bytes that nobody has read yet: the peer is allowed as many less. Set by the layer above. */
  unreadBytes: number;
  readonly #windowBytes: number;
  readonly #messageLimitBytes: number;
  readonly #unfinishedLimitBytes: number;
  readonly #streams: (ReceivingStream | undefined)[];
  /** Over all streams: bytes taken in order, and bytes up to the highest of each. */
  #taken: number;
  #received: number;

  constructor(options: ReliableReceiverOptions) {
    this.maxData = INITIAL_WINDOW_BYTES;
    this.unfinishedBytes = 0;
    this.unreadBytes = 0;
    this.#windowBytes = Math.max(options.windowBytes, INITIAL_WINDOW_BYTES);
    this.#messageLimitBytes = options.messageBytes;
    this.#unfinishedLimitBytes = Math.max(options.unfinishedBytes, options.messageBytes);
    this.#streams = [];
    this.#taken = 0;
    this.#received = 0;
  }

  /** What the peer should be allowed now; never less than it was told. */
  get wantedMaxData(): number {
    return Math.max(this.#taken - this.unreadBytes + this.#window(), this.maxData);
  }

  /** A quarter of the window is used up: time for MAX_DATA. */
  get shouldUpdateMaxData(): boolean {
    return this.wantedMaxData - this.maxData >= this.#window() / 4;
  }

  #window(): number {
    return Math.min(Math.max(this.#taken, INITIAL_WINDOW_BYTES), this.#windowBytes);
  }

  /** Takes one chunk. Answers CHUNK_ACCEPTED, CHUNK_REFUSED or the code to close with. */
  receive(id: number, at: number, buffer: Uint8Array, offset: number, length: number, target: MessageTarget): number {
    if (id >= MAX_STREAMS) return CLOSE_PROTOCOL_VIOLATION;
    const stream = (this.#streams[id] ??= new ReceivingStream(id, this.#windowBytes));
    const end = at + length;
    const grown = end > stream.highest ? end - stream.highest : 0;
    if (this.#received + grown > this.maxData) return CLOSE_FLOW_CONTROL_ERROR;
    if (end <= stream.base) return CHUNK_ACCEPTED;
    if (at > stream.base) {
      if (!stream.keepEarly(at, buffer, offset, length)) return CHUNK_REFUSED;
      stream.highest += grown;
      this.#received += grown;
      return CHUNK_ACCEPTED;
    }
    const [baseBefore, unfinishedBefore] = [stream.base, stream.unfinishedBytes];
    stream.highest += grown;
    this.#received += grown;
    const understood = stream.take(
      end,
      buffer,
      offset + (stream.base - at),
      offset + length,
      this.#messageLimitBytes,
      target,
    );
    this.#taken += stream.base - baseBefore;
    this.unfinishedBytes += stream.unfinishedBytes - unfinishedBefore;
    if (!understood) return CLOSE_PROTOCOL_VIOLATION;
    return this.unfinishedBytes > this.#unfinishedLimitBytes ? CLOSE_TOO_MUCH_UNFINISHED : CHUNK_ACCEPTED;
  }

  /** Frees the storage. */
  release(): void {
    for (const stream of this.#streams) stream?.release();
    this.unfinishedBytes = 0;
  }
}

/** One stream: what came early, and the message under way. */
class ReceivingStream {
  readonly id: number;
  /** Everything below was taken. */
  base: number;
  /** End of what came so far, gaps included. */
  highest: number;
  readonly #ring: ByteRing;
  readonly #early: RangeSet;
  /** Length of the message under way, -1 while its prefix is. */
  #messageLength: number;
  #messageHave: number;
  #assembly: Uint8Array;
  #prefix: number;
  #prefixHave: number;
  #prefixLength: number;

  constructor(id: number, windowBytes: number) {
    this.id = id;
    this.base = 0;
    this.highest = 0;
    this.#ring = new ByteRing(INITIAL_RING_BYTES, windowBytes);
    this.#early = new RangeSet(MAX_GAPS);
    this.#messageLength = -1;
    this.#messageHave = 0;
    this.#assembly = EMPTY;
    this.#prefix = 0;
    this.#prefixHave = 0;
    this.#prefixLength = 0;
  }

  /** Bytes of the message under way that are here. */
  get unfinishedBytes(): number {
    return this.#messageLength < 0 ? 0 : this.#messageHave;
  }

  /** Remembers a chunk above `base`; false when there is no room. */
  keepEarly(at: number, buffer: Uint8Array, offset: number, length: number): boolean {
    const end = at + length;
    const used = this.#early.count === 0 ? this.base : this.#early.end(this.#early.count - 1);
    if (!this.#ring.reserve(this.base, used, end) || !this.#early.insert(at, end)) return false;
    this.#ring.write(at, buffer, offset, length);
    return true;
  }

  /** Takes `buffer[from, to)`, which ends at stream offset `end`, and what came early behind it. False when a message is longer than allowed. */
  take(
    end: number,
    buffer: Uint8Array,
    from: number,
    to: number,
    messageLimitBytes: number,
    target: MessageTarget,
  ): boolean {
    this.base = end;
    if (!this.#feed(buffer, from, to, messageLimitBytes, target)) return false;
    while (this.#early.count > 0 && this.#early.start(0) <= this.base && !target.closed) {
      if (!this.#feedEarly(messageLimitBytes, target)) return false;
    }
    return true;
  }

  release(): void {
    this.#early.clear();
    this.#ring.shrink(0);
    this.#assembly = EMPTY;
  }

  /** The first early range has been reached: takes the part of it that lies in one piece. */
  #feedEarly(messageLimitBytes: number, target: MessageTarget): boolean {
    const end = this.#early.end(0);
    if (end <= this.base) {
      this.#early.removeFirst();
      return true;
    }
    const index = this.#ring.indexOf(this.base);
    const length = Math.min(end - this.base, this.#ring.bytes.length - index);
    this.base += length;
    if (this.base === end) this.#early.removeFirst();
    return this.#feed(this.#ring.bytes, index, index + length, messageLimitBytes, target);
  }

  /** The next bytes of the stream. */
  #feed(buffer: Uint8Array, from: number, to: number, messageLimitBytes: number, target: MessageTarget): boolean {
    let at = from;
    while (at < to && !target.closed) {
      if (this.#messageLength >= 0) {
        at += this.#append(buffer, at, to);
        if (this.#messageHave === this.#messageLength) this.#deliverAssembled(target);
        continue;
      }
      if (!this.#feedPrefix(buffer[at++])) continue;
      const length = this.#prefix;
      if (length > messageLimitBytes) return false;
      if (length <= to - at) {
        target.deliver("reliableOrdered", buffer, at, length, this.id);
        at += length;
      } else {
        this.#messageLength = length;
        this.#messageHave = 0;
      }
    }
    return true;
  }

  /** One byte of QUIC's varint before each message; true with its last. */
  #feedPrefix(byte: number): boolean {
    if (this.#prefixHave === 0) {
      this.#prefixLength = 1 << (byte >> 6);
      this.#prefix = byte & 0x3f;
    } else this.#prefix = this.#prefix * 256 + byte;
    this.#prefixHave++;
    if (this.#prefixHave < this.#prefixLength) return false;
    this.#prefixHave = 0;
    return true;
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
    target.deliver("reliableOrdered", buffer, 0, length, this.id);
  }
}

const EMPTY = new Uint8Array(0);
