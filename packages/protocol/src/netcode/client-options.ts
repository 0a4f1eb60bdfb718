/** What a netcode client is made from, its states, and the layer above it. */
import type { Crypto, KeyStore, ReceivedPacket, TransmitSlot } from "../machine.ts";

/** The states of the standard; the first six are how an attempt or a session ended in error. */
export type NetcodeClientState =
  | "connectTokenExpired"
  | "invalidConnectToken"
  | "connectionTimedOut"
  | "connectionResponseTimedOut"
  | "connectionRequestTimedOut"
  | "connectionDenied"
  | "disconnected"
  | "sendingConnectionRequest"
  | "sendingConnectionResponse"
  | "connected";

/** The layer above. Buffers are borrowed until return. */
export interface NetcodeClientHandler {
  stateChanged(state: NetcodeClientState, now: number): void;
  /** One payload; `length` is 0 for a keep-alive. */
  payload(packet: ReceivedPacket, offset: number, length: number, now: number): void;
  /** Writes one payload of at most `capacity` bytes; 0 when there is nothing to send. Asked after `wake`. */
  fill(buffer: Uint8Array, offset: number, capacity: number, packetNumber: number, now: number): number;
  /** The path is gone; a session that the server has named waits for another one, until it times out. */
  interrupted?(now: number): void;
  /** After `probe`: writes one payload for another path, which it sets in `slot.path`; 0 when there is none. */
  fillProbe?(slot: TransmitSlot, offset: number, capacity: number, packetNumber: number, now: number): number;
}

export interface NetcodeClientOptions {
  /** 2,048 bytes. */
  readonly token: Uint8Array;
  /** The driver's path to each server address of the token, in its order; -1: cannot be reached, skip it. */
  readonly serverPaths: readonly number[];
  readonly crypto: Crypto;
  readonly keys: KeyStore;
  readonly handler: NetcodeClientHandler;
  readonly now: number;
  /** Largest payload taken from the server. Default netcode's 1200. */
  readonly maxPayloadBytes?: number;
}
