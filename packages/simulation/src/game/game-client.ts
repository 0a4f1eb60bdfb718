/**
 * The client's side of a match, pure: prediction of its own entities, interpolation of the others,
 * clocks, and typed messages. A driver hands over the server's bytes (`receive`), calls `advance`
 * once per frame with the player's input, sends what `pollMessage` gives, and draws `view`.
 *
 * All `now` are milliseconds of one monotonic clock.
 */
import { BitReader, ByteReader } from "@riposte/wire";
import { SnapshotReceiver } from "../state/index.ts";
import type { Fields, RowIdentity, StateTable, Values } from "../state/index.ts";
import { reportPrediction } from "../debug/client-report.ts";
import { DebugLink } from "../debug/debug-link.ts";
import { MispredictionRecorder } from "../debug/misprediction-recorder.ts";
import { HistoryBudget } from "../prediction/history-budget.ts";
import { PROVISIONAL_ROWS } from "../prediction/prediction-options.ts";
import { PredictedSpawns } from "../prediction/spawns/predicted-spawns.ts";
import type { SpawnListener } from "../prediction/spawns/predicted-spawns.ts";
import { NamedSpawns } from "../prediction/spawns/spawn-ledger.ts";
import { ClientPrediction } from "../prediction/client-prediction.ts";
import type { EventDefinition } from "../prediction/events/define-event.ts";
import { EventReader } from "../prediction/events/event-message.ts";
import { PredictedEvents } from "../prediction/events/predicted-events.ts";
import { inputCopies } from "../prediction/input/input-copies.ts";
import { MAX_INPUTS } from "../prediction/input/input-message.ts";
import type { InputSizes } from "../prediction/input/input-message.ts";
import { createViewStamp } from "../prediction/input/player-input.ts";
import type { ViewStamp } from "../prediction/input/player-input.ts";
import { INTERPOLATION_MODES } from "../prediction/interpolation/interpolation-mode.ts";
import type { InterpolationMode } from "../prediction/interpolation/interpolation-mode.ts";
import type { UpdatedTable } from "../prediction/interpolation/state-interpolator.ts";
import { DrawnSight } from "../rewind/drawn-sight.ts";
import { InputTimeline } from "../time/input-timeline.ts";
import { MAX_VIEW_DELAY_MS, ViewTimeline } from "../time/view-timeline.ts";
import { ClientInputs } from "./client/client-inputs.ts";
import { ClientStats } from "./client/client-stats.ts";
import type { AnyGame, InputOf, WorldOf } from "./define-game.ts";
import { DrawnTable } from "./client/drawn-table.ts";
import type { AgeListener, DrawnMoment } from "./client/drawn-table.ts";
import { MAX_EXTRAPOLATION_MS } from "./match.ts";
import { MessageKind, WelcomeFlag } from "./message-kind.ts";
import { MessagePeer, MessageRouter } from "./message-router.ts";
import type { CallOutcome } from "./message-router.ts";
import type { CallDefinition, MessageDefinition } from "./message.ts";
import type { OutgoingMessage } from "./outgoing-queue.ts";
import { createView } from "./client/view.ts";
import type { View, ViewOf } from "./client/view.ts";
import { createWorld, tableOf, WorldBase } from "./world.ts";
import type { AnyWorldTable, States } from "./world.ts";

export interface GameClientOptions {
  /**
   * Older inputs sent again with each new one, 0 to 31. Default: 2, and as many as it takes that 1 input in 10,000 gets
   * lost altogether when `updateLink` tells of loss (`inputCopies`).
   */
  readonly inputRedundancy?: number;
  /** Half-life of the drawn error after a correction; 0: corrections are drawn at once. Default 60 ms. */
  readonly smoothingHalfLifeMs?: number;
  /** How entities of others are drawn; it may be changed later. Default "linear". */
  readonly interpolationMode?: InterpolationMode;
  /**
   * Own inputs act this many ticks later on this client, 0 to 10: that much less is predicted, and that much less is
   * there to be wrong, at the price of a slower answer. They reach the server as early as ever. Default 0.
   */
  readonly inputDelayTicks?: number;
  /** Most bytes that inputs and predicted states are kept in. Default 4 MiB. */
  readonly historyBytes?: number;
}

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
  /** Questions to the server and its answers; `debug.enabled` when the server allows it. */
  readonly debug: DebugLink;
  readonly #game: AnyGame;
  readonly #view: View<States>;
  readonly #tables: readonly AnyWorldTable[];
  readonly #drawn: readonly DrawnTable[];
  readonly #moment: DrawnMoment = { seat: -1, mode: "linear", view: -1, predicted: -1, newest: -1, heard: -1 };
  readonly #noteAge: AgeListener;
  readonly #prediction: ClientPrediction;
  readonly #inputTimeline: InputTimeline;
  readonly #viewTimeline: ViewTimeline;
  readonly #inputs: ClientInputs;
  readonly #redundancy: number | undefined;
  readonly #eventReader: EventReader;
  readonly #peer = new MessagePeer();
  readonly #bytes = new ByteReader();
  readonly #bits = new BitReader();
  #states: readonly UpdatedTable[] = [];
  #receiver: SnapshotReceiver | undefined;
  #seat = -1;
  readonly #randomKey = new Uint32Array(8);
  /** Newest tick an input was made for. */
  #inputTick = -1;
  #snapshotTick = -1;
  #receipts = 0;
  #fresh = false;
  /** Tick of a snapshot that says that the clock must start over; -1: none did. */
  #restartTick = -1;
  #lastAdvanceAt = Number.NaN;
  /** What was drawn last. */
  readonly #stamp: ViewStamp = createViewStamp();
  /** The newest input's tick minus its picture's. */
  #viewAhead = Infinity;
  #mode: InterpolationMode = "linear";
  readonly #inputDelayTicks: number;
  /** Of the newest snapshot, and of the one that is being read. */
  #named = new NamedSpawns();
  #reading = new NamedSpawns();
  #rttMs = DEFAULT_RTT_MS;
  readonly #link = { lossRate: 0, meanBurstPackets: 1 };

  constructor(game: G, options: GameClientOptions = {}) {
    this.game = game;
    this.#game = game;
    const { inputRedundancy, smoothingHalfLifeMs = 60, inputDelayTicks = 0 } = options;
    if (!(Number.isInteger(inputDelayTicks) && inputDelayTicks >= 0 && inputDelayTicks <= MAX_INPUT_DELAY_TICKS))
      throw new RangeError(`inputDelayTicks must be 0 to ${MAX_INPUT_DELAY_TICKS}, got ${inputDelayTicks}`);
    this.#inputDelayTicks = inputDelayTicks;
    if (inputRedundancy !== undefined && !(inputRedundancy >= 0 && inputRedundancy < MAX_INPUTS))
      throw new RangeError(`inputRedundancy must be 0 to ${MAX_INPUTS - 1}, got ${inputRedundancy}`);
    this.#redundancy = inputRedundancy;
    if (options.interpolationMode !== undefined) this.#mode = knownMode(options.interpolationMode);
    this.router = new MessageRouter(game.messages);
    const owner = {
      // Of what others own a client steps nothing: these numbers are nobody's.
      randomKeyOf: (seat: number): Uint32Array => (seat >= 0 && seat === this.#seat ? this.#randomKey : NO_KEY),
      send: (): boolean => false,
      broadcast: (): boolean => false,
      broadcastNear: (): boolean => false,
      emit: <F extends Fields>(definition: EventDefinition<F>, row: RowIdentity, value: Values<F>): void => {
        const table = tableOf(tables, row);
        if (table < 0) return;
        const { id, owner: seat } = row;
        this.events.emit(this.events.kindOf(definition), table, tables[table].identityOf(row), id, seat, value);
      },
    };
    const extraRows = game.tablePredictions.map(({ spawns }) => (spawns ? PROVISIONAL_ROWS : 0));
    const { world, tables } = createWorld<States>(
      new WorldBase(game.tickRate, false, game.statics, owner),
      game.states,
      extraRows,
    );
    const source = {
      seatOf: (): number => this.#seat,
      get seat(): number {
        return this.seatOf();
      },
      copyNewest: (table: number, index: number, id: number, target: Pick<StateTable<Fields>, "writeWords">): boolean =>
        this.#copyNewest(table, index, id, target),
    };
    const { view, tables: viewTables } = createView<States>(game.states, source, extraRows);
    this.world = world;
    this.view = view as ViewOf<G>;
    this.#view = view;
    this.#tables = tables;
    for (let t = 0; t < tables.length; t++) {
      const { hitbox } = tables[t].state;
      tables[t].sight = new DrawnSight(tables[t], viewTables[t], hitbox, game.statics, () => this.#view.tick);
    }
    this.events = new PredictedEvents(game.events, game.tickMs, {
      simulates: (table, id) => tables[table]?.simulated[tables[table].indexOf(id)] === 1,
      ownerOf: (table, id) => tables[table]?.get(id)?.owner ?? -1,
    });
    this.#eventReader = new EventReader(game.events);
    this.#inputs = new ClientInputs(game, RING_TICKS, source.seatOf);
    const spawnStats = { predicted: 0, matched: 0, unmatched: 0, refused: 0 };
    const names = Object.keys(game.states);
    for (let t = 0; t < tables.length; t++) {
      const { capacity } = tables[t].state;
      if (extraRows[t] > 0)
        tables[t].spawns = new PredictedSpawns(names[t], capacity, extraRows[t], spawnStats, source.seatOf);
    }
    const budget = new HistoryBudget(options.historyBytes ?? DEFAULT_HISTORY_BYTES);
    if (!budget.replace(0, this.#inputs.bytes))
      throw new RangeError(`historyBytes: the inputs alone take ${this.#inputs.bytes} bytes`);
    const prediction = new ClientPrediction({
      game,
      world,
      tables,
      inputs: this.#inputs.view,
      source: this.#inputs,
      ringTicks: RING_TICKS,
      budget,
      events: this.events,
      spawnStats,
      listener: { mispredicted: (place) => this.mispredictions.record(this.#seat, place) },
    });
    this.#prediction = prediction;
    this.mispredictions = new MispredictionRecorder({
      input: game.input,
      states: game.states,
      inputs: this.#inputs.history,
      historyOf: (table) => prediction.historyOf(table),
    });
    this.debug = new DebugLink({
      queue: this.#peer.queue,
      answers: {
        prediction: () => reportPrediction(this),
        abilities: () => game.inspectAbilities?.(world, this.#seat, this.predictedTick),
        setInterpolationMode: (mode) => {
          // Throws for what is no mode, which refuses it.
          this.interpolationMode = mode as InterpolationMode;
        },
      },
    });
    const drawing = {
      tickRate: game.tickRate,
      smoothingHalfLifeMs,
      snapDistance: game.snapDistance,
      snapAngle: game.snapAngle,
      maxExtrapolationTicks: MAX_EXTRAPOLATION_MS / game.tickMs,
      updateDepth: updateDepth(game.snapshotRate),
    };
    this.#drawn = tables.map((table, t) => new DrawnTable(table, viewTables[t], prediction.historyOf(t), drawing));
    this.#inputTimeline = new InputTimeline({ tickMs: game.tickMs });
    this.#viewTimeline = new ViewTimeline({ tickMs: game.tickMs });
    this.stats = new ClientStats(prediction.stats);
    this.#viewTimeline.atPresent = this.#mode === "extrapolation";
    this.#noteAge = (ageTicks) => this.stats.noteEntityAge(ageTicks * game.tickMs);
  }

  /** This client's seat in the room, the `owner` of its entities; -1 before the server's welcome. */
  get seat(): number {
    return this.#seat;
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
    return this.#snapshotTick;
  }

  /**
   * How entities of others are drawn. It may be changed at any time, also by the server over the debug channel: what is
   * drawn then slides into what the new mode shows; only "none" and "step" show theirs at once. Throws `RangeError` for
   * a mode that does not exist.
   */
  get interpolationMode(): InterpolationMode {
    return this.#mode;
  }

  set interpolationMode(mode: InterpolationMode) {
    const before = this.#mode;
    this.#mode = knownMode(mode);
    this.#viewTimeline.atPresent = mode === "extrapolation";
    // The view goes on from what is drawn, and falls back behind it by running slower.
    if (before === "none" && mode !== "none" && this.#snapshotTick >= 0)
      this.#viewTimeline.clock.ticks = this.#snapshotTick;
  }

  /** Hears what became of the entities that this client has spawned ahead of the server. */
  set spawnListener(listener: SpawnListener | undefined) {
    for (const { spawns } of this.#tables) if (spawns !== undefined) spawns.listener = listener;
  }

  /**
   * What the connection measures: for the first guess of the clock, and for how often inputs are repeated.
   * `meanBurstPackets`: how many packets in a row are lost when one is, where that is known. Default: independent losses.
   */
  updateLink(rttMs: number, lossRate: number, meanBurstPackets = 1): void {
    this.#rttMs = rttMs;
    this.#link.lossRate = lossRate;
    this.#link.meanBurstPackets = meanBurstPackets;
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
    if (this.#seat < 0) return;
    if (this.#fresh) this.#reconcile();
    this.#advanceClocks(now, elapsedMs);
    this.#inputs.set(input);
    this.#simulate();
    this.#draw(now, elapsedMs);
    this.events.advance(this.#view.tick);
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
    this.#seat = -1;
    this.#receiver = undefined;
    this.#states = [];
    this.#prediction.reset(-1, 0);
    this.events.clear();
  }

  #receive(buffer: Uint8Array, offset: number, length: number, now: number): boolean {
    const kind = buffer[offset];
    if (kind === MessageKind.snapshot) return this.#receiveSnapshot(buffer, offset, length);
    if (kind === MessageKind.welcome) return this.#receiveWelcome(buffer, offset, length);
    if (kind === MessageKind.event) return this.#receiveEvent(buffer, offset, length);
    if (kind === MessageKind.debug) return this.debug.receive(buffer, offset, length, now);
    if (kind !== MessageKind.message && kind !== MessageKind.call && kind !== MessageKind.reply) return false;
    return this.router.receive(this.#peer, -1, buffer, offset, length);
  }

  #receiveWelcome(buffer: Uint8Array, offset: number, length: number): boolean {
    const bytes = this.#bytes.reset(buffer, offset, offset + length);
    bytes.skip(1);
    const flags = bytes.u8();
    const seat = bytes.u16();
    const tick = bytes.u32();
    const seed = bytes.i32();
    const key = Uint32Array.from(NO_KEY, () => bytes.u32());
    if (bytes.failed || tick > MAX_TICK) return false;
    this.#randomKey.set(key);
    this.#seat = seat;
    this.debug.enabled = (flags & WelcomeFlag.debug) !== 0;
    this.mispredictions.clear();
    this.#receiver = new SnapshotReceiver({
      definitions: this.#game.states,
      clientId: seat,
      tickRate: this.#game.tickRate,
    });
    this.#states = this.#receiver.tables;
    this.#snapshotTick = -1;
    this.#receipts = 0;
    this.#fresh = false;
    this.#restartTick = -1;
    this.#stamp.viewTick = -1;
    this.#viewAhead = Infinity;
    this.#prediction.reset(seat, seed);
    this.events.clear();
    this.#inputs.clear();
    this.#inputs.relayed?.clear();
    this.#named.count = 0;
    this.stats.inputDelayTicks = this.#inputDelayTicks;
    for (const drawn of this.#drawn) drawn.clear();
    this.#viewTimeline.reset();
    this.#inputTimeline.start(tick, this.#rttMs);
    this.#inputTick = Math.floor(this.#inputTimeline.clock.ticks);
    return true;
  }

  #receiveEvent(buffer: Uint8Array, offset: number, length: number): boolean {
    const reader = this.#eventReader;
    const value = reader.read(buffer, offset, length);
    if (value !== undefined && this.#seat >= 0) this.events.hear(reader.key, reader.id, value);
    return value !== undefined;
  }

  #receiveSnapshot(buffer: Uint8Array, offset: number, length: number): boolean {
    // A snapshot may overtake the welcome.
    if (this.#receiver === undefined) return true;
    const bits = this.#bits.reset(buffer, offset, offset + length);
    bits.bits(8);
    const depth = (bits.bits(8) << 24) >> 24;
    const origin = bits.bits(2);
    if (this.#game.prediction.spawns !== undefined && !this.#reading.read(bits, this.#tables.length)) return false;
    if (this.#inputs.relayed?.read(bits) === false) return false;
    const { stats } = this.#receiver;
    const { malformed } = stats;
    const tick = this.#receiver.read(bits);
    // Twice the same, too old, or built on what this client does not have: that is the network's doing.
    if (tick < 0) return stats.malformed === malformed;
    this.stats.noteSnapshot(length);
    if (tick > this.#snapshotTick) {
      const gap = tick - this.#snapshotTick;
      this.#receipts =
        this.#snapshotTick < 0 || gap > 32 ? 0 : gap === 32 ? 1 << 31 : (this.#receipts << gap) | (1 << (gap - 1));
      this.#snapshotTick = tick;
      this.#fresh = true;
      this.#reading.resolve(tick);
      const named = this.#named;
      this.#named = this.#reading;
      this.#reading = named;
      this.#inputs.relayed?.adopt(tick);
      this.#viewTimeline.noteSnapshot(tick);
      if (depth === MAX_DEPTH) this.#restartTick = tick;
      else if (depth !== -128) {
        this.#inputTimeline.noteDepth(tick, tick + depth);
        if (origin !== 0) this.stats.starvedTicks++;
      }
      for (let t = 0; t < this.#states.length; t++) this.#drawn[t].update(tick, this.#states[t]);
    }
    // One that was overtaken may serve as a baseline, but the picture is made without it: no receipt for it.
    return true;
  }

  #reconcile(): void {
    this.#fresh = false;
    const prediction = this.#prediction;
    const known = prediction.tick >= 0;
    const { mispredictions } = prediction.stats;
    if (known) for (const drawn of this.#drawn) drawn.remember();
    // On a short link the server's word is there before a late input would act.
    const delay = Math.min(this.stats.inputDelayTicks, Math.max(0, this.#inputTick - this.#snapshotTick));
    this.stats.inputDelayTicks = delay;
    if (!prediction.reconcile(this.#snapshotTick, this.#states, this.#inputTick - delay, this.#named) || !known) return;
    let farthest = 0;
    for (const drawn of this.#drawn) farthest = Math.max(farthest, drawn.correct(this.#seat));
    // What the server alone decides was no error of the prediction.
    if (prediction.stats.mispredictions > mispredictions) this.stats.noteError(farthest);
  }

  #advanceClocks(now: number, elapsedMs: number): void {
    const { clock } = this.#inputTimeline;
    const stalled = elapsedMs > STALL_MS;
    if (stalled) {
      // A hidden tab or a suspended process: time has passed and nothing was measured.
      this.#inputTimeline.forget();
      this.#viewTimeline.forget(now);
      this.stats.jumps++;
    }
    if (this.#inputTimeline.advance(elapsedMs)) this.stats.jumps++;
    // The server's past is our future, or it has more inputs in stock than it can count: the clock is plainly wrong.
    const restartTick = this.#snapshotTick > clock.ticks ? this.#snapshotTick : this.#restartTick;
    if (restartTick >= 0) {
      const before = clock.ticks;
      this.#inputTimeline.start(restartTick, this.#rttMs);
      if (this.ready && Math.abs(clock.ticks - before) * this.#game.tickMs > STALL_MS) this.stats.jumps++;
    }
    this.#restartTick = -1;
    this.stats.inputRate = clock.rate;
    this.stats.clockErrorMs = clock.errorMs;
    this.stats.inputBufferDepth = this.#inputTimeline.depth;
  }

  /** Makes the inputs that are due, simulates them and sends them. */
  #simulate(): void {
    // The tick in which the player acts runs at its beginning, so that it shows in this very frame.
    const due = Math.floor(this.#inputTimeline.clock.ticks) + 1;
    const most = Math.max(1, Math.ceil(STALL_MS / this.#game.tickMs));
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
      if (this.#inputs.add(tick, this.#stamp)) this.#inputTimeline.noteSent(tick);
      this.#viewAhead = this.#stamp.viewTick < 0 ? Infinity : tick - this.#stamp.viewTick;
      made++;
      // After a gap the prediction begins again from the server's next word.
      if (this.#prediction.tick === tick - delay - 1) this.#prediction.step();
    }
    if (made === 0) return;
    const redundancy = this.#redundancy ?? inputCopies(this.#link) - 1;
    const length = this.#inputs.write(this.#inputTick, made + redundancy, this.#snapshotTick, this.#receipts);
    if (length > 0) this.#peer.queue.push("unreliableUnordered", this.#inputs.packet, 0, length);
  }

  #draw(now: number, elapsedMs: number): void {
    const timeline = this.#viewTimeline;
    if (timeline.advance(now, elapsedMs)) this.stats.jumps++;
    const newest = this.#snapshotTick;
    const view = this.#mode === "none" ? newest : timeline.clock.started ? timeline.clock.ticks : -1;
    // What the server is told is exactly what is drawn, to 1/256 of a tick.
    // Where it is hardly off, it is drawn where the server expects it: as far behind the next input as at the last one.
    const expected = this.#inputTick + 1 - this.#viewAhead;
    const steady = Math.abs(view - expected) <= STEADY_TICKS && expected >= this.#stamp.viewTick;
    const drawn = steady ? expected : Math.floor(view * 256) / 256;
    this.#stamp.viewTick = view < 0 ? -1 : drawn;
    this.#stamp.snapshotTick = newest;
    this.#stamp.mode = this.#mode;
    this.#view.tick = drawn;
    const predicted = this.#inputTimeline.clock.ticks - this.stats.inputDelayTicks;
    this.#view.predictedTick = predicted;
    this.#view.confirmedTick = this.#prediction.confirmedTick;
    this.stats.viewRate = timeline.clock.rate;
    const heard = timeline.heardTick(now);
    this.stats.interpolationDelayMs = (heard - view) * this.#game.tickMs;
    this.stats.noteFrame(view <= newest);
    const moment = this.#moment;
    moment.seat = this.#seat;
    moment.view = drawn;
    moment.predicted = predicted;
    moment.newest = this.#prediction.tick;
    moment.heard = heard;
    moment.mode = this.#mode;
    let visible = 0;
    for (const table of this.#drawn) visible = Math.max(visible, table.draw(moment, elapsedMs, this.#noteAge));
    this.stats.visibleCorrection.record(visible);
  }

  #copyNewest(table: number, index: number, id: number, target: Pick<StateTable<Fields>, "writeWords">): boolean {
    const state = this.#states[table];
    if (state === undefined || state.present[index] === 0 || state.ids[index] !== id) return false;
    target.writeWords(index, state.words, index * this.#tables[table].wordCount);
    return true;
  }
}

function knownMode(mode: InterpolationMode): InterpolationMode {
  if (!INTERPOLATION_MODES.includes(mode)) throw new RangeError(`there is no interpolation mode "${mode}"`);
  return mode;
}

/** Updates from the newest snapshot back to the view: its largest delay, and the largest error that is worked off without a jump. */
function updateDepth(snapshotRate: number): number {
  const updates = ((MAX_VIEW_DELAY_MS + STALL_MS) * snapshotRate) / 1000 + 2;
  return Math.min(MAX_UPDATE_DEPTH, 2 ** Math.ceil(Math.log2(updates)));
}

/** Ticks of inputs and predicted states that are kept; bounds how far prediction runs ahead. */
const RING_TICKS = 128;
/** A longer pause between two frames is a stall. */
const STALL_MS = 250;
/** Enough for 330 snapshots a second. */
const MAX_UPDATE_DEPTH = 256;
const MAX_INPUT_DELAY_TICKS = 10;
const DEFAULT_HISTORY_BYTES = 4 * 1024 * 1024;
const NO_KEY = new Uint32Array(8);
/** How far from the view timeline the picture may be, so that its stamp takes a single bit: half a millisecond at 60 ticks. */
const STEADY_TICKS = 8 / 256;
const DEFAULT_RTT_MS = 100;
const MAX_TICK = 0x7fffffff;
/** The largest depth that a snapshot can tell. */
const MAX_DEPTH = 127;
