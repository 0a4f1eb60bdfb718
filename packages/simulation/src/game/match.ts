/**
 * The server's side of one room, pure: seats, input buffers, the simulation, snapshot streams,
 * pose history and typed messages. A driver joins and removes clients, hands over their bytes,
 * calls `tick` at the game's rate and sends what `writeSnapshot` and `pollMessage` give.
 *
 * Nothing that a client says is trusted: inputs are settled values of the declared ranges for
 * ticks to come, view stamps are checked against what was sent, and malformed bytes are counted.
 */
import { BitWriter, ByteWriter } from "@riposte/wire";
import { InterestGrid, SnapshotStream, StateTable } from "../state/index.ts";
import type { Fields, RowIdentity, Values } from "../state/index.ts";
import { InputBuffer } from "../prediction/input-buffer.ts";
import type { ViewStamp } from "../prediction/input-buffer.ts";
import { InputReader } from "../prediction/input-message.ts";
import { PoseHistory } from "../rewind/pose-history.ts";
import { angleColumn, RewoundSight } from "../rewind/rewound-sight.ts";
import { TeleportWatch } from "../rewind/teleport-watch.ts";
import type { AnyGame, Inputs, InputView, ReceivedMessage, WorldOf } from "./define-game.ts";
import { MessageKind } from "./message-kind.ts";
import { MessagePeer, MessageRouter } from "./message-router.ts";
import type { AnyMessage, MessageDefinition } from "./message.ts";
import type { OutgoingMessage } from "./outgoing-queue.ts";
import { Seat } from "./seat.ts";
import type { SeatInfo } from "./seat.ts";
import { createWorld, WorldBase } from "./world.ts";
import type { AnyWorldTable, States, World } from "./world.ts";

export interface MatchOptions {
  /** Seeds `world.random`. Clients are told. Default 1. */
  readonly seed?: number;
  /** Default 64. */
  readonly maxSeats?: number;
  /** How long the seat and the entities of a player who is gone are kept. Default 15,000 ms. */
  readonly reconnectGraceMs?: number;
  /** Bytes of one snapshot. Default 1,000. */
  readonly snapshotBudgetBytes?: number;
  /** How far back a shot may be judged. Default 500 ms. */
  readonly maxRewindMs?: number;
  /** Missing inputs repeat the last one for this long. Default 100 ms. */
  readonly repeatInputMs?: number;
}

export class Match<G extends AnyGame = AnyGame> {
  readonly game: G;
  readonly world: WorldOf<G>;
  readonly router: MessageRouter;
  readonly maxSeats: number;
  readonly #game: AnyGame;
  readonly #world: World<States>;
  readonly #tables: readonly AnyWorldTable[];
  readonly #seed: number;
  readonly #graceTicks: number;
  readonly #repeatTicks: number;
  readonly #maxRewindTicks: number;
  readonly #budgetBytes: number;
  readonly #seats: (Seat | undefined)[];
  readonly #inputTable: StateTable<Fields>;
  readonly #inputScratch: Int32Array;
  readonly #inputs: Inputs<Fields>;
  readonly #inputReader: InputReader;
  readonly #histories: readonly PoseHistory[];
  readonly #teleports: readonly TeleportWatch[];
  /** Only with a radius of interest. */
  readonly #grid: InterestGrid | undefined;
  readonly #bits = new BitWriter();
  readonly #bytes = new ByteWriter();
  readonly #welcome = new Uint8Array(32);
  readonly #eye = { x: 0, y: 0 };
  #tick = 0;

  constructor(game: G, options: MatchOptions = {}) {
    this.game = game;
    this.#game = game;
    this.maxSeats = options.maxSeats ?? 64;
    if (!(Number.isInteger(this.maxSeats) && this.maxSeats >= 1 && this.maxSeats <= MAX_SEATS))
      throw new RangeError(`maxSeats must be an integer from 1 to ${MAX_SEATS}, got ${this.maxSeats}`);
    this.#seed = (options.seed ?? 1) | 0;
    this.#graceTicks = Math.ceil((options.reconnectGraceMs ?? 15_000) / game.tickMs);
    this.#repeatTicks = Math.ceil((options.repeatInputMs ?? 100) / game.tickMs);
    this.#maxRewindTicks = Math.ceil((options.maxRewindMs ?? 500) / game.tickMs);
    this.#budgetBytes = options.snapshotBudgetBytes ?? 1000;
    const { radius } = game.interest;
    this.#grid = radius === undefined ? undefined : new InterestGrid({ cellSize: radius / 2 });
    this.#seats = Array.from({ length: this.maxSeats }, () => undefined);
    this.router = new MessageRouter(game.messages);

    const base = new WorldBase(game.tickRate, true, game.statics, (message, value, to) => {
      this.#send(message, value, to);
    });
    const { world, tables } = createWorld<States>(base, game.states);
    this.#world = world;
    this.world = world;
    this.#tables = tables;

    // The row behind the last seat is never written: the neutral input.
    this.#inputTable = new StateTable<Fields>(game.input, { capacity: this.maxSeats + 1 });
    for (let seat = 0; seat <= this.maxSeats; seat++) this.#inputTable.insert(seat, seat);
    this.#inputScratch = new Int32Array(game.input.wordCount);
    this.#inputReader = new InputReader(game.input);
    this.#inputs = {
      of: (row: RowIdentity): InputView<Fields> => this.#inputTable.rowAt(this.#seatOf(row)?.id ?? this.maxSeats),
      isPresent: (row: RowIdentity): boolean => this.#seatOf(row)?.connected ?? false,
    };

    const extrapolationTicks = MAX_EXTRAPOLATION_MS / game.tickMs;
    this.#teleports = tables.map((table) => new TeleportWatch(table));
    this.#histories = tables.map((table) => {
      const history = new PoseHistory(table.capacity, this.#maxRewindTicks);
      const stamps = {
        stampOf: (seat: number): Readonly<ViewStamp> | undefined =>
          this.#seats[seat]?.stampAt(this.#tick, this.#maxRewindTicks, extrapolationTicks),
      };
      const { hitbox } = table.state;
      table.sight = new RewoundSight(table, hitbox, game.statics, history, stamps, extrapolationTicks);
      return history;
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
      old.restart(userData, this.#createStream(old.id), this.#tick);
      this.#sendWelcome(old, true);
      return old.id;
    }
    const id = this.#freeSeat();
    if (id < 0) return -1;
    const inputs = new InputBuffer({ wordCount: this.#game.input.wordCount, repeatTicks: this.#repeatTicks });
    inputs.reset(this.#tick);
    const seat = new Seat(id, clientId, userData, inputs, new MessagePeer(), this.#createStream(id));
    this.#seats[id] = seat;
    this.#inputTable.writeWords(id, this.#game.input.initialWords);
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
    this.#inputTable.writeWords(id, this.#game.input.initialWords);
  }

  /** Gives the seat up now: the game's `leave`, or its entities are despawned. */
  remove(id: number): void {
    const seat = this.#seats[id];
    if (seat === undefined) return;
    seat.disconnect(this.#tick);
    this.#seats[id] = undefined;
    this.#inputTable.writeWords(id, this.#game.input.initialWords);
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
    if (!good) seat.malformed++;
    return good;
  }

  /** Simulates the next tick. */
  tick(): void {
    const tick = ++this.#tick;
    const scratch = this.#inputScratch;
    for (const seat of this.#seats) {
      if (seat === undefined) continue;
      if (tick >= seat.expiresAtTick) {
        this.remove(seat.id);
        continue;
      }
      if (!seat.connected) continue;
      seat.inputOrigin = seat.inputs.take(tick, scratch, 0, seat.stamp);
      this.#inputTable.writeWords(seat.id, seat.inputOrigin === 2 ? this.#game.input.initialWords : scratch, 0);
      if (seat.peer.pending.size > 0) this.router.handleTimeout(seat.peer, tick * this.#game.tickMs);
    }
    this.#world.beginTick(tick, this.#seed, false);
    this.#game.step(this.#world, this.#inputs);
    this.#settle();
    for (let i = 0; i < this.#tables.length; i++)
      recordPoses(this.#tables[i], this.#histories[i], this.#teleports[i], tick);
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
    const heard = seat.inputs.newestTick >= 0 || seat.inputs.depth > 0;
    const depth = heard ? Math.max(-127, Math.min(127, seat.inputs.depth)) : -128;
    bits.bits(depth & 0xff, 8);
    bits.bits(seat.inputOrigin, 2);
    const eye = this.#eyeOf(id);
    const written = seat.stream.write(this.#tick, eye?.x ?? 0, eye?.y ?? 0, bits);
    const length = bits.finish() - offset;
    if (!written || bits.failed) return 0;
    seat.noteSnapshot(this.#tick, length);
    return length;
  }

  /** Takes the oldest message (welcome, typed messages) for a seat's client; false when there is none. */
  pollMessage(id: number, out: OutgoingMessage): boolean {
    return this.#seats[id]?.peer.queue.poll(out) ?? false;
  }

  /** Queues a typed message for one seat's client, or (-1) for all. False when a queue was full or nobody is there. */
  send<F extends Fields>(message: MessageDefinition<F>, value: Values<F>, to = -1): boolean {
    return this.#send(message, value, to);
  }

  #send<F extends Fields>(message: MessageDefinition<F>, value: Values<F>, to: number): boolean {
    if (to >= 0) {
      const seat = this.#seats[to];
      return seat !== undefined && seat.connected && this.router.send(seat.peer, message, value);
    }
    let all = true;
    for (const seat of this.#seats)
      if (seat !== undefined && seat.connected && !this.router.send(seat.peer, message, value)) all = false;
    return all;
  }

  #receive(seat: Seat, buffer: Uint8Array, offset: number, length: number): boolean {
    const kind = buffer[offset];
    if (kind === MessageKind.inputs) {
      if (!this.#inputReader.read(buffer, offset, length, seat.inputs)) return false;
      const acknowledged = this.#inputReader.snapshotTick;
      if (seat.wasSent(acknowledged)) seat.stream.acknowledge(acknowledged);
      return true;
    }
    if (kind !== MessageKind.message && kind !== MessageKind.call && kind !== MessageKind.reply) return false;
    return this.router.receive(seat.peer, seat.id, buffer, offset, length, (definition, value) => {
      this.#game.receive?.(this.#world, seat, new Received(definition, value));
    });
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

  #createStream(seat: number): SnapshotStream {
    const tables: Record<string, AnyWorldTable> = {};
    const names = Object.keys(this.#game.states);
    for (let i = 0; i < names.length; i++) tables[names[i]] = this.#tables[i];
    const { radius } = this.#game.interest;
    return new SnapshotStream({
      tables,
      clientId: seat,
      tickRate: this.#game.tickRate,
      budgetBytes: this.#budgetBytes,
      ...(radius === undefined || this.#grid === undefined ? {} : { relevanceRadius: radius, interest: this.#grid }),
    });
  }

  #sendWelcome(seat: Seat, resumed: boolean): void {
    const bytes = this.#bytes.reset(this.#welcome);
    bytes.u8(MessageKind.welcome);
    bytes.u8(resumed ? 1 : 0);
    bytes.u16(seat.id);
    bytes.u32(this.#tick);
    bytes.i32(this.#seed);
    seat.peer.queue.push("reliableOrdered", this.#welcome, 0, bytes.length);
  }

  #seatOf(row: RowIdentity): Seat | undefined {
    return row.owner < 0 ? undefined : this.#seats[row.owner];
  }

  /** Where a player looks from: its first entity that has a position. */
  #eyeOf(seat: number): { x: number; y: number } | undefined {
    for (const table of this.#tables) {
      if (table.positionX === undefined || table.positionY === undefined) continue;
      for (let index = 0; index < table.highWater; index++) {
        if (table.alive[index] === 0 || table.owners[index] !== seat) continue;
        this.#eye.x = table.positionX[index];
        this.#eye.y = table.positionY[index];
        return this.#eye;
      }
    }
    return undefined;
  }
}

class Received implements ReceivedMessage {
  readonly definition: AnyMessage;
  readonly value: Values<Fields>;

  constructor(definition: AnyMessage, value: Values<Fields>) {
    this.definition = definition;
    this.value = value;
  }

  is<N extends AnyMessage>(definition: N): this is ReceivedMessage<N> {
    const own: unknown = this.definition;
    return own === definition;
  }
}

function recordPoses(table: AnyWorldTable, history: PoseHistory, teleports: TeleportWatch, tick: number): void {
  const { positionX, positionY, alive } = table;
  if (positionX === undefined || positionY === undefined) return;
  const angles = angleColumn(table, table.state.hitbox);
  history.begin(tick);
  // What is behind the high water mark keeps old ids, which no living entity has.
  for (let index = 0; index < table.highWater; index++) {
    if (alive[index] === 0) history.set(index, -1, 0, 0, 0);
    else {
      const jumped = !teleports.idle && teleports.check(index);
      history.set(index, table.idAt(index), positionX[index], positionY[index], angles?.[index] ?? 0, jumped);
    }
  }
}

const MAX_SEATS = 4096;
/** As far as a client draws beyond its newest snapshot. */
export const MAX_EXTRAPOLATION_MS = 100;
const NO_DATA = new Uint8Array(0);
