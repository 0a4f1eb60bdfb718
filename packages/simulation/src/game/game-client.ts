/**
 * The client's side of a match, pure: prediction of its own entities, interpolation of the others,
 * clocks, and typed messages. A driver hands over the server's bytes (`receive`), calls `advance`
 * once per frame with the player's input, sends what `pollMessage` gives, and draws `view`.
 *
 * All `now` are milliseconds of one monotonic clock.
 */
import type { Fields, Values } from "../state/index.ts";
import { reportPrediction } from "../debug/client-report.ts";
import { DebugLink } from "../debug/debug-link.ts";
import { PictureRecorder } from "../debug/picture-recorder.ts";
import { MispredictionRecorder } from "../debug/misprediction-recorder.ts";
import { ClientPrediction } from "../prediction/client-prediction.ts";
import { EventReader } from "../prediction/events/event-message.ts";
import type { PredictedEvents } from "../prediction/events/predicted-events.ts";
import { HistoryBudget } from "../prediction/history-budget.ts";
import type { InputSizes } from "../prediction/input/input-message.ts";
import { LatencyMode } from "../prediction/interpolation/latency-mode.ts";
import type { InterpolationMode } from "../prediction/interpolation/interpolation-mode.ts";
import { MAX_AHEAD_MS } from "../prediction/interpolation/state-interpolator.ts";
import type { SpawnListener } from "../prediction/spawns/predicted-spawns.ts";
import { ClientClocks, STALL_MS } from "./client/client-clocks.ts";
import { ClientInputs } from "./client/client-inputs.ts";
import { checkOptions } from "./client/client-options.ts";
import type { GameClientOptions } from "./client/client-options.ts";
import { ClientPicture } from "./client/client-picture.ts";
import { ClientStats } from "./client/client-stats.ts";
import { ClientWorlds } from "./client/client-worlds.ts";
import { SnapshotIntake } from "./client/snapshot-intake.ts";
import type { ViewOf } from "./client/view.ts";
import type { AnyGame, InputOf, WorldOf } from "./define-game.ts";
import { MessageKind } from "./message-kind.ts";
import { MessagePeer, MessageRouter } from "./message-router.ts";
import type { CallOutcome } from "./message-router.ts";
import type { CallDefinition, MessageDefinition } from "./message.ts";
import type { OutgoingMessage } from "./outgoing-queue.ts";
import { readWelcome } from "./welcome.ts";

export class GameClient<G extends AnyGame = AnyGame> {
  readonly game: G;
  /** Draw this after `advance`. */
  readonly view: ViewOf<G>;
  /** The predicted world that `step` works on. */
  readonly world: WorldOf<G>;
  readonly router: MessageRouter;
  readonly stats: ClientStats;
  /** What steps emit: `events.on(Blast, play, revoke)`. */
  readonly events: PredictedEvents;
  /** What was predicted when the last mispredictions happened. */
  readonly mispredictions: MispredictionRecorder;
  /** What was drawn lately, while the debug channel is open. */
  readonly pictures: PictureRecorder;
  /** Questions to the server and its answers; `debug.enabled` when the server allows it. */
  readonly debug: DebugLink;
  readonly #inputs: ClientInputs;
  readonly #intake: SnapshotIntake;
  readonly #worlds: ClientWorlds;
  readonly #prediction: ClientPrediction;
  readonly #clocks: ClientClocks;
  readonly #picture: ClientPicture;
  readonly #eventReader: EventReader;
  readonly #peer = new MessagePeer();
  readonly #inputDelayTicks: number;
  /** What was asked for, and what overrules it on a long line. */
  #mode: InterpolationMode;
  readonly #latencyMode: LatencyMode | undefined;
  /** Newest tick an input was made for. */
  #inputTick = -1;
  #lastAdvanceAt = Number.NaN;

  constructor(game: G, options: GameClientOptions = {}) {
    checkOptions(options);
    const { interpolationMode = "linear", smoothingHalfLifeMs = 60, inputDelayTicks = 0 } = options;
    this.game = game;
    this.#inputDelayTicks = inputDelayTicks;
    this.#mode = interpolationMode;
    const { extrapolateAboveMs, extrapolateByMs: aheadMs = MAX_AHEAD_MS } = options;
    const longMode = (options.extrapolateByMs ?? 0) > 0 ? "ahead" : "extrapolation";
    this.#latencyMode = extrapolateAboveMs === undefined ? undefined : new LatencyMode(extrapolateAboveMs, longMode);
    this.router = new MessageRouter(game.messages);
    this.#eventReader = new EventReader(game.events);
    const inputs = new ClientInputs(game, RING_TICKS, () => this.seat, options.inputRedundancy);
    const budget = new HistoryBudget(options.historyBytes ?? DEFAULT_HISTORY_BYTES);
    if (!budget.replace(0, inputs.bytes))
      throw new RangeError(`historyBytes: the inputs alone take ${inputs.bytes} bytes`);
    const intake = new SnapshotIntake(game, inputs.relayed);
    const worlds = new ClientWorlds(game, intake);
    const prediction = new ClientPrediction({
      game,
      world: worlds.world,
      tables: worlds.tables,
      inputs: inputs.view,
      source: inputs,
      ringTicks: RING_TICKS,
      budget,
      events: worlds.events,
      spawnStats: worlds.spawnStats,
      listener: { mispredicted: (place) => this.mispredictions.record(this.seat, place) },
    });
    const stats = new ClientStats(prediction.stats);
    const clocks = new ClientClocks(game.tickMs, stats);
    const mode = interpolationMode;
    this.#inputs = inputs;
    this.#intake = intake;
    this.#worlds = worlds;
    this.#prediction = prediction;
    this.#clocks = clocks;
    const parts = { game, worlds, intake, prediction, clocks, stats, mode, smoothingHalfLifeMs, aheadMs };
    this.#picture = new ClientPicture(parts);
    this.stats = stats;
    this.world = worlds.world;
    this.view = worlds.view as ViewOf<G>;
    this.events = worlds.events;
    this.mispredictions = new MispredictionRecorder({
      input: game.input,
      states: game.states,
      inputs: inputs.history,
      historyOf: (table) => prediction.historyOf(table),
    });
    this.pictures = new PictureRecorder(
      Object.fromEntries(Object.keys(game.states).map((name, t) => [name, worlds.viewTables[t]])),
    );
    this.debug = new DebugLink({
      queue: this.#peer.queue,
      answers: {
        prediction: () => reportPrediction(this),
        picture: (tick) => (typeof tick === "number" ? this.pictures.at(tick) : undefined),
        abilities: () => game.inspectAbilities?.(worlds.world, this.seat, this.predictedTick),
        setInterpolationMode: (asked) => {
          // Throws for what is no mode, which refuses it.
          this.interpolationMode = asked as InterpolationMode;
        },
      },
    });
  }

  /** This client's seat in the room, the `owner` of its entities; -1 before the server's welcome. */
  get seat(): number {
    return this.#worlds.seat;
  }

  /** Whether the player is in the game: welcomed, and with a first snapshot. */
  get ready(): boolean {
    return this.#prediction.tick >= 0;
  }

  /** The tick that was predicted last, -1 before the first snapshot. */
  get predictedTick(): number {
    return this.#prediction.tick;
  }

  /** Tick of the newest snapshot that arrived, -1 before the first. */
  get snapshotTick(): number {
    return this.#intake.tick;
  }

  /**
   * How entities of others are drawn. It may be changed at any time, also by the server over the debug channel: what is
   * drawn then slides into what the new mode shows; only "none" and "step" show theirs at once. Throws `RangeError` for
   * a mode that does not exist.
   */
  get interpolationMode(): InterpolationMode {
    return this.#picture.mode;
  }

  set interpolationMode(mode: InterpolationMode) {
    this.#picture.mode = mode;
    this.#mode = mode;
  }

  /** Hears what became of the entities that this client has spawned ahead of the server. */
  set spawnListener(listener: SpawnListener | undefined) {
    for (const { spawns } of this.#worlds.tables) if (spawns !== undefined) spawns.listener = listener;
  }

  /**
   * What the connection measures: for the first guess of the clock, and for how often inputs are repeated.
   * `meanBurstPackets`: how many packets in a row are lost when one is, where that is known. Default: independent losses.
   */
  updateLink(rttMs: number, lossRate: number, meanBurstPackets = 1): void {
    this.#clocks.rttMs = rttMs;
    this.#inputs.link.lossRate = lossRate;
    this.#inputs.link.meanBurstPackets = meanBurstPackets;
  }

  /** What inputs and view stamps took on the wire, for measurements. */
  get inputSizes(): InputSizes {
    return this.#inputs.sizes;
  }

  /** One message of the server. False when it was malformed: it is dropped and counted. */
  receive(buffer: Uint8Array, offset: number, length: number, now: number): boolean {
    this.handleTimeout(now);
    const good = length > 0 && this.#receive(buffer, offset, length, now);
    if (!good) this.stats.malformed++;
    return good;
  }

  /**
   * One frame at `now` with the player's input: corrects, simulates the ticks that are due, moves
   * the others on, and fills `view`.
   */
  advance(now: number, input: InputOf<G>): void {
    const elapsedMs = this.#lastAdvanceAt <= now ? now - this.#lastAdvanceAt : 0;
    this.#lastAdvanceAt = now;
    this.handleTimeout(now);
    if (this.seat < 0) return;
    if (this.snapshotTick > this.#prediction.confirmedTick) this.#reconcile();
    this.#clocks.advance(now, elapsedMs, this.snapshotTick, this.ready);
    const mode = this.#latencyMode?.choose(this.#mode, this.#clocks.rttMs, now) ?? this.#mode;
    if (mode !== this.#picture.mode) this.#picture.mode = mode;
    this.#inputs.set(input);
    this.#simulate();
    this.#picture.draw(now, elapsedMs, this.#inputTick);
    if (this.debug.enabled) this.pictures.note(this.#inputTick + 1);
    this.events.advance(this.view.tick);
  }

  /** When `handleTimeout` is next due; `Infinity` while no call waits. `advance` and `receive` do it, too. */
  nextTimeout(): number {
    return Math.min(this.router.nextTimeout(this.#peer), this.debug.nextTimeout());
  }

  /** Fails the calls that have waited too long. For drivers whose frames may stop. */
  handleTimeout(now: number): void {
    this.router.handleTimeout(this.#peer, now);
    this.debug.handleTimeout(now);
  }

  /** Whether `pollMessage` has something: an answer to a call of the server's does not wait for `advance`. */
  get hasMessages(): boolean {
    return this.#peer.queue.count > 0;
  }

  /** Takes the next message to send; false when there is none. Call it until then after every `advance`. */
  pollMessage(out: OutgoingMessage): boolean {
    return this.#peer.queue.poll(out);
  }

  /** Queues a typed message; false when the queue is full. */
  send<F extends Fields>(message: MessageDefinition<F>, value: Values<F>): boolean {
    return this.router.send(this.#peer, message, value);
  }

  /** Asks the server; `done` is called exactly once. */
  call<Q extends Fields, A extends Fields>(
    definition: CallDefinition<Q, A>,
    request: Values<Q>,
    now: number,
    done: (outcome: CallOutcome<Values<A>>) => void,
  ): void {
    this.router.call(this.#peer, definition, request, now, done);
  }

  /** The connection is gone: calls fail, and the next welcome starts over. What is drawn stays. */
  connectionLost(): void {
    this.#peer.close();
    this.debug.close();
    this.#worlds.seat = -1;
    this.#intake.stop();
    this.#prediction.reset(-1, 0);
    this.events.clear();
  }

  #receive(buffer: Uint8Array, offset: number, length: number, now: number): boolean {
    const kind = buffer[offset];
    if (kind === MessageKind.snapshot) return this.#receiveSnapshot(buffer, offset, length, now);
    if (kind === MessageKind.welcome) return this.#receiveWelcome(buffer, offset, length);
    if (kind === MessageKind.event) return this.#receiveEvent(buffer, offset, length);
    if (kind === MessageKind.debug) return this.debug.receive(buffer, offset, length, now);
    if (kind !== MessageKind.message && kind !== MessageKind.call && kind !== MessageKind.reply) return false;
    return this.router.receive(this.#peer, -1, buffer, offset, length);
  }

  #receiveWelcome(buffer: Uint8Array, offset: number, length: number): boolean {
    const welcome = readWelcome(buffer, offset, length);
    if (welcome === undefined) return false;
    const { seat, tick, seed, randomKey, debug } = welcome;
    this.debug.enabled = debug;
    this.mispredictions.clear();
    this.#worlds.start(seat, randomKey);
    this.#intake.start(seat);
    this.#prediction.reset(seat, seed);
    this.events.clear();
    this.#inputs.clear();
    this.stats.inputDelayTicks = this.#inputDelayTicks;
    this.#picture.clear();
    this.#clocks.start(tick);
    this.#inputTick = Math.floor(this.#clocks.inputTicks);
    return true;
  }

  #receiveEvent(buffer: Uint8Array, offset: number, length: number): boolean {
    const reader = this.#eventReader;
    const value = reader.read(buffer, offset, length);
    if (value !== undefined && this.seat >= 0) this.events.hear(reader.key, reader.id, value);
    return value !== undefined;
  }

  #receiveSnapshot(buffer: Uint8Array, offset: number, length: number, now: number): boolean {
    const intake = this.#intake;
    this.#picture.takeNews();
    const news = intake.read(buffer, offset, length);
    if (news === "newest" || news === "older") this.stats.noteSnapshot(length);
    if (news === "newest") {
      this.#clocks.noteSnapshot(intake.tick, intake.depth, intake.origin, now);
      this.#picture.update(intake.tick, intake.states);
    }
    return news !== "malformed";
  }

  /** Takes the newest snapshot into the prediction, and what a correction moves into the picture. */
  #reconcile(): void {
    const { tick, states, named } = this.#intake;
    const prediction = this.#prediction;
    const { ready, stats } = this;
    const { mispredictions } = prediction.stats;
    if (ready) this.#picture.remember();
    // On a short link the server's word is there before a late input would act.
    stats.inputDelayTicks = Math.min(stats.inputDelayTicks, Math.max(0, this.#inputTick - tick));
    const corrected = prediction.reconcile(tick, states, this.#inputTick - stats.inputDelayTicks, named);
    if (!corrected || !ready) return;
    const farthest = this.#picture.correct();
    // What the server alone decides was no error of the prediction.
    if (prediction.stats.mispredictions > mispredictions) stats.noteError(farthest);
  }

  /** Makes the inputs that are due, simulates them and sends them. */
  #simulate(): void {
    // The tick in which the player acts runs at its beginning, so that it shows in this very frame.
    const due = Math.floor(this.#clocks.inputTicks) + 1;
    const most = Math.max(1, Math.ceil(STALL_MS / this.game.tickMs));
    if (due - this.#inputTick > most) this.#inputTick = due - most;
    if (this.#inputTick - due > most) {
      // The clock went back: the server has lost time. What was made for ticks to come is made anew.
      this.#inputTick = due;
      this.#inputs.clear();
      this.#prediction.invalidate();
    }
    const delay = this.stats.inputDelayTicks;
    let made = 0;
    while (this.#inputTick < due) {
      const tick = ++this.#inputTick;
      if (this.#inputs.add(tick, this.#picture.stamp)) this.#clocks.noteInput(tick);
      this.#picture.noteInput(tick);
      made++;
      // After a gap the prediction begins again from the server's next word.
      if (this.#prediction.tick === tick - delay - 1) this.#prediction.step();
    }
    if (made === 0) return;
    const length = this.#inputs.write(this.#inputTick, made, this.#intake.tick, this.#intake.receipts);
    if (length > 0) this.#peer.queue.push("unreliableUnordered", this.#inputs.packet, 0, length);
  }
}

/** Ticks of inputs and predicted states that are kept; bounds how far prediction runs ahead. */
const RING_TICKS = 128;
const DEFAULT_HISTORY_BYTES = 4 * 1024 * 1024;
