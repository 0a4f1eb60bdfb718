/** A connection's live numbers as a row of doubles, and back. */
import { CHANNEL_COUNTERS, CONNECTION_COUNTERS, ConnectionStats } from "@riposte/protocol/channel";
import type { Connection, RecoveryNumbers } from "@riposte/protocol/channel";

const COUNTED = [...CONNECTION_COUNTERS, "payloadBytes"] as const;
const CHANNEL_COUNTED = [...CHANNEL_COUNTERS, "queuedBytes"] as const;
const MEASURED = 14;
const OTHERS = 4;
/** Names: six characters to a double. */
const TEXT_DOUBLES = 4;
const CHARACTERS = 6;

export const NUMBERS_WIDTH: number = COUNTED.length + 3 * CHANNEL_COUNTED.length + MEASURED + OTHERS + 2 * TEXT_DOUBLES;

export function writeNumbers(connection: Connection, row: Float64Array): void {
  const { stats, fragmenter, mtu } = connection;
  let at = 0;
  for (const name of COUNTED) row[at++] = stats[name];
  for (const channel of stats.channels) for (const name of CHANNEL_COUNTED) row[at++] = channel[name];
  row[at++] = stats.rttMs;
  row[at++] = stats.latestRttMs;
  row[at++] = stats.minRttMs;
  row[at++] = stats.jitterMs;
  row[at++] = stats.lossRate;
  row[at++] = stats.receiveLossRate;
  row[at++] = stats.meanBurstPackets;
  row[at++] = stats.packetsLost;
  row[at++] = stats.spuriousLosses;
  row[at++] = stats.bytesInFlight;
  row[at++] = stats.packetsInFlight;
  row[at++] = stats.congestionWindowBytes;
  row[at++] = stats.pacingRateBytesPerSec;
  row[at++] = stats.bandwidthBytesPerSec;
  row[at++] = fragmenter.pendingCount;
  row[at++] = fragmenter.usedBytes;
  row[at++] = fragmenter.dropped;
  row[at++] = mtu?.currentPayloadBytes ?? -1;
  writeText(stats.congestionControl, row, at);
  writeText(stats.congestionState, row, at + TEXT_DOUBLES);
}

/** The numbers of a connection whose machine runs in another thread, as they were published last. */
export class ThreadNumbers {
  readonly stats: ConnectionStats;
  readonly row: Float64Array = new Float64Array(NUMBERS_WIDTH);
  /** Of the fragmenter, and of the MTU's search; -1: none. */
  readonly reassembly = { pendingCount: 0, usedBytes: 0, dropped: 0 };
  mtuPayloadBytes = -1;
  readonly #recovery: Writable<RecoveryNumbers & { readonly congestion: { readonly state: string } }>;

  constructor() {
    this.#recovery = {
      rtt: { hasSample: true, smoothedMs: 0, latestMs: 0, minMs: Infinity, variationMs: 0 },
      loss: { sendRate: 0, receiveRate: 0 },
      bursts: { meanPackets: 1 },
      packetsLost: 0,
      spuriousLosses: 0,
      bytesInFlight: 0,
      packetsInFlight: 0,
      congestion: { name: "", state: "", windowBytes: 0, pacingRateBytesPerSec: Infinity },
      bandwidth: { bytesPerSec: 0 },
    };
    this.stats = new ConnectionStats(this.#recovery);
  }

  /** Takes `row` over. `sendsRefused` of the reliable channel, and `droppedFull` beyond it, are counted in this thread. */
  apply(sendsRefused: number, droppedBefore: readonly number[]): void {
    const { row, stats, reassembly } = this;
    const recovery = this.#recovery;
    let at = 0;
    for (const name of COUNTED) stats[name] = row[at++];
    for (const channel of stats.channels) for (const name of CHANNEL_COUNTED) channel[name] = row[at++];
    recovery.rtt.smoothedMs = row[at++];
    recovery.rtt.latestMs = row[at++];
    recovery.rtt.minMs = row[at++];
    recovery.rtt.variationMs = row[at++];
    recovery.loss.sendRate = row[at++];
    recovery.loss.receiveRate = row[at++];
    recovery.bursts.meanPackets = row[at++];
    recovery.packetsLost = row[at++];
    recovery.spuriousLosses = row[at++];
    recovery.bytesInFlight = row[at++];
    recovery.packetsInFlight = row[at++];
    recovery.congestion.windowBytes = row[at++];
    recovery.congestion.pacingRateBytesPerSec = row[at++];
    recovery.bandwidth.bytesPerSec = row[at++];
    reassembly.pendingCount = row[at++];
    reassembly.usedBytes = row[at++];
    reassembly.dropped = row[at++];
    this.mtuPayloadBytes = row[at++];
    recovery.congestion.name = readText(row, at);
    recovery.congestion.state = readText(row, at + TEXT_DOUBLES);
    stats.channels[0].sendsRefused = sendsRefused;
    for (let lane = 0; lane < 3; lane++) stats.channels[lane].droppedFull += droppedBefore[lane];
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends object ? Writable<T[K]> : T[K] };

function writeText(text: string, row: Float64Array, at: number): void {
  for (let i = 0; i < TEXT_DOUBLES; i++) {
    let packed = 0;
    for (let j = CHARACTERS - 1; j >= 0; j--) {
      const code = text.charCodeAt(i * CHARACTERS + j);
      packed = packed * 256 + (code > 0 && code < 256 ? code : 0);
    }
    row[at + i] = packed;
  }
}

function readText(row: Float64Array, at: number): string {
  let text = "";
  for (let i = 0; i < TEXT_DOUBLES; i++) {
    for (let packed = row[at + i]; packed > 0; packed = Math.floor(packed / 256)) {
      text += String.fromCharCode(packed % 256);
    }
  }
  return text;
}
