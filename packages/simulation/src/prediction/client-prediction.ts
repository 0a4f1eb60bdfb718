/**
 * Prediction of a client's own entities: steps them with the client's inputs ahead of the server,
 * keeps what came out, and when the server's word for a tick differs in any bit, goes back to that
 * tick and replays the inputs since.
 *
 * Fields that the server alone decides (`predicted: false`) are taken over without being counted
 * as mispredictions; fields that are never sent to the owner are not compared at all.
 */
import type { Fields } from "../state/index.ts";
import type { AnyGame, Inputs } from "../game/define-game.ts";
import type { AnyWorldTable, States, World } from "../game/world.ts";
import type { PredictedEvents } from "./events/predicted-events.ts";
import { StateHistory } from "./state-history.ts";

/** The server's newest word on the entities of one table, by entity index. */
export interface AuthoritativeTable {
  readonly present: Uint8Array;
  readonly ids: Int32Array;
  readonly owners: Int32Array;
  /** Settled records, one after the other. */
  readonly words: Int32Array;
}

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

export interface PredictionStats {
  /** Corrections because a predicted field was wrong. */
  mispredictions: number;
  /** Corrections for any reason. */
  corrections: number;
  /** Ticks simulated again. */
  replayedTicks: number;
  /** Ticks that could not be simulated, because the server's last word was too long ago. */
  stalledTicks: number;
  readonly last: Misprediction;
}

export interface PredictionSource {
  /** Makes the input of `tick`, or the neutral one, the current one. */
  use(tick: number): void;
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

interface PredictedTable {
  readonly name: string;
  readonly number: number;
  readonly table: AnyWorldTable;
  readonly history: StateHistory;
  /** 0: not compared, 1: taken over silently, 2: predicted. By record word. */
  readonly compare: Uint8Array;
}

export class ClientPrediction {
  readonly stats: PredictionStats = {
    mispredictions: 0,
    corrections: 0,
    replayedTicks: 0,
    stalledTicks: 0,
    last: { tick: -1, table: "", field: "", entity: -1, distance: 0 },
  };
  /** The tick that has been simulated last; -1 while nothing is known. */
  tick = -1;
  /** The newest tick whose server state has been taken into account. */
  confirmedTick = -1;
  /** Ticks that prediction may be ahead of the server's last word. */
  readonly maxAheadTicks: number;
  readonly #game: AnyGame;
  readonly #world: World<States>;
  readonly #inputs: Inputs<Fields>;
  readonly #source: PredictionSource;
  readonly #tables: readonly PredictedTable[];
  readonly #events: PredictedEvents;
  readonly #listener: MispredictionListener | undefined;
  #seed = 0;
  #seat = -1;
  /** The tick confirmed before the one that is looked at. */
  #rightTick = -1;

  constructor(
    game: AnyGame,
    world: World<States>,
    tables: readonly AnyWorldTable[],
    inputs: Inputs<Fields>,
    source: PredictionSource,
    ringTicks: number,
    events: PredictedEvents,
    listener?: MispredictionListener,
  ) {
    this.#game = game;
    this.#events = events;
    this.#world = world;
    this.#inputs = inputs;
    this.#source = source;
    this.#listener = listener;
    this.maxAheadTicks = ringTicks - 2;
    const names = Object.keys(game.states);
    this.#tables = tables.map((table, i) => ({
      name: names[i],
      number: i,
      table,
      history: new StateHistory(table.wordCount, ringTicks),
      compare: comparedWords(table),
    }));
  }

  /** Starts over as the player of `seat`. */
  reset(seat: number, seed: number): void {
    this.#seat = seat;
    this.#seed = seed;
    this.tick = -1;
    this.confirmedTick = -1;
    for (const { table, history } of this.#tables) {
      table.clear();
      history.clear();
    }
  }

  /** What was predicted no longer fits the clock: it is done again from the server's next word. */
  invalidate(): void {
    for (let i = 0; i < this.#tables.length; i++) this.#tables[i].history.clear();
  }

  historyOf(table: number): StateHistory {
    return this.#tables[table].history;
  }

  /** Simulates the tick after the last one; false when it is too far ahead of the server's last word. */
  step(): boolean {
    if (this.tick < 0 || this.tick - this.confirmedTick >= this.maxAheadTicks) {
      this.stats.stalledTicks++;
      return false;
    }
    this.#step(this.tick + 1, false);
    return true;
  }

  /**
   * Takes the server's state after `tick` into account, and goes on to `upTo` when it had to be
   * done again or had stalled. Returns true when it was corrected.
   */
  reconcile(tick: number, states: readonly AuthoritativeTable[], upTo: number): boolean {
    if (tick <= this.confirmedTick) return false;
    this.#rightTick = this.confirmedTick;
    this.confirmedTick = tick;
    const difference = tick <= this.tick && this.#remembers(tick) ? this.#compare(tick, states) : SILENT;
    const end = Math.min(upTo, tick + this.maxAheadTicks);
    if (difference === EQUAL) {
      this.#events.confirm(tick, false);
      while (this.tick < end) this.#step(this.tick + 1, false);
      return false;
    }
    if (difference === PREDICTED) this.stats.mispredictions++;
    // The first state is no correction.
    if (this.tick >= 0) this.stats.corrections++;
    this.#load(states);
    for (let i = 0; i < this.#tables.length; i++) this.#tables[i].history.record(tick, this.#tables[i].table);
    this.tick = tick;
    while (this.tick < end) {
      this.#step(this.tick + 1, true);
      this.stats.replayedTicks++;
    }
    this.#events.confirm(tick, difference === PREDICTED);
    return true;
  }

  #remembers(tick: number): boolean {
    for (let i = 0; i < this.#tables.length; i++) if (!this.#tables[i].history.has(tick)) return false;
    return true;
  }

  #step(tick: number, isReplay: boolean): void {
    this.#source.use(tick);
    this.#world.beginTick(tick, this.#seed, isReplay);
    this.#events.beginTick(tick);
    this.#game.step(this.#world, this.#inputs);
    for (let i = 0; i < this.#tables.length; i++) {
      const { table, history } = this.#tables[i];
      table.settle();
      history.record(tick, table);
    }
    this.tick = tick;
  }

  /** Own entities become what the server says, others of them go; nothing else is touched. */
  #load(states: readonly AuthoritativeTable[]): void {
    for (let t = 0; t < this.#tables.length; t++) {
      const { table } = this.#tables[t];
      const { present, ids, owners, words } = states[t];
      for (let index = 0; index < table.highWater; index++) {
        if (table.simulated[index] === 0) continue;
        if (present[index] === 0 || owners[index] !== this.#seat || ids[index] !== table.idAt(index))
          table.remove(index);
      }
      for (let index = 0; index < present.length; index++) {
        if (present[index] === 0 || owners[index] !== this.#seat) continue;
        if (table.indexOf(ids[index]) !== index) table.insert(ids[index], this.#seat);
        table.owners[index] = this.#seat;
        table.simulated[index] = 1;
        table.writeWords(index, words, index * table.wordCount);
      }
    }
  }

  #compare(tick: number, states: readonly AuthoritativeTable[]): Difference {
    let worst: Difference = EQUAL;
    for (let t = 0; t < this.#tables.length; t++) {
      const predicted = this.#tables[t];
      const { history, compare, table } = predicted;
      const { present, ids, owners, words } = states[t];
      const count = history.count(tick);
      const { wordCount } = table;
      let place = 0;
      for (let index = 0; index < present.length; index++) {
        if (present[index] === 0 || owners[index] !== this.#seat) continue;
        // An entity that came or went is the server's doing, not a wrong prediction.
        if (place >= count || history.idAt(tick, place) !== ids[index]) return worst === PREDICTED ? PREDICTED : SILENT;
        const mine = history.offsetAt(tick, place);
        const truth = index * wordCount;
        for (let i = 0; i < wordCount; i++) {
          if (compare[i] === 0 || history.words[mine + i] === words[truth + i]) continue;
          if (compare[i] === 2 && worst !== PREDICTED) {
            worst = PREDICTED;
            this.#explain(tick, predicted, i, index, mine, words, truth);
          } else if (worst === EQUAL) worst = SILENT;
        }
        place++;
      }
      if (place !== count && worst === EQUAL) worst = SILENT;
    }
    return worst;
  }

  /** Leaves the row at `index` as it truly is: it is loaded next anyway. */
  #explain(
    tick: number,
    predicted: PredictedTable,
    word: number,
    index: number,
    mine: number,
    words: Int32Array,
    truth: number,
  ): void {
    const { last } = this.stats;
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
    last.distance = Math.hypot((table.positionX?.[index] ?? 0) - x, (table.positionY?.[index] ?? 0) - y);
    this.#listener?.mispredicted({
      tick,
      rightTick: this.#rightTick,
      table: predicted.number,
      entity: last.entity,
      field: last.field,
      distance: last.distance,
      words,
      wordsAt: truth,
    });
  }
}

function comparedWords(table: AnyWorldTable): Uint8Array {
  const compare = new Uint8Array(table.wordCount);
  for (const { field, word, wordCount } of table.definition.entries) {
    const { audience, predicted } = field.attributes;
    if (audience !== "server") compare.fill(predicted ? 2 : 1, word, word + wordCount);
  }
  return compare;
}

const EQUAL = 0;
const SILENT = 1;
const PREDICTED = 2;
type Difference = typeof EQUAL | typeof SILENT | typeof PREDICTED;
