/**
 * Runs a game several times with the same inputs, in ways in which a game that depends on anything but its state and
 * inputs comes out differently, and tells where.
 *
 * What it cannot see: `x ** y` with results that depend on the engine, and whatever no run happened to reach. For the
 * first, compare the checkpoints of two engines; for the second, give it inputs that play the game.
 */
import type { AnyGame, InputOf } from "../game/define-game.ts";
import { TickRandom } from "../game/random.ts";
import { StateTable } from "../state/index.ts";
import type { Fields } from "../state/index.ts";
import { EngineCalls } from "./engine-calls.ts";
import type { EngineCall } from "./engine-calls.ts";
import { randomizeRow } from "./random-record.ts";
import { StateLog } from "./state-log.ts";
import type { Difference, Pairing } from "./state-log.ts";
import { TrialWorld } from "./trial-world.ts";

export interface DeterminismOptions<G extends AnyGame = AnyGame> {
  /** Ticks of each run, up to 100,000. Default 600. */
  readonly ticks?: number;
  /** Of the world's random numbers and of the inputs. Default 1. */
  readonly seed?: number;
  /** 1 to 64, seated before the first tick. Default 4. */
  readonly players?: number;
  /** The user data that a player joins with. Default: none. */
  readonly userData?: (player: number) => Uint8Array;
  /** The input of a player in a tick; must follow from its arguments. Default: every field at random, held for a while. */
  readonly inputs?: (player: number, tick: number, random: TickRandom) => Partial<InputOf<G>>;
  /** Ticks from one checkpoint to the next. Default 60. */
  readonly checkpointTicks?: number;
  /** How far the run "rollback" goes astray before it is put back. Default 8. */
  readonly rollbackTicks?: number;
  /**
   * Whether the game promises that the order in which players joined, hence the order of rows, makes no difference:
   * adds the run "join order". Default false.
   */
  readonly orderIndependent?: boolean;
  /** Calls that are no problem here, by name: `["Math.hypot"]`. Default: none. */
  readonly allow?: readonly string[];
}

/**
 * - `again`: the same game once more. Finds `Math.random`, clocks, and what a module remembers from run to run.
 * - `used world`: in tables whose rows have been used and freed. Finds reading rows that are not alive.
 * - `rollback`: every few ticks the state is saved, a wrong future is simulated, the state is put back and the right one
 *   simulated as a replay. Finds what is kept outside of the tables and what looks at `isReplay`.
 * - `join order`: players join in reverse order. Finds what depends on the order of rows.
 */
export type DeterminismRun = "again" | "used world" | "rollback" | "join order";

export interface Divergence extends Difference {
  readonly run: DeterminismRun;
}

/** The state after a tick, in a number. */
export interface Checkpoint {
  readonly tick: number;
  /** Over every settled record of the world, 32 bits. */
  readonly checksum: number;
}

export interface DeterminismReport {
  /** Whether nothing was found. */
  readonly ok: boolean;
  /** A sentence for everything that was found. */
  readonly problems: readonly string[];
  /** Of each run that differed, where it did first. */
  readonly divergences: readonly Divergence[];
  /** What `join` and `step` called though they must not. */
  readonly engineCalls: readonly EngineCall[];
  /** Of the first run; equal in every engine if the game is deterministic. */
  readonly checkpoints: readonly Checkpoint[];
}

/** Throws `RangeError` for options out of range, and whatever the game itself throws. */
export function checkDeterminism<G extends AnyGame>(game: G, options: DeterminismOptions<G> = {}): DeterminismReport {
  const trial = new Trial(game, options);
  const checkpoints = trial.runFirst();
  const runs: DeterminismRun[] = ["again", "used world", "rollback"];
  if (options.orderIndependent === true) runs.push("join order");
  const divergences = runs.flatMap((run) => trial.runOther(run) ?? []);
  const engineCalls = trial.engineCalls.found;
  const problems = [...divergences.map(describeDivergence), ...engineCalls.map(describeCall)];
  return { ok: problems.length === 0, problems, divergences, engineCalls, checkpoints };
}

class Trial {
  readonly engineCalls: EngineCalls;
  readonly #game: AnyGame;
  readonly #ticks: number;
  readonly #seed: number;
  readonly #players: number;
  readonly #checkpointTicks: number;
  readonly #rollbackTicks: number;
  readonly #userData: (player: number) => Uint8Array;
  /** By tick, then by player; those of tick 0 are not used. */
  readonly #inputs: Int32Array;
  readonly #log: StateLog;

  constructor(game: AnyGame, options: DeterminismOptions) {
    this.#game = game;
    this.#ticks = wholeNumber("ticks", options.ticks ?? 600, 1, 100_000);
    this.#seed = wholeNumber("seed", options.seed ?? 1, -0x80000000, 0xffffffff);
    this.#players = wholeNumber("players", options.players ?? 4, 1, 64);
    this.#checkpointTicks = wholeNumber("checkpointTicks", options.checkpointTicks ?? 60, 1, 100_000);
    this.#rollbackTicks = wholeNumber("rollbackTicks", options.rollbackTicks ?? 8, 1, 1000);
    this.#userData = options.userData ?? ((): Uint8Array => new Uint8Array(0));
    this.engineCalls = new EngineCalls(options.allow ?? []);
    this.#log = new StateLog(Object.keys(game.states));
    this.#inputs = planInputs(game, this.#ticks, this.#players, this.#seed, options.inputs);
  }

  /** The run that others are held against. */
  runFirst(): Checkpoint[] {
    const world = new TrialWorld(this.#game, this.#seed, this.#players);
    this.engineCalls.watch(0, () => this.#join(world, false));
    this.#log.record(world.tables);
    const checkpoints: Checkpoint[] = [];
    for (let tick = 1; tick <= this.#ticks; tick++) {
      this.engineCalls.watch(tick, () => this.#step(world, tick, tick, false));
      this.#log.record(world.tables);
      if (tick % this.#checkpointTicks === 0 || tick === this.#ticks)
        checkpoints.push({ tick, checksum: this.#log.checksum(tick) });
    }
    return checkpoints;
  }

  runOther(run: DeterminismRun): Divergence | undefined {
    const world = new TrialWorld(this.#game, this.#seed, this.#players);
    const pairing: Pairing = run === "join order" ? "owner" : "id";
    if (run === "used world") this.#use(world);
    this.#join(world, run === "join order");
    for (let tick = 0; tick <= this.#ticks; tick++) {
      if (tick > 0) this.#step(world, tick, tick, run === "rollback");
      const difference = this.#log.compare(tick, world.tables, pairing);
      if (difference !== undefined) return { run, ...difference };
      if (run === "rollback" && tick % this.#rollbackTicks === 0) this.#goAstray(world, tick);
    }
    return undefined;
  }

  #join(world: TrialWorld, reverse: boolean): void {
    for (let i = 0; i < this.#players; i++) {
      const player = reverse ? this.#players - 1 - i : i;
      world.join(player, this.#userData(player));
    }
  }

  #step(world: TrialWorld, tick: number, inputTick: number, isReplay: boolean): void {
    const length = this.#inputs.length / (this.#ticks + 1);
    world.step(tick, this.#inputs, inputTick * length, isReplay);
  }

  /** Fills every row with something and frees it; ids start over. */
  #use(world: TrialWorld): void {
    const random = new TickRandom();
    random.reseed(this.#seed, -1);
    for (const table of world.tables) {
      while (!table.full) randomizeRow(table, table.spawn().index, random, 1);
      table.clear();
      table.generations.fill(0);
    }
  }

  /** Simulates what comes after `tick` with inputs from elsewhere, and puts the state back. */
  #goAstray(world: TrialWorld, tick: number): void {
    const saved = world.save();
    for (let i = 1; i <= this.#rollbackTicks; i++) {
      const elsewhere = 1 + ((tick + i * 7 + (this.#ticks >> 1)) % this.#ticks);
      this.#step(world, tick + i, elsewhere, false);
    }
    world.load(saved);
  }
}

function planInputs(
  game: AnyGame,
  ticks: number,
  players: number,
  seed: number,
  given: DeterminismOptions["inputs"],
): Int32Array {
  const { wordCount, initialWords } = game.input;
  const inputs = new Int32Array((ticks + 1) * players * wordCount);
  const table = new StateTable<Fields>(game.input, { capacity: players });
  const random = new TickRandom();
  for (let player = 0; player < players; player++) table.insert(player, player);
  for (let tick = 0; tick <= ticks; tick++) {
    for (let player = 0; player < players; player++) {
      random.reseed(seed ^ Math.imul(player + 1, 0x9e3779b1), tick);
      if (given === undefined) {
        randomizeRow(table, player, random, CHANGES_PER_TICK);
      } else {
        table.writeWords(player, initialWords);
        table.assign(player, given(player, tick, random));
        table.settleRow(player);
      }
      table.readWords(player, inputs, (tick * players + player) * wordCount);
    }
  }
  return inputs;
}

function describeDivergence({ run, tick, table, entity, owner, field, expected, actual }: Divergence): string {
  const whose = owner < 0 ? "nobody's" : `of seat ${owner}`;
  const at = `run "${run}", tick ${tick}: ${table}, entity ${entity} (${whose})`;
  if (field === "(exists)")
    return `${at} ${expected === true ? "is gone, though" : "is there, though not"} in the first run`;
  return `${at}: ${field} is ${show(actual)}, in the first run ${show(expected)}`;
}

function describeCall({ name, reason, tick, calls }: EngineCall): string {
  const why =
    reason === "random"
      ? "its result follows from no seed"
      : "engines differ in its last bits: use @riposte/simulation/math";
  return `${name} was called ${calls} times, first in tick ${tick}: ${why}`;
}

function show(value: unknown): string {
  return typeof value === "string" || (typeof value === "object" && value !== null)
    ? JSON.stringify(value)
    : String(value);
}

function wholeNumber(name: string, value: number, min: number, max: number): number {
  if (!(Number.isInteger(value) && value >= min && value <= max))
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, got ${value}`);
  return value;
}

/** Of each field, by each player. */
const CHANGES_PER_TICK = 0.1;
