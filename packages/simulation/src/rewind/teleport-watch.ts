/**
 * Notices when an entity jumps from one tick to the next by a field other than its position: by the same rule by which
 * clients do not blend across a jump, because the history must not either. (How far positions are apart, it knows itself.)
 */
import type { Fields, StateDefinition, StateTable } from "../state/index.ts";

export class TeleportWatch {
  /** Whether no such field of the table can jump: then nothing needs to be checked. */
  readonly idle: boolean;
  readonly #table: StateTable<Fields>;
  /** The settled records at the last check. */
  readonly #last: Int32Array;
  /** Words of a record that are its position. */
  readonly #positionWords: readonly number[];

  /** `table` is one of `state`'s. */
  constructor(state: StateDefinition, table: StateTable<Fields>) {
    const { position, entries } = state;
    this.#table = table;
    this.idle = !entries.some(({ name, field }) => !position.includes(name) && field.attributes.teleport < Infinity);
    this.#last = new Int32Array(this.idle ? 0 : table.words.length);
    this.#positionWords = entries
      .filter(({ name }) => position.includes(name))
      .flatMap(({ word, wordCount }) => Array.from({ length: wordCount }, (_, i) => word + i));
  }

  /** Whether the entity at `index`, which is settled, has jumped since the last call. */
  check(index: number): boolean {
    const { words, wordCount } = this.#table;
    const last = this.#last;
    const at = index * wordCount;
    for (const word of this.#positionWords) last[at + word] = words[at + word];
    const jumped = this.#table.jumps(last, at, words, at);
    this.#table.readWords(index, last, at);
    return jumped;
  }
}
