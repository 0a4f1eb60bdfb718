import { FRAME_HELLO } from "@riposte/protocol/channel";
import type { GameConnection, ConnectionTrace } from "@riposte/protocol/channel";
import { CongestionPhase } from "./congestion-phase.ts";
import { PACKET_LOST, PACKET_RECEIVED, PACKET_SENT, PacketRing, emptyMetrics } from "./packet-ring.ts";
import type { PacketKind, RecoveryMetrics } from "./packet-ring.ts";
import type { ConnectionStatus } from "../network/network-event-listener.ts";

/** Something that changed between packets. */
export type StateChange =
  | { readonly type: "status"; readonly status: ConnectionStatus }
  | { readonly type: "congestion"; readonly old: string; readonly new: string; readonly algorithm: string }
  | { readonly type: "mtu"; readonly old: number; readonly new: number };

export interface RecordedChange {
  readonly at: number;
  /** It came before this packet of the ring. */
  readonly before: number;
  readonly change: StateChange;
}

export interface RecorderLimits {
  /** Packets in the ring. */
  readonly packets: number;
  /** Bytes of their payloads. */
  readonly bytes: number;
  /** Every n-th packet is recorded; losses all. */
  readonly every: number;
}

/** State changes kept; the oldest goes first. */
const MAX_CHANGES = 1024;
/** IP and UDP headers. */
const HEADER_BYTES = { 4: 28, 6: 48 } as const;

/** Records one connection: its packets, what was measured at each, and its changes of state. */
export class ConnectionRecorder implements ConnectionTrace {
  readonly connectionId: number;
  readonly connection: GameConnection;
  /** When the connection began, monotonic milliseconds; and where it came from then, as far as known. */
  readonly startedAt: number;
  readonly address: string;
  readonly ring: PacketRing;
  /** Oldest first. */
  readonly changes: RecordedChange[] = [];
  /** Packets that sampling left out. */
  skipped = 0;
  readonly #every: number;
  readonly #phase: CongestionPhase = new CongestionPhase();
  readonly #metrics: RecoveryMetrics = emptyMetrics();
  #turn = 0;
  #packetBytes = 0;

  constructor(
    options: { connectionId: number; connection: GameConnection; startedAt: number; address: string },
    limits: RecorderLimits,
  ) {
    this.connectionId = options.connectionId;
    this.connection = options.connection;
    this.startedAt = options.startedAt;
    this.address = options.address;
    this.ring = new PacketRing(limits.packets, limits.bytes);
    this.#every = limits.every;
  }

  statusChanged(status: ConnectionStatus, at: number): void {
    this.#changed({ type: "status", status }, at);
  }

  packetSent(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void {
    this.#record(PACKET_SENT, packetNumber, buffer, offset, length, now);
  }

  packetReceived(packetNumber: number, buffer: Uint8Array, offset: number, length: number, now: number): void {
    this.#record(PACKET_RECEIVED, packetNumber, buffer, offset, length, now);
  }

  packetLost(packetNumber: number, bytes: number, now: number): void {
    this.#observe(now);
    this.ring.add(PACKET_LOST, now, packetNumber, bytes, this.#metrics);
  }

  #record(
    kind: PacketKind,
    packetNumber: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    now: number,
  ): void {
    if (this.#turn++ % this.#every !== 0) {
      this.skipped++;
      return;
    }
    this.#observe(now);
    this.ring.add(kind, now, packetNumber, length, this.#metrics);
    const overheadBytes = this.connection.packetBytes(0, packetNumber, kind === PACKET_RECEIVED);
    this.ring.addPayload(buffer, offset, length, overheadBytes, this.#isRaw(buffer, offset, length));
  }

  /** The payload of a plain netcode program, which has no frames. The first of them is what makes the connection raw. */
  #isRaw(buffer: Uint8Array, offset: number, length: number): boolean {
    const { state } = this.connection;
    const isHello = buffer[offset] === 0x40 && buffer[offset + 1] === FRAME_HELLO;
    return length > 0 && (state === "raw" || (state === "hello" && !isHello));
  }

  /** Looks at what the connection measures; a change of state is recorded. */
  #observe(now: number): void {
    const { stats, mtu, carrier } = this.connection;
    const metrics = this.#metrics;
    metrics.smoothedRttMs = stats.rttMs;
    metrics.latestRttMs = stats.latestRttMs;
    metrics.minRttMs = stats.minRttMs;
    metrics.rttVariationMs = stats.jitterMs;
    metrics.windowBytes = stats.congestionWindowBytes;
    metrics.bytesInFlight = stats.bytesInFlight;
    metrics.packetsInFlight = stats.packetsInFlight;
    metrics.pacingRateBytesPerSec = stats.pacingRateBytesPerSec;
    const phase = this.#phase;
    const before = phase.name;
    if (phase.observe(stats.congestionControl, stats.congestionState, stats.congestionWindowBytes)) {
      this.#changed({ type: "congestion", old: before, new: phase.name, algorithm: phase.algorithm }, now);
    }
    const packetBytes = mtu === undefined ? 0 : mtu.currentPayloadBytes + HEADER_BYTES[carrier.path?.ipVersion ?? 4];
    if (packetBytes === this.#packetBytes || packetBytes === 0) return;
    this.#changed({ type: "mtu", old: this.#packetBytes, new: packetBytes }, now);
    this.#packetBytes = packetBytes;
  }

  #changed(change: StateChange, at: number): void {
    this.changes.push({ at, before: this.ring.count, change });
    if (this.changes.length > MAX_CHANGES) this.changes.shift();
  }
}
