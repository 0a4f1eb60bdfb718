import type { CongestionControl } from "../congestion/congestion-control.ts";
import type { NetworkError } from "../network-error.ts";
import type { MtuDiscovery } from "../path/mtu-discovery.ts";
import type {
  CarrierTraits,
  Channel,
  ConnectionState,
  NegotiatedExtensions,
  SendOptions,
  SendResult,
} from "./connection-options.ts";
import type { ConnectionStats } from "./connection-stats.ts";
import type { ConnectionTrace } from "./connection-trace.ts";
import type { PacketFragmenter } from "./packet-fragmenter.ts";
import type { QosManager } from "./qos-manager.ts";

/**
 * One session with one peer as the layer above sees it, the same whether its machine, a `Connection`, runs in this
 * thread or in a network thread. What is different there is said in `docs/network-thread.md`.
 */
export interface GameConnection {
  /** netcode's client index on a server, 0 on a client. */
  readonly index: number;
  readonly clientId: bigint;
  /** The token's 256 bytes of user data. */
  readonly userData: Uint8Array;
  readonly stats: ConnectionStats;
  /** Priorities, weights and rate limits of this connection; change them at any time. */
  readonly qos: QosManager;
  /** Free for the layer above. */
  context: unknown;
  readonly state: ConnectionState;
  /** Why it closed; `undefined` while open, and after this side closed in good order. */
  readonly closeError: NetworkError | undefined;
  /** What the carrier below gives now; a migration may change it. */
  readonly carrier: CarrierTraits;
  /** No path leads to the peer now: what is sent waits until one does, or the session times out. */
  readonly interrupted: boolean;
  /** What both sides want beyond netcode 1.02. */
  readonly negotiated: NegotiatedExtensions;
  /** The search for the path's MTU; `undefined` where packets have a fixed size. */
  readonly mtu: Pick<MtuDiscovery, "currentPayloadBytes"> | undefined;
  /** Unfinished fragmented messages: look at them, or clear them. */
  readonly fragmenter: Pick<PacketFragmenter, "clear" | "dropped" | "inspect" | "pendingCount" | "usedBytes">;
  /** Told of packets while set; see `docs/diagnostics.md`. */
  trace: ConnectionTrace | undefined;
  /**
   * Queues a message, copying it. Throws `RangeError` when it is larger than the channel takes
   * (16 MiB reliable, 256 KiB unreliable) or an option does not go with the channel. In state
   * `raw` it answers `closed`: see `sendRaw`.
   */
  send(channel: Channel, buffer: Uint8Array, offset?: number, length?: number, options?: SendOptions): SendResult;
  /** Queues one payload for a plain netcode peer; `closed` unless in state `raw`. Throws `RangeError` above 1200 bytes. */
  sendRaw(buffer: Uint8Array, offset?: number, length?: number): SendResult;
  /** Whether the channel's rate limit would let `bytes` leave now, and its queue takes them. */
  canSend(channel: Channel, bytes: number): boolean;
  /** Messages queued so far wait no longer for others to share a packet with. */
  flush(): void;
  /** Bytes of the packet around a payload that was received or sent: header, name of the session, number, payload and tag. */
  packetBytes(payloadBytes: number, packetNumber: number, isReceived: boolean): number;
  /** Another congestion controller from now on, on this path and later ones. It starts from its own initial window. */
  setCongestionControl(create: () => CongestionControl): void;
  /** Closes at once; the peer is told the application's `code` and `reason`. What was queued is dropped. */
  close(code?: number, reason?: string): void;
  /**
   * Takes nothing more to send, delivers what was accepted, then closes as `close` does: when
   * everything reliable is acknowledged, or `timeoutMs` (default 5,000) are over. At once if it is not open yet.
   */
  finish(code?: number, reason?: string, timeoutMs?: number): void;
  /** Closes at once because of `error`, which the peer is told by its code. */
  fail(error: NetworkError): void;
}
