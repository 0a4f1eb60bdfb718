/** What a match and its clients tell each other beside inputs and snapshots: typed messages, calls, events, debugging. */
import type { DebugOutcome } from "../../debug/debug-link.ts";
import type { EventDefinition } from "../../prediction/events/define-event.ts";
import { EventSender } from "../../prediction/events/event-sender.ts";
import type { Fields, RowIdentity, Values } from "../../state/index.ts";
import type { AnyGame } from "../define-game.ts";
import { MessageKind } from "../message-kind.ts";
import { MessageRouter } from "../message-router.ts";
import type { CallOutcome, MessagePeer } from "../message-router.ts";
import type { CallDefinition, MessageDefinition } from "../message.ts";
import { Received } from "../received-message.ts";
import { tableOf } from "../world.ts";
import type { AnyWorldTable, States, World } from "../world.ts";
import type { Seat } from "./seat.ts";

export interface MatchMessagesOptions {
  readonly game: AnyGame;
  readonly world: World<States>;
  readonly tables: readonly AnyWorldTable[];
  readonly seats: readonly (Seat | undefined)[];
  /** The match's tick. */
  readonly now: () => number;
}

export class MatchMessages {
  readonly router: MessageRouter;
  readonly #options: MatchMessagesOptions;
  readonly #events: EventSender;

  constructor(options: MatchMessagesOptions) {
    const { game, seats } = options;
    this.#options = options;
    this.router = new MessageRouter(game.messages);
    this.#events = new EventSender(game.events, seats, game.interest.radius ?? Infinity);
  }

  /** See `Match.droppedEvents`. */
  get droppedEvents(): number {
    return this.#events.dropped;
  }

  /** `of`: the tick of the input that is played just now, when that is late. */
  beginTick(tick: number, of: number = tick): void {
    this.#events.beginTick(tick, of);
  }

  /** One message of a seat's client that is no input; false when it was malformed. */
  receive(seat: Seat, buffer: Uint8Array, offset: number, length: number): boolean {
    const kind = buffer[offset];
    if (kind === MessageKind.debug) return seat.debug.receive(buffer, offset, length, this.#nowMs());
    if (kind !== MessageKind.message && kind !== MessageKind.call && kind !== MessageKind.reply) return false;
    const { game, world } = this.#options;
    return this.router.receive(seat.peer, seat.id, buffer, offset, length, (definition, value) => {
      game.receive?.(world, seat, new Received(definition, value));
    });
  }

  /** See `Match.send`. */
  send<F extends Fields>(message: MessageDefinition<F>, value: Values<F>, seat: number): boolean {
    const to = this.#options.seats[seat];
    return to !== undefined && to.connected && this.router.send(to.peer, message, value);
  }

  /** See `Match.broadcastNear`. */
  broadcastNear<F extends Fields>(
    message: MessageDefinition<F>,
    value: Values<F>,
    x: number,
    y: number,
    radius: number,
    about: RowIdentity | undefined,
  ): boolean {
    const { seats, now } = this.#options;
    const table = about === undefined ? -1 : this.#tableOf(about);
    const hearers: MessagePeer[] = [];
    for (const seat of seats) {
      if (seat === undefined || !seat.connected) continue;
      if (radius < Infinity || about !== undefined) seat.eye.update();
      if (radius < Infinity && !seat.eye.reaches(x, y, radius)) continue;
      if (about !== undefined && !seat.stream.sees(table, about.index, now())) continue;
      hearers.push(seat.peer);
    }
    return this.router.sendAll(hearers, message, value);
  }

  /** Tells those who may know that something happened to `row`. */
  emit<F extends Fields>(definition: EventDefinition<F>, row: RowIdentity, value: Values<F>): void {
    const table = this.#tableOf(row);
    this.#events.emit(definition, this.#options.tables[table], table, row, value);
  }

  /** See `Match.call`. */
  call<Q extends Fields, A extends Fields>(
    seat: number,
    definition: CallDefinition<Q, A>,
    request: Values<Q>,
    done: (outcome: CallOutcome<Values<A>>) => void,
  ): void {
    const to = this.#options.seats[seat];
    if (to === undefined || !to.connected) return done({ ok: false, reason: "closed" });
    this.router.call(to.peer, definition, request, this.#nowMs(), done);
  }

  /** See `Match.askDebug`. */
  askDebug(seat: number, method: string, parameters: unknown, done: (outcome: DebugOutcome) => void): void {
    const to = this.#options.seats[seat];
    if (to === undefined || !to.connected) return done({ ok: false, reason: "closed", message: "nobody is there" });
    to.debug.ask(method, parameters, this.#nowMs(), done);
  }

  /** Fails what the seat's client was asked and has not answered in time. */
  handleTimeout(seat: Seat): void {
    const now = this.#nowMs();
    seat.debug.handleTimeout(now);
    if (seat.peer.pending.size > 0) this.router.handleTimeout(seat.peer, now);
  }

  #nowMs(): number {
    return this.#options.now() * this.#options.game.tickMs;
  }

  #tableOf(row: RowIdentity): number {
    const table = tableOf(this.#options.tables, row);
    if (table < 0) throw new TypeError("what is told of must be a row of the world");
    return table;
  }
}
