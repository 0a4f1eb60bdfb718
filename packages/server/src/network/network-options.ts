/** What `listen` may be told about its network. Most of it can be changed later by `server.network`, too. */

import type { BatchOptions, ConnectionLimits, QosOverrides } from "@riposte/protocol/channel";
import { congestionControlFactory } from "@riposte/protocol/congestion";
import type { CongestionControl, CongestionControlName } from "@riposte/protocol/congestion";
import type { EndpointExtensions } from "@riposte/protocol/endpoint";
import type { ListenTransportOptions } from "@riposte/transport";

export interface NetworkOptions {
  /** How much may be under way at once: by name, or what makes a controller for each path of each connection. Default "newReno". */
  readonly congestionControl?: CongestionControlName | (() => CongestionControl);
  /** Priorities, weights and rate limits of the channels. Default: see `ChannelQos`. */
  readonly qos?: QosOverrides;
  /** Packets larger than netcode's, and sessions that move to other addresses: where the client is able and its token permits it. Default: both. */
  readonly extensions?: EndpointExtensions;
  /** Largest IP packet that the search for a path's MTU tries: 1280 to 9000. Default 1500. */
  readonly maxPacketBytes?: number;
  /** When messages wait for others to share a packet with. Default: until the end of the tick. */
  readonly batch?: BatchOptions;
  /** Of each connection's queues, over those of a game: see `ConnectionLimits`. */
  readonly limits?: Partial<ConnectionLimits>;
  /** What the unfinished fragmented messages of all connections may hold. Default 64 MiB. */
  readonly reassemblyPoolBytes?: number;
}

/** The part of `listenTransport`'s options that comes from them. */
export type ResolvedNetworkOptions = Pick<
  ListenTransportOptions,
  "batch" | "congestionControl" | "extensions" | "limits" | "maxPacketBytes" | "qos" | "reassemblyPoolBytes"
>;

/**
 * A game's messages have 16 KiB at most, so no client may make the server keep more than a few of them
 * for it: under way, put together from pieces, or waiting for an acknowledgement that does not come.
 */
const CONNECTION_LIMITS: Partial<ConnectionLimits> = {
  reliableMessageBytes: 65_536,
  receiveWindowBytes: 65_536,
  reassemblyBytes: 131_072,
  reliableSendBytes: 1_048_576,
};

/** Throws `RangeError` for what cannot work. */
export function resolveNetworkOptions(options: NetworkOptions, tickRate: number): ResolvedNetworkOptions {
  const { congestionControl, qos, extensions, maxPacketBytes, reassemblyPoolBytes } = options;
  const intervalMs = options.batch?.intervalMs ?? 1000 / tickRate;
  if (!(intervalMs >= 0)) throw new RangeError(`batch.intervalMs must be at least 0, got ${intervalMs}`);
  return {
    limits: { ...CONNECTION_LIMITS, ...options.limits },
    // The tick ends with a flush, so this holds for what is sent between two ticks.
    batch: { intervalMs },
    ...(congestionControl !== undefined && {
      congestionControl:
        typeof congestionControl === "function" ? congestionControl : congestionControlFactory(congestionControl),
    }),
    ...(qos !== undefined && { qos }),
    ...(extensions !== undefined && { extensions }),
    ...(maxPacketBytes !== undefined && { maxPacketBytes }),
    ...(reassemblyPoolBytes !== undefined && { reassemblyPoolBytes }),
  };
}
