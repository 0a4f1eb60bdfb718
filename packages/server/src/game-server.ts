/** The server behind `listen`: rooms on top of one transport, one loop and one HTTP front. */

import type { Server as HttpServer } from "node:http";
import { randomInt } from "node:crypto";
import { Emitter, NetworkError } from "@riposte/protocol";
import type { Unsubscribe } from "@riposte/protocol";
import type { Channel, GameConnection } from "@riposte/protocol/channel";
import { generateConnectToken, readUserData, writeUserData } from "@riposte/protocol/netcode";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { AnyGame, CallDefinition, MessageDefinition } from "@riposte/simulation/game";
import type { Fields } from "@riposte/simulation/state";
import type { GameTransport, TransportHandlers } from "@riposte/transport";
import { tokenCrypto } from "./token-crypto.ts";
import { NetworkDiagnostics } from "./diagnostics/network-diagnostics.ts";
import { GameRoom } from "./game-room.ts";
import { ClientIdentity } from "./http/client-identity.ts";
import { createHttpFront } from "./http/http-front.ts";
import { JoinService } from "./http/join-service.ts";
import { TickLoop } from "./loop/tick-loop.ts";
import { AdvancedNetworkInterface } from "./network/advanced-network-interface.ts";
import { formatAddress, refuseSimulation } from "./options.ts";
import type { ResolvedOptions } from "./options.ts";
import { RoomClient } from "./room-client.ts";
import { DEFAULT_ROOM, isRoomName } from "./room-name.ts";
import { RoomRegistry } from "./room-registry.ts";
import type { CallHandler, MessageHandler, Room } from "./room.ts";
import type { IssueTokenOptions, Server, ServerError, ServerEvents, ServerStats } from "./server.ts";

/** Sockets that are not clients: pages being loaded, joins, WebSockets not admitted yet. */
const SPARE_SOCKETS = 512;

/** `context` of a plain netcode peer. */
const PLAIN = Symbol("plain netcode peer");

export class GameServer<G extends AnyGame> implements Server<G> {
  readonly closed: Promise<void>;
  readonly handlers: TransportHandlers;
  readonly #game: G;
  readonly #options: ResolvedOptions;
  readonly #identity: ClientIdentity;
  readonly #registry: RoomRegistry<G>;
  readonly #rooms: ReadonlyMap<string, GameRoom<G>>;
  readonly #events: Emitter<ServerEvents<G>>;
  readonly #loop: TickLoop;
  readonly #startedAt: number = performance.now();
  readonly #resolveClosed: () => void;
  #transport: GameTransport | undefined;
  #network: AdvancedNetworkInterface | undefined;
  #diagnostics: NetworkDiagnostics | undefined;
  #http: HttpServer | undefined;
  #port = 0;
  readonly #connections: Set<GameConnection> = new Set();
  #closing = false;

  constructor(game: G, options: ResolvedOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#game = game;
    this.#options = options;
    this.#identity = new ClientIdentity(options.privateKey);
    this.#events = new Emitter((error, event) => this.#fail(`listener of "${event}"`, error));
    this.#loop = new TickLoop({
      tickRate: game.tickRate,
      tick: (now, lateMs) => this.#tick(now, lateMs),
      flush: () => this.#transport?.flush(),
      overrun: (skippedTicks, behindMs) => {
        this.#diagnostics?.logEvent("overrun", { skippedTicks, behindMs });
        this.#events.emit("overrun", { skippedTicks, behindMs });
      },
    });
    this.handlers = {
      connected: (connection) => this.#connected(connection),
      disconnected: (connection, error) => this.#disconnected(connection, error),
      interrupted: (connection) => this.#moved("interrupted", connection),
      migrated: (connection) => this.#moved("migrated", connection),
      message: (connection, channel, buffer, offset, length) =>
        this.#message(connection, channel, buffer, offset, length),
      raw: (connection, buffer, offset, length) => {
        this.#connected(connection);
        this.#guard("message of a plain peer", () => options.plainPeers?.message?.(connection, buffer, offset, length));
      },
      failed: (error) => {
        this.#fail("network thread", error);
        void this.close("the network thread failed");
      },
    };
    this.#registry = new RoomRegistry({
      maxRooms: options.maxRooms,
      emptyRoomMs: options.emptyRoomMs,
      create: (name, onDemand) => this.#createRoom(name, onDemand),
      created: (room) => this.#events.emit("roomCreated", { room }),
      closed: (room, reason) => this.#events.emit("roomClosed", { room, reason }),
    });
    this.#rooms = this.#registry.rooms;
    for (const name of [DEFAULT_ROOM, ...options.rooms]) this.createRoom(name);
  }

  get url(): string {
    const { host } = this.#options;
    const local = host === undefined || host === "::" || host === "0.0.0.0" || host === "127.0.0.1" || host === "::1";
    return `http://${local ? `localhost:${this.#port}` : formatAddress(host, this.#port)}`;
  }

  get port(): number {
    return this.#port;
  }

  get rooms(): ReadonlyMap<string, Room<G>> {
    return this.#rooms;
  }

  get room(): Room<G> {
    return this.#rooms.get(DEFAULT_ROOM) as Room<G>;
  }

  get network(): AdvancedNetworkInterface {
    if (this.#network === undefined) throw new TypeError("the server is not listening");
    return this.#network;
  }

  get diagnostics(): NetworkDiagnostics {
    if (this.#diagnostics === undefined) throw new TypeError("the server is not listening");
    return this.#diagnostics;
  }

  get stats(): ServerStats {
    const sums = { messages: 0, malformed: 0, limited: 0, snapshots: 0, snapshotBytes: 0 };
    for (const { stats } of this.#rooms.values()) {
      sums.messages += stats.messages;
      sums.malformed += stats.malformed;
      sums.limited += stats.limited;
      sums.snapshots += stats.snapshots;
      sums.snapshotBytes += stats.snapshotBytes;
    }
    return {
      uptimeMs: performance.now() - this.#startedAt,
      clients: this.#connections.size,
      rooms: this.#rooms.size,
      loop: this.#loop.stats,
      transport: this.#openTransport().stats,
      ...sums,
    };
  }

  on<Name extends keyof ServerEvents<G>>(
    event: Name,
    listener: (value: ServerEvents<G>[Name]) => unknown,
  ): Unsubscribe {
    return this.#events.on(event, listener);
  }

  onMessage<F extends Fields>(definition: MessageDefinition<F>, handler: MessageHandler<F>): Unsubscribe {
    return this.#registry.onMessage(definition, handler);
  }

  onCall<Q extends Fields, A extends Fields>(definition: CallDefinition<Q, A>, handler: CallHandler<Q, A>): void {
    this.#registry.onCall(definition, handler);
  }

  createRoom(name: string): Room<G> {
    return this.#registry.open(name, false);
  }

  closeRoom(name: string, reason: string = "the room was closed"): boolean {
    if (name === DEFAULT_ROOM) throw new RangeError("the default room cannot be closed: close the server");
    return this.#registry.close(name, reason, performance.now());
  }

  issueToken(options: IssueTokenOptions = {}): Uint8Array {
    const { clientId = this.#identity.create(), room = DEFAULT_ROOM, userData = new Uint8Array(0) } = options;
    if (!isRoomName(room)) throw new RangeError(`${JSON.stringify(room)} is no room's name`);
    const { publicAddresses, tokenExpireSeconds, timeoutSeconds, privateKey, protocolId } = this.#options;
    const known = publicAddresses.length > 0 ? publicAddresses : [formatAddress("127.0.0.1", this.#port)];
    return generateConnectToken({
      protocolId,
      clientId,
      privateKey,
      serverAddresses: options.serverAddresses ?? known,
      expireSeconds: tokenExpireSeconds,
      timeoutSeconds,
      userData: writeUserData({ room, gameData: userData, issuedAt: Date.now() }),
      nowSeconds: Date.now() / 1000,
      crypto: tokenCrypto,
    });
  }

  simulate(conditions: NetworkConditions | undefined): void {
    if (this.#options.production) refuseSimulation(conditions);
    this.#openTransport().simulate(conditions);
  }

  close(reason: string = "the server was shut down"): Promise<void> {
    if (this.#closing) return this.closed;
    this.#closing = true;
    this.#loop.stop();
    void this.#shutDown(reason).then(this.#resolveClosed, (error: unknown) => {
      this.#fail("close", error);
      this.#resolveClosed();
    });
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A new HTTP server of this game server, not listening yet. */
  createHttp(): HttpServer {
    const { localTokens, joinRate, allowedOrigins, publicDir, production, maxClients, behindProxy } = this.#options;
    return createHttpFront({
      joinService: localTokens ? this.#joinService() : undefined,
      behindProxy,
      joinRate,
      allowedOrigins,
      publicDir,
      production,
      maxSockets: maxClients + SPARE_SOCKETS,
      health: () => ({
        status: this.#closing ? "closing" : "ok",
        game: this.#game.name,
        clients: this.#connections.size,
        maxClients,
        rooms: this.#rooms.size,
        uptimeSeconds: Math.floor((performance.now() - this.#startedAt) / 1000),
      }),
      onError: (error) => this.#fail("http", error),
    });
  }

  /** The sockets are open: begins to tick. */
  start(port: number, http: HttpServer, transport: GameTransport): void {
    this.#port = port;
    this.#http = http;
    this.#transport = transport;
    this.#network = new AdvancedNetworkInterface(transport, {
      onListenerError: (during, error, repeated) => this.#report({ room: undefined, during, error, repeated }),
    });
    this.#diagnostics = new NetworkDiagnostics(this.#network, {
      serverName: this.#game.name,
      sections: () => ({ server: this.stats }),
    });
    if (this.#options.diagnostics !== undefined) this.#diagnostics.enable(this.#options.diagnostics);
    if (this.#options.simulate !== undefined) this.simulate(this.#options.simulate);
    http.on("error", (error) => this.#fail("http", error));
    this.#loop.start();
  }

  #joinService(): JoinService {
    return new JoinService({
      identity: this.#identity,
      schemaHash: this.#game.schemaHash,
      tickRate: this.#game.tickRate,
      hasRoom: (name) => this.#rooms.has(name) || this.#mayOpenRoom(),
      isFull: (name, clientId) => this.#isFull(name, clientId),
      issueToken: ({ clientId, room, userData, localAddress }) => {
        const known = this.#options.publicAddresses.length > 0 || localAddress === undefined;
        const serverAddresses = known ? undefined : [formatAddress(localAddress, this.#port)];
        return this.issueToken({ clientId, room, userData, ...(serverAddresses && { serverAddresses }) });
      },
    });
  }

  #mayOpenRoom(): boolean {
    return this.#options.createRoomsOnDemand && !this.#registry.full;
  }

  #isFull(name: string, clientId: bigint): boolean {
    const room = this.#rooms.get(name);
    if (room !== undefined && !room.hasSeatFor(clientId)) return true;
    if (this.#connections.size < this.#options.maxClients) return false;
    // A newer token displaces the client's own old connection.
    for (const { clients } of this.#rooms.values()) {
      for (const client of clients) if (client.clientId === clientId) return false;
    }
    return true;
  }

  #createRoom(name: string, onDemand: boolean): GameRoom<G> {
    const room = new GameRoom({
      game: this.#game,
      name,
      seed: this.#options.seed ?? randomInt(2 ** 31),
      onDemand,
      now: performance.now(),
      match: this.#options.match,
      messageLimit: this.#options.messageLimit,
      disconnect: (connection, reason) =>
        this.#disconnect(connection, this.#closing ? "closedByPeer" : "kicked", reason),
      onError: (error) => this.#report(error),
    });
    room.on("joined", ({ client }) => this.#events.emit("joined", { client, room }));
    room.on("left", ({ client, error }) => this.#events.emit("left", { client, room, error }));
    return room;
  }

  #tick(now: number, lateMs: number): void {
    for (const room of this.#rooms.values()) room.step(lateMs);
    this.#registry.sweep(now);
  }

  /** A first message may come in the same packet as the end of the handshake, before the event: then it admits. */
  #connected(connection: GameConnection): void {
    if (this.#connections.has(connection) || connection.state === "closed") return;
    this.#connections.add(connection);
    if (connection.state === "raw") {
      connection.context = PLAIN;
      const { plainPeers } = this.#options;
      if (plainPeers === undefined)
        this.#disconnect(connection, "versionMismatch", "this server takes Riposte clients");
      else this.#guard("connected of a plain peer", () => plainPeers.connected?.(connection));
      return;
    }
    const { clientId } = connection;
    this.#events.emit("connected", { connection, clientId });
    const { room: name, gameData } = readUserData(connection.userData);
    let room = this.#rooms.get(name);
    if (room === undefined && isRoomName(name) && this.#mayOpenRoom()) room = this.#registry.open(name, true);
    if (room === undefined) {
      this.#disconnect(connection, "kicked", `there is no room "${name}" on this server`);
      return;
    }
    const client = room.add(connection, gameData, performance.now());
    if (client === "full") this.#disconnect(connection, "serverFull", `no seat is free in room "${name}"`);
    else if (client === "failed")
      this.#disconnect(connection, "internalError", `the game failed to let this client into room "${name}"`);
    else connection.context = client;
  }

  #disconnected(connection: GameConnection, error: NetworkError | undefined): void {
    if (!this.#connections.delete(connection)) return;
    if (connection.context instanceof RoomClient) {
      const client = connection.context;
      this.#rooms.get(client.room)?.remove(client, error, performance.now());
    } else if (connection.context === PLAIN) {
      this.#guard("disconnected of a plain peer", () => this.#options.plainPeers?.disconnected?.(connection, error));
      return;
    }
    this.#events.emit("disconnected", { connection, clientId: connection.clientId, error });
  }

  #moved(event: "interrupted" | "migrated", connection: GameConnection): void {
    const client = connection.context;
    if (!(client instanceof RoomClient)) return;
    const room = this.#rooms.get(client.room);
    if (room !== undefined) this.#events.emit(event, { client, room });
  }

  #message(connection: GameConnection, channel: Channel, buffer: Uint8Array, offset: number, length: number): void {
    this.#connected(connection);
    const client = connection.context;
    if (!(client instanceof RoomClient)) return;
    this.#rooms.get(client.room)?.receive(client, channel, buffer, offset, length, performance.now());
  }

  #disconnect(connection: GameConnection, code: NetworkError["code"], reason: string): void {
    connection.fail(new NetworkError(code, reason));
  }

  async #shutDown(reason: string): Promise<void> {
    this.#registry.closeAll(reason, performance.now());
    await this.#transport?.close();
    const http = this.#http;
    if (http !== undefined) {
      const ended = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await ended;
    }
    this.#events.clear();
  }

  #openTransport(): GameTransport {
    if (this.#transport === undefined) throw new TypeError("the server is not listening");
    return this.#transport;
  }

  /** Runs a callback of the user's: what it throws must not reach the sockets. */
  #guard(during: string, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#fail(during, error);
    }
  }

  #fail(during: string, error: unknown): void {
    this.#report({ room: undefined, during, error, repeated: 0 });
  }

  #report(error: ServerError): void {
    this.#diagnostics?.logEvent("error", { ...error, error: describe(error.error) });
    const circular = error.during === 'listener of "error"';
    if (!circular && this.#events.count("error") > 0) this.#events.emit("error", error);
    else {
      const where = error.room === undefined ? error.during : `${error.during}, room "${error.room}"`;
      const times = error.repeated > 0 ? ` (and ${error.repeated} times before)` : "";
      this.#options.log(`riposte: error in ${where}${times}: ${describe(error.error)}`);
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
