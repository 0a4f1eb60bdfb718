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
import type { AuthoritativeState, AuthoritativeTable } from "./authoritative-state.ts";
import type { EventStats, PredictedEvents } from "./events/predicted-events.ts";
import type { HistoryBudget } from "./history-budget.ts";
import { PartialReplay } from "./islands/partial-replay.ts";
import type { IslandStats } from "./islands/partial-replay.ts";
import { PhysicsHistory } from "./physics.ts";
import type { PhysicsStats } from "./physics.ts";
import { PredictedSet } from "./shared/predicted-set.ts";
import type { NamedSpawns } from "./spawns/spawn-ledger.ts";
import type { PredictedSpawns, SpawnStats } from "./spawns/predicted-spawns.ts";
import { EQUAL, PREDICTED, REMOTE, SILENT, StateComparison } from "./state-comparison.ts";
import type { Difference, Misprediction, MispredictionListener, PredictedTable } from "./state-comparison.ts";
import { StateHistory } from "./state-history.ts";

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
  readonly #comparison: StateComparison;
  readonly #spawns: readonly (PredictedSpawns | undefined)[];
  readonly #set: PredictedSet;
  readonly #events: PredictedEvents;
  readonly #physics: PhysicsHistory | undefined;
  readonly #islands: PartialReplay | undefined;
  readonly #simulatePart = (tick: number): void => this.#simulate(tick, true, true);
  #seed = 0;
  #seat = -1;

  constructor(parts: PredictionParts) {
    const { game, world, tables, ringTicks, budget, events } = parts;
    this.#game = game;
    this.#world = world;
    this.#inputs = parts.inputs;
    this.#source = parts.source;
    this.#events = events;
    this.maxAheadTicks = ringTicks - 2;
    this.#set = new PredictedSet(tables, game.tablePredictions);
    this.#spawns = tables.map((table) => table.spawns);
    const names = Object.keys(game.states);
    this.#tables = tables.map((table, t) => ({
      name: names[t],
      number: t,
      table,
      history: new StateHistory(table.wordCount, ringTicks, budget),
      marks: this.#set.marks[t],
    }));
    this.#comparison = new StateComparison(this.#tables, parts.listener);
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
      last: this.#comparison.last,
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
    const rightTick = this.confirmedTick;
    this.confirmedTick = tick;
    const moved = this.#set.update(states, this.#seat) || this.#set.hasRemote;
    const due = this.#beginSpawns(tick);
    let difference: Difference = SILENT;
    if (tick <= this.tick && this.#remembers(tick)) {
      difference = this.#comparison.compare(tick, states, this.#seat, rightTick, named);
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
}
