/** What the compliance suite needs of a carrier: a way to open both ends, and to let time pass. */
import type { Crypto, NetworkError } from "@riposte/protocol";
import type { Channel, Connection } from "@riposte/protocol/channel";
import type { NetworkConditions } from "@riposte/protocol/simulator";

/** Told by both ends; the shape of the transports' handlers. */
export interface ComplianceHandlers {
  connected(connection: Connection): void;
  disconnected(connection: Connection, error: NetworkError | undefined): void;
  message(connection: Connection, channel: Channel, buffer: Uint8Array, offset: number, length: number): void;
  raw(connection: Connection, buffer: Uint8Array, offset: number, length: number): void;
}

export interface ComplianceServer {
  /** What tokens name it. */
  readonly addresses: readonly string[];
  /** Datagrams dropped so far, for whatever reason. */
  dropped(): number;
  flush(): void;
  close(): Promise<void>;
}

export interface ComplianceClient {
  readonly connection: Connection;
  flush(): void;
  simulate(conditions: NetworkConditions | undefined): void;
  close(): Promise<void>;
}

/** A client that is connecting. */
export interface Dialing {
  /** Rejects with a `NetworkError`, or with the reason given to `abort`. */
  readonly connected: Promise<ComplianceClient>;
  abort(reason: Error): void;
}

export interface ComplianceServerOptions {
  readonly protocolId: bigint;
  readonly privateKey: Uint8Array;
  readonly maxClients: number;
  readonly schemaHash: Uint8Array | undefined;
  readonly handlers: ComplianceHandlers;
}

export interface ComplianceDialOptions {
  readonly token: Uint8Array;
  readonly schemaHash: Uint8Array | undefined;
  readonly handlers: ComplianceHandlers;
}

/** One fresh world for one case: a carrier, both its ends, and time. */
export interface CarrierHarness {
  readonly crypto: Crypto;
  unixSeconds(): number;
  listen(options: ComplianceServerOptions): Promise<ComplianceServer>;
  dial(server: ComplianceServer, options: ComplianceDialOptions): Dialing;
  /** Lets time pass until the condition holds; rejects, saying what did not happen, after `limitMs`. */
  until(condition: () => boolean, what: string, limitMs?: number): Promise<void>;
  /** Sends these datagrams to the server from somebody it does not know. */
  inject(server: ComplianceServer, datagrams: readonly Uint8Array[]): Promise<void>;
  /** Closes what is still open. */
  close(): Promise<void>;
}

/** One test: give `name` and `run` to the test runner. */
export interface ComplianceCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}
