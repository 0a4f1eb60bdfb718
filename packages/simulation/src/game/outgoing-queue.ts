/**
 * A bounded queue of messages on their way to a connection: a byte ring and a ring of entries.
 * A full queue refuses the message; whoever sends decides whether that is an error.
 */

/** Same names as the channels of `@riposte/protocol`; `simulation` does not import it. */
export type MessageChannel = "reliableOrdered" | "unreliableOrdered" | "unreliableUnordered";

/** What `poll` fills. `buffer` is borrowed: copy it or send it before the next call into the owner. */
export interface OutgoingMessage {
  channel: MessageChannel;
  buffer: Uint8Array;
  offset: number;
  length: number;
}

export function outgoingMessage(): OutgoingMessage {
  return { channel: "reliableOrdered", buffer: EMPTY, offset: 0, length: 0 };
}

export class OutgoingQueue {
  /** Messages refused because the queue was full. */
  refused = 0;
  readonly #limitBytes: number;
  readonly #channels: Uint8Array;
  readonly #offsets: Int32Array;
  readonly #lengths: Int32Array;
  #bytes: Uint8Array;
  #first = 0;
  #count = 0;
  /** Where the next message would go. */
  #head = 0;

  /** `limitBytes`: default 64 KiB; `limitMessages`: a power of two, default 256. */
  constructor(limitBytes = 65_536, limitMessages = 256) {
    if (limitMessages <= 0 || (limitMessages & (limitMessages - 1)) !== 0)
      throw new RangeError(`limitMessages must be a power of two, got ${limitMessages}`);
    this.#limitBytes = limitBytes;
    this.#channels = new Uint8Array(limitMessages);
    this.#offsets = new Int32Array(limitMessages);
    this.#lengths = new Int32Array(limitMessages);
    this.#bytes = new Uint8Array(Math.min(limitBytes, 1024));
  }

  get count(): number {
    return this.#count;
  }

  /** Copies a message in; false when there is no room. */
  push(channel: MessageChannel, buffer: Uint8Array, offset: number, length: number): boolean {
    const at = this.#count === this.#channels.length ? -1 : this.#place(length);
    if (at < 0) {
      this.refused++;
      return false;
    }
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) bytes[at + i] = buffer[offset + i];
    const entry = (this.#first + this.#count) & (this.#channels.length - 1);
    this.#channels[entry] = CHANNELS.indexOf(channel);
    this.#offsets[entry] = at;
    this.#lengths[entry] = length;
    this.#count++;
    this.#head = at + length;
    return true;
  }

  /** Takes the oldest message; false when there is none. */
  poll(out: OutgoingMessage): boolean {
    if (this.#count === 0) return false;
    const entry = this.#first;
    out.channel = CHANNELS[this.#channels[entry]];
    out.buffer = this.#bytes;
    out.offset = this.#offsets[entry];
    out.length = this.#lengths[entry];
    this.#first = (entry + 1) & (this.#channels.length - 1);
    this.#count--;
    return true;
  }

  clear(): void {
    this.#count = 0;
    this.#head = 0;
  }

  /** Finds `length` contiguous free bytes, growing up to the limit; -1 when there are none. */
  #place(length: number): number {
    for (;;) {
      const size = this.#bytes.length;
      if (this.#count === 0) {
        if (length <= size) return 0;
      } else {
        const tail = this.#offsets[this.#first];
        if (this.#head > tail) {
          if (length <= size - this.#head) return this.#head;
          if (length < tail) return 0;
        } else if (length < tail - this.#head) return this.#head;
      }
      if (!this.#grow(length)) return -1;
    }
  }

  #grow(needed: number): boolean {
    const size = this.#bytes.length;
    const wanted = Math.min(this.#limitBytes, Math.max(size * 2, size + needed));
    if (wanted === size) return false;
    const bytes = new Uint8Array(wanted);
    let head = 0;
    for (let i = 0; i < this.#count; i++) {
      const entry = (this.#first + i) & (this.#channels.length - 1);
      const from = this.#offsets[entry];
      bytes.set(this.#bytes.subarray(from, from + this.#lengths[entry]), head);
      this.#offsets[entry] = head;
      head += this.#lengths[entry];
    }
    this.#bytes = bytes;
    this.#head = head;
    return true;
  }
}

const CHANNELS: readonly MessageChannel[] = ["reliableOrdered", "unreliableOrdered", "unreliableUnordered"];
const EMPTY = new Uint8Array(0);
