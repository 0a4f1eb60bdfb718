/** What a user of the server sees of a room: a match, its clients, its events. */

import type { NetworkError, Unsubscribe } from "@riposte/protocol";
import type {
  AnyGame,
  CallDefinition,
  MessageDefinition,
  ReplyOf,
  ValuesOf,
  WorldOf,
  RewindHistoryReport,
} from "@riposte/simulation/game";
import type { LagCompensationReport } from "@riposte/simulation/rewind";
import type { FairnessReport, FavorTheShooter } from "@riposte/simulation/rewind";
import type { Fields } from "@riposte/simulation/state";
import type { Client } from "./room-client.ts";
import type { RoomDebug } from "./room-debug.ts";

/** What happens in a room. */
export interface RoomEvents {
  /** A client took its seat; the game's `join` has run, unless it came back. */
  readonly joined: { readonly client: Client };
  /** A client's connection ended; `error` is undefined when it left in good order. Its seat is kept for the grace time. */
  readonly left: { readonly client: Client; readonly error: NetworkError | undefined };
  /** Game code or a listener threw. */
  readonly error: RoomError;
  /** The room is gone. */
  readonly closed: { readonly reason: string };
}

export interface RoomError {
  readonly room: string;
  /** Where: "step", "snapshot", "join", "leave", "message", or `listener of "<event>"`. */
  readonly during: string;
  readonly error: unknown;
  /** How often the same place failed since it was last reported: reports are limited to one a second. */
  readonly repeated: number;
}

/** Counters of a room, since it was made. */
export interface RoomStats {
  /** Clients connected now. */
  readonly clients: number;
  readonly ticks: number;
  readonly snapshots: number;
  readonly snapshotBytes: number;
  /** Messages received and given to the match. */
  readonly messages: number;
  /** Messages that could not be read. */
  readonly malformed: number;
  /** Messages dropped because their sender was over its limit. */
  readonly limited: number;
  /** Inputs of players that were decoded. */
  readonly inputs: number;
  /** `input_codec_seconds_total`: processor time that took, from every 16th message. */
  readonly inputCodecSeconds: number;
  /** Of shots that the game gave to `HitRegistration`: verdicts by reason, how far back they looked, what they cost. A copy. */
  readonly lagCompensation: LagCompensationReport;
  /** What is remembered of each state for hits, and its memory. A copy. */
  readonly rewindHistory: readonly RewindHistoryReport[];
  /** Receipts of verdicts that were kept (`match.receipts`), and that there was no room for. */
  readonly receiptsKept: number;
  readonly receiptsDropped: number;
  /** Errors of game code and listeners. */
  readonly errors: number;
}

/** Handles typed messages: one message type, its values, and who sent it. */
export type MessageHandler<F extends Fields> = (value: ValuesOf<MessageDefinition<F>>, client: Client) => unknown;

/** Answers typed calls. Throwing, or rejecting, refuses the call. */
export type CallHandler<Q extends Fields, A extends Fields> = (
  request: ValuesOf<CallDefinition<Q, A>>,
  client: Client,
) => ReplyOf<CallDefinition<Q, A>> | Promise<ReplyOf<CallDefinition<Q, A>>>;

export interface Room<G extends AnyGame = AnyGame> {
  readonly name: string;
  /** The tick simulated last. */
  readonly tick: number;
  /** The state of the game. Change it in `step`, or from a listener, which runs between ticks. */
  readonly world: WorldOf<G>;
  /** Those connected now. */
  readonly clients: Iterable<Client> & { readonly size: number };
  readonly stats: RoomStats;
  /** How far shooters are favoured here: `settings` are in force, `change` changes them while the room runs. */
  readonly favorTheShooter: FavorTheShooter;
  /** How fair the room is to whom: settings, what each link accounts for, the peeker's advantage. */
  fairness(): FairnessReport;
  /** Questions about one player's prediction, for developers and operators. */
  readonly debug: RoomDebug;
  on<Name extends keyof RoomEvents>(event: Name, listener: (value: RoomEvents[Name]) => unknown): Unsubscribe;
  /** Hears a type of message from this room's clients. */
  onMessage<F extends Fields>(definition: MessageDefinition<F>, handler: MessageHandler<F>): Unsubscribe;
  /** Answers a type of call; a later handler takes the place of an earlier one. */
  onCall<Q extends Fields, A extends Fields>(definition: CallDefinition<Q, A>, handler: CallHandler<Q, A>): void;
  /** Sends to one client; false when its queue was full or it is gone. Throws `RangeError` for a value that takes more than 16 KiB. */
  send<F extends Fields>(definition: MessageDefinition<F>, value: ValuesOf<MessageDefinition<F>>, to: Client): boolean;
  /** Sends to all clients of the room; false when a queue was full. Throws as `send` does. */
  broadcast<F extends Fields>(definition: MessageDefinition<F>, value: ValuesOf<MessageDefinition<F>>): boolean;
  /**
   * Asks one client; rejects with `CallError` when it refuses, does not answer in 10 s, or is gone, and with `RangeError`
   * for a question above 16 KiB. Check what it answers.
   */
  call<Q extends Fields, A extends Fields>(
    definition: CallDefinition<Q, A>,
    request: ValuesOf<CallDefinition<Q, A>>,
    to: Client,
  ): Promise<ReplyOf<CallDefinition<Q, A>>>;
}
