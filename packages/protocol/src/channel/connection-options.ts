/** The types around `Connection`: channels, what a carrier gives, who is told, options and limits. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { Connection } from "./connection.ts";
import type { HelloExtension } from "./hello.ts";

/**
 * - `reliableOrdered`: every message exactly once, in order, up to 16 MiB each
 * - `unreliableOrdered`: may be lost; never one older than the newest delivered
 * - `unreliableUnordered`: may be lost, may come in any order
 */
export type Channel = "reliableOrdered" | "unreliableOrdered" | "unreliableUnordered";

/** What a carrier gives; the channel layer adds what is missing. */
export interface CarrierTraits {
  readonly name: "udp" | "websocket" | "memory";
  /** Largest netcode payload the carrier takes: 1200. */
  readonly maxPayloadBytes: number;
  /** Nothing is lost or reordered on the way: data is sent again only after a gap in the acknowledgements, and probes are PINGs. */
  readonly reliable: boolean;
}

/** Who gets the messages: one object for all connections of an endpoint. */
export interface ConnectionSink {
  /** `buffer[offset, offset + length)` is borrowed until return. */
  message(connection: Connection, channel: Channel, buffer: Uint8Array, offset: number, length: number): void;
  /** A payload from a plain netcode peer, borrowed until return. */
  raw(connection: Connection, buffer: Uint8Array, offset: number, length: number): void;
}

/** Who drives the connection: told when `fillPayload` may have work now that it did not have before. */
export interface ConnectionOwner {
  /** Cheap and idempotent: called from `send`, `sendRaw` and `close`. */
  wake(connection: Connection): void;
}

/** `full`: the queue has no room, try again later. `closed`: the connection does not send any more. */
export type SendResult = "queued" | "full" | "closed";

/**
 * - `hello`: not negotiated yet; messages queue
 * - `open`: frames flow
 * - `raw`: the peer is a plain netcode 1.02 program; only `sendRaw`
 * - `closed`: for good
 */
export type ConnectionState = "hello" | "open" | "raw" | "closed";

/** Bounds of one connection's queues. */
export interface ConnectionLimits {
  /** Largest reliable message, sent or received. Default 16 MiB. */
  readonly reliableMessageBytes: number;
  /** Reliable bytes accepted and not yet acknowledged; past it `send` says `full`. Default 17 MiB. */
  readonly reliableSendBytes: number;
  /** Reliable bytes the peer may have under way. Starts at 64 KiB and opens with what has been received. Default 1 MiB. */
  readonly receiveWindowBytes: number;
  /** Unreliable bytes waiting to be sent; past it the oldest are dropped. Default 512 KiB. */
  readonly unreliableSendBytes: number;
  /** An unreliable message that waited longer is dropped unsent. Default 250 ms. */
  readonly unreliableMaxAgeMs: number;
  /** Bytes of unfinished fragmented messages; past it the oldest are dropped. Default 512 KiB. */
  readonly reassemblyBytes: number;
  /** An unfinished fragmented message is dropped this long after its first fragment. Default 10 s. */
  readonly reassemblyTimeoutMs: number;
  /** Unreliable bytes that may be in flight beyond the congestion window. Default 9,600 (8 packets). */
  readonly reserveBytes: number;
}

export interface ConnectionOptions {
  readonly role: "client" | "server";
  readonly carrier: CarrierTraits;
  /** `undefined`: a plain netcode peer, raw from the start. A server with a hello still accepts plain peers. */
  readonly hello:
    | {
        readonly version: 1;
        /** 8 bytes. */
        readonly schemaHash: Uint8Array;
        readonly extensions?: readonly HelloExtension[];
      }
    | undefined;
  readonly sink: ConnectionSink;
  readonly owner: ConnectionOwner;
  readonly now: number;
  /** netcode's client index on a server. Default 0. */
  readonly index?: number;
  /** From the token. Default 0n. */
  readonly clientId?: bigint;
  /** From the token. Default empty. */
  readonly userData?: Uint8Array;
  /** Default `new NewRenoCongestionControl()`. */
  readonly congestionControl?: CongestionControl;
  /** Round trip of the admission handshake, so that the first timers fit the link. Default 333 ms (RFC 9002 section 6.2.2). */
  readonly initialRttMs?: number;
  readonly limits?: Partial<ConnectionLimits>;
}

export const DEFAULT_LIMITS: ConnectionLimits = {
  reliableMessageBytes: 16 * 1024 * 1024,
  reliableSendBytes: 17 * 1024 * 1024,
  receiveWindowBytes: 1024 * 1024,
  unreliableSendBytes: 512 * 1024,
  unreliableMaxAgeMs: 250,
  reassemblyBytes: 512 * 1024,
  reassemblyTimeoutMs: 10_000,
  reserveBytes: 9_600,
};
