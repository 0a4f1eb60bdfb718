/** What an operator should look at first, said in words. */

import type { ConnectionNetworkStats, NetworkStats } from "../network/network-stats.ts";

export interface Finding {
  readonly level: "problem" | "notice";
  /** `undefined`: the whole server. */
  readonly connectionId?: number;
  readonly text: string;
}

/** Findings about single connections; more are only counted. */
const MAX_CONNECTION_FINDINGS = 50;

// What a game feels.
const LOSS_PROBLEM = 0.05;
const LOSS_NOTICE = 0.02;
const RTT_NOTICE_MS = 200;
const JITTER_NOTICE_MS = 30;
/** A client that has so much to read still. */
const QUEUED_NOTICE_BYTES = 256 * 1024;
const DROPPED_NOTICE = 0.01;
const SPURIOUS_NOTICE = 0.1;
const POOL_NOTICE = 0.8;
/** Shares are worth telling from so many on. */
const ENOUGH_ATTEMPTS = 10;
const FAILED_NOTICE = 0.2;
const ENOUGH_PACKETS = 200;
const FLOOD_REQUESTS = 10_000;

export function findFindings(network: NetworkStats, connections: readonly ConnectionNetworkStats[]): Finding[] {
  const findings = aboutServer(network);
  const single = connections.flatMap((each) =>
    aboutConnection(each).map((text): Finding => ({ level: levelOf(each), connectionId: each.connectionId, text })),
  );
  findings.push(...single.slice(0, MAX_CONNECTION_FINDINGS));
  const left = single.length - MAX_CONNECTION_FINDINGS;
  if (left > 0) findings.push({ level: "notice", text: `${left} more findings about single connections` });
  return findings.sort((a, b) => Number(b.level === "problem") - Number(a.level === "problem"));
}

function aboutServer(network: NetworkStats): Finding[] {
  const findings: Finding[] = [];
  const add = (level: Finding["level"], text: string): void => void findings.push({ level, text });
  const { connectionAttempts, failedConnections, reassemblyBytes, reassemblyLimitBytes } = network;
  if (network.packetLossRate >= LOSS_NOTICE) {
    add(levelOf(network), `connections lose ${percent(network.packetLossRate)} of the server's packets on average`);
  }
  if (network.receiveLossRate >= LOSS_NOTICE) {
    add("notice", `connections lose ${percent(network.receiveLossRate)} of the clients' packets on average`);
  }
  if (connectionAttempts >= ENOUGH_ATTEMPTS && failedConnections >= FAILED_NOTICE * connectionAttempts) {
    add("problem", `${failedConnections} of ${connectionAttempts} attempts to connect failed`);
  }
  if (network.refusedRequests >= FLOOD_REQUESTS) {
    add("notice", `${network.refusedRequests} requests had no good token: a flood, or clients with old tokens`);
  }
  if (reassemblyBytes >= POOL_NOTICE * reassemblyLimitBytes) {
    add(
      "problem",
      `unfinished fragmented messages hold ${percent(reassemblyBytes / reassemblyLimitBytes)} of their memory`,
    );
  }
  if (network.reassembliesEvicted > 0) {
    add("problem", `${network.reassembliesEvicted} fragmented messages were given up for want of memory`);
  }
  return findings;
}

function aboutConnection(stats: ConnectionNetworkStats): string[] {
  const { lossRate, receiveLossRate, rttMs, jitterMs, channels, reliableQueuedBytes } = stats;
  const texts: string[] = [];
  const isEnough = stats.packetsSent >= ENOUGH_PACKETS;
  if (isEnough && lossRate >= LOSS_NOTICE) texts.push(`loses ${percent(lossRate)} of what is sent to it`);
  if (isEnough && receiveLossRate >= LOSS_NOTICE) texts.push(`loses ${percent(receiveLossRate)} of what it sends`);
  if (rttMs >= RTT_NOTICE_MS) texts.push(`has a round trip of ${Math.round(rttMs)} ms`);
  if (jitterMs >= JITTER_NOTICE_MS) texts.push(`has a jitter of ${Math.round(jitterMs)} ms`);
  if (reliableQueuedBytes >= QUEUED_NOTICE_BYTES) {
    texts.push(`has ${Math.round(reliableQueuedBytes / 1024)} KiB that it has not acknowledged`);
  }
  if (channels.reliableOrdered.sendsRefused > 0) {
    texts.push(`had no room for ${channels.reliableOrdered.sendsRefused} reliable messages`);
  }
  for (const channel of ["unreliableOrdered", "unreliableUnordered"] as const) {
    const { messagesSent, droppedFull, droppedStale } = channels[channel];
    const dropped = droppedFull + droppedStale;
    if (messagesSent >= ENOUGH_PACKETS && dropped >= DROPPED_NOTICE * messagesSent) {
      texts.push(`had ${percent(dropped / messagesSent)} of its ${channel} messages dropped unsent`);
    }
  }
  if (stats.packetsLost >= ENOUGH_ATTEMPTS && stats.spuriousLosses >= SPURIOUS_NOTICE * stats.packetsLost) {
    texts.push(`is on a path that reorders: ${stats.spuriousLosses} of ${stats.packetsLost} losses were none`);
  }
  if (stats.malformedPackets > 0) texts.push(`sent ${stats.malformedPackets} packets that could not be read`);
  return texts;
}

function levelOf(stats: ConnectionNetworkStats | NetworkStats): Finding["level"] {
  const loss = "packetLossRate" in stats ? stats.packetLossRate : Math.max(stats.lossRate, stats.receiveLossRate);
  return loss >= LOSS_PROBLEM ? "problem" : "notice";
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
