/**
 * What an overlay draws of a client: the last seconds of its prediction as curves, and the way of one own entity twice,
 * as predicted and as the server told. Call `sample` once a frame after `advance`; rings of numbers, nothing is allocated.
 */
import type { ClientStats } from "../game/client/client-stats.ts";
import type { AnyGame } from "../game/define-game.ts";
import type { View } from "../game/client/view.ts";
import type { AnyWorldTable, States, World } from "../game/world.ts";

/** What the probe reads: a `GameClient` of any game. */
export interface ProbedClient {
  readonly game: AnyGame;
  readonly view: object;
  readonly world: object;
  readonly stats: ClientStats;
  readonly predictedTick: number;
  readonly snapshotTick: number;
}

/** A curve; `at(0)` is the newest sample. */
export class SampleRing {
  readonly capacity: number;
  count = 0;
  readonly #samples: Float64Array;
  #next = 0;

  constructor(capacity: number) {
    if (!(Number.isInteger(capacity) && capacity > 0))
      throw new RangeError(`capacity must be a positive integer, got ${capacity}`);
    this.capacity = capacity;
    this.#samples = new Float64Array(capacity);
  }

  push(sample: number): void {
    this.#samples[this.#next] = sample;
    this.#next = this.#next + 1 === this.capacity ? 0 : this.#next + 1;
    if (this.count < this.capacity) this.count++;
  }

  /** The sample that was pushed `age` samples before the newest; NaN when there is none. */
  at(age: number): number {
    if (!(age >= 0 && age < this.count)) return Number.NaN;
    const place = this.#next - 1 - age;
    return this.#samples[place < 0 ? place + this.capacity : place];
  }

  /** Largest absolute value; 0 when empty. */
  get peak(): number {
    let peak = 0;
    for (let age = 0; age < this.count; age++) peak = Math.max(peak, Math.abs(this.at(age)));
    return peak;
  }

  clear(): void {
    this.count = 0;
    this.#next = 0;
  }
}

/** Points by tick, newest first. */
export interface Path {
  readonly ticks: SampleRing;
  readonly x: SampleRing;
  readonly y: SampleRing;
}

export interface PredictedPath extends Path {
  /** 1 where the entity has jumped since the point before: a field has changed by more than its `teleport`. Else 0. */
  readonly jumps: SampleRing;
}

export interface PredictionProbeOptions {
  /** Frames kept. Default 240: four seconds. */
  readonly frames?: number;
  /** Points kept of each path. Default 90. */
  readonly pathPoints?: number;
  /** The state whose own entity is followed. Default: the first one with a position. */
  readonly state?: string;
}

/** What there is a curve of. */
export const PROBE_CURVES = [
  "predictionError",
  "inputBufferDepth",
  "inputRate",
  "viewRate",
  "interpolationDelayMs",
  "corrections",
] as const;
export type ProbeCurve = (typeof PROBE_CURVES)[number];

export class PredictionProbe {
  /**
   * By name: how far the own entity was corrected in that frame (world units), inputs the server had in stock (ticks), both
   * clocks' rates, how far the others are drawn in the past (milliseconds), corrections in that frame.
   */
  readonly curves: Readonly<Record<ProbeCurve, SampleRing>>;
  readonly predicted: PredictedPath;
  readonly server: Path;
  /** Times at which the samples of the curves were taken, in milliseconds. */
  readonly times: SampleRing;
  readonly #state: string | undefined;
  readonly #place = { x: 0, y: 0 };
  #predictedTick = -1;
  #serverTick = -1;
  #entity = -1;
  /** The entity's record at the newest point of `predicted`. */
  #words: Int32Array | undefined;
  #corrections = 0;
  #mispredictions = 0;

  constructor(options: PredictionProbeOptions = {}) {
    const frames = options.frames ?? 240;
    const points = options.pathPoints ?? 90;
    const ring = (): SampleRing => new SampleRing(frames);
    this.times = ring();
    this.curves = {
      predictionError: ring(),
      inputBufferDepth: ring(),
      inputRate: ring(),
      viewRate: ring(),
      interpolationDelayMs: ring(),
      corrections: ring(),
    };
    this.predicted = { ...path(points), jumps: new SampleRing(points) };
    this.server = path(points);
    this.#state = options.state;
  }

  sample(client: ProbedClient, now: number): void {
    const { stats } = client;
    const { corrections } = stats.prediction;
    const mispredicted = stats.mispredictions > this.#mispredictions;
    this.times.push(now);
    this.curves.predictionError.push(mispredicted ? stats.predictionError : 0);
    this.curves.inputBufferDepth.push(stats.inputBufferDepth);
    this.curves.inputRate.push(stats.inputRate);
    this.curves.viewRate.push(stats.viewRate);
    this.curves.interpolationDelayMs.push(stats.interpolationDelayMs);
    this.curves.corrections.push(Math.max(0, corrections - this.#corrections));
    this.#corrections = corrections;
    this.#mispredictions = stats.mispredictions;
    this.#follow(client);
  }

  #follow(client: ProbedClient): void {
    const { states } = client.game;
    const name = this.#state ?? Object.keys(states).find((state) => states[state].position.length > 0);
    if (name === undefined) return;
    // Views and worlds of any game have a table for each of its states.
    const table = (client.view as View<States>)[name];
    const own = table.mine;
    if (own === undefined) return;
    if (own.id !== this.#entity) {
      this.#entity = own.id;
      this.#predictedTick = this.#serverTick = -1;
      this.#words = undefined;
      this.predicted.jumps.clear();
      for (const { ticks, x, y } of [this.predicted, this.server]) for (const ring of [ticks, x, y]) ring.clear();
    }
    const world = (client.world as World<States>)[name];
    if (client.predictedTick > this.#predictedTick && world.indexOf(own.id) === own.index) {
      this.#predictedTick = client.predictedTick;
      push(this.predicted, client.predictedTick, world.positionX?.[own.index], world.positionY?.[own.index]);
      this.predicted.jumps.push(Number(this.#hasJumped(world, own.index)));
    }
    if (client.snapshotTick <= this.#serverTick) return;
    if (!table.authoritativePlace(own, this.#place)) return;
    this.#serverTick = client.snapshotTick;
    push(this.server, client.snapshotTick, this.#place.x, this.#place.y);
  }

  /** Since the last call. */
  #hasJumped(table: AnyWorldTable, index: number): boolean {
    const { words, wordCount } = table;
    const before = this.#words;
    const jumped = before !== undefined && table.jumps(before, 0, words, index * wordCount);
    this.#words ??= new Int32Array(wordCount);
    table.readWords(index, this.#words);
    return jumped;
  }
}

function path(points: number): Path {
  return { ticks: new SampleRing(points), x: new SampleRing(points), y: new SampleRing(points) };
}

function push(to: Path, tick: number, x: number | undefined, y: number | undefined): void {
  if (x === undefined || y === undefined) return;
  to.ticks.push(tick);
  to.x.push(x);
  to.y.push(y);
}
