/** Holds the server's word on a tick against what was predicted for it, bit for bit, and says what was wrong. */
import type { AnyWorldTable } from "../game/world.ts";
import { hypot } from "../math/index.ts";
import type { AuthoritativeState } from "./authoritative-state.ts";
import type { NamedSpawns } from "./spawns/spawn-ledger.ts";
import type { StateHistory } from "./state-history.ts";

/** What was wrong, when the server's word differed from the prediction. */
export interface Misprediction {
  tick: number;
  /** Name of the table and of the first field that differed, and the entity's id. */
  table: string;
  field: string;
  entity: number;
  /** Distance between predicted and true position at that tick, in world units; 0 for a table without a position. */
  distance: number;
}

/** Where a misprediction is. */
export interface MispredictionPlace {
  readonly tick: number;
  /** The tick that was last found right, or taken over; -1: none. */
  readonly rightTick: number;
  /** Number of the table. */
  readonly table: number;
  readonly entity: number;
  readonly field: string;
  readonly distance: number;
  /** The server's record. */
  readonly words: Int32Array;
  readonly wordsAt: number;
}

/** Hears of each misprediction, before it is corrected. */
export interface MispredictionListener {
  mispredicted(place: MispredictionPlace): void;
}

/** A table with what was predicted of it. */
export interface PredictedTable {
  readonly name: string;
  readonly number: number;
  readonly table: AnyWorldTable;
  readonly history: StateHistory;
  /** 1 for the server's rows that this client simulates. */
  readonly marks: Uint8Array;
}

/** From the least to the worst: nothing, what is taken over without a word, another's predicted field, an own one. */
export const EQUAL = 0;
export const SILENT = 1;
export const REMOTE = 2;
export const PREDICTED = 3;
export type Difference = typeof EQUAL | typeof SILENT | typeof REMOTE | typeof PREDICTED;

export class StateComparison {
  /** What was wrong last. */
  readonly last: Misprediction = { tick: -1, table: "", field: "", entity: -1, distance: 0 };
  readonly #tables: readonly PredictedTable[];
  readonly #listener: MispredictionListener | undefined;
  /** By table and record word, of own entities and of others; 0: not compared, 1: taken over silently, 2: predicted. */
  readonly #compareOwn: readonly Uint8Array[];
  readonly #compareOthers: readonly Uint8Array[];

  constructor(tables: readonly PredictedTable[], listener?: MispredictionListener) {
    this.#tables = tables;
    this.#listener = listener;
    this.#compareOwn = tables.map(({ table }) => comparedWords(table, true));
    this.#compareOthers = tables.map(({ table }) => comparedWords(table, false));
  }

  /**
   * Compares the server's word on `tick` with the histories, which must have it. `rightTick`: the tick that was last found
   * right; `named`: the spawns of this client that the word names. Returns the worst difference.
   */
  compare(
    tick: number,
    states: AuthoritativeState,
    seat: number,
    rightTick: number,
    named?: Readonly<NamedSpawns>,
  ): Difference {
    let worst: Difference = EQUAL;
    for (let t = 0; t < this.#tables.length; t++) {
      const predicted = this.#tables[t];
      const { history, table, marks } = predicted;
      const { present, ids, owners, words, updatedAt } = states[t];
      const { wordCount } = table;
      let place = 0;
      for (let index = 0; index < present.length; index++) {
        if (marks[index] === 0) continue;
        const id = ids[index];
        const expected = place < history.count(tick) && history.idAt(tick, place) === id;
        const mine = expected ? history.offsetAt(tick, place) : history.offsetOf(tick, this.#predictedId(t, id, named));
        if (mine < 0) {
          // An entity that came or went is the server's doing, not a wrong prediction.
          worst = Math.max(worst, SILENT) as Difference;
          continue;
        }
        place++;
        if (updatedAt !== undefined && updatedAt[index] < tick) continue;
        const own = owners[index] === seat;
        const compare = own ? this.#compareOwn[t] : this.#compareOthers[t];
        const wrong = own ? PREDICTED : REMOTE;
        const truth = index * wordCount;
        for (let i = 0; i < wordCount; i++) {
          if (compare[i] === 0 || history.words[mine + i] === words[truth + i]) continue;
          if (compare[i] === 2 && worst < wrong) {
            worst = wrong;
            this.#note(tick, predicted, i, index, mine, words, truth);
            if (own) this.#tell(rightTick, predicted.number, words, truth);
          } else if (worst === EQUAL) worst = SILENT;
        }
      }
      if (place !== history.count(tick) && worst === EQUAL) worst = SILENT;
    }
    return worst;
  }

  /** The id under which an entity of the server's was predicted: its own, or that of the spawn that it is. */
  #predictedId(t: number, id: number, named: Readonly<NamedSpawns> | undefined): number {
    const { spawns } = this.#tables[t].table;
    if (spawns === undefined || named === undefined) return id;
    for (let i = 0; i < named.count; i++) {
      if (named.tables[i] !== t || named.ids[i] !== id) continue;
      const provisional = spawns.idOf(named.keys[i]);
      return provisional < 0 ? id : provisional;
    }
    return id;
  }

  /** Notes what was wrong. Leaves the row at `index` as it truly is: it is loaded next anyway. */
  #note(
    tick: number,
    predicted: PredictedTable,
    word: number,
    index: number,
    mine: number,
    words: Int32Array,
    truth: number,
  ): void {
    const { last } = this;
    const { name, table, history } = predicted;
    last.tick = tick;
    last.table = name;
    last.entity = table.idAt(index);
    for (const entry of table.definition.entries)
      if (word >= entry.word && word < entry.word + entry.wordCount) last.field = entry.name;
    table.writeWords(index, history.words, mine);
    const x = table.positionX?.[index] ?? 0;
    const y = table.positionY?.[index] ?? 0;
    table.writeWords(index, words, truth);
    last.distance = hypot((table.positionX?.[index] ?? 0) - x, (table.positionY?.[index] ?? 0) - y);
  }

  /** Tells of the misprediction that was noted last. */
  #tell(rightTick: number, table: number, words: Int32Array, wordsAt: number): void {
    const { tick, entity, field, distance } = this.last;
    this.#listener?.mispredicted({ tick, rightTick, table, entity, field, distance, words, wordsAt });
  }
}

function comparedWords(table: AnyWorldTable, own: boolean): Uint8Array {
  const compare = new Uint8Array(table.wordCount);
  for (const { field, word, wordCount } of table.definition.entries) {
    const { audience, predicted } = field.attributes;
    if (audience === "all" || (audience === "owner" && own)) compare.fill(predicted ? 2 : 1, word, word + wordCount);
  }
  return compare;
}
