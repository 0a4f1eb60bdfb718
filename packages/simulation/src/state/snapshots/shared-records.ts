import { BitWriter } from "@riposte/wire";
import { RecordCodec } from "../record-codec.ts";
import type { Reach } from "../fields/leaf-plan.ts";
import type { AnyTable } from "../state-table.ts";

/**
 * The records of one table as the clients of a room need them in one tick, each encoded once: a record depends on
 * the row, the record that a client has of it, that one's age, and the client's reach. Whoever asks for the
 * same gets the same bits. What an encoding was made from is kept beside it and compared, so that nothing but equal
 * records share one. Another tick, or a change of the table, empties the store.
 */

/** Places per row; what falls on a taken one is encoded anew. */
const PLACES_PER_ROW = 4;
/** Encoded records start at a whole byte, followed by what the last copied word may read. */
const SPARE_BYTES = 8;

export interface SharedRecordsStats {
  /** Records encoded, and records that were there already. */
  encoded: number;
  reused: number;
  /** Encoded for one client alone, for want of room. */
  unstored: number;
}

export class SharedRecords {
  readonly codec: RecordCodec;
  readonly stats: SharedRecordsStats;
  readonly #table: AnyTable;
  readonly #mask: number;
  /** By place: epoch of the encoding, row, age, reach, first byte, bits. */
  readonly #epochs: Int32Array;
  readonly #rows: Int32Array;
  readonly #ages: Int32Array;
  readonly #reaches: Uint8Array;
  readonly #starts: Int32Array;
  readonly #lengths: Int32Array;
  /** By place: the record that it was made against. */
  readonly #bases: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #writer = new BitWriter();
  readonly #changes: Int32Array;
  #used = 0;
  #epoch = 0;
  #tick = -1;
  #version = -1;

  /** `maxBytes`: room for the encodings of one tick. */
  constructor(table: AnyTable, tickRate: number, maxBytes: number, stats: SharedRecordsStats) {
    this.#table = table;
    this.codec = new RecordCodec(table.definition, tickRate);
    this.stats = stats;
    const places = 1 << (32 - Math.clz32(table.capacity * PLACES_PER_ROW - 1));
    this.#mask = places - 1;
    this.#epochs = new Int32Array(places);
    this.#rows = new Int32Array(places);
    this.#ages = new Int32Array(places);
    this.#reaches = new Uint8Array(places);
    this.#starts = new Int32Array(places);
    this.#lengths = new Int32Array(places);
    this.#bases = new Int32Array(places * table.wordCount);
    this.#bytes = new Uint8Array(maxBytes + SPARE_BYTES);
    this.#changes = new Int32Array(this.codec.leafCount);
  }

  start(tick: number): void {
    if (this.#tick === tick && this.#version === this.#table.version) return;
    this.#tick = tick;
    this.#version = this.#table.version;
    this.#epoch++;
    this.#used = 0;
  }

  /** The place of a row's record against this one, which differs from it in something within reach; -1 when there is no room. */
  find(row: number, base: Int32Array, baseAt: number, age: number, reach: Reach): number {
    const { wordCount } = this.#table;
    const place = ((Math.imul(row, 0x9e3779b1) ^ Math.imul(age * 3 + reach, 0x85ebca6b)) >>> 7) & this.#mask;
    const taken = this.#epochs[place] === this.#epoch;
    if (
      taken &&
      this.#rows[place] === row &&
      this.#ages[place] === age &&
      this.#reaches[place] === reach &&
      this.codec.equal(base, baseAt, this.#bases, place * wordCount, reach)
    ) {
      this.stats.reused++;
      return place;
    }
    const writer = this.#writer.reset(this.#bytes, this.#used, this.#bytes.length - SPARE_BYTES);
    if (!taken) this.write(row, base, baseAt, age, reach, writer);
    if (taken || writer.failed) {
      this.stats.unstored++;
      return -1;
    }
    this.#epochs[place] = this.#epoch;
    this.#rows[place] = row;
    this.#ages[place] = age;
    this.#reaches[place] = reach;
    this.#starts[place] = this.#used;
    this.#lengths[place] = writer.bitLength;
    for (let word = 0; word < wordCount; word++) this.#bases[place * wordCount + word] = base[baseAt + word];
    this.#used = writer.finish();
    return place;
  }

  /** Bits of the record at a place. */
  bitsOf(place: number): number {
    return this.#lengths[place];
  }

  copy(place: number, writer: BitWriter): void {
    copyBits(this.#bytes, this.#starts[place], this.#lengths[place], writer);
  }

  /** Encodes a record without keeping it; returns roughly its bits. */
  write(row: number, base: Int32Array, baseAt: number, age: number, reach: Reach, writer: BitWriter): void {
    const { words, wordCount } = this.#table;
    this.codec.begin();
    this.codec.measure(words, row * wordCount, base, baseAt, reach, age, this.#changes, 0);
    this.codec.writeMeasured(words, row * wordCount, base, baseAt, reach, this.#changes, 0, writer);
    this.stats.encoded++;
  }
}

/** Appends `length` bits that start at a whole byte. */
export function copyBits(bytes: Uint8Array, start: number, length: number, writer: BitWriter): void {
  let at = start;
  let left = length;
  for (; left >= 32; left -= 32, at += 4) {
    writer.bits(bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24), 32);
  }
  for (; left > 0; left -= 8, at++) writer.bits(bytes[at], Math.min(left, 8));
}
