import type { Field, Fields, Leaf } from "./fields/field.ts";

/**
 * A declared record: its fields laid out one after the other as int32 words. States, inputs and messages
 * are all records; a state adds what the world needs to know of its entities (capacity, position, shape).
 */

/** One field with its place in the record. */
export interface FieldEntry {
  readonly name: string;
  readonly field: Field<unknown, unknown>;
  /** First word. */
  readonly word: number;
  readonly wordCount: number;
}

/** One separately coded piece of the record; leaves that depend on a velocity come after it. */
export interface LeafEntry {
  readonly field: FieldEntry;
  /** Word numbers are relative to the record. */
  readonly leaf: Leaf;
  /** Leaf (by its place in `leaves`) that holds the speed of this one, or -1. */
  readonly velocity: number;
}

export interface RecordDefinition<F extends Fields = Fields> {
  readonly kind: "state" | "input" | "fields";
  readonly fields: F;
  readonly entries: readonly FieldEntry[];
  readonly leaves: readonly LeafEntry[];
  readonly wordCount: number;
  /** The settled record of a new row. */
  readonly initialWords: Int32Array;
  entry(name: string): FieldEntry | undefined;
}

/** Names that rows use themselves. */
const RESERVED = new Set(["id", "owner", "index", "constructor", "__proto__", "prototype", "toString", "valueOf"]);

/** Lays out a record. Throws `RangeError` for reserved names, too many fields or an unknown velocity field. */
export function layOut<F extends Fields, K extends RecordDefinition["kind"]>(
  kind: K,
  fields: F,
): RecordDefinition<F> & { readonly kind: K } {
  const names = Object.keys(fields);
  if (names.length > 255) throw new RangeError(`${names.length} fields: at most 255`);
  const entries: FieldEntry[] = [];
  const byName = new Map<string, FieldEntry>();
  let word = 0;
  for (const name of names) {
    if (RESERVED.has(name)) throw new RangeError(`a field cannot be called "${name}"`);
    const field = fields[name];
    const entry: FieldEntry = { name, field, word, wordCount: field.wordCount };
    entries.push(entry);
    byName.set(name, entry);
    word += field.wordCount;
  }
  if (word > 16384) throw new RangeError(`a record of ${word} words: at most 16384`);
  const initialWords = new Int32Array(word);
  for (const entry of entries) entry.field.writeInitial(initialWords, entry.word);
  return {
    kind,
    fields,
    entries,
    leaves: layOutLeaves(entries, byName),
    wordCount: word,
    initialWords,
    entry: (name) => byName.get(name),
  };
}

function layOutLeaves(entries: readonly FieldEntry[], byName: ReadonlyMap<string, FieldEntry>): LeafEntry[] {
  const leaves: LeafEntry[] = [];
  const firstLeaf = new Map<string, number>();
  const add = (field: FieldEntry, velocity: number): void => {
    firstLeaf.set(field.name, leaves.length);
    field.field.leaves.forEach((leaf, i) => {
      leaves.push({
        field,
        leaf: { ...leaf, word: leaf.word + field.word },
        velocity: velocity < 0 ? -1 : velocity + i,
      });
    });
  };
  for (const entry of entries) if (entry.field.attributes.velocity === undefined) add(entry, -1);
  for (const entry of entries) {
    const name = entry.field.attributes.velocity;
    if (name === undefined) continue;
    const velocity = byName.get(name);
    if (velocity === undefined || velocity.field.attributes.velocity !== undefined) {
      throw new RangeError(`${entry.name}: there is no plain field "${name}" for its velocity`);
    }
    const same = velocity.field.leaves.length === entry.field.leaves.length;
    const numbers = [...entry.field.leaves, ...velocity.field.leaves].every((leaf) => leaf.type === "range");
    if (!same || !numbers)
      throw new RangeError(`${entry.name}: its velocity "${name}" must be a number or vector like it`);
    const hidden = velocity.field.attributes.audience !== entry.field.attributes.audience;
    // A client that may not see the speed cannot compute with it.
    add(entry, hidden ? -1 : firstLeaf.get(name)!);
  }
  return leaves;
}
