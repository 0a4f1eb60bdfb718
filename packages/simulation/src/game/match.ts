/**
 * The server's side of one room, pure: seats, input buffers, the simulation, snapshot streams,
 * pose history and typed messages. A driver joins and removes clients, hands over their bytes,
 * calls `tick` at the game's rate and sends what `writeSnapshot` and `pollMessage` give.
 *
 * Nothing that a client says is trusted: inputs are settled values of the declared ranges for
 * ticks to come, view stamps are checked against what was sent, and malformed bytes are counted.
 */
import type { DebugOutcome } from "../debug/debug-link.ts";
import type { SeatDebug } from "../debug/seat-debug.ts";
import type { EventDefinition } from "../prediction/events/define-event.ts";
import { EventSender } from "../prediction/events/event-sender.ts";
import type { InputDecoderStats } from "../prediction/input/input-decoder.ts";
import type { ViewStamp } from "../prediction/input/player-input.ts";
import { readRecords } from "../prediction/input/record-reader.ts";
import type { PlayedTick, RecordedInput, RecordedState } from "../prediction/input/record-reader.ts";
import { MAX_EXTRAPOLATION_MS } from "../prediction/interpolation/state-interpolator.ts";
import type { PhysicsAdapter } from "../prediction/physics.ts";
import { createSights } from "../rewind/create-sights.ts";
import { FavorTheShooter } from "../rewind/fairness/favor-the-shooter.ts";
import { MovingDoors } from "../rewind/fairness/moving-doors.ts";
import { reportFairness } from "../rewind/fairness/fairness-report.ts";
import type { FairnessReport } from "../rewind/fairness/fairness-report.ts";
import { HistoryRecorder } from "../rewind/history-recorder.ts";
import type { LateNews } from "../rewind/late-news.ts";
import { ReceiptDesk } from "../rewind/receipts/receipt-desk.ts";
import { RecentReceipts } from "../rewind/receipts/recent-receipts.ts";
import type { ReceiptCounters } from "../rewind/receipts/receipt-desk.ts";
import { LagCompensationStats } from "../rewind/registration/lag-compensation-stats.ts";
import { RewoundSight } from "../rewind/rewound-sight.ts";
import { CLIENT_MEMORY_MS } from "../rewind/timestamps/link-evidence.ts";
import type { MeasuredLink } from "../rewind/timestamps/link-evidence.ts";
import { RecentExtreme } from "../rewind/timestamps/recent-extreme.ts";
import type { ViewResolver } from "../rewind/view-resolver.ts";
import type { Fields, RowIdentity, Values } from "../state/index.ts";
import type { AnyGame, WorldOf } from "./define-game.ts";
import { MatchInputs } from "./match-inputs.ts";
import type { MatchOptions, RewindHistoryReport } from "./match-options.ts";
import { createKey, MatchSeats } from "./match-seats.ts";
import { MatchSnapshots } from "./match-snapshots.ts";
import { MessageKind } from "./message-kind.ts";
import { MessageRouter } from "./message-router.ts";
import type { CallOutcome } from "./message-router.ts";
import type { CallDefinition, MessageDefinition } from "./message.ts";
import type { OutgoingMessage } from "./outgoing-queue.ts";
import { bytesFromSeed } from "./random.ts";
import { Received } from "./received-message.ts";
import type { Seat, SeatInfo } from "./seat.ts";
import { createWorld, tableOf, WorldBase } from "./world.ts";
import type { AnyWorldTable, FieldsOf, States, World, WorldOwner } from "./world.ts";

export class Match<G extends AnyGame = AnyGame> implements WorldOwner {
  readonly game: G;
  readonly world: WorldOf<G>;
  readonly router: MessageRouter;
  readonly maxSeats: number;
  /** Of shots that `HitRegistration` judged. */
  readonly lagCompensation: LagCompensationStats;
  /** How far shooters are favoured: may be changed at any time. */
  readonly favorTheShooter: FavorTheShooter;
  readonly #receipts: ReceiptDesk | undefined;
  readonly #recentReceipts: RecentReceipts | undefined;
  readonly #game: AnyGame;
  readonly #world: World<States>;
  readonly #tables: readonly AnyWorldTable[];
  readonly #seed: number;
  readonly #seats: (Seat | undefined)[];
  readonly #seating: MatchSeats;
  readonly #snapshots: MatchSnapshots;
  readonly #inputs: MatchInputs;
  readonly #recorders: readonly HistoryRecorder[];
  readonly #physics: PhysicsAdapter | undefined;
  readonly #events: EventSender;
  /** Of the random numbers of entities that nobody owns. */
  readonly #nobodysKey: Uint32Array;
  readonly #debug: boolean;
  readonly #lateness: RecentExtreme;
  #tick = 0;
  /** Another one whenever what a player sees may be something else. */
  #moment = 0;

  constructor(game: G, options: MatchOptions = {}) {
    this.game = game;
    this.#game = game;
    this.maxSeats = options.maxSeats ?? 64;
    if (!(Number.isInteger(this.maxSeats) && this.maxSeats >= 1 && this.maxSeats <= MAX_SEATS))
      throw new RangeError(`maxSeats must be an integer from 1 to ${MAX_SEATS}, got ${this.maxSeats}`);
    this.#seed = (options.seed ?? 1) | 0;
    const { maxRewindMs = 500 } = options;
    this.favorTheShooter = new FavorTheShooter(maxRewindMs, options.favorTheShooter);
    this.#debug = options.debug ?? false;
    this.#lateness = new RecentExtreme("largest", Math.ceil(CLIENT_MEMORY_MS / game.tickMs));
    const { radius } = game.interest;
    this.#seats = Array.from({ length: this.maxSeats }, () => undefined);
    this.router = new MessageRouter(game.messages);
    this.#events = new EventSender(game.events, this.#seats, radius ?? Infinity);

    const entropy = options.entropy ?? bytesFromSeed(this.#seed);
    this.#nobodysKey = createKey(entropy);
    const { world, tables } = createWorld<States>(new WorldBase(game.tickRate, true, game.statics, this), game.states);
    this.#world = world;
    this.world = world;
    this.#tables = tables;

    this.#inputs = new MatchInputs(game, this.#seats, options.inputs ?? {}, options.now);
    const extrapolationTicks = MAX_EXTRAPOLATION_MS / game.tickMs;
    const recent = this.#debug ? new RecentReceipts(RECENT_RECEIPTS, options.receipts) : undefined;
    this.#recentReceipts = recent;
    this.#seating = new MatchSeats({
      receiptsOf: (seat) => recent?.of(seat) ?? [],
      game,
      world,
      tables,
      seats: this.#seats,
      inputs: this.#inputs,
      seed: this.#seed,
      graceTicks: Math.ceil((options.reconnectGraceMs ?? 15_000) / game.tickMs),
      budgetBytes: options.snapshotBudgetBytes ?? 1000,
      maxExtrapolationTicks: extrapolationTicks,
      maxRewindMs,
      lateness: this.#lateness,
      debug: this.#debug,
      entropy,
    });
    this.#snapshots = new MatchSnapshots(game, tables, this.#seats, this.#inputs);
    const stamps = {
      stampOf: (seat: number, weapon?: string): Readonly<ViewStamp> | undefined =>
        this.#seats[seat]?.stampAt(this.#tick, this.favorTheShooter.of(weapon)),
      resolverOf: (seat: number): ViewResolver | undefined => this.#seats[seat]?.resolver,
      lateTickOf: (seat: number): number => this.#seats[seat]?.lateTick ?? -1,
      lateNewsOf: (seat: number): LateNews | undefined => this.#seats[seat]?.lateNews,
      wasCut: (seat: number): boolean => this.#seats[seat]?.isViewCut ?? false,
    };
    for (let t = 0; t < tables.length; t++) {
      if (!game.tablePredictions[t].spawns) continue;
      const noteSpawn = (id: number, owner: number): number => {
        const seat = this.#seats[owner];
        // Its client has spawned it in the tick of the input.
        const { lateTick = -1 } = seat ?? {};
        return seat?.spawns.add(t, id, lateTick < 0 ? this.#tick : lateTick) ?? 0;
      };
      tables[t].witness = { noteSpawn };
    }
    this.#physics = game.prediction.physics?.attach(world);
    this.lagCompensation = new LagCompensationStats(options.now);
    const windowMs = maxRewindMs + UPDATE_GAP_MS;
    const limits = { ...options.rewindHistory, tickMs: game.tickMs, windowMs };
    this.#recorders = tables.map((table) => new HistoryRecorder(table.state, table, limits));
    const sight = {
      stamps,
      maxExtrapolationTicks: extrapolationTicks,
      snapDistance: game.snapDistance,
    };
    const receipts = recent ?? options.receipts;
    this.#receipts = receipts && new ReceiptDesk(receipts, game.statics);
    const contexts = createSights(
      tables,
      game.statics,
      () => this.#moment,
      (table, number) => {
        const { history, reader } = this.#recorders[number];
        const prediction = game.tablePredictions[number];
        const source = new RewoundSight({ ...sight, table, number, history, reader, prediction });
        return { history, source };
      },
      { stats: this.lagCompensation, receipts: this.#receipts },
    );
    const blockers = tables.flatMap((table, number) =>
      table.state.rewound.blocks ? [new MovingDoors(table, this.#recorders[number].reader, contexts[number])] : [],
    );
    const fairness = { statics: game.statics, blockers, favor: this.favorTheShooter, tickMs: game.tickMs };
    tables.forEach((table, number) => {
      table.victims = { ...fairness, history: this.#recorders[number].history, now: () => this.#tick };
    });
  }

  /** What is remembered for hits, of each state with a position. */
  rewindHistory(): RewindHistoryReport[] {
    return Object.keys(this.#game.states).flatMap((state, number) => {
      const { history, reader } = this.#recorders[number];
      if (!reader.hasPlaces) return [];
      const { snapshots, maxSnapshots, bytes } = history;
      return [{ state, snapshots, maxSnapshots, bytes, windowMs: (maxSnapshots - 1) * this.#game.tickMs }];
    });
  }

  /** The tick that was simulated last. */
  get currentTick(): number {
    return this.#tick;
  }

  /** The seats that are taken, also those whose players may come back. */
  *seats(): IterableIterator<SeatInfo> {
    for (const seat of this.#seats) if (seat !== undefined) yield seat;
  }

  /** What is known of a seat; `undefined` when it is free. */
  seat(id: number): SeatInfo | undefined {
    return this.#seats[id];
  }

  /**
   * What the player of a seat did in the last seconds, oldest first, as it was used; and the player's own entities
   * after each of these ticks. For validation and debugging: they allocate. Empty when nobody is there.
   */
  inputHistory(seat: number): RecordedInput<FieldsOf<G["input"]>>[] {
    const inputs: RecordedInput[] = this.#recordsOf(seat).map(({ tick, input, view, origin }) => ({
      tick,
      values: input,
      view,
      source: origin,
    }));
    return inputs as RecordedInput<FieldsOf<G["input"]>>[];
  }

  stateHistory(seat: number): RecordedState[] {
    return this.#recordsOf(seat).map(({ tick, entities }) => ({ tick, entities }));
  }

  /** Receipts that were kept, and those that were not; `undefined` without the option `receipts`. */
  get receipts(): Readonly<ReceiptCounters> | undefined {
    return this.#receipts?.counters;
  }

  /** What reading the players' inputs took; its `codecSeconds` needs the option `now`. */
  get inputDecoding(): Readonly<InputDecoderStats> {
    return this.#inputs.decoder.stats;
  }

  /** The seat that a client has or may come back to; -1 for none. */
  seatOf(clientId: bigint): number {
    return this.#seating.seatOf(clientId);
  }

  /** Whether `join` would seat this client. */
  hasSeatFor(clientId: bigint): boolean {
    return this.#seating.hasSeatFor(clientId);
  }

  /**
   * Seats a client; the same client within the time of grace gets its seat and entities back. In a
   * full match whoever is there comes before those who may return: the seat kept longest is given up.
   * Returns the seat, or -1 when the match is full. Throws what the game's `join` throws; then nothing of it stays.
   */
  join(clientId: bigint, userData: Uint8Array = NO_DATA): number {
    const isNew = this.#seating.seatOf(clientId) < 0;
    const seat = this.#seating.join(clientId, userData, this.#tick);
    if (isNew && seat >= 0) {
      this.lagCompensation.forget(seat);
      this.#recentReceipts?.forget(seat);
    }
    return seat;
  }

  /** The client of this seat has lost its connection. Its entities wait for it for the time of grace. */
  leave(id: number): void {
    this.#seating.leave(id, this.#tick);
  }

  /** Gives the seat up now: the game's `leave`, or its entities are despawned. */
  remove(id: number): void {
    this.#seating.remove(id, this.#tick);
  }

  /** One message of a seat's client. False when it was malformed: it is dropped and counted. */
  receive(id: number, buffer: Uint8Array, offset: number, length: number): boolean {
    const seat = this.#seats[id];
    if (seat === undefined || !seat.connected) return false;
    const good = length > 0 && this.#receive(seat, buffer, offset, length);
    if (!good) seat.stats.malformed++;
    return good;
  }

  /**
   * What the connection of a seat's client has measured lately. Tell it every second or oftener: view stamps are then held
   * against it (`docs/fairness.md`). Without it only `maxRewindMs` bounds them.
   */
  updateLink(id: number, link: MeasuredLink): void {
    this.#seats[id]?.stamps.link.note(this.#tick, link);
  }

  /** How fair the match is to whom: the settings in force, what links account for, the peeker's advantage. Allocates. */
  fairness(): FairnessReport {
    return reportFairness(this.favorTheShooter, this.#seats, this.#tick);
  }

  /** Simulates the next tick. `lateMs`: how long after it was due; clients' pictures are older by as much. */
  tick(lateMs = 0): void {
    const tick = ++this.#tick;
    this.#lateness.note(tick, lateMs);
    this.#moment++;
    const now = tick * this.#game.tickMs;
    for (const seat of this.#seats) {
      if (seat === undefined) continue;
      if (tick >= seat.expiresAtTick) {
        this.remove(seat.id);
        continue;
      }
      if (!seat.connected) continue;
      this.#inputs.take(seat, tick);
      seat.noteTaken(tick);
      seat.debug.handleTimeout(now);
      if (seat.peer.pending.size > 0) this.router.handleTimeout(seat.peer, now);
    }
    this.#world.beginTick(tick, this.#seed, false);
    this.#events.beginTick(tick);
    try {
      if (this.#game.late !== undefined) this.#judgeLate();
      this.#game.step(this.#world, this.#inputs.view);
      this.#physics?.step();
    } finally {
      // Also of a step that throws: a tick that is missing would end everything that is remembered.
      this.#seating.settle();
      this.#inputs.record(tick, this.#tables);
      for (let i = 0; i < this.#recorders.length; i++) this.#recorders[i].record(tick);
    }
  }

  /**
   * Writes the snapshot of the current tick for one client and returns its length; 0 when the seat
   * has no client or has had the snapshot of this tick. Send it on "unreliableUnordered".
   */
  writeSnapshot(id: number, buffer: Uint8Array, offset = 0, capacity: number = buffer.length - offset): number {
    const seat = this.#seats[id];
    if (seat === undefined || !seat.connected) return 0;
    return this.#snapshots.write(seat, this.#tick, buffer, offset, capacity);
  }

  /** Takes the oldest message (welcome, typed messages) for a seat's client; false when there is none. */
  pollMessage(id: number, out: OutgoingMessage): boolean {
    return this.#seats[id]?.peer.queue.poll(out) ?? false;
  }

  /** Queues a typed message for one seat's client. False when its queue was full or nobody is there. Throws as `MessageRouter.send` does. */
  send<F extends Fields>(message: MessageDefinition<F>, value: Values<F>, seat: number): boolean {
    const to = this.#seats[seat];
    return to !== undefined && to.connected && this.router.send(to.peer, message, value);
  }

  /** Queues a typed message for every client. False when a queue was full. */
  broadcast<F extends Fields>(message: MessageDefinition<F>, value: Values<F>): boolean {
    return this.broadcastNear(message, value, 0, 0, Infinity);
  }

  /**
   * Queues a typed message for the clients that look from within `radius` around (x, y). Default: the radius of interest.
   * `about`: the entity that it tells of, which they must see where the game has `interest.visible`; default none.
   * False when a queue was full. Throws `TypeError` when `about` is no row of the world.
   */
  broadcastNear<F extends Fields>(
    message: MessageDefinition<F>,
    value: Values<F>,
    x: number,
    y: number,
    radius: number = this.#game.interest.radius ?? Infinity,
    about?: RowIdentity,
  ): boolean {
    const table = about === undefined ? -1 : this.#tableOf(about);
    let all = true;
    for (const seat of this.#seats) {
      if (seat === undefined || !seat.connected) continue;
      if (radius < Infinity || about !== undefined) seat.eye.update();
      if (radius < Infinity && !seat.eye.reaches(x, y, radius)) continue;
      if (about !== undefined && !seat.stream.sees(table, about.index, this.#tick)) continue;
      if (!this.router.send(seat.peer, message, value)) all = false;
    }
    return all;
  }

  /** For the world. */
  emit<F extends Fields>(definition: EventDefinition<F>, row: RowIdentity, value: Values<F>): void {
    const table = this.#tableOf(row);
    this.#events.emit(definition, this.#tables[table], table, row, value);
  }

  /** Events that were not sent to somebody because a queue was full or a tick had too many. */
  get droppedEvents(): number {
    return this.#events.dropped;
  }

  /** Asks one seat's client; `done` is called exactly once. Time limits are kept by `tick`. */
  call<Q extends Fields, A extends Fields>(
    seat: number,
    definition: CallDefinition<Q, A>,
    request: Values<Q>,
    done: (outcome: CallOutcome<Values<A>>) => void,
  ): void {
    const to = this.#seats[seat];
    if (to === undefined || !to.connected) return done({ ok: false, reason: "closed" });
    this.router.call(to.peer, definition, request, this.#tick * this.#game.tickMs, done);
  }

  /** What is known of a seat's player, for debugging; `undefined` when the seat is free or the debug channel is not open. */
  debugOf(seat: number): SeatDebug | undefined {
    return this.#debug ? this.#seats[seat]?.inspector : undefined;
  }

  /**
   * Asks one seat's client over the debug channel; `done` is called exactly once. Methods: "prediction" (see
   * `readPredictionReport`), "abilities", "setInterpolationMode". What comes back is what the client says, no more.
   */
  askDebug(seat: number, method: string, parameters: unknown, done: (outcome: DebugOutcome) => void): void {
    const to = this.#seats[seat];
    if (to === undefined || !to.connected) return done({ ok: false, reason: "closed", message: "nobody is there" });
    to.debug.ask(method, parameters, this.#tick * this.#game.tickMs, done);
  }

  /** For the world. */
  randomKeyOf(seat: number): Uint32Array {
    return this.#seats[seat]?.randomKey ?? this.#nobodysKey;
  }

  #judgeLate(): void {
    for (const seat of this.#seats) {
      if (seat?.connected !== true) continue;
      try {
        for (let count = 0; count < MAX_LATE_AT_ONCE; count++) {
          const tick = this.#inputs.takeLate(seat);
          if (tick < 0) break;
          seat.lookLate(tick);
          this.#moment++;
          this.#events.beginTick(this.#tick, tick);
          this.#game.late?.(this.#world, this.#inputs.late, seat.id, tick);
        }
      } finally {
        if (seat.lateTick >= 0) {
          seat.lookLate(-1);
          this.#events.beginTick(this.#tick);
        }
        const { tooLateInputs } = seat.stats;
        if (tooLateInputs > seat.tooLateTold) {
          this.lagCompensation.noteTooLate(seat.id, tooLateInputs - seat.tooLateTold);
          seat.tooLateTold = tooLateInputs;
        }
        this.#moment++;
      }
    }
  }

  #recordsOf(seat: number): PlayedTick[] {
    const of = this.#seats[seat];
    return of === undefined ? [] : readRecords(of.handler.history, this.#game);
  }

  #tableOf(row: RowIdentity): number {
    const table = tableOf(this.#tables, row);
    if (table < 0) throw new TypeError("what is told of must be a row of the world");
    return table;
  }

  #receive(seat: Seat, buffer: Uint8Array, offset: number, length: number): boolean {
    const kind = buffer[offset];
    if (kind === MessageKind.inputs) {
      const good = seat.handler.receive(buffer, offset, length);
      const { snapshotTick, receiptMask } = this.#inputs.decoder.reader;
      if (seat.handler.wasRead) seat.noteReceived(snapshotTick, receiptMask, this.#tick);
      return good;
    }
    if (kind === MessageKind.debug) return seat.debug.receive(buffer, offset, length, this.#tick * this.#game.tickMs);
    if (kind !== MessageKind.message && kind !== MessageKind.call && kind !== MessageKind.reply) return false;
    return this.router.receive(seat.peer, seat.id, buffer, offset, length, (definition, value) => {
      this.#game.receive?.(this.#world, seat, new Received(definition, value));
    });
  }
}

const MAX_SEATS = 4096;
/** Of each player, while the debug channel is open. */
const RECENT_RECEIPTS = 16;
/** An update that a picture is made from may be this much older than the picture, for want of room in snapshots. */
const UPDATE_GAP_MS = 500;
/** Late inputs of one player that are judged in one tick. */
const MAX_LATE_AT_ONCE = 16;
const NO_DATA = new Uint8Array(0);
