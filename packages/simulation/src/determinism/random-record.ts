/** Records with any value that their fields allow. */
import type { TickRandom } from "../game/random.ts";
import type { FieldEntry, Fields, StateTable } from "../state/index.ts";

/**
 * Gives fields of a row new settled values, each with this probability. Texts, bytes, lists and references stay
 * as they are.
 */
export function randomizeRow(table: StateTable<Fields>, index: number, random: TickRandom, probability: number): void {
  const words = new Int32Array(table.wordCount);
  table.readWords(index, words);
  const { entries } = table.definition;
  for (const entry of entries) if (random.next() < probability) randomizeField(entry, words, random);
  table.writeWords(index, words);
  for (const { name, field } of entries) {
    if (field.kind !== "quaternion" || random.next() >= probability) continue;
    const part = (): number => random.between(-1, 1);
    table.assign(index, { [name]: { x: part(), y: part(), z: part(), w: part() + 2 } });
  }
  table.settleRow(index);
}

function randomizeField({ field, word }: FieldEntry, words: Int32Array, random: TickRandom): void {
  for (const leaf of field.leaves) {
    if (leaf.type === "range" || leaf.type === "wrap") words[word + leaf.word] = random.integer(leaf.max + 1);
    else if (leaf.type === "raw")
      words[word + leaf.word] = field.kind === "f32" ? smallFloat(random) : random.integer(leaf.max + 1);
  }
}

/** The bits of a number from -1 to 1. */
function smallFloat(random: TickRandom): number {
  return new Int32Array(Float32Array.of(random.between(-1, 1)).buffer)[0];
}
