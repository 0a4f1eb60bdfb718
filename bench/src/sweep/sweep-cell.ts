/** One cell of the sweep: some players on one kind of link for some time, on a virtual clock. */
import { Random } from "@riposte/protocol";
import { TestNetwork } from "../../../packages/simulation/test/link.ts";
import type { Player } from "../../../packages/simulation/test/link.ts";
import { pushingGame } from "./pushing-game.ts";
import type { Keys, PushingGame } from "./pushing-game.ts";

export interface CellConditions {
  readonly tickRate: number;
  readonly snapshotRate: number;
  readonly rttMs: number;
  /** Each way, uniform, plus or minus; no way is shorter than nothing. */
  readonly jitterMs: number;
  /** Each way. */
  readonly lossRate: number;
}

export interface CellFigures {
  /** A player's, in a minute. */
  readonly mispredictionsPerMin: number;
  /** Movement of the own player in the picture that the simulation does not explain: 99 % of frames have less, in millimetres. */
  readonly correctionP99Mm: number;
  /** Ticks that the server simulated without the player's input. */
  readonly starvedPercent: number;
  /** How far others are drawn behind the freshest news, on the average. */
  readonly viewDelayMs: number;
  /** Frames without two snapshots to blend. */
  readonly lateFramesPercent: number;
  /** How long inputs wait at the server, on the average. */
  readonly inputWaitMs: number;
  readonly jumps: number;
}

const PLAYERS = 6;
const FRAME_MS = 1000 / 60;
/** Where players run to, at most this far from the middle either way. */
const REACH = 12;
/** Ticks of predicted positions that are remembered. */
const RING = 256;

export function playCell(conditions: CellConditions, seconds: number, warmUpSeconds: number): CellFigures {
  const traces = new Map<object, Trace>();
  const game = pushingGame(conditions.tickRate, conditions.snapshotRate, (world, tick, x, y) =>
    traces.get(world)?.note(tick, x, y),
  );
  const network = new TestNetwork(game);
  const { rttMs, jitterMs, lossRate } = conditions;
  const watches = Array.from({ length: PLAYERS }, (_, i) => {
    const player = network.add({ latencyMs: rttMs, jitterMs, lossRate }, keysTo(0, 0));
    player.frameMs = FRAME_MS;
    const watch = new Watch(player, new Random(i + 1));
    traces.set(player.client.world, watch.trace);
    return watch;
  });
  network.run(warmUpSeconds * 1000);
  for (const watch of watches) watch.start(network);
  network.run(seconds * 1000);
  for (const watch of watches) watch.stop(network);
  const ticks = PLAYERS * seconds * conditions.tickRate;
  const sum = (value: (watch: Watch) => number): number => watches.reduce((total, watch) => total + value(watch), 0);
  const frames = sum((watch) => watch.frames);
  const corrections = Float64Array.from(watches.flatMap((watch) => watch.corrections)).toSorted();
  return {
    mispredictionsPerMin: (sum((watch) => watch.mispredictions) / PLAYERS / seconds) * 60,
    correctionP99Mm: (corrections[Math.floor(corrections.length * 0.99)] ?? 0) * 1000,
    starvedPercent: (sum((watch) => watch.starved) / ticks) * 100,
    viewDelayMs: sum((watch) => watch.delaySum) / frames,
    lateFramesPercent: (sum((watch) => watch.late) / frames) * 100,
    inputWaitMs: (sum((watch) => watch.depthSum) / frames) * (1000 / conditions.tickRate),
    jumps: sum((watch) => watch.jumps),
  };
}

/** Where a client's own player was predicted to be, tick by tick; a replay writes over it. */
class Trace {
  readonly #x = new Float64Array(RING);
  readonly #y = new Float64Array(RING);

  note(tick: number, x: number, y: number): void {
    this.#x[tick & (RING - 1)] = x;
    this.#y[tick & (RING - 1)] = y;
  }

  x(tick: number, fraction: number): number {
    return mix(this.#x, tick, fraction);
  }

  y(tick: number, fraction: number): number {
    return mix(this.#y, tick, fraction);
  }
}

/** Drives one player, who runs from one place to another, and measures what is drawn. */
class Watch {
  readonly trace = new Trace();
  readonly corrections: number[] = [];
  frames = 0;
  delaySum = 0;
  depthSum = 0;
  mispredictions = 0;
  starved = 0;
  late = 0;
  jumps = 0;
  readonly #player: Player<PushingGame>;
  readonly #random: Random;
  #measures = false;
  #turnAt = 0;
  #goal = { x: 0, y: 0 };
  readonly #last = { tick: -1, fraction: 0, x: 0, y: 0 };

  constructor(player: Player<PushingGame>, random: Random) {
    this.#player = player;
    this.#random = random;
    player.onFrame = (now): void => this.#frame(now);
  }

  start(network: TestNetwork<PushingGame>): void {
    this.#measures = true;
    this.#count(network, -1);
  }

  stop(network: TestNetwork<PushingGame>): void {
    this.#measures = false;
    this.#count(network, 1);
  }

  #count(network: TestNetwork<PushingGame>, sign: 1 | -1): void {
    const { stats } = this.#player.client;
    this.mispredictions += sign * stats.mispredictions;
    this.late += sign * stats.lateFrames;
    this.jumps += sign * stats.jumps;
    this.starved += sign * (network.match.seat(this.#player.seat)?.stats.missedInputs ?? 0);
  }

  #frame(now: number): void {
    const player = this.#player;
    const { mine } = player.client.view.players;
    if (mine === undefined) return;
    if (now >= this.#turnAt || Math.hypot(this.#goal.x - mine.x, this.#goal.y - mine.y) < 1) {
      this.#turnAt = now + 500 + this.#random.int(2000);
      this.#goal = { x: (this.#random.next() * 2 - 1) * REACH, y: (this.#random.next() * 2 - 1) * REACH };
    }
    player.input = keysTo(this.#goal.x - mine.x, this.#goal.y - mine.y);
    const { view, stats, predictedTick } = player.client;
    const { trace } = this;
    const last = this.#last;
    const fraction = Math.min(1, Math.max(0, view.predictedTick - (predictedTick - 1)));
    if (this.#measures && last.tick >= 0) {
      const dx = mine.x - last.x - (trace.x(predictedTick, fraction) - trace.x(last.tick, last.fraction));
      const dy = mine.y - last.y - (trace.y(predictedTick, fraction) - trace.y(last.tick, last.fraction));
      this.corrections.push(Math.hypot(dx, dy));
      this.frames++;
      this.delaySum += stats.interpolationDelayMs;
      this.depthSum += stats.inputBufferDepth;
    }
    last.tick = predictedTick;
    last.fraction = fraction;
    last.x = mine.x;
    last.y = mine.y;
  }
}

/** Keys for the nearest of eight directions. */
function keysTo(x: number, y: number): Keys {
  return { left: x < -0.4, right: x > 0.4, up: y < -0.4, down: y > 0.4 };
}

function mix(ring: Float64Array, tick: number, fraction: number): number {
  const from = ring[(tick - 1) & (RING - 1)];
  return from + (ring[tick & (RING - 1)] - from) * fraction;
}
