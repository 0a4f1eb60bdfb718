/** The numbers of a server's endpoint and UDP socket as a row of doubles, and back. */
import type { UdpSocketStats } from "@riposte/datapath";
import { NetcodeDrops } from "@riposte/protocol/netcode";
import type { ServerTransport } from "../server-transport.ts";

const UDP_COUNTERS = [
  "packetsReceived",
  "bytesReceived",
  "packetsSent",
  "bytesSent",
  "receiveOverflowed",
  "receiveMalformed",
  "sendOverflowed",
  "sendFailed",
] as const satisfies readonly (keyof UdpSocketStats)[];
type DropReason = Exclude<keyof NetcodeDrops, "total">;
const DROPS = Object.keys(new NetcodeDrops()) as DropReason[];
const OTHERS = 8;

export const SERVER_WIDTH: number = OTHERS + DROPS.length + UDP_COUNTERS.length;

/** What only a network thread counts. */
export interface ThreadCounters {
  /** Records for the game that were dropped because it did not keep up. */
  readonly ringDropped: number;
  /** Packets that traces were not told of. */
  readonly tracesLeftOut: number;
  /** Datagrams for another thread's sessions. */
  readonly passedOn: number;
}

export interface ServerNumbers extends ThreadCounters {
  readonly clientCount: number;
  readonly pendingCount: number;
  readonly connectionAttempts: number;
  readonly reassemblyUsedBytes: number;
  readonly reassembliesEvicted: number;
  readonly drops: NetcodeDrops;
  readonly udp: UdpSocketStats;
}

export function writeServerNumbers(transport: ServerTransport, counters: ThreadCounters, row: Float64Array): void {
  const { endpoint } = transport;
  const { udp, drops } = transport.stats;
  row[0] = endpoint.clientCount;
  row[1] = endpoint.pendingCount;
  row[2] = endpoint.connectionAttempts;
  row[3] = endpoint.reassemblyPool.usedBytes;
  row[4] = endpoint.reassemblyPool.evicted;
  row[5] = counters.ringDropped;
  row[6] = counters.tracesLeftOut;
  row[7] = counters.passedOn;
  let at = OTHERS;
  for (const name of DROPS) row[at++] = drops[name];
  for (const name of UDP_COUNTERS) row[at++] = udp[name];
}

export function readServerNumbers(row: Float64Array): ServerNumbers {
  const drops = new NetcodeDrops();
  let at = OTHERS;
  for (const name of DROPS) drops[name] = row[at++];
  const udp = Object.fromEntries(UDP_COUNTERS.map((name) => [name, row[at++]])) as Record<keyof UdpSocketStats, number>;
  return {
    clientCount: row[0],
    pendingCount: row[1],
    connectionAttempts: row[2],
    reassemblyUsedBytes: row[3],
    reassembliesEvicted: row[4],
    ringDropped: row[5],
    tracesLeftOut: row[6],
    passedOn: row[7],
    drops,
    udp,
  };
}
