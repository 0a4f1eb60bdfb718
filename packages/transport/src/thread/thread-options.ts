/** What of a server's options goes to a network thread, and what cannot. */
import { MAX_THREADS } from "@riposte/protocol/netcode";
import { CONGESTION_CONTROL_NAMES } from "@riposte/protocol/congestion";
import type { CongestionControlFactory } from "@riposte/protocol/congestion";
import type { ListenTransportOptions, ServerOptions } from "../listen-transport.ts";
import type { NamedCongestionControl } from "./records.ts";
import type { LaneMemory } from "./message-lane.ts";
import type { SiblingStart } from "./sibling-threads.ts";

export interface NetworkThreadOptions {
  /** How many threads share the port, 1 to 8: where one core is not enough for the network. Default 1. */
  readonly threads?: number;
  /** Bytes of each of the six rings between the game and a network thread: a power of two from 1 MiB. Default 2 MiB. */
  readonly ringBytes?: number;
  /** Packets a second, of all connections together, that traces are told of; the others are left out. Default 2,000. */
  readonly tracedPacketsPerSec?: number;
}

export type ResolvedThreadOptions = Required<NetworkThreadOptions>;

/** `ServerOptions` as they cross: without functions. */
export type PlainServerOptions = Omit<ServerOptions, "congestionControl" | "datapath" | "handlers">;

/** What a network thread is started with. */
export interface ThreadStart {
  readonly port: number;
  readonly options: PlainServerOptions;
  readonly congestionControl: NamedCongestionControl | undefined;
  readonly thread: ResolvedThreadOptions;
  /** Down: from the game to the network thread; up: back. */
  readonly down: LaneMemory;
  readonly up: LaneMemory;
  /** Rows of numbers, see `SharedSlots`: one for each connection, and one of the server. */
  readonly connections: SharedArrayBuffer;
  readonly server: SharedArrayBuffer;
  /** This thread's number; and, where there are several, what they share: see `SharedHouse`. */
  readonly number: number;
  readonly house: SharedArrayBuffer | undefined;
  /** The others, by number. */
  readonly siblings: readonly (SiblingStart | undefined)[];
  /** Of WebSockets: see `SocketFlags`; `undefined` where there are none. */
  readonly sockets: SharedArrayBuffer | undefined;
}

const MIN_RING_BYTES = 2 ** 20;

/** Throws `RangeError` for what cannot work. */
export function resolveThreadOptions(options: NetworkThreadOptions): ResolvedThreadOptions {
  const { threads = 1, ringBytes = 2 ** 21, tracedPacketsPerSec = 2000 } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_THREADS) {
    throw new RangeError(`networkThread.threads must be an integer from 1 to ${MAX_THREADS}, got ${threads}`);
  }
  if (!Number.isInteger(Math.log2(ringBytes)) || ringBytes < MIN_RING_BYTES || ringBytes > 2 ** 30) {
    throw new RangeError(`networkThread.ringBytes must be a power of two from ${MIN_RING_BYTES}, got ${ringBytes}`);
  }
  if (!(tracedPacketsPerSec >= 0)) {
    throw new RangeError(`networkThread.tracedPacketsPerSec must be at least 0, got ${tracedPacketsPerSec}`);
  }
  return { threads, ringBytes, tracedPacketsPerSec };
}

/** Leaves out what stays in the game thread. Throws `TypeError` for what cannot cross. */
export function plainOptions(options: ListenTransportOptions): PlainServerOptions {
  if (options.datapath !== undefined) {
    throw new TypeError(
      "a network thread opens its own datapath: leave `datapath` out (RIPOSTE_DATAPATH=portable chooses the portable one)",
    );
  }
  const { addressOf: _a, congestionControl: _c, datapath: _d, handlers: _h, http: _t, ...rest } = options;
  const { httpPath: _p, publicAddresses: _u, signal: _s, webSocket: _w, ...plain } = rest;
  return plain;
}

/** Throws `TypeError` for a function of the user's own, which lives in this thread. */
export function namedCongestionControl(create: CongestionControlFactory): NamedCongestionControl {
  const { algorithm, options = {} } = create;
  if (algorithm === undefined) {
    throw new TypeError(
      `with a network thread congestion control is chosen by name (${CONGESTION_CONTROL_NAMES.join(", ")}, or what congestionControlFactory makes): a function cannot go to another thread`,
    );
  }
  return { name: algorithm, options };
}
