/**
 * A ring of records of any length in shared memory, for one thread that writes and one that reads.
 *
 * Positions count units of 8 bytes and wrap at 2^32. What lies from the tail to the head may be read; the writer
 * owns the rest. A record never wraps: where it would, the end of the ring is filled with padding. In a ring that
 * drops, the writer moves the tail past the oldest record when it needs the room. So the reader copies a record out
 * before it moves the tail: if its compare-and-exchange fails, the record was dropped under it, and the copy is thrown
 * away. No position comes again within 32 GiB, so where the tail has not changed nothing was dropped.
 */
import { copyBytes } from "@riposte/datapath";

const UNIT_BYTES = 8;
/** Int32 words: head and tail, each in a cache line of its own, and what was dropped. */
const HEAD = 0;
const TAIL = 16;
const DROPPED = 32;
const CONTROL_BYTES = 256;
const MIN_RING_BYTES = 1024;

/** Words of a record's header, which its payload follows. */
const UNITS = 0;
const KIND = 1;
const SEQUENCE = 2;
const SLOT = 3;
const GENERATION = 4;
const ARGUMENT = 5;
const LENGTH = 6;
const DEADLINE = 7;
const HEADER_BYTES = 32;

/** Kind of what fills the end of the ring. */
const PADDING = 0;

/** A message or an event on its way to the other thread. */
export interface RingRecord {
  /** 1 and up; what it means is for those who use the ring. */
  kind: number;
  /** Which connection, or path. */
  slot: number;
  generation: number;
  argument: number;
  /** Single precision. */
  deadlineMs: number;
  buffer: Uint8Array;
  offset: number;
  length: number;
}

export function emptyRecord(): RingRecord {
  return { kind: 0, slot: 0, generation: 0, argument: 0, deadlineMs: 0, buffer: NOTHING, offset: 0, length: 0 };
}

/** Memory for a ring of `bytes`, a power of two. */
export function ringMemory(bytes: number): SharedArrayBuffer {
  if (!Number.isInteger(Math.log2(bytes)) || bytes < MIN_RING_BYTES) {
    throw new RangeError(`a ring has a power of two of bytes from ${MIN_RING_BYTES}, not ${bytes}`);
  }
  return new SharedArrayBuffer(CONTROL_BYTES + bytes);
}

class Ring {
  /** Largest payload of a record: a quarter of the ring. */
  readonly maxPayloadBytes: number;
  protected readonly control: Int32Array;
  protected readonly words: Int32Array;
  protected readonly floats: Float32Array;
  protected readonly bytes: Uint8Array;
  protected readonly units: number;

  constructor(memory: SharedArrayBuffer) {
    const size = memory.byteLength - CONTROL_BYTES;
    this.maxPayloadBytes = size / 4;
    this.control = new Int32Array(memory, 0, CONTROL_BYTES / 4);
    this.words = new Int32Array(memory, CONTROL_BYTES, size / 4);
    this.floats = new Float32Array(memory, CONTROL_BYTES, size / 4);
    this.bytes = new Uint8Array(memory, CONTROL_BYTES, size);
    this.units = size / UNIT_BYTES;
  }

  /** Records that were dropped for newer ones. */
  get dropped(): number {
    return Atomics.load(this.control, DROPPED) >>> 0;
  }

  /** Bytes between tail and head. */
  get usedBytes(): number {
    return (((Atomics.load(this.control, HEAD) - Atomics.load(this.control, TAIL)) | 0) >>> 0) * UNIT_BYTES;
  }

  /** Index of the first word at a position. */
  protected wordAt(position: number): number {
    return (position & (this.units - 1)) * 2;
  }
}

export interface RingWriterOptions {
  /** Drop the oldest records for new ones, rather than refuse these. */
  readonly drops: boolean;
  /** Told of each record that is dropped. */
  readonly onDropped?: (kind: number, generation: number) => void;
}

export class RingWriter extends Ring {
  readonly #drops: boolean;
  readonly #onDropped: RingWriterOptions["onDropped"];
  /** Where the next record goes; what lies between the head and here is not published. */
  #position: number;

  constructor(memory: SharedArrayBuffer, options: RingWriterOptions) {
    super(memory);
    this.#drops = options.drops;
    this.#onDropped = options.onDropped;
    this.#position = Atomics.load(this.control, HEAD);
  }

  /** Bytes that are free now. */
  get freeBytes(): number {
    return (this.units - ((this.#position - Atomics.load(this.control, TAIL)) >>> 0)) * UNIT_BYTES;
  }

  get sizeBytes(): number {
    return this.units * UNIT_BYTES;
  }

  /**
   * Copies a record in; it is read after `publish`. False when there is no room, or less than `reserveBytes` would be left.
   * Throws `RangeError` above `maxPayloadBytes`.
   */
  write(
    sequence: number,
    kind: number,
    slot: number,
    generation: number,
    argument: number,
    deadlineMs: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    reserveBytes = 0,
  ): boolean {
    if (length > this.maxPayloadBytes)
      throw new RangeError(`a record of ${length} bytes in a ring of ${this.sizeBytes}`);
    const needed = (HEADER_BYTES + length + UNIT_BYTES - 1) >> 3;
    const toEnd = this.units - (this.#position & (this.units - 1));
    const padding = needed > toEnd ? toEnd : 0;
    if (!this.#makeRoom(padding + needed + (reserveBytes >> 3))) return false;
    if (padding > 0) {
      const at = this.wordAt(this.#position);
      this.words[at + UNITS] = padding;
      this.words[at + KIND] = PADDING;
      this.#position = (this.#position + padding) | 0;
    }
    const at = this.wordAt(this.#position);
    const { words } = this;
    words[at + UNITS] = needed;
    words[at + KIND] = kind;
    words[at + SEQUENCE] = sequence;
    words[at + SLOT] = slot;
    words[at + GENERATION] = generation;
    words[at + ARGUMENT] = argument;
    words[at + LENGTH] = length;
    this.floats[at + DEADLINE] = deadlineMs;
    copyBytes(buffer, offset, length, this.bytes, at * 4 + HEADER_BYTES);
    this.#position = (this.#position + needed) | 0;
    return true;
  }

  /** Everything written so far may be read. */
  publish(): void {
    Atomics.store(this.control, HEAD, this.#position);
  }

  /** Room for so many units behind `#position`. */
  #makeRoom(units: number): boolean {
    for (;;) {
      const tail = Atomics.load(this.control, TAIL);
      if (((this.#position - tail) >>> 0) + units <= this.units) return true;
      if (!this.#drops) return false;
      this.#dropOldest(tail);
    }
  }

  #dropOldest(tail: number): void {
    // The tail must not pass the head.
    if (tail === Atomics.load(this.control, HEAD)) this.publish();
    const at = this.wordAt(tail);
    const [units, kind] = [this.words[at + UNITS], this.words[at + KIND]];
    const generation = this.words[at + GENERATION];
    if (Atomics.compareExchange(this.control, TAIL, tail, (tail + units) | 0) !== tail || kind === PADDING) return;
    Atomics.add(this.control, DROPPED, 1);
    this.#onDropped?.(kind, generation);
  }
}

export class RingReader extends Ring {
  /** Holds the payload that was taken last. */
  #copy: Uint8Array = NOTHING;
  /** The record that `peek` saw begins here; -1 units: none. */
  #position = 0;
  #units = -1;

  /** The sequence of the oldest record, or `none`. Where records are dropped, only `take` says whether it was true. */
  peek(none: number): number {
    for (;;) {
      const tail = Atomics.load(this.control, TAIL);
      if (tail === Atomics.load(this.control, HEAD)) {
        this.#units = -1;
        return none;
      }
      const at = this.wordAt(tail);
      const units = this.words[at + UNITS];
      const sequence = this.words[at + SEQUENCE];
      if (this.words[at + KIND] !== PADDING) {
        this.#position = tail;
        this.#units = units;
        return sequence;
      }
      // Nothing in it may be believed if the writer was here first.
      Atomics.compareExchange(this.control, TAIL, tail, (tail + units) | 0);
    }
  }

  /** Takes the record that `peek` saw; its bytes are borrowed until the next call. False when the writer has dropped it. */
  take(record: RingRecord): boolean {
    const at = this.wordAt(this.#position);
    const { words } = this;
    record.kind = words[at + KIND];
    record.slot = words[at + SLOT];
    record.generation = words[at + GENERATION];
    record.argument = words[at + ARGUMENT];
    record.deadlineMs = this.floats[at + DEADLINE];
    const start = at * 4 + HEADER_BYTES;
    const length = words[at + LENGTH];
    record.length = length;
    // Until the exchange succeeds, the header may be part of something else by now.
    const plausible = length >= 0 && length <= this.maxPayloadBytes && start + length <= this.bytes.length;
    if (plausible) {
      if (this.#copy.length < length) this.#copy = new Uint8Array(Math.max(4096, 2 * length));
      copyBytes(this.bytes, start, length, this.#copy, 0);
    }
    record.buffer = this.#copy;
    record.offset = 0;
    const position = this.#position;
    return (
      plausible &&
      this.#units > 0 &&
      Atomics.compareExchange(this.control, TAIL, position, (position + this.#units) | 0) === position
    );
  }
}

const NOTHING = new Uint8Array(0);
