/** What a session needs of a carrier, whichever it is. Both carriers, UDP and WebSocket, have this shape. */

import type { CarrierTraits, Connection, ConnectionSink } from "@riposte/protocol/channel";
import type { NetworkError } from "@riposte/protocol";
import type { NetworkConditions } from "@riposte/protocol/simulator";

export type CarrierName = CarrierTraits["name"];

/** Called by a carrier. `message` and `raw` borrow their bytes until they return. */
export interface CarrierHandlers extends ConnectionSink {
  /** The connection is over; called once, also when `close` ended it (then without an error). */
  disconnected(connection: Connection, error: NetworkError | undefined): void;
  /** The carrier is gone; another one is looked for until the session times out. */
  interrupted?(connection: Connection): void;
  /** It goes on by another path; `connection.carrier` says by which carrier. */
  migrated?(connection: Connection): void;
}

export interface DialOptions {
  /** Where the WebSocket is; UDP takes its addresses from the token. */
  readonly url: string;
  /** The connect token, 2048 bytes. */
  readonly token: Uint8Array;
  /** The game's schema hash, 8 bytes. */
  readonly schemaHash: Uint8Array;
  readonly handlers: CarrierHandlers;
  /** Aborting gives up connecting; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Artificial conditions from the first packet on, in both directions. */
  readonly simulate?: NetworkConditions | undefined;
}

/** An open connection and the driver under it. */
export interface ClientCarrier {
  readonly connection: Connection;
  /** Sends what is queued, now. */
  flush(): void;
  /** Goes on from another port or by another socket. Rejects with a `NetworkError` when the server does not answer there. */
  migrate(): Promise<void>;
  /** Artificial conditions in both directions; undefined turns them off. */
  simulate(conditions: NetworkConditions | undefined): void;
  /** Tells the server, then closes the socket. Resolves when it is closed. */
  close(): Promise<void>;
}

/** Opens a carrier; resolves when the server has admitted the client, rejects with a `NetworkError` when not. */
export type Dial = (options: DialOptions) => Promise<ClientCarrier>;
