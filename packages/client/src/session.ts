/** What `connect` gives: the game as this player sees it, and the way to the server. */

import type { NetworkError, Unsubscribe } from "@riposte/protocol";
import type { Connection, ConnectionStats } from "@riposte/protocol/channel";
import type { CarrierName } from "./carriers/carrier.ts";
import type { SessionDebug } from "./session-debug.ts";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type {
  AnyGame,
  CallDefinition,
  ClientStats,
  InputOf,
  InterpolationMode,
  MessageDefinition,
  ReplyOf,
  ValuesOf,
  ViewOf,
  WorldOf,
} from "@riposte/simulation/game";
import type { EventDefinition, EventListener, SpawnListener } from "@riposte/simulation/prediction";
import type { Fields } from "@riposte/simulation/state";

/** What happens to a session. */
export interface SessionEvents {
  /** It is over, for good; `error` is undefined when `close` ended it. */
  readonly closed: { readonly error: NetworkError | undefined };
  /** The network is gone for the moment: the session looks for another way to the server, until it times out. */
  readonly interrupted: object;
  /** It goes on, from another address or by another carrier. Nothing reliable was lost. */
  readonly migrated: { readonly carrier: CarrierName };
  /** A listener or handler threw. Without a listener here it is logged. */
  readonly error: { readonly during: string; readonly error: unknown };
}

/** Live numbers; the object stays the same, reading costs nothing. */
export interface SessionStats {
  /** Round trip, jitter, loss, bytes, packets. */
  readonly connection: ConnectionStats;
  /** Prediction, interpolation, clock, snapshots. */
  readonly game: ClientStats;
  /** Whole carrier packets, over the last second. */
  readonly bytesReceivedPerSec: number;
  readonly bytesSentPerSec: number;
  readonly snapshotBytesPerSec: number;
  /** Messages of the server that could not be read. */
  readonly malformed: number;
}

/** Answers the server's calls. Throwing, or rejecting, refuses the call. */
export type CallHandler<Q extends Fields, A extends Fields> = (
  request: ValuesOf<CallDefinition<Q, A>>,
) => ReplyOf<CallDefinition<Q, A>> | Promise<ReplyOf<CallDefinition<Q, A>>>;

export interface Session<G extends AnyGame = AnyGame> extends AsyncDisposable {
  /** The world to draw: the own player predicted, the others interpolated. `view.<state>.mine` is the own row. */
  readonly view: ViewOf<G>;
  /** The world that the game's step predicts in: for helpers that a game keeps for each world. Not for changing. */
  readonly world: WorldOf<G>;
  /** This player's seat in the room: `owner` of its rows. */
  readonly seat: number;
  /** Undefined when the token came from elsewhere: only the server can read it there. */
  readonly clientId: bigint | undefined;
  /** Give it to the next `connect` to come back as the same client. Undefined as `clientId`. */
  readonly identity: string | undefined;
  readonly carrier: CarrierName;
  /** How others are drawn; it may be changed at any time. Setting throws `RangeError` for a mode that does not exist. */
  interpolationMode: InterpolationMode;
  readonly connection: Connection;
  readonly stats: SessionStats;
  /** Why predictions were wrong, and the server's account of this player. */
  readonly debug: SessionDebug;
  /** Resolves when the session is over; with undefined when `close` ended it. Never rejects. */
  readonly closed: Promise<NetworkError | undefined>;
  /**
   * Moves the game on to `now` and sends the inputs of the ticks in between. Call it once a frame, with
   * the time `requestAnimationFrame` gives, or `performance.now()`. Does nothing once the session is over.
   */
  advance(now: number, input: InputOf<G>): void;
  /** False when the queue is full or the session is over. Throws `RangeError` for a value that takes more than 16 KiB. */
  send<F extends Fields>(definition: MessageDefinition<F>, value: ValuesOf<MessageDefinition<F>>): boolean;
  /** Asks the server; rejects with `CallError`, after 10 s at the latest, or with `RangeError` for a question above 16 KiB. */
  call<Q extends Fields, A extends Fields>(
    definition: CallDefinition<Q, A>,
    request: ValuesOf<CallDefinition<Q, A>>,
  ): Promise<ReplyOf<CallDefinition<Q, A>>>;
  on<Name extends keyof SessionEvents>(event: Name, listener: (value: SessionEvents[Name]) => unknown): Unsubscribe;
  /** Hears a type of message from the server. */
  onMessage<F extends Fields>(
    definition: MessageDefinition<F>,
    listener: (value: ValuesOf<MessageDefinition<F>>) => unknown,
  ): Unsubscribe;
  /**
   * Hears a kind of event that the game's step emits: predicted ones at once, others when their picture is there, each
   * once. `revoke` hears of those that turned out not to have happened.
   */
  onEvent<F extends Fields>(
    definition: EventDefinition<F>,
    play: EventListener<ValuesOf<EventDefinition<F>>>,
    revoke?: EventListener<ValuesOf<EventDefinition<F>>>,
  ): Unsubscribe;
  /** Hears what became of the entities that this client has spawned ahead of the server; a later listener replaces it. */
  onSpawn(listener: SpawnListener | undefined): void;
  /** Answers a type of call of the server's; a later handler takes the place of an earlier one. Without one it is refused. */
  onCall<Q extends Fields, A extends Fields>(definition: CallDefinition<Q, A>, handler: CallHandler<Q, A>): void;
  /**
   * Leaves by another port or socket, as after a change of network; by itself the session does so when it must. Rejects
   * with a `NetworkError` when the server does not answer there, or does not allow it.
   */
  migrate(): Promise<void>;
  /** Artificial network conditions in both directions; undefined turns them off. For development: on Node it throws in production. */
  simulate(conditions: NetworkConditions | undefined): void;
  /** Leaves. Resolves when the socket is closed. */
  close(): Promise<void>;
}
