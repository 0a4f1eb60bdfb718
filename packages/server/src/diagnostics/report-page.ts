/** A diagnostic report as a page of Markdown for a person: what stands out, the totals, the worst connections. */

import type { ConnectionNetworkStats } from "../network/network-stats.ts";
import { CHANNELS } from "../network/traffic-totals.ts";
import type { DiagnosticReport } from "./diagnostic-report.ts";
import { percent } from "./findings.ts";
import { toJson } from "./json.ts";

const WORST_CONNECTIONS = 20;
const NEWEST_EVENTS = 50;

export function reportPage(report: DiagnosticReport): string {
  const parts = [
    `# Network report\n\nMade ${report.createdAt}, process ${report.runtime.processId}, Node ${report.runtime.node}, ${mib(report.runtime.memoryBytes)} of memory.`,
    findings(report),
    totals(report),
    channels(report),
    worst(report.connections),
    traces(report),
    events(report),
    packetTraces(report),
    ...Object.entries(report.sections).map(([name, value]) => section(name, value)),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function findings({ findings: found }: DiagnosticReport): string {
  if (found.length === 0) return "## What stands out\n\nNothing.";
  const lines = found.map(({ level, connectionId, text }) => {
    const who = connectionId === undefined ? "" : `connection ${connectionId} `;
    return `- ${level === "problem" ? "**problem:** " : ""}${who}${text}`;
  });
  return `## What stands out\n\n${lines.join("\n")}`;
}

function totals({ network: n }: DiagnosticReport): string {
  return `## Network\n\n${table(
    ["", ""],
    [
      ["connections now, ever", `${n.currentConnections}, ${n.totalConnections}`],
      [
        "attempts, became usable, failed",
        `${n.connectionAttempts}, ${n.successfulConnections}, ${n.failedConnections}`,
      ],
      ["requests without a good token", String(n.refusedRequests)],
      ["packets sent, received", `${n.packetsSent}, ${n.packetsReceived}`],
      ["bytes sent, received", `${mib(n.bytesSent)}, ${mib(n.bytesReceived)}`],
      ["round trip: mean, least", `${ms(n.averageRttMs)}, ${ms(n.minRttMs)}`],
      ["jitter, mean", ms(n.averageJitterMs)],
      ["loss lately: there, here", `${percent(n.packetLossRate)}, ${percent(n.receiveLossRate)}`],
      ["packets lost, of these none", `${n.packetsLost}, ${n.spuriousLosses}`],
      ["pieces sent again", String(n.chunksRetransmitted)],
      ["fragments sent, received", `${n.fragmentsSent}, ${n.fragmentsReceived}`],
      ["fragmented messages given up", String(n.reassembliesDropped)],
      ["messages a packet, fill", `${n.messagesPerPacket.toFixed(2)}, ${percent(n.packetFill)}`],
      ["moves to other paths, interruptions", `${n.migrations}, ${n.interruptions}`],
      [
        "waiting: reliable, unreliable, in flight",
        `${n.reliableQueuedBytes}, ${n.unreliableQueuedBytes}, ${n.bytesInFlight} bytes`,
      ],
    ],
  )}`;
}

function channels({ network }: DiagnosticReport): string {
  const rows = CHANNELS.map((channel) => {
    const c = network.channels[channel];
    const dropped = c.droppedFull + c.droppedStale + c.droppedTooLarge;
    return [
      channel,
      c.messagesSent,
      c.messagesReceived,
      mib(c.bytesSent),
      mib(c.bytesReceived),
      dropped,
      c.droppedLate,
      c.sendsRefused,
    ];
  });
  const head = ["channel", "sent", "received", "bytes sent", "received", "dropped unsent", "too late", "refused"];
  return `## Channels\n\n${table(head, rows)}`;
}

/** What a player feels: loss and round trip. */
function badness({ rttMs, jitterMs, lossRate, receiveLossRate }: ConnectionNetworkStats): number {
  return rttMs + jitterMs + 2000 * (lossRate + receiveLossRate);
}

function worst(connections: readonly ConnectionNetworkStats[]): string {
  if (connections.length === 0) return "";
  const rows = connections
    .toSorted((a, b) => badness(b) - badness(a))
    .slice(0, WORST_CONNECTIONS)
    .map((c) => [
      c.connectionId,
      String(c.clientId),
      c.status,
      c.carrier,
      ms(c.rttMs),
      ms(c.jitterMs),
      `${percent(c.lossRate)}, ${percent(c.receiveLossRate)}`,
      `${c.congestionControl} ${Math.round(c.congestionWindowBytes / 1024)} KiB`,
      c.reliableQueuedBytes + c.unreliableQueuedBytes,
    ]);
  const head = ["id", "client", "status", "carrier", "round trip", "jitter", "loss there, here", "window", "waiting"];
  const title =
    connections.length > rows.length
      ? `The worst ${rows.length} of ${connections.length} connections`
      : "Connections, worst first";
  return `## ${title}\n\n${table(head, rows)}`;
}

function traces({ traces: all }: DiagnosticReport): string {
  if (all.length === 0) return "";
  const rows = all.map((t) => [t.name, t.count, ms(t.meanMs), ms(t.minMs), ms(t.maxMs), ms(t.totalMs), t.open]);
  return `## Traces\n\n${table(["name", "ended", "mean", "least", "most", "together", "open"], rows)}`;
}

function events({ eventCounts, events: all, now }: DiagnosticReport): string {
  const counts = Object.entries(eventCounts);
  if (counts.length === 0) return "";
  const newest = all.slice(-NEWEST_EVENTS).map(({ at, name, details }) => {
    return [`${((at - now) / 1000).toFixed(3)} s`, name, details === "" ? "" : `\`${details.replaceAll("`", "'")}\``];
  });
  const rows = counts.sort(([, a], [, b]) => b - a);
  return `## Events\n\n${table(["event", "times"], rows)}\n\nThe newest:\n\n${table(["when", "event", "details"], newest)}`;
}

function packetTraces({ packetTraces: files }: DiagnosticReport): string {
  if (files.length === 0) return "";
  const rows = files.map(({ connectionId, file, packets }) => [connectionId, `[${file}](${file})`, packets]);
  return `## Packet traces\n\nqlog, one file for each connection: open them in qvis (<https://qvis.quictools.info>).\n\n${table(["connection", "file", "packets"], rows)}`;
}

function section(name: string, value: unknown): string {
  return `## ${name}\n\n\`\`\`json\n${toJson(value, 2)}\n\`\`\``;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [tableRow(head), `|${head.map(() => "---|").join("")}`, ...rows.map(tableRow)].join("\n");
}

function tableRow(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

function mib(bytes: number): string {
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
