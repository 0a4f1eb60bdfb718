import type { BitReader, BitWriter } from "@riposte/wire";
import type { RecordDefinition } from "./definition.ts";
import type { Audience, Fields, Values } from "./fields/field.ts";
import { REACH_ALL, REACH_OWNER, REACH_SERVER } from "./fields/leaf-plan.ts";
import type { Reach } from "./fields/leaf-plan.ts";
import { RecordCodec } from "./record-codec.ts";
import { StateTable } from "./state-table.ts";

/**
 * Single records as bits, outside of snapshots: inputs against the input before, and the values of messages.
 * Each call stands alone: what one record teaches the adaptive code is forgotten before the next.
 */

interface Workshop {
  readonly codec: RecordCodec;
  readonly table: StateTable<Fields>;
}

/** One codec and one row of storage per definition, made when first needed. */
const workshops = new WeakMap<RecordDefinition, Workshop>();

/**
 * Writes a settled record. With a baseline, one that equals it takes 1 bit.
 * `audience` says who reads it: fields for a narrower circle are left out. Default "server": everything.
 */
export function encodeRecord(
  definition: RecordDefinition,
  words: Int32Array,
  at: number,
  baseline: Int32Array | undefined,
  baselineAt: number,
  writer: BitWriter,
  audience: Audience = "server",
): void {
  const { codec } = workshop(definition);
  const reach = reachOf(audience);
  codec.begin();
  if (baseline === undefined) return codec.writeWhole(words, at, reach, writer);
  const same = codec.equal(words, at, baseline, baselineAt, reach);
  writer.bits(same ? 0 : 1, 1);
  if (!same) codec.writeDelta(words, at, baseline, baselineAt, reach, writer);
}

/**
 * The counterpart of `encodeRecord`, called with the same baseline and audience. False, and the reader has failed,
 * when the bits are no record; `words` is undefined then. `words` and `baseline` must not overlap.
 */
export function decodeRecord(
  definition: RecordDefinition,
  words: Int32Array,
  at: number,
  baseline: Int32Array | undefined,
  baselineAt: number,
  reader: BitReader,
  audience: Audience = "server",
): boolean {
  const { codec } = workshop(definition);
  const reach = reachOf(audience);
  codec.begin();
  if (baseline === undefined) return codec.readWhole(words, at, reach, reader);
  if (reader.bits(1) === 1) return codec.readDelta(words, at, baseline, baselineAt, reach, 0, reader);
  for (let i = 0; i < definition.wordCount; i++) words[at + i] = baseline[baselineAt + i];
  return !reader.failed;
}

/** Writes plain values, rounded and clamped as declared; fields that are not given are neutral. */
export function encodeFields<F extends Fields>(
  definition: RecordDefinition<F>,
  values: Partial<Values<F>>,
  writer: BitWriter,
): void {
  const { codec, table } = workshop(definition);
  table.writeWords(0, definition.initialWords);
  table.assign(0, values);
  table.settleRow(0);
  codec.begin();
  codec.writeWhole(table.words, 0, REACH_SERVER, writer);
}

/** The values, or `undefined`, and the reader has failed, when the bits are none. */
export function decodeFields<F extends Fields>(
  definition: RecordDefinition<F>,
  reader: BitReader,
): Values<F> | undefined {
  const { codec, table } = workshop(definition);
  codec.begin();
  if (!codec.readWhole(table.words, 0, REACH_SERVER, reader)) {
    table.writeWords(0, definition.initialWords);
    return undefined;
  }
  table.writeWords(0, table.words);
  // The workshop's table was made from this very definition.
  return table.copyValues(0) as Values<F>;
}

/** Settles plain values into a record: `words[at]` and on. */
export function valuesToWords<F extends Fields>(
  definition: RecordDefinition<F>,
  values: Partial<Values<F>>,
  words: Int32Array,
  at = 0,
): void {
  const { table } = workshop(definition);
  table.writeWords(0, definition.initialWords);
  table.assign(0, values);
  table.settleRow(0);
  table.readWords(0, words, at);
}

/** The plain values of a settled record. */
export function wordsToValues<F extends Fields>(definition: RecordDefinition<F>, words: Int32Array, at = 0): Values<F> {
  const { table } = workshop(definition);
  table.writeWords(0, words, at);
  return table.copyValues(0) as Values<F>;
}

function workshop(definition: RecordDefinition): Workshop {
  let made = workshops.get(definition);
  if (made === undefined) {
    const table = new StateTable<Fields>(definition, { capacity: 1 });
    table.spawn();
    made = { codec: new RecordCodec(definition), table };
    workshops.set(definition, made);
  }
  return made;
}

function reachOf(audience: Audience): Reach {
  return audience === "all" ? REACH_ALL : audience === "owner" ? REACH_OWNER : REACH_SERVER;
}
