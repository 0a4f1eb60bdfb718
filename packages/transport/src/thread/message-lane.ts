/**
 * One direction between two threads: three rings whose records are read in the order they were written in, whatever
 * ring they went by, and the flags that say who is to be woken.
 *
 * The reliable ring refuses what it has no room for; the other two drop their oldest records. Records carry a running
 * number, and the number up to which all rings may be read is published once for a whole batch, so a reader
 * that merges the rings by number misses nothing and never reads ahead. A message too large for its ring goes by
 * the message port, and a record in its place says so.
 */
import { receiveMessageOnPort } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { copyBytes } from "@riposte/datapath";
import { RingReader, RingWriter, emptyRecord, ringMemory } from "./shared-ring.ts";
import type { RingRecord, RingWriterOptions } from "./shared-ring.ts";

/** Which ring: nothing is lost on the first; the others keep the newest. */
export const RELIABLE = 0;
export const UNRELIABLE = 1;
export const DATAGRAMS = 2;

/** Words of the shared flags, each in a cache line of its own. */
const PUBLISHED = 0;
const READER_SLEEPS = 16;
const WRITER_WAITS = 32;
const CONTROL_BYTES = 192;

/** Of the reliable ring: kept free for events, which must not wait for messages to be read. */
const EVENT_RESERVE_BYTES = 64 * 1024;
/** Added to the kind of a record whose payload went by the port. */
const BY_PORT = 256;
const NOTHING = new Uint8Array(0);

/** What both ends need, to be posted to the other thread. */
export interface LaneMemory {
  readonly control: SharedArrayBuffer;
  readonly rings: readonly [SharedArrayBuffer, SharedArrayBuffer, SharedArrayBuffer];
}

/** Rings of `ringBytes` each: a power of two from 2^20, so that every unreliable message fits in a quarter. */
export function laneMemory(ringBytes: number): LaneMemory {
  return {
    control: new SharedArrayBuffer(CONTROL_BYTES),
    rings: [ringMemory(ringBytes), ringMemory(ringBytes), ringMemory(ringBytes)],
  };
}

/** An event that waits for room, and all that was written behind it. */
interface Held {
  readonly kind: number;
  readonly slot: number;
  readonly generation: number;
  readonly argument: number;
  readonly bytes: Uint8Array;
}

export class LaneWriter {
  readonly #control: Int32Array;
  readonly #rings: readonly [RingWriter, RingWriter, RingWriter];
  readonly #port: MessagePort;
  readonly #held: Held[] = [];
  /** Of the last record. */
  #sequence = 0;
  #published = 0;

  constructor(memory: LaneMemory, port: MessagePort, onDropped?: RingWriterOptions["onDropped"]) {
    const [reliable, unreliable, datagrams] = memory.rings;
    this.#control = new Int32Array(memory.control);
    this.#rings = [
      new RingWriter(reliable, { drops: false }),
      new RingWriter(unreliable, { drops: true, ...(onDropped !== undefined && { onDropped }) }),
      new RingWriter(datagrams, { drops: true }),
    ];
    this.#port = port;
  }

  /** Something was written that may not be read yet. */
  get pending(): boolean {
    return this.#sequence !== this.#published;
  }

  /** Records that were dropped for newer ones. */
  get dropped(): number {
    return this.#rings[UNRELIABLE].dropped + this.#rings[DATAGRAMS].dropped;
  }

  /** Whether half of the reliable ring is free, and nothing waits for it; if not, the reader says when there is room. */
  checkRoom(): boolean {
    this.#writeHeld();
    if (this.#isHalfFree()) return true;
    Atomics.store(this.#control, WRITER_WAITS, 1);
    return this.#isHalfFree();
  }

  /** Writes a message that the other thread must get. False when there is no room: `publish`, and the reader says when there is. */
  writeReliable(
    kind: number,
    slot: number,
    generation: number,
    argument: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): boolean {
    const reserve = EVENT_RESERVE_BYTES;
    this.#writeHeld();
    if (this.#held.length === 0) {
      if (this.#write(kind, slot, generation, argument, buffer, offset, length, reserve)) return true;
      Atomics.store(this.#control, WRITER_WAITS, 1);
      // What was read before that nobody would tell of.
      return this.#write(kind, slot, generation, argument, buffer, offset, length, reserve);
    }
    return false;
  }

  /** Writes what is rare and must not be refused: where there is no room it waits here, and messages behind it are refused. */
  writeEvent(kind: number, slot: number, generation: number, argument = 0, bytes: Uint8Array = NOTHING): void {
    this.#held.push({ kind, slot, generation, argument, bytes });
    this.#writeHeld();
  }

  /** Writes what may be lost; the oldest goes when there is no room. */
  writeUnreliable(
    kind: number,
    slot: number,
    generation: number,
    argument: number,
    deadlineMs: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
  ): void {
    const ring = this.#rings[UNRELIABLE];
    ring.write(this.#next(), kind, slot, generation, argument, deadlineMs, buffer, offset, length);
    this.#sequence = this.#next();
  }

  /** Writes a datagram on its way between a WebSocket and the endpoint. */
  writeDatagram(kind: number, path: number, buffer: Uint8Array, offset: number, length: number): void {
    this.#rings[DATAGRAMS].write(this.#next(), kind, path, 0, 0, 0, buffer, offset, length);
    this.#sequence = this.#next();
  }

  /** Lets the other thread read what was written. True when it sleeps and is to be woken. */
  publish(): boolean {
    this.#writeHeld();
    if (this.#sequence === this.#published) return false;
    this.#published = this.#sequence;
    for (const ring of this.#rings) ring.publish();
    Atomics.store(this.#control, PUBLISHED, this.#sequence);
    return Atomics.exchange(this.#control, READER_SLEEPS, 0) === 1;
  }

  #isHalfFree(): boolean {
    const ring = this.#rings[RELIABLE];
    return this.#held.length === 0 && ring.freeBytes >= ring.sizeBytes / 2;
  }

  #writeHeld(): void {
    while (this.#held.length > 0) {
      const { kind, slot, generation, argument, bytes } = this.#held[0];
      if (!this.#write(kind, slot, generation, argument, bytes, 0, bytes.length, 0)) {
        Atomics.store(this.#control, WRITER_WAITS, 1);
        if (!this.#write(kind, slot, generation, argument, bytes, 0, bytes.length, 0)) return;
      }
      this.#held.shift();
    }
  }

  #write(
    kind: number,
    slot: number,
    generation: number,
    argument: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    reserveBytes: number,
  ): boolean {
    const ring = this.#rings[RELIABLE];
    if (length <= ring.maxPayloadBytes) {
      if (!ring.write(this.#next(), kind, slot, generation, argument, 0, buffer, offset, length, reserveBytes))
        return false;
    } else {
      if (!ring.write(this.#next(), kind + BY_PORT, slot, generation, argument, 0, NOTHING, 0, 0, reserveBytes))
        return false;
      const bytes = new Uint8Array(length);
      copyBytes(buffer, offset, length, bytes, 0);
      this.#port.postMessage(bytes, [bytes.buffer]);
    }
    this.#sequence = this.#next();
    return true;
  }

  #next(): number {
    return (this.#sequence + 1) | 0;
  }
}

export class LaneReader {
  /** The record that `next` took; its bytes are borrowed until the following call. */
  readonly record: RingRecord = emptyRecord();
  readonly #control: Int32Array;
  readonly #rings: readonly [RingReader, RingReader, RingReader];
  readonly #port: MessagePort;
  /** Up to where this batch goes. */
  #until = 0;

  constructor(memory: LaneMemory, port: MessagePort) {
    const [reliable, unreliable, datagrams] = memory.rings;
    this.#control = new Int32Array(memory.control);
    this.#rings = [new RingReader(reliable), new RingReader(unreliable), new RingReader(datagrams)];
    this.#port = port;
  }

  /** Begins a batch: what is published from now on is left for the next. */
  begin(): void {
    this.#until = Atomics.load(this.#control, PUBLISHED);
  }

  /** Takes the next record of the batch into `record`. */
  next(): boolean {
    // One past the end: a ring that has nothing, or nothing for this batch, loses every comparison.
    const end = (this.#until + 1) | 0;
    for (;;) {
      let best = -1;
      let lowest = end;
      for (let i = 0; i < 3; i++) {
        const sequence = this.#rings[i].peek(end);
        if (((sequence - lowest) | 0) >= 0) continue;
        lowest = sequence;
        best = i;
      }
      if (best < 0) return false;
      if (!this.#rings[best].take(this.record)) continue;
      if (this.record.kind >= BY_PORT) this.#fetch();
      return true;
    }
  }

  /** After a batch: whether the writer waited for room in the reliable ring, and is to be woken. Says so once. */
  takeRoomWanted(): boolean {
    return Atomics.load(this.#control, WRITER_WAITS) === 1 && Atomics.exchange(this.#control, WRITER_WAITS, 0) === 1;
  }

  /** Nothing is left to read: the writer is to wake this thread. False when something came meanwhile. */
  sleep(): boolean {
    Atomics.store(this.#control, READER_SLEEPS, 1);
    if (Atomics.load(this.#control, PUBLISHED) === this.#until) return true;
    Atomics.store(this.#control, READER_SLEEPS, 0);
    return false;
  }

  /** The payload went by the port before its record was published, so it is there. */
  #fetch(): void {
    const { record } = this;
    record.kind -= BY_PORT;
    const received = receiveMessageOnPort(this.#port)?.message as unknown;
    if (!(received instanceof Uint8Array)) throw new TypeError("a large message is missing on the port");
    record.buffer = received;
    record.offset = 0;
    record.length = received.length;
  }
}
