/**
 * Other players' inputs on a client: the newest one that the server has relayed of each, held while it is fresh and then
 * fading to neutral. Of its `decayTicks`, an input counts in full for the first three quarters; then fractions (`float`,
 * `f32`) and vectors go to neutral in a straight line, and keys, names and counts become neutral half way through that.
 * Angles and rotations stay as they were: nobody turns back because a packet is late. At the end everything is neutral.
 */
import { decodeRecord, encodeRecord, StateTable } from "../../state/index.ts";
import type { Fields, InputDefinition, Row } from "../../state/index.ts";
import type { BitReader, BitWriter } from "@riposte/wire";

export class RelayedInputs {
  readonly #definition: InputDefinition;
  readonly #decayTicks: number;
  /** A row for each slot, and the neutral input. */
  readonly #table: StateTable<Fields>;
  /** By slot: seat (-1: free), tick of the input, tick that the row is made for; the record. */
  readonly #seats: Int32Array = new Int32Array(MAX_RELAYED).fill(-1);
  readonly #ticks: Int32Array = new Int32Array(MAX_RELAYED);
  readonly #madeFor: Int32Array = new Int32Array(MAX_RELAYED);
  readonly #words: Int32Array;
  /** What was read of a snapshot that may yet turn out to be old or malformed. */
  readonly #stagedSeats: Int32Array = new Int32Array(MAX_RELAYED);
  readonly #stagedWords: Int32Array;
  #staged = 0;
  readonly #scratch: Int32Array;

  constructor(definition: InputDefinition, decayTicks: number) {
    this.#definition = definition;
    this.#decayTicks = decayTicks;
    this.#table = new StateTable<Fields>(definition, { capacity: MAX_RELAYED + 1 });
    for (let slot = 0; slot <= MAX_RELAYED; slot++) this.#table.insert(slot, slot);
    this.#words = new Int32Array(MAX_RELAYED * definition.wordCount);
    this.#stagedWords = new Int32Array(MAX_RELAYED * definition.wordCount);
    this.#scratch = new Int32Array(definition.wordCount);
  }

  clear(): void {
    this.#seats.fill(-1);
  }

  /** Whether an input of this seat is known. */
  has(seat: number): boolean {
    return seat >= 0 && this.#seats.includes(seat);
  }

  /** The input of a seat for `tick`; `undefined` when nothing is known of it. */
  at(seat: number, tick: number): Row<Fields> | undefined {
    const slot = seat < 0 ? -1 : this.#seats.indexOf(seat);
    if (slot < 0) return undefined;
    const age = tick - this.#ticks[slot];
    if (age >= this.#decayTicks) return this.#table.rowAt(MAX_RELAYED);
    if (this.#madeFor[slot] !== tick) this.#make(slot, age);
    this.#madeFor[slot] = tick;
    return this.#table.rowAt(slot);
  }

  /** Reads what a snapshot relays; `adopt` takes it over. False when it is malformed. */
  read(reader: BitReader): boolean {
    const { wordCount, initialWords } = this.#definition;
    this.#staged = 0;
    while (reader.bits(1) === 1) {
      if (this.#staged === MAX_RELAYED) return false;
      const at = this.#staged++;
      this.#stagedSeats[at] = reader.bits(SEAT_BITS);
      decodeRecord(this.#definition, this.#stagedWords, at * wordCount, initialWords, 0, reader);
      if (reader.failed) return false;
    }
    return !reader.failed;
  }

  /** The snapshot that was read is the newest, and of this tick. */
  adopt(tick: number): void {
    const { wordCount } = this.#definition;
    for (let i = 0; i < this.#staged; i++) {
      const seat = this.#stagedSeats[i];
      let slot = this.#seats.indexOf(seat);
      if (slot < 0) slot = this.#seats.indexOf(-1);
      if (slot < 0) slot = this.#oldest();
      this.#seats[slot] = seat;
      this.#ticks[slot] = tick;
      this.#madeFor[slot] = -1;
      for (let w = 0; w < wordCount; w++) this.#words[slot * wordCount + w] = this.#stagedWords[i * wordCount + w];
    }
  }

  #oldest(): number {
    let oldest = 0;
    for (let slot = 1; slot < MAX_RELAYED; slot++) if (this.#ticks[slot] < this.#ticks[oldest]) oldest = slot;
    return oldest;
  }

  #make(slot: number, age: number): void {
    const { entries, wordCount, initialWords } = this.#definition;
    const share = Math.min(1, (4 * (this.#decayTicks - age)) / this.#decayTicks);
    const words = this.#scratch;
    for (let w = 0; w < wordCount; w++) words[w] = this.#words[slot * wordCount + w];
    const released = share <= 0.5 ? entries.length : 0;
    for (let i = 0; i < released; i++) {
      const { field, word, wordCount: length } = entries[i];
      if (KEPT.has(field.kind) || SCALED.has(field.kind)) continue;
      for (let w = word; w < word + length; w++) words[w] = initialWords[w];
    }
    this.#table.writeWords(slot, words);
    if (share === 1) return;
    const row: Record<string, unknown> = this.#table.rowAt(slot);
    const neutral: Record<string, unknown> = this.#table.rowAt(MAX_RELAYED);
    for (let i = 0; i < entries.length; i++)
      if (SCALED.has(entries[i].field.kind)) scale(row, neutral, entries[i].name, share);
    this.#table.settleRow(slot);
  }
}

/** A number, or the components of a vector. */
function scale(row: Record<string, unknown>, neutral: Record<string, unknown>, name: string, share: number): void {
  const value = row[name];
  const zero = neutral[name];
  if (typeof value === "number" && typeof zero === "number") row[name] = zero + (value - zero) * share;
  else if (isRecord(value) && isRecord(zero)) for (const part of ["x", "y", "z"]) scale(value, zero, part, share);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Writes one relayed input into the header of a snapshot; a 0 bit comes after the last one. */
export function writeRelayed(
  definition: InputDefinition,
  seat: number,
  words: Int32Array,
  at: number,
  writer: BitWriter,
): void {
  writer.bits(1, 1);
  writer.bits(seat, SEAT_BITS);
  encodeRecord(definition, words, at, definition.initialWords, 0, writer);
}

const SCALED: ReadonlySet<string> = new Set(["float", "f32", "vec2", "vec3"]);
const KEPT: ReadonlySet<string> = new Set(["angle", "quaternion"]);
/** Players whose inputs are relayed to one client. */
export const MAX_RELAYED = 64;
const SEAT_BITS = 12;
