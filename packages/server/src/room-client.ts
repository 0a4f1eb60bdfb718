/** One connected client as a room sees it. */

import type { CarrierTraits, GameConnection, ConnectionStats } from "@riposte/protocol/channel";
import type { InputStats } from "@riposte/simulation/game";
import { MessageLimit } from "./message-limit.ts";
import type { MessageLimitOptions } from "./message-limit.ts";

/** A client in a room. The object lives as long as its connection; `clientId` and `seat` outlive it. */
export interface Client {
  /** From the connect token: who it is, whatever the connection. */
  readonly clientId: bigint;
  /** Its seat in the room: `owner` of its rows, `client.id` in the game's `join`. */
  readonly seat: number;
  /** Name of its room. */
  readonly room: string;
  /** The game's part of the token's user data, 192 bytes. */
  readonly userData: Uint8Array;
  /** The one in use: a session may move to another. */
  readonly carrier: CarrierTraits["name"];
  readonly connectedAt: Date;
  /** True when it came back to a seat (and entity) it had left. */
  readonly returned: boolean;
  /** Live numbers of its connection. */
  readonly stats: ConnectionStats;
  /** How its inputs arrive, and which of its claims were cut. Live; counted since the player took the seat, over reconnects. */
  readonly inputStats: InputStats;
  /** Puts it out; it is told why. */
  kick(reason?: string): void;
}

export interface RoomClientOptions {
  readonly connection: GameConnection;
  readonly seat: number;
  readonly room: string;
  readonly userData: Uint8Array;
  readonly returned: boolean;
  readonly messageLimit: Required<MessageLimitOptions>;
  readonly inputStats: InputStats;
  readonly now: number;
  readonly kick: (client: RoomClient, reason: string) => void;
}

export class RoomClient implements Client {
  readonly connection: GameConnection;
  readonly clientId: bigint;
  readonly seat: number;
  readonly room: string;
  readonly userData: Uint8Array;
  readonly connectedAt: Date = new Date();
  readonly returned: boolean;
  readonly inputStats: InputStats;
  readonly limit: MessageLimit;
  /** Messages that could not be read. */
  malformed = 0;
  readonly #kick: (client: RoomClient, reason: string) => void;

  constructor(options: RoomClientOptions) {
    const { connection } = options;
    this.connection = connection;
    this.clientId = connection.clientId;
    this.seat = options.seat;
    this.room = options.room;
    this.userData = options.userData.slice();
    this.returned = options.returned;
    this.inputStats = options.inputStats;
    this.limit = new MessageLimit(options.messageLimit, options.now);
    this.#kick = options.kick;
  }

  get carrier(): CarrierTraits["name"] {
    return this.connection.carrier.name;
  }

  get stats(): ConnectionStats {
    return this.connection.stats;
  }

  kick(reason: string = "kicked by the server"): void {
    this.#kick(this, reason);
  }
}
