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
import type { InputDecoderStats } from "../prediction/input/input-decoder.ts";
import { readRecords } from "../prediction/input/record-reader.ts";
import type { PlayedTick, RecordedInput, RecordedState } from "../prediction/input/record-reader.ts";
import type { PhysicsAdapter } from "../prediction/physics.ts";
import type { FavorTheShooter } from "../rewind/fairness/favor-the-shooter.ts";
import { reportFairness } from "../rewind/fairness/fairness-report.ts";
import type { FairnessReport } from "../rewind/fairness/fairness-report.ts";
import type { ReceiptCounters } from "../rewind/receipts/receipt-desk.ts";
import type { LagCompensationStats } from "../rewind/registration/lag-compensation-stats.ts";
import { CLIENT_MEMORY_MS } from "../rewind/timestamps/link-evidence.ts";
import type { MeasuredLink } from "../rewind/timestamps/link-evidence.ts";
import { RecentExtreme } from "../rewind/timestamps/recent-extreme.ts";
import type { Fields, RowIdentity, Values } from "../state/index.ts";
import type { AnyGame, WorldOf } from "./define-game.ts";
import { MatchInputs } from "./match/match-inputs.ts";
import { MatchMessages } from "./match/match-messages.ts";
import type { MatchOptions, RewindHistoryReport } from "./match/match-options.ts";
import { MatchRewind } from "./match/match-rewind.ts";
import { createKey, MatchSeats } from "./match/match-seats.ts";
import { MatchSnapshots } from "./match/match-snapshots.ts";
import type { Seat, SeatInfo } from "./match/seat.ts";
import { MessageKind } from "./message-kind.ts";
import type { CallOutcome, MessageRouter } from "./message-router.ts";
import type { CallDefinition, MessageDefinition } from "./message.ts";
import type { OutgoingMessage } from "./outgoing-queue.ts";
import { bytesFromSeed } from "./random.ts";
import { createWorld, WorldBase } from "./world.ts";
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
  readonly #game: AnyGame;
  readonly #world: World<States>;
  readonly #tables: readonly AnyWorldTable[];
  readonly #seed: number;
  readonly #seats: (Seat | undefined)[];
  readonly #seating: MatchSeats;
  readonly #snapshots: MatchSnapshots;
  readonly #inputs: MatchInputs;
  readonly #messages: MatchMessages;
  readonly #rewind: MatchRewind;
  readonly #physics: PhysicsAdapter | undefined;
  /** Of the random numbers of entities that nobody owns. */
  readonly #nobodysKey: Uint32Array;
  readonly #debug: boolean;
  readonly #lateness: RecentExtreme;
  #tick = 0;

  constructor(game: G, options: MatchOptions = {}) {
    this.game = game;
    this.#game = game;
    this.maxSeats = options.maxSeats ?? 64;
    if (!(Number.isInteger(this.maxSeats) && this.maxSeats >= 1 && this.maxSeats <= MAX_SEATS))
      throw new RangeError(`maxSeats must be an integer from 1 to ${MAX_SEATS}, got ${this.maxSeats}`);
    this.#seed = (options.seed ?? 1) | 0;
    this.#debug = options.debug ?? false;
    this.#lateness = new RecentExtreme("largest", Math.ceil(CLIENT_MEMORY_MS / game.tickMs));
    const seats = Array.from<unknown, Seat | undefined>({ length: this.maxSeats }, () => undefined);
    this.#seats = seats;
    const entropy = options.entropy ?? bytesFromSeed(this.#seed);
    this.#nobodysKey = createKey(entropy);
    const { world, tables } = createWorld<States>(new WorldBase(game.tickRate, true, game.statics, this), game.states);
    this.#world = world;
    this.world = world;
    this.#tables = tables;
    for (let t = 0; t < tables.length; t++) {
      if (!game.tablePredictions[t].spawns) continue;
      const noteSpawn = (id: number, owner: number): number => {
        const seat = seats[owner];
        // Its client has spawned it in the tick of the input.
        const { lateTick = -1 } = seat ?? {};
        return seat?.spawns.add(t, id, lateTick < 0 ? this.#tick : lateTick) ?? 0;
      };
      tables[t].witness = { noteSpawn };
    }
    const now = (): number => this.#tick;
    this.#messages = new MatchMessages({ game, world, tables, seats, now });
    this.router = this.#messages.router;
    this.#physics = game.prediction.physics?.attach(world);
    this.#inputs = new MatchInputs(game, seats, options.inputs ?? {}, options.now);
    const rewind = new MatchRewind({ game, world, tables, seats, inputs: this.#inputs, match: options, now });
    this.#rewind = rewind;
    this.lagCompensation = rewind.stats;
    this.favorTheShooter = rewind.favorTheShooter;
    this.#seating = new MatchSeats({
      receiptsOf: (seat) => rewind.receiptsOf(seat),
      game,
      world,
      tables,
      seats,
      inputs: this.#inputs,
      seed: this.#seed,
      graceTicks: Math.ceil((options.reconnectGraceMs ?? 15_000) / game.tickMs),
      budgetBytes: options.snapshotBudgetBytes ?? 1000,
      maxExtrapolationTicks: rewind.maxExtrapolationTicks,
      maxRewindMs: rewind.maxRewindMs,
      lateness: this.#lateness,
      debug: this.#debug,
      entropy,
    });
    this.#snapshots = new MatchSnapshots(game, tables, seats, this.#inputs);
  }

  /** What is remembered for hits, of each state with a position. */
  rewindHistory(): RewindHistoryReport[] {
    return this.#rewind.report();
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
    return this.#rewind.receipts;
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
    if (isNew && seat >= 0) this.#rewind.forget(seat);
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
    this.#rewind.beginTick();
    for (const seat of this.#seats) {
      if (seat === undefined) continue;
      if (tick >= seat.expiresAtTick) {
        this.remove(seat.id);
        continue;
      }
      if (!seat.connected) continue;
      this.#inputs.take(seat, tick);
      seat.noteTaken(tick);
      this.#messages.handleTimeout(seat);
    }
    this.#world.beginTick(tick, this.#seed, false);
    this.#messages.beginTick(tick);
    try {
      this.#rewind.judgeLate((of) => this.#messages.beginTick(tick, of));
      this.#game.step(this.#world, this.#inputs.view);
      this.#physics?.step();
    } finally {
      // Also of a step that throws: a tick that is missing would end everything that is remembered.
      this.#seating.settle();
      this.#inputs.record(tick, this.#tables);
      this.#rewind.record(tick);
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
    return this.#messages.send(message, value, seat);
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
    return this.#messages.broadcastNear(message, value, x, y, radius, about);
  }

  /** For the world. */
  emit<F extends Fields>(definition: EventDefinition<F>, row: RowIdentity, value: Values<F>): void {
    this.#messages.emit(definition, row, value);
  }

  /** Events that were not sent to somebody because a queue was full or a tick had too many. */
  get droppedEvents(): number {
    return this.#messages.droppedEvents;
  }

  /** Asks one seat's client; `done` is called exactly once. Time limits are kept by `tick`. */
  call<Q extends Fields, A extends Fields>(
    seat: number,
    definition: CallDefinition<Q, A>,
    request: Values<Q>,
    done: (outcome: CallOutcome<Values<A>>) => void,
  ): void {
    this.#messages.call(seat, definition, request, done);
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
    this.#messages.askDebug(seat, method, parameters, done);
  }

  /** For the world. */
  randomKeyOf(seat: number): Uint32Array {
    return this.#seats[seat]?.randomKey ?? this.#nobodysKey;
  }

  #recordsOf(seat: number): PlayedTick[] {
    const of = this.#seats[seat];
    return of === undefined ? [] : readRecords(of.handler.history, this.#game);
  }

  #receive(seat: Seat, buffer: Uint8Array, offset: number, length: number): boolean {
    if (buffer[offset] !== MessageKind.inputs) return this.#messages.receive(seat, buffer, offset, length);
    const good = seat.handler.receive(buffer, offset, length);
    const { newestTick, snapshotTick, receiptMask } = this.#inputs.decoder.reader;
    if (seat.handler.wasRead) seat.noteReceived(newestTick, snapshotTick, receiptMask, this.#tick);
    return good;
  }
}

const MAX_SEATS = 4096;
const NO_DATA = new Uint8Array(0);
