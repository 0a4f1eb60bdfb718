/**
 * One connection's recording as a qlog trace in JSON text sequences (RFC 7464), version 0.3, which qvis opens:
 * draft-ietf-quic-qlog-main-schema-05 and draft-ietf-quic-qlog-quic-events-04. All packets count as "1RTT", since there is
 * one space of packet numbers. What QUIC does not know has names of its own: the frames `hello`, `ordered_message` and
 * `message_fragment`, and events in the namespace `riposte`. No message's content is written.
 */

import type { ConnectionRecorder } from "./connection-recorder.ts";
import { PACKET_LOST, PACKET_SENT, emptyMetrics, emptyPacket } from "./packet-ring.ts";
import type { RecordedPacket, RecoveryMetrics } from "./packet-ring.ts";
import { decodeFrames } from "./qlog-frames.ts";
import type { QlogFrame } from "./qlog-frames.ts";
import { stateEvents } from "./qlog-state-events.ts";
import type { QlogEventBody } from "./qlog-state-events.ts";

export interface QlogTraceOptions {
  /** Of the process: what monotonic time 0 was by the wall clock, in Unix milliseconds. */
  readonly timeOriginMs: number;
  /** Addresses are personal data. */
  readonly includeAddresses: boolean;
  /** Shown in the viewer's list. */
  readonly serverName: string;
}

type Recording = Pick<
  ConnectionRecorder,
  "address" | "changes" | "connection" | "connectionId" | "ring" | "skipped" | "startedAt"
>;

interface QlogEvent extends QlogEventBody {
  readonly time: number;
}

/** Written before and behind each record. */
const RECORD_SEPARATOR = "\u001e";
const LINE_FEED = "\n";

/** The file, record by record. The recording must not go on meanwhile. */
export function* qlogRecords(recording: Recording, options: QlogTraceOptions): Generator<string, void, undefined> {
  yield record(fileHeader(recording, options));
  for (const event of traceEvents(recording, options)) yield record(event);
}

function fileHeader(recording: Recording, options: QlogTraceOptions): object {
  const { connectionId, connection, startedAt } = recording;
  return {
    qlog_version: "0.3",
    qlog_format: "JSON-SEQ",
    title: `${options.serverName}, connection ${connectionId}`,
    description: `client ${connection.clientId}, carrier ${connection.carrier.name}`,
    trace: {
      title: `connection ${connectionId}`,
      vantage_point: { name: options.serverName, type: "server" },
      common_fields: {
        time_format: "relative",
        reference_time: options.timeOriginMs + startedAt,
        protocol_type: ["RIPOSTE"],
        group_id: String(connectionId),
      },
    },
  };
}

function* traceEvents(recording: Recording, options: QlogTraceOptions): Generator<QlogEvent, void, undefined> {
  const { changes, connection, ring, skipped, startedAt } = recording;
  const packet = emptyPacket();
  const known = emptyMetrics();
  // A wake-up takes the time once, at its start; viewers want events in order.
  let latest = 0;
  const time = (at: number): number => (latest = Math.max(latest, round(at - startedAt)));
  let next = 0;
  yield { time: 0, name: "connectivity:connection_started", data: started(recording.address, options) };
  yield* missing(ring.first, skipped);
  for (let index = ring.first; index < ring.count; index++) {
    for (; next < changes.length && changes[next].before <= index; next++) {
      for (const body of stateEvents(changes[next].change, connection)) yield { time: time(changes[next].at), ...body };
    }
    ring.read(index, packet);
    const metrics = changedMetrics(packet.metrics, known);
    if (metrics !== undefined) yield { time: time(packet.at), name: "recovery:metrics_updated", data: metrics };
    yield { time: time(packet.at), ...packetEvent(packet) };
  }
  for (; next < changes.length; next++) {
    for (const body of stateEvents(changes[next].change, connection)) yield { time: time(changes[next].at), ...body };
  }
}

/** `src_ip` is the side that began. */
function started(address: string, options: QlogTraceOptions): Readonly<Record<string, unknown>> {
  const common = { protocol: "RIPOSTE", dst_ip: "server" };
  if (!options.includeAddresses || address === "") return { ...common, src_ip: "client" };
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(address) ?? [];
  const ip = bracketed ?? plain ?? address;
  return {
    ...common,
    ip_version: ip.includes(":") ? "v6" : "v4",
    src_ip: ip,
    ...(port !== undefined && { src_port: Number(port) }),
  };
}

/** What the ring does not hold. */
function* missing(overwritten: number, skipped: number): Generator<QlogEvent, void, undefined> {
  if (overwritten > 0) {
    const message = `${overwritten} earlier packets were overwritten`;
    yield { time: 0, name: "generic:info", data: { message } };
  }
  if (skipped > 0) {
    const message = `${skipped} packets were left out by sampling`;
    yield { time: 0, name: "generic:info", data: { message } };
  }
}

function packetEvent(packet: RecordedPacket): QlogEventBody {
  const header = { packet_type: "1RTT", packet_number: packet.packetNumber };
  if (packet.kind === PACKET_LOST) {
    return {
      name: "recovery:packet_lost",
      data: { header, ...(packet.length === 0 && { is_mtu_probe_packet: true }) },
    };
  }
  const name = packet.kind === PACKET_SENT ? "transport:packet_sent" : "transport:packet_received";
  const raw = {
    length: packet.length + packet.overheadBytes,
    payload_length: packet.length,
  };
  const { payload } = packet;
  if (payload === undefined) return { name, data: { header, raw } };
  if (packet.isRaw)
    return { name, data: { header, frames: [{ frame_type: "raw_payload", length: packet.length }], raw } };
  const { frames, malformed } = decodeFrames(payload);
  const isProbe = packet.kind === PACKET_SENT && isMtuProbe(frames);
  return {
    name,
    data: { header, frames, raw, ...(isProbe && { is_mtu_probe_packet: true }), ...(malformed && { malformed }) },
  };
}

function isMtuProbe(frames: readonly QlogFrame[]): boolean {
  return frames.length === 2 && frames[0].frame_type === "ping" && frames[1].frame_type === "padding";
}

/** Those that differ from what was written last, which is updated; `undefined` if none does. */
function changedMetrics(now: RecoveryMetrics, known: RecoveryMetrics): Record<string, number> | undefined {
  const changed: Record<string, number> = {};
  if (now.minRttMs !== known.minRttMs) changed.min_rtt = round(now.minRttMs);
  if (now.smoothedRttMs !== known.smoothedRttMs) changed.smoothed_rtt = round(now.smoothedRttMs);
  if (now.latestRttMs !== known.latestRttMs) changed.latest_rtt = round(now.latestRttMs);
  if (now.rttVariationMs !== known.rttVariationMs) changed.rtt_variance = round(now.rttVariationMs);
  if (now.windowBytes !== known.windowBytes) changed.congestion_window = Math.round(now.windowBytes);
  if (now.bytesInFlight !== known.bytesInFlight) changed.bytes_in_flight = now.bytesInFlight;
  if (now.packetsInFlight !== known.packetsInFlight) changed.packets_in_flight = now.packetsInFlight;
  if (now.pacingRateBytesPerSec !== known.pacingRateBytesPerSec && Number.isFinite(now.pacingRateBytesPerSec)) {
    changed.pacing_rate = Math.round(now.pacingRateBytesPerSec * 8); // in bits
  }
  Object.assign(known, now);
  for (const _any in changed) return changed;
  return undefined;
}

/** To the microsecond. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function record(value: object): string {
  return RECORD_SEPARATOR + JSON.stringify(value) + LINE_FEED;
}
