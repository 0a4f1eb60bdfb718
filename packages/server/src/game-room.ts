/**
 * The server's side of a room: moves bytes between one match and its clients' connections. Rooms
 * share the server's loop and sockets, and nothing else; an error in one room's game code is reported
 * and leaves the others alone.
 */

import { randomBytes } from "node:crypto";
import { Emitter } from "@riposte/protocol";
import type { NetworkError, Unsubscribe } from "@riposte/protocol";
import type { Channel, GameConnection } from "@riposte/protocol/channel";
import { CallError, Match, outgoingMessage } from "@riposte/simulation/game";
import type {
  AnyGame,
  CallDefinition,
  MessageDefinition,
  OutgoingMessage,
  ReplyOf,
  ValuesOf,
  WorldOf,
} from "@riposte/simulation/game";
import type { FairnessReport, FavorTheShooter } from "@riposte/simulation/rewind";
import type { Fields } from "@riposte/simulation/state";
import type { ResolvedMatchOptions, ResolvedOptions } from "./options.ts";
import { RoomClient } from "./room-client.ts";
import { GameRoomDebug } from "./room-debug.ts";
import type { Client } from "./room-client.ts";
import type { CallHandler, MessageHandler, Room, RoomError, RoomEvents, RoomStats } from "./room.ts";

export interface GameRoomOptions<G extends AnyGame> {
  readonly game: G;
  readonly name: string;
  readonly seed: number;
  /** Closed when it stays empty. */
  readonly onDemand: boolean;
  /** When it is made, in the loop's milliseconds: nobody is here yet. */
  readonly now: number;
  readonly match: ResolvedMatchOptions;
  readonly messageLimit: ResolvedOptions["messageLimit"];
  /** Ends a client's connection and tells it why. */
  readonly disconnect: (connection: GameConnection, reason: string) => void;
  /** Told of every error of this room, after the room's own listeners. */
  readonly onError: (error: RoomError) => void;
}

/** Messages of one client that cannot be read before it is put out: a broken client, or a hostile one. */
const MAX_MALFORMED = 100;
const ERROR_REPORT_INTERVAL_MS = 1000;
/** Room for one snapshot; the stream's own budget is far below. */
const SNAPSHOT_BUFFER_BYTES = 65_536;

const snapshotBuffer = new Uint8Array(SNAPSHOT_BUFFER_BYTES);

export class GameRoom<G extends AnyGame> implements Room<G> {
  readonly name: string;
  readonly onDemand: boolean;
  readonly debug: GameRoomDebug;
  /** Since when nobody is here, in the loop's milliseconds; undefined while somebody is. */
  emptySince: number | undefined;
  readonly #match: Match<G>;
  readonly #options: GameRoomOptions<G>;
  readonly #clients: Map<number, RoomClient> = new Map();
  readonly #events: Emitter<RoomEvents>;
  /** Clients by the tick of the snapshot interval on which they are served, so that each tick serves about as many. */
  readonly #phases: RoomClient[][];
  readonly #outgoing: OutgoingMessage = outgoingMessage();
  readonly #reports: Map<string, { at: number; repeated: number }> = new Map();
  readonly #counts = { ticks: 0, snapshots: 0, snapshotBytes: 0, messages: 0, malformed: 0, limited: 0, errors: 0 };

  constructor(options: GameRoomOptions<G>) {
    const { game } = options;
    this.name = options.name;
    this.onDemand = options.onDemand;
    this.emptySince = options.now;
    this.#options = options;
    this.#events = new Emitter((error, event) => this.#report(`listener of "${event}"`, error));
    this.#match = new Match(game, {
      seed: options.seed,
      entropy: (length) => randomBytes(length),
      now: () => performance.now(),
      ...options.match,
    });
    this.#phases = Array.from({ length: game.snapshotTicks }, () => []);
    this.debug = new GameRoomDebug({
      enabled: options.match.debug,
      seatOf: (client) => (this.#isHere(client) ? this.#match.debugOf(client.seat) : undefined),
      favorTheShooter: this.#match.favorTheShooter,
      fairness: () => this.#match.fairness(),
      hitsOf: (client) => this.#match.lagCompensation.playerReport(client.seat),
      ask: (client, method, parameters, done) => this.#match.askDebug(client.seat, method, parameters, done),
    });
  }

  get tick(): number {
    return this.#match.currentTick;
  }

  get world(): WorldOf<G> {
    return this.#match.world;
  }

  get clients(): Iterable<Client> & { readonly size: number } {
    const clients = this.#clients;
    return { size: clients.size, [Symbol.iterator]: () => clients.values() };
  }

  get favorTheShooter(): FavorTheShooter {
    return this.#match.favorTheShooter;
  }

  fairness(): FairnessReport {
    return this.#match.fairness();
  }

  get stats(): RoomStats {
    const { inputs, codecSeconds } = this.#match.inputDecoding;
    const rewindHistory = this.#match.rewindHistory();
    const lagCompensation = this.#match.lagCompensation.report();
    const receipts = this.#match.receipts;
    return {
      clients: this.#clients.size,
      ...this.#counts,
      inputs,
      inputCodecSeconds: codecSeconds,
      lagCompensation,
      rewindHistory,
      receiptsKept: receipts?.kept ?? 0,
      receiptsDropped: receipts?.dropped ?? 0,
    };
  }

  on<Name extends keyof RoomEvents>(event: Name, listener: (value: RoomEvents[Name]) => unknown): Unsubscribe {
    return this.#events.on(event, listener);
  }

  onMessage<F extends Fields>(definition: MessageDefinition<F>, handler: MessageHandler<F>): Unsubscribe {
    const during = `handler of message "${definition.name}"`;
    return this.#match.router.onMessage(definition, (value, seat) => {
      const client = this.#clients.get(seat);
      if (client === undefined) return;
      try {
        const result = handler(value, client);
        if (result instanceof Promise) result.catch((error: unknown) => this.#report(during, error));
      } catch (error) {
        this.#report(during, error);
      }
    });
  }

  onCall<Q extends Fields, A extends Fields>(definition: CallDefinition<Q, A>, handler: CallHandler<Q, A>): void {
    const during = `handler of call "${definition.name}"`;
    this.#match.router.onCall(definition, (request, call) => {
      const client = this.#clients.get(call.from);
      if (client === undefined) return void call.refuse();
      const refuse = (error: unknown): void => {
        call.refuse();
        this.#report(during, error);
      };
      try {
        const answer = handler(request, client);
        if (answer instanceof Promise) answer.then((value) => call.reply(value)).catch(refuse);
        else call.reply(answer);
      } catch (error) {
        refuse(error);
      }
    });
  }

  send<F extends Fields>(definition: MessageDefinition<F>, value: ValuesOf<MessageDefinition<F>>, to: Client): boolean {
    return this.#isHere(to) && this.#match.send(definition, value, to.seat);
  }

  broadcast<F extends Fields>(definition: MessageDefinition<F>, value: ValuesOf<MessageDefinition<F>>): boolean {
    return this.#match.broadcast(definition, value);
  }

  call<Q extends Fields, A extends Fields>(
    definition: CallDefinition<Q, A>,
    request: ValuesOf<CallDefinition<Q, A>>,
    to: Client,
  ): Promise<ReplyOf<CallDefinition<Q, A>>> {
    return new Promise((resolve, reject) => {
      if (!this.#isHere(to)) {
        reject(new CallError(definition.name, "closed"));
        return;
      }
      this.#match.call(to.seat, definition, request, (outcome) => {
        if (outcome.ok) resolve(outcome.value);
        else reject(new CallError(definition.name, outcome.reason));
      });
    });
  }

  /** True when a client with this id would get a seat: its own kept one, or a free one. */
  hasSeatFor(clientId: bigint): boolean {
    return this.#match.hasSeatFor(clientId);
  }

  /** Takes a connection in, unless there is no seat ("full") or the game's `join` threw ("failed"). */
  add(connection: GameConnection, userData: Uint8Array, now: number): RoomClient | "full" | "failed" {
    // netcode ends the old connection of a client id before it opens a new one; should its end not
    // have been told yet, the seat changes hands here.
    for (const old of this.#clients.values()) {
      if (old.clientId === connection.clientId) this.remove(old, undefined, now);
    }
    const returned = this.#match.seatOf(connection.clientId) >= 0;
    let seat: number;
    try {
      seat = this.#match.join(connection.clientId, userData);
    } catch (error) {
      this.#report("join", error);
      this.#giveUpSeat(connection.clientId);
      return "failed";
    }
    const taken = this.#match.seat(seat);
    if (taken === undefined) return "full";
    const client = new RoomClient({
      connection,
      seat,
      room: this.name,
      userData,
      returned,
      messageLimit: this.#options.messageLimit,
      inputStats: taken.stats,
      now,
      kick: (_client, reason) => this.#options.disconnect(connection, reason),
    });
    this.#clients.set(seat, client);
    let phase = this.#phases[0];
    for (const other of this.#phases) if (other.length < phase.length) phase = other;
    phase.push(client);
    this.emptySince = undefined;
    this.#events.emit("joined", { client });
    this.#sendMessages(client);
    return client;
  }

  /** Its connection is over. False when it was not here any more. */
  remove(client: RoomClient, error: NetworkError | undefined, now: number): boolean {
    if (this.#clients.get(client.seat) !== client) return false;
    this.#clients.delete(client.seat);
    for (const phase of this.#phases) {
      const at = phase.indexOf(client);
      if (at >= 0) phase.splice(at, 1);
    }
    if (this.#clients.size === 0) this.emptySince = now;
    try {
      this.#match.leave(client.seat);
    } catch (thrown) {
      this.#report("leave", thrown);
    }
    this.#events.emit("left", { client, error });
    return true;
  }

  /** One message of a client; its bytes are borrowed. */
  receive(client: RoomClient, channel: Channel, buffer: Uint8Array, offset: number, length: number, now: number): void {
    if (this.#clients.get(client.seat) !== client) return;
    if (!client.limit.take(length, now)) {
      this.#counts.limited++;
      // A reliable message must not be lost silently, and a client that sends this many is not ours.
      if (channel === "reliableOrdered") client.kick("too many messages");
      return;
    }
    this.#counts.messages++;
    let understood = true;
    try {
      understood = this.#match.receive(client.seat, buffer, offset, length);
    } catch (error) {
      this.#report("message", error);
    }
    if (understood) return;
    this.#counts.malformed++;
    client.malformed++;
    if (client.malformed >= MAX_MALFORMED) client.kick("too many messages that cannot be read");
  }

  /** One step of the match, which was due `lateMs` ago; then snapshots for those whose turn it is, and messages. */
  step(lateMs: number): void {
    try {
      this.#match.tick(lateMs);
    } catch (error) {
      this.#report("step", error);
    }
    const turn = this.#counts.ticks++ % this.#phases.length;
    const phase = this.#phases[turn];
    for (let i = 0; i < phase.length; i++) this.#sendSnapshot(phase[i]);
    // Messages to those whose snapshot is due in the next tick travel with it: one packet instead of two.
    const next = this.#counts.ticks % this.#phases.length;
    for (let i = 0; i < this.#phases.length; i++) {
      if (i === next && i !== turn) continue;
      const clients = this.#phases[i];
      for (let j = 0; j < clients.length; j++) this.#sendMessages(clients[j]);
    }
  }

  /** Puts everybody out. The room must not be stepped after that. */
  close(reason: string, now: number): void {
    for (const client of this.#clients.values()) {
      this.#options.disconnect(client.connection, reason);
      this.remove(client, undefined, now);
    }
    this.#events.emit("closed", { reason });
    this.#events.clear();
  }

  /** Its seat may have another client by now. */
  #isHere(client: Client): boolean {
    return this.#clients.get(client.seat) === client;
  }

  /** What a `join` that threw halfway has made goes with its seat. */
  #giveUpSeat(clientId: bigint): void {
    try {
      this.#match.remove(this.#match.seatOf(clientId));
    } catch (error) {
      this.#report("leave", error);
    }
  }

  #sendSnapshot(client: RoomClient): void {
    // It would only wait, and be old when a way is found again.
    if (client.connection.interrupted) return;
    this.#match.updateLink(client.seat, client.stats);
    let length = 0;
    try {
      length = this.#match.writeSnapshot(client.seat, snapshotBuffer, 0, SNAPSHOT_BUFFER_BYTES);
    } catch (error) {
      this.#report("snapshot", error);
    }
    if (length <= 0) return;
    client.connection.send("unreliableUnordered", snapshotBuffer, 0, length);
    this.#counts.snapshots++;
    this.#counts.snapshotBytes += length;
  }

  #sendMessages(client: RoomClient): void {
    const out = this.#outgoing;
    while (this.#match.pollMessage(client.seat, out)) {
      const result = client.connection.send(out.channel, out.buffer, out.offset, out.length);
      if (result === "full") {
        client.kick("it reads too slowly");
        return;
      }
    }
  }

  #report(during: string, error: unknown): void {
    this.#counts.errors++;
    const now = performance.now();
    const last = this.#reports.get(during);
    if (last !== undefined && now - last.at < ERROR_REPORT_INTERVAL_MS) {
      last.repeated++;
      return;
    }
    const report: RoomError = { room: this.name, during, error, repeated: last?.repeated ?? 0 };
    this.#reports.set(during, { at: now, repeated: 0 });
    // An error of an error listener goes to the server only, or it would go in circles.
    if (during !== 'listener of "error"') this.#events.emit("error", report);
    this.#options.onError(report);
  }
}
