/** The types around `Connection`: channels, what a carrier gives, who is told, options and limits. */

import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { Connection } from "./connection.ts";
import { MAX_RELIABLE_BYTES } from "./frames.ts";
import type { QosOverrides, QosSettings } from "./qos-manager.ts";
import type { ReassemblyPool } from "./reassembly-pool.ts";

/**
 * - `reliableOrdered`: every message exactly once, in order within its stream, up to 16 MiB each
 * - `unreliableOrdered`: may be lost; never one older than the newest delivered
 * - `unreliableUnordered`: may be lost, may come in any order
 */
export type Channel = "reliableOrdered" | "unreliableOrdered" | "unreliableUnordered";

/** What a carrier gives; the channel layer adds what is missing. */
export interface CarrierTraits {
  readonly name: "udp" | "websocket" | "memory";
  /** Largest netcode payload that is known to pass: 1200. */
  readonly maxPayloadBytes: number;
  /** Nothing is lost or reordered on the way: data is sent again only after a gap in the acknowledgements, and probes are PINGs. */
  readonly reliable: boolean;
  /** Present where packets are never cut on the way, so that the path may be searched for larger ones. */
  readonly path?: PathTraits;
}

export interface PathTraits {
  readonly ipVersion: 4 | 6;
  /** Largest IP packet to search for: 1500, up to 9000 where the networks are one's own. */
  readonly maxPacketBytes: number;
}

/** Who gets the messages: one object for all connections of an endpoint. */
export interface ConnectionSink {
  /** `buffer[offset, offset + length)` is borrowed until return. `stream` is 0 but on `reliableOrdered`. */
  message(
    connection: Connection,
    channel: Channel,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): void;
  /** A payload from a plain netcode peer, borrowed until return. */
  raw(connection: Connection, buffer: Uint8Array, offset: number, length: number): void;
  /** After a `send` that answered `full`: half of the reliable queue is free again. */
  drained?(connection: Connection): void;
}

/** Who drives the connection. */
export interface ConnectionOwner {
  /** `fillPayload` may have work now that it did not have before. Cheap and idempotent: called from `send`, `sendRaw` and `close`. */
  wake(connection: Connection): void;
  /** This side begins to close: nothing more is taken to send, but what was accepted, or a goodbye, is still on its way. */
  closing?(connection: Connection): void;
  /** The hello is done: `extensions` says what both sides want. */
  opened?(connection: Connection): void;
}

/** `full`: the queue has no room, try again later. `closed`: the connection does not send any more. */
export type SendResult = "queued" | "full" | "closed";

/**
 * - `hello`: not negotiated yet; messages queue
 * - `open`: frames flow
 * - `raw`: the peer is a plain netcode 1.02 program; only `sendRaw`
 * - `finishing`: takes nothing more; closes when what was accepted has arrived
 * - `closed`: for good
 */
export type ConnectionState = "hello" | "open" | "raw" | "finishing" | "closed";

export interface SendOptions {
  /** `reliableOrdered` only: 0 to 255. A lost message holds back only those behind it in its own stream. Default 0. */
  readonly stream?: number;
  /** Unreliable channels only: dropped unsent when it has waited for so long. Default `unreliableMaxAgeMs`. */
  readonly deadlineMs?: number;
}

/** When messages wait for others to share a packet with. */
export interface BatchOptions {
  /**
   * How long a message waits for others, in milliseconds; a full packet goes at once, `flush` sends everything, and a
   * packet that goes anyway takes it along. 0: with the next wake-up. Default 0; `listen` takes the length of a tick.
   */
  readonly intervalMs?: number;
}

/** What a side is able and allowed to do beyond netcode 1.02. Both must want it. */
export interface ConnectionExtensions {
  /** Largest UDP payload this side takes, above netcode's 1,225. */
  readonly largePackets?: number;
  /** The session survives a change of address. A client says `true`, a server the number it is to be named by: 32 bits. */
  readonly migration?: true | number;
  /** Payloads under AES-256-GCM instead of ChaCha20-Poly1305. */
  readonly aes?: boolean;
}

/** What both sides agreed on. */
export interface NegotiatedExtensions {
  /** Largest UDP payload the peer takes; `undefined`: netcode's own. */
  readonly largePackets: number | undefined;
  /** What the session is named by on any path. */
  readonly sessionId: number | undefined;
  readonly aes: boolean;
}

/** Bounds of one connection's queues. */
export interface ConnectionLimits {
  /** Largest reliable message that is received; who sends a larger one is disconnected. Default 16 MiB. */
  readonly reliableMessageBytes: number;
  /** Reliable bytes accepted and not yet acknowledged, on all streams; past it `send` says `full`, and a message larger than that throws. Default 17 MiB. */
  readonly reliableSendBytes: number;
  /** Reliable bytes the peer may have under way, on all streams. Starts at 64 KiB and opens with what has been received. Default 1 MiB. */
  readonly receiveWindowBytes: number;
  /** Bytes of unfinished reliable messages, on all streams; a peer that goes past it is disconnected. Default 32 MiB. */
  readonly reliableUnfinishedBytes: number;
  /** Unreliable bytes waiting to be sent, on each of both channels; past it the oldest are dropped. Default 512 KiB. */
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
        readonly extensions?: ConnectionExtensions;
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
  /** A fresh congestion controller for each path. Default New Reno. */
  readonly congestionControl?: () => CongestionControl;
  /** Round trip of the admission handshake, so that the first timers fit the link. Default 333 ms (RFC 9002 section 6.2.2). */
  readonly initialRttMs?: number;
  readonly limits?: Partial<ConnectionLimits>;
  readonly batch?: BatchOptions;
  /** Priorities, weights and rates over those of `qosDefaults`. */
  readonly qos?: QosOverrides;
  /** What a server has for all its connections; changes to it count at once. */
  readonly qosDefaults?: QosSettings;
  /** What a server's connections share. Default: a pool of this connection's own. */
  readonly reassemblyPool?: ReassemblyPool;
}

export const DEFAULT_LIMITS: ConnectionLimits = {
  reliableMessageBytes: MAX_RELIABLE_BYTES,
  reliableSendBytes: 17 * 1024 * 1024,
  receiveWindowBytes: 1024 * 1024,
  reliableUnfinishedBytes: 32 * 1024 * 1024,
  unreliableSendBytes: 512 * 1024,
  unreliableMaxAgeMs: 250,
  reassemblyBytes: 512 * 1024,
  reassemblyTimeoutMs: 10_000,
  reserveBytes: 9_600,
};
