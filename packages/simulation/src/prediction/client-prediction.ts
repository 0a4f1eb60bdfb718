/**
 * Prediction of what a client simulates itself: steps it with the client's inputs ahead of the server, keeps what came
 * out, and when the server's word for a tick differs in any bit, goes back to that tick and replays the inputs since.
 *
 * Fields that the server alone decides (`predicted: false`) are taken over without being counted as mispredictions;
 * fields that are never sent to this client are not compared at all.
 */
import type { Fields } from "../state/index.ts";
import type { AnyGame, Inputs } from "../game/define-game.ts";
import type { AnyWorldTable, States, World } from "../game/world.ts";
import type { EventStats, PredictedEvents } from "./events/predicted-events.ts";
import type { HistoryBudget } from "./history-budget.ts";
import { PartialReplay } from "./islands/partial-replay.ts";
import type { IslandStats } from "./islands/partial-replay.ts";
import { PhysicsHistory } from "./physics.ts";
import type { PhysicsStats } from "./physics.ts";
import { PredictedSet } from "./shared/predicted-set.ts";
import type { NamedSpawns } from "./spawns/spawn-ledger.ts";
import type { PredictedSpawns, SpawnStats } from "./spawns/predicted-spawns.ts";
import { StateHistory } from "./state-history.ts";

/** The server's newest word on the entities of one table, by entity index. */
export interface AuthoritativeTable {
  readonly present: Uint8Array;
  readonly ids: Int32Array;
  readonly owners: Int32Array;
  /** Settled records, one after the other. */
  readonly words: Int32Array;
  /** Tick that the record is of, where it is not the newest. */
  readonly updatedAt?: ArrayLike<number>;
}

/** The server's word on a tick: a table each, in the order of the game's states. */
export type AuthoritativeState = readonly AuthoritativeTable[];

/** What a client holds for a tick that it simulated: the records of what it predicted, a history for each table. */
export type PredictedState = readonly StateHistory[];

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
  /** Corrections because a predicted field of an own entity was wrong. */
  mispredictions: number;
  /** Corrections because one of a shared entity or of another player was, and no own one. */
  remoteMispredictions: number;
  /** Corrections for any reason. */
  corrections: number;
  /** Ticks simulated again, wholly or by islands, and the most of them in one correction. */
  replayedTicks: number;
  maxReplayTicks: number;
  /** Ticks that could not be simulated, because the server's last word was too long ago. */
  stalledTicks: number;
  /** Bytes that inputs and states are kept in, and the limit. */
  readonly historyBytes: number;
  readonly historyLimitBytes: number;
  /** Times that more rows were predicted than there is memory to keep: the server's word on them is taken over each time. */
  readonly historyRefused: number;
  readonly spawns: Readonly<SpawnStats>;
  readonly events: Readonly<EventStats>;
  /** Of a game with `prediction.physics`. */
  readonly physics: Readonly<PhysicsStats> | undefined;
  /** Of a game with `prediction.islands`. */
  readonly islands: Readonly<IslandStats> | undefined;
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

export interface PredictionParts {
  readonly game: AnyGame;
  readonly world: World<States>;
  readonly tables: readonly AnyWorldTable[];
  readonly inputs: Inputs<Fields>;
  readonly source: PredictionSource;
  /** Ticks that are kept; a power of two. */
  readonly ringTicks: number;
  readonly budget: HistoryBudget;
  readonly events: PredictedEvents;
  readonly spawnStats: SpawnStats;
  readonly listener?: MispredictionListener;
}

interface PredictedTable {
  readonly name: string;
  readonly number: number;
  readonly table: AnyWorldTable;
  readonly history: StateHistory;
  /** By record word, of own entities and of others; 0: not compared, 1: taken over silently, 2: predicted. */
  readonly compareOwn: Uint8Array;
  readonly compareOthers: Uint8Array;
  /** 1 for the server's rows that this client simulates. */
  readonly marks: Uint8Array;
}

export class ClientPrediction {
  readonly stats: PredictionStats;
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
  readonly #spawns: readonly (PredictedSpawns | undefined)[];
  readonly #set: PredictedSet;
  readonly #events: PredictedEvents;
  readonly #listener: MispredictionListener | undefined;
  readonly #physics: PhysicsHistory | undefined;
  readonly #islands: PartialReplay | undefined;
  readonly #simulatePart = (tick: number): void => this.#simulate(tick, true, true);
  #seed = 0;
  #seat = -1;
  /** The tick confirmed before the one that is looked at. */
  #rightTick = -1;

  constructor(parts: PredictionParts) {
    const { game, world, tables, ringTicks, budget, events } = parts;
    this.#game = game;
    this.#world = world;
    this.#inputs = parts.inputs;
    this.#source = parts.source;
    this.#events = events;
    this.#listener = parts.listener;
    this.maxAheadTicks = ringTicks - 2;
    this.#set = new PredictedSet(tables, game.tablePredictions);
    this.#spawns = tables.map((table) => table.spawns);
    const names = Object.keys(game.states);
    this.#tables = tables.map((table, t) => ({
      name: names[t],
      number: t,
      table,
      history: new StateHistory(table.wordCount, ringTicks, budget),
      compareOwn: comparedWords(table, true),
      compareOthers: comparedWords(table, false),
      marks: this.#set.marks[t],
    }));
    const { physics } = game.prediction;
    this.#physics = physics === undefined ? undefined : new PhysicsHistory(physics.attach(world), physics, ringTicks);
    const { islands } = game.prediction;
    this.#islands =
      islands === undefined ? undefined : new PartialReplay(islands, world, this.#tables, ringTicks, budget);
    this.stats = {
      mispredictions: 0,
      remoteMispredictions: 0,
      corrections: 0,
      replayedTicks: 0,
      maxReplayTicks: 0,
      stalledTicks: 0,
      get historyBytes() {
        return budget.usedBytes;
      },
      historyLimitBytes: budget.limitBytes,
      get historyRefused() {
        return budget.refused;
      },
      spawns: parts.spawnStats,
      events: events.stats,
      physics: this.#physics?.stats,
      islands: this.#islands?.stats,
      last: { tick: -1, table: "", field: "", entity: -1, distance: 0 },
    };
  }

  /** Starts over as the player of `seat`. */
  reset(seat: number, seed: number): void {
    this.#seat = seat;
    this.#seed = seed;
    this.tick = -1;
    this.confirmedTick = -1;
    this.#set.clear();
    this.#physics?.clear();
    this.#islands?.clear();
    for (let t = 0; t < this.#tables.length; t++) {
      this.#tables[t].table.clear();
      this.#tables[t].history.clear();
      this.#spawns[t]?.clear();
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
   * Takes the server's state after `tick` into account, with the spawns of this client that it names, and goes on to
   * `upTo` when it had to be done again or had stalled. Returns true when it was corrected.
   */
  reconcile(tick: number, states: AuthoritativeState, upTo: number, named?: Readonly<NamedSpawns>): boolean {
    if (tick <= this.confirmedTick) return false;
    this.#rightTick = this.confirmedTick;
    this.confirmedTick = tick;
    const moved = this.#set.update(states, this.#seat) || this.#set.hasRemote;
    const due = this.#beginSpawns(tick);
    let difference: Difference = SILENT;
    if (tick <= this.tick && this.#remembers(tick)) {
      difference = this.#compare(tick, states, named);
      if (difference === EQUAL && (moved || due)) difference = SILENT;
    }
    this.#matchSpawns(named);
    const end = Math.min(upTo, tick + this.maxAheadTicks);
    const corrected = difference !== EQUAL;
    if (corrected) this.#replay(tick, states, end, difference);
    this.#events.confirm(tick, difference >= REMOTE);
    while (this.tick < end) this.#step(this.tick + 1, false);
    if (due || corrected) for (let t = 0; t < this.#spawns.length; t++) this.#spawns[t]?.end(tick);
    return corrected;
  }

  #replay(tick: number, states: AuthoritativeState, end: number, difference: Difference): void {
    const { stats } = this;
    if (difference === PREDICTED) stats.mispredictions++;
    if (difference === REMOTE) stats.remoteMispredictions++;
    // The first state is no correction.
    if (this.tick >= 0) stats.corrections++;
    for (let t = 0; t < this.#tables.length; t++) this.#load(tick, this.#tables[t], states[t]);
    this.#physics?.load(tick);
    const reached = this.#islands?.run(tick, this.tick, Math.min(end, this.tick), this.#simulatePart) ?? -1;
    if (reached < 0)
      for (let i = 0; i < this.#tables.length; i++) this.#tables[i].history.record(tick, this.#tables[i].table);
    this.tick = Math.max(tick, reached);
    stats.maxReplayTicks = Math.max(stats.maxReplayTicks, end - tick);
    stats.replayedTicks += Math.max(0, end - tick);
    while (this.tick < end) this.#step(this.tick + 1, true);
  }

  #remembers(tick: number): boolean {
    for (let i = 0; i < this.#tables.length; i++) if (!this.#tables[i].history.has(tick)) return false;
    return true;
  }

  /** Runs the game's step; `isPart`: not for all that is predicted. */
  #simulate(tick: number, isReplay: boolean, isPart: boolean): void {
    this.#source.use(tick);
    this.#world.beginTick(tick, this.#seed, isReplay);
    this.#events.beginTick(tick, isPart);
    for (let t = 0; t < this.#spawns.length; t++) this.#spawns[t]?.beginTick(tick);
    this.#game.step(this.#world, this.#inputs);
  }

  #step(tick: number, isReplay: boolean): void {
    this.#simulate(tick, isReplay, false);
    this.#physics?.step();
    for (let i = 0; i < this.#tables.length; i++) {
      const { table, history } = this.#tables[i];
      table.settle();
      history.record(tick, table);
    }
    this.#physics?.record(tick);
    this.#islands?.record(tick);
    this.tick = tick;
  }

  /** What is simulated becomes what the server says; what is no longer goes, or is left where it is. */
  #load(tick: number, { table, marks, history }: PredictedTable, state: AuthoritativeTable): void {
    const { present, ids, owners, words, updatedAt } = state;
    for (let index = 0; index < table.highWater; index++) {
      if (table.simulated[index] === 0) continue;
      if (index >= present.length || present[index] === 0 || ids[index] !== table.idAt(index)) table.remove(index);
      else if (marks[index] === 0) {
        if (table.owners[index] === this.#seat) table.remove(index);
        else table.simulated[index] = 0;
      }
    }
    for (let index = 0; index < present.length; index++) {
      if (marks[index] === 0) continue;
      if (table.indexOf(ids[index]) !== index) table.insert(ids[index], owners[index]);
      table.owners[index] = owners[index];
      table.simulated[index] = 1;
      // What the snapshot had no room for is as it was predicted, as far as anybody knows.
      const kept = updatedAt !== undefined && updatedAt[index] < tick ? history.offsetOf(tick, ids[index]) : -1;
      if (kept >= 0) table.writeWords(index, history.words, kept);
      else table.writeWords(index, words, index * table.wordCount);
    }
  }

  #compare(tick: number, states: AuthoritativeState, named: Readonly<NamedSpawns> | undefined): Difference {
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
        const own = owners[index] === this.#seat;
        const compare = own ? predicted.compareOwn : predicted.compareOthers;
        const wrong = own ? PREDICTED : REMOTE;
        const truth = index * wordCount;
        for (let i = 0; i < wordCount; i++) {
          if (compare[i] === 0 || history.words[mine + i] === words[truth + i]) continue;
          if (compare[i] === 2 && worst < wrong) {
            worst = wrong;
            this.#explain(tick, predicted, i, index, mine, words, truth, own);
          } else if (worst === EQUAL) worst = SILENT;
        }
      }
      if (place !== history.count(tick) && worst === EQUAL) worst = SILENT;
    }
    return worst;
  }

  /** The id under which an entity of the server's was predicted: its own, or that of the spawn that it is. */
  #predictedId(t: number, id: number, named: Readonly<NamedSpawns> | undefined): number {
    const spawns = this.#spawns[t];
    if (spawns === undefined || named === undefined) return id;
    for (let i = 0; i < named.count; i++) {
      if (named.tables[i] !== t || named.ids[i] !== id) continue;
      const provisional = spawns.idOf(named.keys[i]);
      return provisional < 0 ? id : provisional;
    }
    return id;
  }

  /** Whether spawns wait for the word on this tick. */
  #beginSpawns(tick: number): boolean {
    let due = false;
    for (let t = 0; t < this.#spawns.length; t++) {
      const spawns = this.#spawns[t];
      if (spawns === undefined) continue;
      spawns.begin();
      if (spawns.isDue(tick)) due = true;
    }
    return due;
  }

  #matchSpawns(named: Readonly<NamedSpawns> | undefined): void {
    if (named === undefined) return;
    for (let i = 0; i < named.count; i++) {
      const t = named.tables[i];
      this.#tables[t].table.noteKey(named.ids[i], named.keys[i]);
      this.#spawns[t]?.match(named.keys[i], named.ids[i]);
    }
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
    own: boolean,
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
    if (!own) return;
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

function comparedWords(table: AnyWorldTable, own: boolean): Uint8Array {
  const compare = new Uint8Array(table.wordCount);
  for (const { field, word, wordCount } of table.definition.entries) {
    const { audience, predicted } = field.attributes;
    if (audience === "all" || (audience === "owner" && own)) compare.fill(predicted ? 2 : 1, word, word + wordCount);
  }
  return compare;
}

/** From the least to the worst. */
const EQUAL = 0;
const SILENT = 1;
const REMOTE = 2;
const PREDICTED = 3;
type Difference = typeof EQUAL | typeof SILENT | typeof REMOTE | typeof PREDICTED;
