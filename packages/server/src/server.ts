/** What `listen` gives: the running server as its user sees it. */

import type { NetworkError, Unsubscribe } from "@riposte/protocol";
import type { GameConnection } from "@riposte/protocol/channel";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { AnyGame, CallDefinition, MessageDefinition } from "@riposte/simulation/game";
import type { Fields } from "@riposte/simulation/state";
import type { ServerTransportStats } from "@riposte/transport";
import type { NetworkDiagnostics } from "./diagnostics/network-diagnostics.ts";
import type { TickLoopStats } from "./loop/tick-loop.ts";
import type { AdvancedNetworkInterface } from "./network/advanced-network-interface.ts";
import type { Client } from "./room-client.ts";
import type { CallHandler, MessageHandler, Room, RoomError } from "./room.ts";

/** What happens on a server. */
export interface ServerEvents<G extends AnyGame = AnyGame> {
  /** A connection was admitted; `joined` follows when its room takes it in. */
  readonly connected: { readonly connection: GameConnection; readonly clientId: bigint };
  /** A connection ended; `error` is undefined when it did in good order. */
  readonly disconnected: {
    readonly connection: GameConnection;
    readonly clientId: bigint;
    readonly error: NetworkError | undefined;
  };
  readonly joined: { readonly client: Client; readonly room: Room<G> };
  readonly left: { readonly client: Client; readonly room: Room<G>; readonly error: NetworkError | undefined };
  /** No way leads to the client for the moment; it keeps its seat until it times out, or `migrated` follows. */
  readonly interrupted: { readonly client: Client; readonly room: Room<G> };
  /** The client goes on from another address, or by another carrier: `client.carrier` says which. */
  readonly migrated: { readonly client: Client; readonly room: Room<G> };
  readonly roomCreated: { readonly room: Room<G> };
  readonly roomClosed: { readonly room: Room<G>; readonly reason: string };
  /** The loop could not keep up: these ticks were never run. */
  readonly overrun: { readonly skippedTicks: number; readonly behindMs: number };
  /** Game code, a listener or the server's own plumbing failed. Without a listener it is logged. */
  readonly error: ServerError;
}

/** `room` is undefined when it happened outside of any. */
export type ServerError = Omit<RoomError, "room"> & { readonly room: string | undefined };

export interface ServerStats {
  readonly uptimeMs: number;
  /** Connections now. */
  readonly clients: number;
  readonly rooms: number;
  /** How the loop keeps time; `duration` is one tick of all rooms together. */
  readonly loop: TickLoopStats;
  readonly transport: ServerTransportStats;
  /** Sums over all rooms that are open now. */
  readonly messages: number;
  readonly malformed: number;
  readonly limited: number;
  readonly snapshots: number;
  readonly snapshotBytes: number;
}

export interface IssueTokenOptions {
  /** Who will connect. Default: somebody new. */
  readonly clientId?: bigint;
  /** Default: the default room. */
  readonly room?: string;
  /** Up to 192 bytes for the game. */
  readonly userData?: Uint8Array;
  /** Where the client should connect to, `host:port`. Default: `publicAddresses`, else the loopback address. */
  readonly serverAddresses?: readonly string[];
}

/** Programs that speak plain netcode 1.02 and send no hello: their payloads go through as they are. */
export interface PlainPeerHandlers {
  connected?(connection: GameConnection): void;
  /** One payload, borrowed until return. Answer with `connection.sendRaw`. */
  message?(connection: GameConnection, buffer: Uint8Array, offset: number, length: number): void;
  disconnected?(connection: GameConnection, error: NetworkError | undefined): void;
}

export interface Server<G extends AnyGame = AnyGame> extends AsyncDisposable {
  /** Where to play: `http://localhost:7777`. */
  readonly url: string;
  /** UDP and TCP. */
  readonly port: number;
  /** Resolves when the server has closed. Never rejects. */
  readonly closed: Promise<void>;
  /** By name. */
  readonly rooms: ReadonlyMap<string, Room<G>>;
  /** The default room. */
  readonly room: Room<G>;
  readonly stats: ServerStats;
  /** Connections by id: messages, listeners, numbers, and what may be changed while they run. */
  readonly network: AdvancedNetworkInterface;
  /** Events, traces and packets, and reports of them. Off until `enable`, or the option `diagnostics`. */
  readonly diagnostics: NetworkDiagnostics;
  on<Name extends keyof ServerEvents<G>>(event: Name, listener: (value: ServerEvents<G>[Name]) => unknown): Unsubscribe;
  /** Hears a type of message from the clients of every room, those made later included. */
  onMessage<F extends Fields>(definition: MessageDefinition<F>, handler: MessageHandler<F>): Unsubscribe;
  /** Answers a type of call in every room, those made later included. */
  onCall<Q extends Fields, A extends Fields>(definition: CallDefinition<Q, A>, handler: CallHandler<Q, A>): void;
  /** Throws `RangeError` when the name is taken or no name, or there are `maxRooms` already. */
  createRoom(name: string): Room<G>;
  /** Puts its clients out. False when there is none of that name; the default room cannot be closed. */
  closeRoom(name: string, reason?: string): boolean;
  /** A connect token for this server, 2048 bytes. Works whether or not the local token service is on. */
  issueToken(options?: IssueTokenOptions): Uint8Array;
  /** Artificial network conditions, both directions, all clients; undefined turns them off. Throws in production. */
  simulate(conditions: NetworkConditions | undefined): void;
  /** Tells every client, closes every socket, ends the loop. Calling it again waits for the same end. */
  close(reason?: string): Promise<void>;
}
