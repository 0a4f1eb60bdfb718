/** What crosses between the game thread and a network thread: the kinds of records, and the events that are more than bytes. */
import { deserialize, serialize } from "node:v8";
import { NetworkError } from "@riposte/protocol";
import type { NetworkErrorCode } from "@riposte/protocol";
import type {
  CarrierTraits,
  Channel,
  ConnectionState,
  NegotiatedExtensions,
  QosOverrides,
  Reassembly,
} from "@riposte/protocol/channel";
import type { CongestionControlName, CongestionControlOptions } from "@riposte/protocol/congestion";
import type { NetworkConditions } from "@riposte/protocol/simulator";

/** Kinds of records, both ways. Messages: the slot and generation name the connection, the argument the stream. */
export const MESSAGE_RELIABLE = 1;
const MESSAGE_ORDERED = 2;
const MESSAGE_UNORDERED = 3;
export const MESSAGE_RAW = 4;
/** A serialized `ConnectionCommand` or `ConnectionEvent`. */
export const CONNECTION_EVENT = 5;
/** To the network thread: what is queued in all connections is to be sent. */
export const FLUSH = 6;
/** A datagram of a WebSocket, to or from the path in the slot. */
export const DATAGRAM = 7;
/** A serialized `ServerCommand` or `ServerEvent`. */
export const SERVER_EVENT = 11;
/** To the game thread: a packet that is traced. */
export const TRACE_SENT = 8;
export const TRACE_RECEIVED = 9;
/** The argument is its bytes. */
export const TRACE_LOST = 10;
/** Packet number and time before the payload of a traced packet, two doubles. */
export const TRACE_HEADER_BYTES = 16;

export function kindOf(channel: Channel): number {
  return channel === "reliableOrdered"
    ? MESSAGE_RELIABLE
    : channel === "unreliableOrdered"
      ? MESSAGE_ORDERED
      : MESSAGE_UNORDERED;
}

export function channelOf(kind: number): Channel {
  return kind === MESSAGE_RELIABLE
    ? "reliableOrdered"
    : kind === MESSAGE_ORDERED
      ? "unreliableOrdered"
      : "unreliableUnordered";
}

/** Commands of the game thread about the connection that the record names. */
export type ConnectionCommand =
  | { readonly type: "close"; readonly code: number; readonly reason: string }
  | { readonly type: "finish"; readonly code: number; readonly reason: string; readonly timeoutMs: number | undefined }
  | { readonly type: "fail"; readonly error: PlainError }
  | { readonly type: "flush" }
  | { readonly type: "qos"; readonly overrides: QosOverrides }
  | { readonly type: "congestionControl"; readonly algorithm: NamedCongestionControl }
  | { readonly type: "trace"; readonly on: boolean }
  | { readonly type: "simulate"; readonly conditions: NetworkConditions | undefined }
  /** Answered at once, to a game thread that waits. */
  | { readonly type: "inspectReassembly" | "clearReassembly" };

/** Commands about the server. */
export type ServerCommand =
  | { readonly type: "serverQos"; readonly overrides: QosOverrides }
  | { readonly type: "simulateAll"; readonly conditions: NetworkConditions | undefined }
  | { readonly type: "pathClosed"; readonly path: number }
  /** Some WebSocket takes more again. */
  | { readonly type: "writable" }
  | { readonly type: "closeServer" };

/** What waits on the other side of `inspectReassembly` and `clearReassembly`. */
export type ThreadAnswer = Reassembly[] | number;

/** What stays the same of a connection. */
export interface ConnectionIdentity {
  readonly clientId: bigint;
  readonly userData: Uint8Array;
}

/** What changes, as it is after an event. */
export interface ConnectionView {
  readonly state: ConnectionState;
  readonly carrier: CarrierTraits;
  readonly negotiated: NegotiatedExtensions;
  readonly interrupted: boolean;
  /** -1: none. */
  readonly path: number;
  /** Of the path, unless it is a WebSocket's. */
  readonly address: string;
}

export interface ConnectionEvent {
  readonly type: "admitted" | "connected" | "interrupted" | "migrated" | "closing" | "disconnected" | "rejected";
  /** With the first event of a connection. */
  readonly identity?: ConnectionIdentity;
  readonly view: ConnectionView;
  readonly error?: PlainError | undefined;
  /** With the last event: its numbers. */
  readonly numbers?: Float64Array;
}

export type ServerEvent =
  /** Somebody without a connection was refused. */
  | { readonly type: "refused"; readonly error: PlainError }
  | { readonly type: "pathRetained" | "pathReleased" | "pathForgotten"; readonly path: number }
  /** The last event of all. */
  | { readonly type: "closed" };

/** A congestion control that another thread can make. */
export interface NamedCongestionControl {
  readonly name: CongestionControlName;
  readonly options: CongestionControlOptions;
}

export interface PlainError {
  readonly code: NetworkErrorCode;
  readonly message: string;
  readonly closeCode: number | undefined;
}

export function plainError(error: NetworkError): PlainError {
  return { code: error.code, message: error.message, closeCode: error.closeCode };
}

export function networkError({ code, message, closeCode }: PlainError): NetworkError {
  return new NetworkError(code, message, closeCode === undefined ? undefined : { closeCode });
}

export function encode(value: ConnectionCommand | ConnectionEvent | ServerCommand | ServerEvent): Uint8Array {
  return serialize(value);
}

/** The bytes are borrowed: what the value holds of them is copied. */
export function decode(buffer: Uint8Array, offset: number, length: number): unknown {
  return deserialize(buffer.slice(offset, offset + length));
}
