import type { RangeDecoder, RangeEncoder } from "@riposte/wire";
import { DenseCodec, MAX_RATIO } from "./dense-codec.ts";
import type { KnownRecords } from "./dense-codec.ts";
import type { RecordDefinition } from "../definition.ts";
import type { Reach } from "../fields/leaf-plan.ts";
import type { TableView } from "./table-view.ts";

/**
 * One table's records in dense snapshots, for the stream and the receiver alike: which records are known of an
 * entity, and the questions about entities. docs/snapshots.md has the whole layout.
 */

/** First models of a table: is anything different; does anything leave; is anything new. */
export const ANY_MODEL = 0;
export const LEAVES_MODEL = 1;
export const NEW_MODEL_AT = 2;
/** Is the entity as in the baseline: by whether it had changed (unknown, no, yes) and what the two before it answered. */
const SAME_MODELS = 3;
/** If not, is it left out: by whether the one before it was. */
const LEFT_MODELS: number = SAME_MODELS + 12;
const TABLE_MODELS: number = LEFT_MODELS + 2;

export class DenseTable {
  readonly codec: DenseCodec;
  readonly #known: KnownRecords;
  readonly #nothing = new Int32Array(0);
  /** By place in the baseline's view: the place in the older one, or -1. */
  #olderEntries = new Int32Array(16);
  #base: TableView;
  #older: TableView;
  #tick = 0;
  #history = 0;
  #left = 0;

  constructor(definition: RecordDefinition, tickRate: number, nothing: TableView) {
    this.codec = new DenseCodec(definition, tickRate, TABLE_MODELS);
    this.#base = nothing;
    this.#older = nothing;
    this.#known = {
      base: this.#nothing,
      baseAt: 0,
      older: this.#nothing,
      olderAt: 0,
      age: 0,
      ratio: 0,
    };
  }

  /** Starts a snapshot: `older` is empty when there is one baseline only. */
  start(tick: number, base: TableView, older: TableView): void {
    this.#tick = tick;
    this.#base = base;
    this.#older = older;
    if (this.#olderEntries.length < base.count) this.#olderEntries = new Int32Array(base.ids.length);
    base.matchOlder(older, this.#olderEntries);
  }

  /** Before the first entity that stays. */
  startEntities(): void {
    this.#history = 0;
    this.#left = 0;
  }

  /** What is known of an entity of the baseline's view; valid until the next call. */
  known(entry: number): KnownRecords {
    const known = this.#known;
    const base = this.#base;
    known.base = base.words;
    known.baseAt = entry * base.wordCount;
    known.age = this.#tick - base.ticks[entry];
    known.ratio = 0;
    const olderEntry = this.#olderEntries[entry];
    if (olderEntry < 0) return known;
    known.older = this.#older.words;
    known.olderAt = olderEntry * base.wordCount;
    const ratio = known.age / (base.ticks[entry] - this.#older.ticks[olderEntry]);
    if (ratio <= MAX_RATIO) known.ratio = ratio;
    return known;
  }

  writeSame(known: KnownRecords, reach: Reach, models: Int32Array, encoder: RangeEncoder, same: boolean): void {
    encoder.bit(models, this.#sameModel(known, reach), same ? 1 : 0);
    this.#history = ((this.#history << 1) & 3) | (same ? 1 : 0);
  }

  readSame(known: KnownRecords, reach: Reach, models: Int32Array, decoder: RangeDecoder): boolean {
    const answer = decoder.bit(models, this.#sameModel(known, reach));
    this.#history = ((this.#history << 1) & 3) | answer;
    return answer === 1;
  }

  writeLeft(models: Int32Array, encoder: RangeEncoder, left: boolean): void {
    encoder.bit(models, LEFT_MODELS + this.#left, left ? 1 : 0);
    this.#left = left ? 1 : 0;
  }

  readLeft(models: Int32Array, decoder: RangeDecoder): boolean {
    this.#left = decoder.bit(models, LEFT_MODELS + this.#left);
    return this.#left === 1;
  }

  #sameModel(known: KnownRecords, reach: Reach): number {
    const { base, baseAt, older, olderAt, ratio } = known;
    const moved = ratio === 0 ? 0 : this.codec.equal(base, baseAt, older, olderAt, reach) ? 1 : 2;
    return SAME_MODELS + moved * 4 + this.#history;
  }
}
