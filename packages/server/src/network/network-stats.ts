/**
 * The numbers of a server's network: in total, for each channel and for each connection. They are read from the
 * connections' own counters when somebody asks, so that packets pay nothing. Bytes of packets count whole netcode
 * packets: header, number, payload and tag, without IP and UDP. netcode's own handshake, keep-alives and goodbyes are
 * not counted as sent.
 */

import type { CarrierTraits, Channel } from "@riposte/protocol/channel";
import type { ConnectionStatus } from "./network-event-listener.ts";
import { CHANNELS, TrafficTotals } from "./traffic-totals.ts";
import type { ChannelCounters, TrafficCounters } from "./traffic-totals.ts";
import type { TrackedConnection } from "./tracked-connection.ts";

/** One channel's numbers. */
export interface ChannelNetworkStats extends Readonly<ChannelCounters> {
  /** Bytes waiting; on the reliable channel those not acknowledged, too. */
  readonly queuedBytes: number;
}

export interface NetworkGauges {
  /** Bytes sent and neither acknowledged nor given up. */
  readonly bytesInFlight: number;
  readonly reliableQueuedBytes: number;
  readonly unreliableQueuedBytes: number;
  /** Held by unfinished fragmented messages. */
  readonly reassemblyBytes: number;
  /** Messages that shared a packet, on average; and how full those packets were, 0..1. */
  readonly messagesPerPacket: number;
  readonly packetFill: number;
  readonly channels: Readonly<Record<Channel, ChannelNetworkStats>>;
}

/** One connection. */
export interface ConnectionNetworkStats extends Readonly<TrafficCounters>, NetworkGauges {
  readonly connectionId: number;
  readonly clientId: bigint;
  readonly status: ConnectionStatus;
  readonly carrier: CarrierTraits["name"];
  /** Since it got its seat. */
  readonly ageMs: number;
  /** Smoothed round trip, 0 before the first sample; the newest sample and the least. */
  readonly rttMs: number;
  readonly latestRttMs: number;
  readonly minRttMs: number;
  /** Mean deviation of the round trip. */
  readonly jitterMs: number;
  /** Share of packets lost lately, 0..1: of ours on their way there, of the peer's on their way here. */
  readonly lossRate: number;
  readonly receiveLossRate: number;
  readonly congestionControl: string;
  /** The phase that the algorithm says it is in; empty where it names none. */
  readonly congestionState: string;
  readonly congestionWindowBytes: number;
  /** `Infinity` while nothing is known of the path. */
  readonly pacingRateBytesPerSec: number;
  /** Delivery rate reached lately. */
  readonly bandwidthBytesPerSec: number;
  /** Payload of a packet now: follows the path's MTU. */
  readonly payloadBytes: number;
}

/** The whole server. What connections counted includes those that are closed. */
export interface NetworkStats extends Readonly<TrafficCounters>, NetworkGauges {
  readonly currentConnections: number;
  /** Connections that ever had a seat. */
  readonly totalConnections: number;
  /** Admissions begun with a good token, and clients with a good token who were turned away because every seat was taken. */
  readonly connectionAttempts: number;
  /** Of these attempts: became usable; ended before that. The rest is under way. */
  readonly successfulConnections: number;
  readonly failedConnections: number;
  /** Requests without a good token, or too many at once, also in the name of a session; every datagram counts, so this is a flood's meter. */
  readonly refusedRequests: number;
  /** Means over the connections that have measured a round trip. */
  readonly averageRttMs: number;
  readonly averageJitterMs: number;
  /** Share of packets lost lately, 0..1, on the way there and on the way here. */
  readonly packetLossRate: number;
  readonly receiveLossRate: number;
  /** The least of all connections; 0 without any. */
  readonly minRttMs: number;
  /** Unfinished fragmented messages of all connections: the cap, and how many were given up because of it. */
  readonly reassemblyLimitBytes: number;
  readonly reassembliesEvicted: number;
  /** When these numbers were read: monotonic milliseconds. */
  readonly lastUpdatedAt: number;
}

/** What is counted elsewhere than in connections. */
export type ServerCounts = Pick<
  NetworkStats,
  | "totalConnections"
  | "connectionAttempts"
  | "successfulConnections"
  | "failedConnections"
  | "refusedRequests"
  | "reassemblyLimitBytes"
  | "reassembliesEvicted"
>;

export function readConnectionStats(tracked: TrackedConnection, now: number): ConnectionNetworkStats {
  const { connection } = tracked;
  const { stats } = connection;
  const totals = new TrafficTotals();
  totals.add(stats);
  return {
    connectionId: tracked.id,
    clientId: connection.clientId,
    status: tracked.status,
    carrier: connection.carrier.name,
    ageMs: now - tracked.startedAt,
    rttMs: stats.rttMs,
    latestRttMs: stats.latestRttMs,
    minRttMs: finite(stats.minRttMs),
    jitterMs: stats.jitterMs,
    lossRate: stats.lossRate,
    receiveLossRate: stats.receiveLossRate,
    congestionControl: stats.congestionControl,
    congestionState: stats.congestionState,
    congestionWindowBytes: stats.congestionWindowBytes,
    pacingRateBytesPerSec: stats.pacingRateBytesPerSec,
    bandwidthBytesPerSec: stats.bandwidthBytesPerSec,
    payloadBytes: stats.payloadBytes,
    ...totals.counters,
    ...gauges([tracked], totals),
  };
}

/** Sums the connections that live, and what was counted by those that do not (`closed`). */
export function readNetworkStats(
  connections: readonly TrackedConnection[],
  closed: TrafficTotals,
  counts: ServerCounts,
  now: number,
): NetworkStats {
  const totals = new TrafficTotals();
  totals.addTotals(closed);
  const sums = { rtt: 0, jitter: 0, loss: 0, receiveLoss: 0, measured: 0, minRtt: Infinity };
  for (const { connection } of connections) {
    const { stats } = connection;
    totals.add(stats);
    if (stats.rttMs === 0) continue;
    sums.measured++;
    sums.rtt += stats.rttMs;
    sums.jitter += stats.jitterMs;
    sums.loss += stats.lossRate;
    sums.receiveLoss += stats.receiveLossRate;
    sums.minRtt = Math.min(sums.minRtt, stats.minRttMs);
  }
  const divisor = Math.max(sums.measured, 1);
  return {
    ...counts,
    currentConnections: connections.length,
    averageRttMs: sums.rtt / divisor,
    averageJitterMs: sums.jitter / divisor,
    packetLossRate: sums.loss / divisor,
    receiveLossRate: sums.receiveLoss / divisor,
    minRttMs: finite(sums.minRtt),
    lastUpdatedAt: now,
    ...totals.counters,
    ...gauges(connections, totals),
  };
}

function gauges(connections: readonly TrackedConnection[], { counters, channels }: TrafficTotals): NetworkGauges {
  const queued: Record<Channel, number> = { reliableOrdered: 0, unreliableOrdered: 0, unreliableUnordered: 0 };
  let bytesInFlight = 0;
  let reassemblyBytes = 0;
  for (const { connection } of connections) {
    const { stats, fragmenter } = connection;
    bytesInFlight += stats.bytesInFlight;
    reassemblyBytes += fragmenter.usedBytes;
    for (const channel of CHANNELS) queued[channel] += stats.of(channel).queuedBytes;
  }
  const { batches, batchedMessages, batchedBytes, batchCapacityBytes } = counters;
  return {
    bytesInFlight,
    reassemblyBytes,
    reliableQueuedBytes: queued.reliableOrdered,
    unreliableQueuedBytes: queued.unreliableOrdered + queued.unreliableUnordered,
    messagesPerPacket: batches === 0 ? 0 : batchedMessages / batches,
    packetFill: batchCapacityBytes === 0 ? 0 : batchedBytes / batchCapacityBytes,
    channels: {
      reliableOrdered: { ...channels.reliableOrdered, queuedBytes: queued.reliableOrdered },
      unreliableOrdered: { ...channels.unreliableOrdered, queuedBytes: queued.unreliableOrdered },
      unreliableUnordered: { ...channels.unreliableUnordered, queuedBytes: queued.unreliableUnordered },
    },
  };
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
