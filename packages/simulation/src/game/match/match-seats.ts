/**
 * Who sits in a match: joining, leaving, coming back within the time of grace, and what becomes of the entities of those
 * who do not.
 */
import { ByteWriter } from "@riposte/wire";
import { DebugLink } from "../../debug/debug-link.ts";
import { SeatDebug } from "../../debug/seat-debug.ts";
import { InterestGrid, SharedSnapshots, SnapshotStream } from "../../state/index.ts";
import type { AnyTable } from "../../state/index.ts";
import type { RecentExtreme } from "../../rewind/timestamps/recent-extreme.ts";
import type { AnyGame } from "../define-game.ts";
import { ClientPriority } from "../entity-priority.ts";
import { InterestEye } from "../interest-eye.ts";
import { MessagePeer } from "../message-router.ts";
import { ClientSight } from "../sight.ts";
import { RANDOM_KEY_WORDS, writeWelcome } from "../welcome.ts";
import type { AnyWorldTable, States, World } from "../world.ts";
import type { MatchInputs } from "./match-inputs.ts";
import { createSeatCounters, Seat } from "./seat.ts";

export interface MatchSeatsOptions {
  readonly game: AnyGame;
  readonly world: World<States>;
  readonly tables: readonly AnyWorldTable[];
  /** A place for each seat, `undefined` while it is free; kept by `MatchSeats`, read by others. */
  readonly seats: (Seat | undefined)[];
  readonly inputs: MatchInputs;
  readonly seed: number;
  readonly graceTicks: number;
  readonly budgetBytes: number;
  readonly maxExtrapolationTicks: number;
  readonly maxRewindMs: number;
  /** How late ticks were; kept by the match. */
  readonly lateness: RecentExtreme;
  /** Whether the debug channel is open. */
  readonly debug: boolean;
  /** Receipts of the last shots of a seat's player, for debugging. */
  readonly receiptsOf: (seat: number) => readonly Uint8Array[];
  readonly entropy: (length: number) => Uint8Array;
}

export class MatchSeats {
  readonly #options: MatchSeatsOptions;
  readonly #tablesByName: Readonly<Record<string, AnyWorldTable>>;
  readonly #tableNames: ReadonlyMap<AnyTable, string>;
  /** Only with shared snapshots. */
  readonly #shared: SharedSnapshots | undefined;
  /** Only with a radius of interest. */
  readonly #grid: InterestGrid | undefined;
  readonly #bytes = new ByteWriter();
  readonly #welcome = new Uint8Array(64);

  constructor(options: MatchSeatsOptions) {
    this.#options = options;
    const { game, tables } = options;
    const names = Object.keys(game.states);
    this.#tablesByName = Object.fromEntries(names.map((name, i) => [name, tables[i]]));
    this.#tableNames = new Map(names.map((name, i) => [tables[i], name]));
    const { radius } = game.interest;
    this.#grid = radius === undefined ? undefined : new InterestGrid({ cellSize: radius / 2 });
    const shared = game.snapshots.encoder === "shared";
    this.#shared = shared ? new SharedSnapshots({ tables: this.#tablesByName, tickRate: game.tickRate }) : undefined;
  }

  /** The seat that a client has or may come back to; -1 for none. */
  seatOf(clientId: bigint): number {
    for (const seat of this.#options.seats) if (seat?.clientId === clientId) return seat.id;
    return -1;
  }

  /** Whether `join` would seat this client. */
  hasSeatFor(clientId: bigint): boolean {
    return this.seatOf(clientId) >= 0 || this.#options.seats.some((seat) => seat?.connected !== true);
  }

  /** See `Match.join`. */
  join(clientId: bigint, userData: Uint8Array, tick: number): number {
    const { game, world, seats, inputs } = this.#options;
    const old = seats.find((seat) => seat?.clientId === clientId);
    if (old !== undefined) {
      old.restart(userData, this.#createStream(old.id, old.eye), tick);
      this.#sendWelcome(old, tick, true);
      return old.id;
    }
    const id = this.#freeSeat(tick);
    if (id < 0) return -1;
    const seat = this.#createSeat(id, clientId, userData, tick);
    seats[id] = seat;
    inputs.clear(id);
    this.#sendWelcome(seat, tick, false);
    try {
      game.join(world, seat);
    } catch (error) {
      seats[id] = undefined;
      this.#abandon(id, true);
      throw error;
    }
    this.settle();
    return id;
  }

  /** The client of this seat has lost its connection. Its entities wait for it for the time of grace. */
  leave(id: number, tick: number): void {
    const { seats, inputs, graceTicks } = this.#options;
    const seat = seats[id];
    if (seat === undefined || !seat.connected) return;
    seat.disconnect(tick);
    seat.expiresAtTick = tick + graceTicks;
    inputs.clear(id);
  }

  /** Gives the seat up now: the game's `leave`, or its entities are despawned. */
  remove(id: number, tick: number): void {
    const { game, world, seats, inputs } = this.#options;
    const seat = seats[id];
    if (seat === undefined) return;
    seat.disconnect(tick);
    seats[id] = undefined;
    inputs.clear(id);
    try {
      game.leave?.(world, seat);
    } finally {
      // Whoever gets the seat next must not inherit what a game's own `leave` kept.
      this.#abandon(id, game.leave === undefined);
    }
  }

  /** What was changed outside of a step takes effect. */
  settle(): void {
    for (const table of this.#options.tables) table.settle();
  }

  #freeSeat(tick: number): number {
    const { seats } = this.#options;
    const free = seats.indexOf(undefined);
    if (free >= 0) return free;
    let kept: Seat | undefined;
    for (const seat of seats)
      if (seat !== undefined && seat.expiresAtTick < (kept?.expiresAtTick ?? Infinity)) kept = seat;
    if (kept === undefined) return -1;
    this.remove(kept.id, tick);
    return kept.id;
  }

  /** The entities of a seat go, or belong to nobody. */
  #abandon(id: number, despawn: boolean): void {
    for (const table of this.#options.tables) {
      for (const row of table.all()) {
        if (row.owner !== id) continue;
        if (despawn) table.despawn(row);
        else table.setOwner(row, -1);
      }
    }
    this.settle();
  }

  #createSeat(id: number, clientId: bigint, userData: Uint8Array, tick: number): Seat {
    const { game, world, tables, inputs, entropy, maxExtrapolationTicks, lateness, maxRewindMs } = this.#options;
    const stats = createSeatCounters();
    const eyeName = game.interest.eye;
    const eye = new InterestEye(tables, id, eyeName === undefined ? undefined : world[eyeName]);
    const peer = new MessagePeer();
    const inspector = new SeatDebug(game, world, () => seat, this.#options.receiptsOf);
    const debug = new DebugLink({ queue: peer.queue, answers: inspector.answers });
    debug.enabled = this.#options.debug;
    const seat: Seat = new Seat({
      id,
      clientId,
      userData,
      handler: inputs.createHandler(tick, stats),
      stats,
      tableCount: tables.length,
      tickMs: game.tickMs,
      snapshotMs: game.snapshotTicks * game.tickMs,
      maxRewindMs,
      lateness,
      maxExtrapolationTicks,
      slideHalfLifeMs: game.slideHalfLifeMs,
      peer,
      debug,
      stream: this.#createStream(id, eye),
      eye,
      inspector,
      randomKey: createKey(entropy),
    });
    return seat;
  }

  #createStream(seat: number, eye: InterestEye): SnapshotStream {
    const { game, world, budgetBytes } = this.#options;
    const { interest, tickMs, tickRate } = game;
    const { radius, visible, priority } = interest;
    return new SnapshotStream({
      tables: this.#tablesByName,
      clientId: seat,
      tickRate,
      budgetBytes,
      ...(radius === undefined || this.#grid === undefined ? {} : { relevanceRadius: radius, interest: this.#grid }),
      ...(visible === undefined
        ? {}
        : { visibility: new ClientSight(visible, { ...interest, tickMs }, world, this.#tableNames, eye) }),
      ...(priority === undefined ? {} : { priority: new ClientPriority(priority, world, this.#tableNames, eye) }),
      ...(this.#shared === undefined ? {} : { shared: this.#shared }),
    });
  }

  #sendWelcome(seat: Seat, tick: number, resumed: boolean): void {
    const { seed, debug } = this.#options;
    const bytes = this.#bytes.reset(this.#welcome);
    writeWelcome({ seat: seat.id, tick, seed, randomKey: seat.randomKey, resumed, debug }, bytes);
    seat.peer.queue.push("reliableOrdered", this.#welcome, 0, bytes.length);
  }
}

/** Of the random numbers of one owner's entities. */
export function createKey(entropy: (length: number) => Uint8Array): Uint32Array {
  return new Uint32Array(entropy(RANDOM_KEY_WORDS * 4).slice().buffer);
}
