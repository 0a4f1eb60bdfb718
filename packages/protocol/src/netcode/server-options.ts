/** What a netcode server is made from, and the layer above it. */
import type { Crypto, KeyStore, ReceivedPacket, TransmitSlot } from "../machine.ts";
import type { NetcodeAddress } from "./address.ts";
import type { ServerSession } from "./server-session.ts";
import type { SharedAdmission } from "./shared-admission.ts";

/** Why a client's session ended. */
export type ServerDisconnectReason =
  | "timedOut"
  | "clientDisconnected"
  | "serverDisconnected"
  | "displaced"
  | "pathClosed";

/** The layer above. Buffers are borrowed until return. */
export interface NetcodeServerHandler {
  connected(session: ServerSession, now: number): void;
  disconnected(session: ServerSession, reason: ServerDisconnectReason, now: number): void;
  /** One payload; `length` is 0 for a keep-alive. `packet.path` may be another than the session's, if it has an id. */
  payload(session: ServerSession, packet: ReceivedPacket, offset: number, length: number, now: number): void;
  /**
   * Writes one payload of at most `capacity` bytes; 0 when there is nothing to send. Asked after
   * `wake`, and up to three times after `disconnected` if we ended the session.
   */
  fill(
    session: ServerSession,
    buffer: Uint8Array,
    offset: number,
    capacity: number,
    packetNumber: number,
    now: number,
  ): number;
  /** Its path is gone; a session with an id waits for another one, until it times out. */
  interrupted?(session: ServerSession, now: number): void;
  /** After `probe`: writes one payload for another path, which it sets in `slot.path`; 0 when there is none. */
  fillProbe?(
    session: ServerSession,
    slot: TransmitSlot,
    offset: number,
    capacity: number,
    packetNumber: number,
    now: number,
  ): number;
  /** A path is in use: the driver must not give its number to another address. Calls count up and down. */
  retainPath(path: number): void;
  releasePath(path: number): void;
  /** Names the address behind a path now, the same whenever it returns. Default: the path, for those that stand for one address for ever. */
  addressOf?(path: number): string;
}

export interface NetcodeServerOptions {
  readonly protocolId: bigint;
  /** 32 bytes shared with the token service. */
  readonly privateKey: Uint8Array;
  /** 1 to 4,096. */
  readonly maxClients: number;
  /** What connect tokens call this server; a token must name one of them. */
  readonly publicAddresses: readonly (NetcodeAddress | string)[];
  readonly crypto: Crypto;
  readonly keys: KeyStore;
  readonly handler: NetcodeServerHandler;
  /** Payloads under AES-256-GCM are taken; `keys` has to have it. Default false. */
  readonly aes?: boolean;
  /** Monotonic milliseconds, and the Unix time at that instant. */
  readonly now: number;
  readonly unixSeconds: number;
  /** Admissions under way at once, default four times `maxClients`, at least 64. */
  readonly maxPending?: number;
  /** Connect tokens remembered, default eight times `maxClients`, at least 1,024. */
  readonly tokenHistory?: number;
  /** What it shares with servers of other threads on its port. Default: it is alone. */
  readonly shared?: SharedAdmission;
  /** Handshake packets decrypted a second, default 4,000. */
  readonly handshakesPerSecond?: number;
}

/** What both sides of a session agreed on beyond the standard. */
export interface SessionExtensions {
  /** Largest payload that both take. */
  readonly maxPayloadBytes: number;
  /** The session may go on by another path. */
  readonly movable: boolean;
  /** Both take payloads under AES-256-GCM. */
  readonly aes: boolean;
}
