/**
 * The server's side of one room, pure: seats, input buffers, the simulation, snapshot streams,
 * pose history and typed messages. A driver joins and removes clients, hands over their bytes,
 * calls `tick` at the game's rate and sends what `writeSnapshot` and `pollMessage` give.
 *
 * Nothing that a client says is trusted: inputs are settled values of the declared ranges for
 * ticks to come, view stamps are checked against what was sent, and malformed bytes are counted.
 */
import { BitWriter, ByteWriter } from "@riposte/wire";
import { InterestGrid, SharedSnapshots, SnapshotStream } from "../state/index.ts";
import type { AnyTable, Fields, RowIdentity, Values } from "../state/index.ts";
import { DebugLink } from "../debug/debug-link.ts";
import type { DebugOutcome } from "../debug/debug-link.ts";
import { SeatDebug } from "../debug/seat-debug.ts";
import { PoseRecorder } from "../rewind/pose-recorder.ts";
import { RewoundSight } from "../rewind/rewound-sight.ts";
import type { EventDefinition } from "../prediction/events/define-event.ts";
import { MAX_RELAYED, writeRelayed } from "../prediction/input/relayed-inputs.ts";
import type { PhysicsAdapter } from "../prediction/physics.ts";
import { EventSender } from "../prediction/events/event-sender.ts";
import type { ViewStamp } from "../prediction/input/player-input.ts";
import type { InputDecoderStats } from "../prediction/input/input-decoder.ts";
import type { ViewResolver } from "../rewind/view-resolver.ts";
import type { AnyGame, WorldOf } from "./define-game.ts";
import { InterestEye } from "./interest-eye.ts";
import { ClientSight } from "./sight.ts";
import { MatchInputs } from "./match-inputs.ts";
import type { RecordedInput, RecordedState } from "./match-inputs.ts";
import type { MatchOptions } from "./match-options.ts";
import { MessageKind, WelcomeFlag } from "./message-kind.ts";
import { MessagePeer, MessageRouter } from "./message-router.ts";
import type { CallOutcome } from "./message-router.ts";
import type { CallDefinition, MessageDefinition } from "./message.ts";
import type { OutgoingMessage } from "./outgoing-queue.ts";
import { bytesFromSeed } from "./random.ts";
import { Received } from "./received-message.ts";
import { createSeatCounters, Seat } from "./seat.ts";
import type { SeatInfo } from "./seat.ts";
import { createWorld, tableOf, WorldBase } from "./world.ts";
import type { AnyWorldTable, FieldsOf, States, World, WorldOwner } from "./world.ts";

export class Match<G extends AnyGame = AnyGame> implements WorldOwner {
  readonly game: G;
  readonly world: WorldOf<G>;
  readonly router: MessageRouter;
  readonly maxSeats: number;
  readonly #game: AnyGame;
  readonly #world: World<States>;
  readonly #tables: readonly AnyWorldTable[];
  readonly #seed: number;
  readonly #graceTicks: number;
  readonly #maxRewindTicks: number;
  readonly #budgetBytes: number;
  readonly #seats: (Seat | undefined)[];
  readonly #inputs: MatchInputs;
  readonly #extrapolationTicks: number;
  readonly #recorders: readonly PoseRecorder[];
  readonly #physics: PhysicsAdapter | undefined;
  readonly #events: EventSender;
  /** Place of the state whose players' inputs are relayed, -1 for none; by seat, while a snapshot is written: 1 when done. */
  readonly #relayedTable: number;
  readonly #relayed: Uint8Array;
  readonly #entropy: (length: number) => Uint8Array;
  /** Of the random numbers of entities that nobody owns. */
  readonly #nobodysKey: Uint32Array;
  readonly #debug: boolean;
  readonly #tablesByName: Readonly<Record<string, AnyWorldTable>>;
  readonly #tableNames: ReadonlyMap<AnyTable, string>;
  /** Only with shared snapshots. */
  readonly #shared: SharedSnapshots | undefined;
  /** Only with a radius of interest. */
  readonly #grid: InterestGrid | undefined;
  readonly #bits = new BitWriter();
  readonly #bytes = new ByteWriter();
  readonly #welcome = new Uint8Array(64);
  #tick = 0;

  constructor(game: G, options: MatchOptions = {}) {
    this.game = game;
    this.#game = game;
    this.maxSeats = options.maxSeats ?? 64;
    if (!(Number.isInteger(this.maxSeats) && this.maxSeats >= 1 && this.maxSeats <= MAX_SEATS))
      throw new RangeError(`maxSeats must be an integer from 1 to ${MAX_SEATS}, got ${this.maxSeats}`);
    this.#seed = (options.seed ?? 1) | 0;
    this.#graceTicks = Math.ceil((options.reconnectGraceMs ?? 15_000) / game.tickMs);
    this.#maxRewindTicks = Math.ceil((options.maxRewindMs ?? 500) / game.tickMs);
    this.#debug = options.debug ?? false;
    this.#budgetBytes = options.snapshotBudgetBytes ?? 1000;
    const { radius } = game.interest;
    this.#grid = radius === undefined ? undefined : new InterestGrid({ cellSize: radius / 2 });
    this.#seats = Array.from({ length: this.maxSeats }, () => undefined);
    this.router = new MessageRouter(game.messages);
    this.#relayedTable = game.tablePredictions.findIndex(({ remoteRadius }) => remoteRadius > 0);
    this.#relayed = new Uint8Array(this.maxSeats);
    this.#events = new EventSender(game.events, this.#seats, radius ?? Infinity);

    this.#entropy = options.entropy ?? bytesFromSeed(this.#seed);
    this.#nobodysKey = this.#createKey();
    const { world, tables } = createWorld<States>(new WorldBase(game.tickRate, true, game.statics, this), game.states);
    this.#world = world;
    this.world = world;
    this.#tables = tables;
    const names = Object.keys(game.states);
    this.#tablesByName = Object.fromEntries(names.map((name, i) => [name, tables[i]]));
    this.#tableNames = new Map(names.map((name, i) => [tables[i], name]));
    const { encoder } = game.snapshots;
    const { tickRate } = game;
    this.#shared = encoder === "shared" ? new SharedSnapshots({ tables: this.#tablesByName, tickRate }) : undefined;

    this.#inputs = new MatchInputs(game, this.#seats, options.inputs ?? {}, options.now);
    const extrapolationTicks = (this.#extrapolationTicks = MAX_EXTRAPOLATION_MS / game.tickMs);
    const stamps = {
      stampOf: (seat: number): Readonly<ViewStamp> | undefined =>
        this.#seats[seat]?.stampAt(this.#tick, this.#maxRewindTicks, extrapolationTicks),
      resolverOf: (seat: number): ViewResolver | undefined => this.#seats[seat]?.resolver,
    };
    for (let t = 0; t < tables.length; t++) {
      if (!game.tablePredictions[t].spawns) continue;
      const noteSpawn = (id: number, owner: number): number => this.#seats[owner]?.spawns.add(t, id, this.#tick) ?? 0;
      tables[t].witness = { noteSpawn };
    }
    this.#physics = game.prediction.physics?.attach(world);
    this.#recorders = tables.map((table, t) => {
      const { hitbox } = table.state;
      const recorder = new PoseRecorder(table, hitbox, this.#maxRewindTicks + Math.ceil(UPDATE_GAP_MS / game.tickMs));
      table.sight = new RewoundSight(table, t, hitbox, game.statics, recorder.history, stamps, extrapolationTicks);
      return recorder;
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
    const of = this.#seats[seat];
    return of === undefined ? [] : (this.#inputs.inputsOf(of) as RecordedInput<FieldsOf<G["input"]>>[]);
  }

  stateHistory(seat: number): RecordedState[] {
    const of = this.#seats[seat];
    return of === undefined ? [] : this.#inputs.statesOf(of);
  }

  /** What reading the players' inputs took; its `codecSeconds` needs the option `now`. */
  get inputDecoding(): Readonly<InputDecoderStats> {
    return this.#inputs.decoder.stats;
  }

  /** The seat that a client has or may come back to; -1 for none. */
  seatOf(clientId: bigint): number {
    for (const seat of this.#seats) if (seat?.clientId === clientId) return seat.id;
    return -1;
  }

  /** Whether `join` would seat this client. */
  hasSeatFor(clientId: bigint): boolean {
    return this.seatOf(clientId) >= 0 || this.#seats.some((seat) => seat?.connected !== true);
  }

  /**
   * Seats a client; the same client within the time of grace gets its seat and entities back. In a
   * full match whoever is there comes before those who may return: the seat kept longest is given up.
   * Returns the seat, or -1 when the match is full. Throws what the game's `join` throws; then nothing of it stays.
   */
  join(clientId: bigint, userData: Uint8Array = NO_DATA): number {
    const old = this.#seats.find((seat) => seat?.clientId === clientId);
    if (old !== undefined) {
      old.restart(userData, this.#createStream(old.id, old.eye), this.#tick);
      this.#sendWelcome(old, true);
      return old.id;
    }
    const id = this.#freeSeat();
    if (id < 0) return -1;
    const stats = createSeatCounters();
    const eyeName = this.#game.interest.eye;
    const eye = new InterestEye(this.#tables, id, eyeName === undefined ? undefined : this.#world[eyeName]);
    const peer = new MessagePeer();
    const inspector = new SeatDebug(this.#game, this.#world, () => seat);
    const debug = new DebugLink({ queue: peer.queue, answers: inspector.answers });
    debug.enabled = this.#debug;
    const seat: Seat = new Seat({
      id,
      clientId,
      userData,
      handler: this.#inputs.createHandler(this.#tick, stats),
      stats,
      tableCount: this.#tables.length,
      maxExtrapolationTicks: this.#extrapolationTicks,
      peer,
      debug,
      stream: this.#createStream(id, eye),
      eye,
      inspector,
      randomKey: this.#createKey(),
    });
    this.#seats[id] = seat;
    this.#inputs.clear(id);
    this.#sendWelcome(seat, false);
    try {
      this.#game.join(this.#world, seat);
    } catch (error) {
      this.#seats[id] = undefined;
      this.#abandon(id, true);
      throw error;
    }
    this.#settle();
    return id;
  }

  /** The client of this seat has lost its connection. Its entities wait for it for the time of grace. */
  leave(id: number): void {
    const seat = this.#seats[id];
    if (seat === undefined || !seat.connected) return;
    seat.disconnect(this.#tick);
    seat.expiresAtTick = this.#tick + this.#graceTicks;
    this.#inputs.clear(id);
  }

  /** Gives the seat up now: the game's `leave`, or its entities are despawned. */
  remove(id: number): void {
    const seat = this.#seats[id];
    if (seat === undefined) return;
    seat.disconnect(this.#tick);
    this.#seats[id] = undefined;
    this.#inputs.clear(id);
    try {
      this.#game.leave?.(this.#world, seat);
    } finally {
      // Whoever gets the seat next must not inherit what a game's own `leave` kept.
      this.#abandon(id, this.#game.leave === undefined);
    }
  }

  /** One message of a seat's client. False when it was malformed: it is dropped and counted. */
  receive(id: number, buffer: Uint8Array, offset: number, length: number): boolean {
    const seat = this.#seats[id];
    if (seat === undefined || !seat.connected) return false;
    const good = length > 0 && this.#receive(seat, buffer, offset, length);
    if (!good) seat.stats.malformed++;
    return good;
  }

  /** Simulates the next tick. */
  tick(): void {
    const tick = ++this.#tick;
    const now = tick * this.#game.tickMs;
    for (const seat of this.#seats) {
      if (seat === undefined) continue;
      if (tick >= seat.expiresAtTick) {
        this.remove(seat.id);
        continue;
      }
      if (!seat.connected) continue;
      this.#inputs.take(seat, tick);
      seat.debug.handleTimeout(now);
      if (seat.peer.pending.size > 0) this.router.handleTimeout(seat.peer, now);
    }
    this.#world.beginTick(tick, this.#seed, false);
    this.#events.beginTick(tick);
    this.#game.step(this.#world, this.#inputs.view);
    this.#physics?.step();
    this.#settle();
    this.#inputs.record(tick, this.#tables);
    for (let i = 0; i < this.#recorders.length; i++) this.#recorders[i].record(tick);
  }

  /**
   * Writes the snapshot of the current tick for one client and returns its length; 0 when the seat
   * has no client or has had the snapshot of this tick. Send it on "unreliableUnordered".
   */
  writeSnapshot(id: number, buffer: Uint8Array, offset = 0, capacity: number = buffer.length - offset): number {
    const seat = this.#seats[id];
    if (seat === undefined || !seat.connected) return 0;
    if (seat.lastSnapshotTick >= this.#tick) return 0;
    const bits = this.#bits.reset(buffer, offset, offset + capacity);
    bits.bits(MessageKind.snapshot, 8);
    // Depth as a signed byte, -128 before the first input; then what this tick's input was.
    const { depth, origin } = seat.handler;
    bits.bits((depth === undefined ? -128 : Math.max(-127, Math.min(127, depth))) & 0xff, 8);
    bits.bits(origin, 2);
    if (this.#game.prediction.spawns !== undefined) seat.spawns.write(this.#tick, bits);
    if (this.#relayedTable >= 0) this.#writeRelayed(seat, bits);
    seat.eye.update();
    const written = seat.stream.write(this.#tick, seat.eye.x, seat.eye.y, bits);
    const length = bits.finish() - offset;
    if (!written || bits.failed) return 0;
    seat.noteSnapshot(this.#tick, length);
    return length;
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

  /** Queues a typed message for the clients that look from within `radius` around (x, y). Default: the radius of interest. */
  broadcastNear<F extends Fields>(
    message: MessageDefinition<F>,
    value: Values<F>,
    x: number,
    y: number,
    radius: number = this.#game.interest.radius ?? Infinity,
  ): boolean {
    let all = true;
    for (const seat of this.#seats) {
      if (seat === undefined || !seat.connected) continue;
      if (radius < Infinity) {
        seat.eye.update();
        if (!seat.eye.reaches(x, y, radius)) continue;
      }
      if (!this.router.send(seat.peer, message, value)) all = false;
    }
    return all;
  }

  /** For the world. */
  emit<F extends Fields>(definition: EventDefinition<F>, row: RowIdentity, value: Values<F>): void {
    const table = tableOf(this.#tables, row);
    if (table < 0) throw new TypeError("an event is emitted by a row of the world");
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

  #receive(seat: Seat, buffer: Uint8Array, offset: number, length: number): boolean {
    const kind = buffer[offset];
    if (kind === MessageKind.inputs) {
      const good = seat.handler.receive(buffer, offset, length);
      const { snapshotTick, receiptMask } = this.#inputs.decoder.reader;
      if (seat.handler.wasRead) seat.noteReceived(snapshotTick, receiptMask);
      return good;
    }
    if (kind === MessageKind.debug) return seat.debug.receive(buffer, offset, length, this.#tick * this.#game.tickMs);
    if (kind !== MessageKind.message && kind !== MessageKind.call && kind !== MessageKind.reply) return false;
    return this.router.receive(seat.peer, seat.id, buffer, offset, length, (definition, value) => {
      this.#game.receive?.(this.#world, seat, new Received(definition, value));
    });
  }

  /** Tells a client the inputs of the players whose entities it has been told of. */
  #writeRelayed(seat: Seat, bits: BitWriter): void {
    const table = this.#tables[this.#relayedTable];
    const { input } = this.#game;
    let count = 0;
    for (let index = 0; index < table.highWater && count < MAX_RELAYED; index++) {
      const owner = table.owners[index];
      if (table.alive[index] === 0 || owner < 0 || owner === seat.id || this.#relayed[owner] === 1) continue;
      if (this.#seats[owner]?.connected !== true || !seat.stream.hasSent(this.#relayedTable, table.idAt(index)))
        continue;
      this.#relayed[owner] = 1;
      count++;
      writeRelayed(input, owner, this.#inputs.words, owner * input.wordCount, bits);
    }
    this.#relayed.fill(0);
    bits.bits(0, 1);
  }

  #freeSeat(): number {
    const free = this.#seats.indexOf(undefined);
    if (free >= 0) return free;
    let kept: Seat | undefined;
    for (const seat of this.#seats)
      if (seat !== undefined && seat.expiresAtTick < (kept?.expiresAtTick ?? Infinity)) kept = seat;
    if (kept === undefined) return -1;
    this.remove(kept.id);
    return kept.id;
  }

  #settle(): void {
    for (const table of this.#tables) table.settle();
  }

  /** The entities of a seat go, or belong to nobody. */
  #abandon(id: number, despawn: boolean): void {
    for (const table of this.#tables) {
      for (const row of table.all()) {
        if (row.owner !== id) continue;
        if (despawn) table.despawn(row);
        else table.setOwner(row, -1);
      }
    }
    this.#settle();
  }

  #createStream(seat: number, eye: InterestEye): SnapshotStream {
    const { interest, tickMs } = this.#game;
    const { radius, visible } = interest;
    return new SnapshotStream({
      tables: this.#tablesByName,
      clientId: seat,
      tickRate: this.#game.tickRate,
      budgetBytes: this.#budgetBytes,
      ...(radius === undefined || this.#grid === undefined ? {} : { relevanceRadius: radius, interest: this.#grid }),
      ...(visible === undefined
        ? {}
        : { visibility: new ClientSight(visible, { ...interest, tickMs }, this.#world, this.#tableNames, eye) }),
      ...(this.#shared === undefined ? {} : { shared: this.#shared }),
    });
  }

  #sendWelcome(seat: Seat, resumed: boolean): void {
    const bytes = this.#bytes.reset(this.#welcome);
    bytes.u8(MessageKind.welcome);
    bytes.u8((resumed ? WelcomeFlag.resumed : 0) | (this.#debug ? WelcomeFlag.debug : 0));
    bytes.u16(seat.id);
    bytes.u32(this.#tick);
    bytes.i32(this.#seed);
    for (const word of seat.randomKey) bytes.u32(word);
    seat.peer.queue.push("reliableOrdered", this.#welcome, 0, bytes.length);
  }

  #createKey(): Uint32Array {
    return new Uint32Array(this.#entropy(KEY_BYTES).slice().buffer);
  }
}

const KEY_BYTES = 32;
const MAX_SEATS = 4096;
/** An update that a picture is made from may be this much older than the picture, for want of room in snapshots. */
const UPDATE_GAP_MS = 500;
/** As far as a client draws beyond its newest snapshot. */
export const MAX_EXTRAPOLATION_MS = 200;
const NO_DATA = new Uint8Array(0);
