/**
 * Notices when an entity jumps from one tick to the next: by the same rule by which clients do not blend across a
 * jump, because the pose history must not either.
 */
import type { Fields, StateTable } from "../state/index.ts";

export class TeleportWatch {
  /** Whether no field of the table can jump: then nothing needs to be checked. */
  readonly idle: boolean;
  readonly #table: StateTable<Fields>;
  /** The settled records at the last check. */
  readonly #last: Int32Array;

  constructor(table: StateTable<Fields>) {
    this.#table = table;
    this.idle = !table.mayJump;
    this.#last = new Int32Array(this.idle ? 0 : table.words.length);
  }

  /** Whether the entity at `index`, which is settled, has jumped since the last call. */
  check(index: number): boolean {
    const { words, wordCount } = this.#table;
    const at = index * wordCount;
    const jumped = this.#table.jumps(this.#last, at, words, at);
    this.#table.readWords(index, this.#last, at);
    return jumped;
  }
}
