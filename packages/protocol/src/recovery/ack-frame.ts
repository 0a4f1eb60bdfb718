import type { ByteReader } from "@riposte/wire";

/** Ranges kept of one ACK frame; older ones behind them are read over. */
export const MAX_ACK_RANGES = 64;

/** RFC 9000 section 18.2: the ACK Delay field counts units of 8 microseconds. */
export const ACK_DELAY_UNITS_PER_MS = 125;

/** One decoded ACK frame (RFC 9000 section 19.3), reused for every one that comes. */
export class AckFrame {
  largest: number;
  delayMs: number;
  rangeCount: number;
  /** Lowest and highest packet number of each range, newest range first. */
  readonly lowest: Float64Array;
  readonly highest: Float64Array;
  /** -1 when the frame had no ECN counts. */
  ect0: number;
  ect1: number;
  ce: number;

  constructor() {
    this.largest = 0;
    this.delayMs = 0;
    this.rangeCount = 0;
    this.lowest = new Float64Array(MAX_ACK_RANGES);
    this.highest = new Float64Array(MAX_ACK_RANGES);
    this.ect0 = -1;
    this.ect1 = -1;
    this.ce = -1;
  }

  /** Reads what follows the frame type. False when it is malformed; the record then holds nothing of use. */
  read(reader: ByteReader, withEcn: boolean): boolean {
    const largest = reader.varint();
    this.largest = largest;
    this.delayMs = reader.varint() / ACK_DELAY_UNITS_PER_MS;
    const moreRanges = reader.varint();
    const firstRange = reader.varint();
    // Each further range takes two bytes at least: a larger count is a lie.
    if (reader.failed || firstRange > largest || moreRanges > reader.remaining / 2) return false;
    let lowest = largest - firstRange;
    this.lowest[0] = lowest;
    this.highest[0] = largest;
    this.rangeCount = 1;
    for (let i = 0; i < moreRanges; i++) {
      const gap = reader.varint();
      const length = reader.varint();
      const highest = lowest - gap - 2;
      lowest = highest - length;
      if (reader.failed || lowest < 0) return false;
      if (this.rangeCount === MAX_ACK_RANGES) continue;
      this.lowest[this.rangeCount] = lowest;
      this.highest[this.rangeCount] = highest;
      this.rangeCount++;
    }
    this.ect0 = withEcn ? reader.varint() : -1;
    this.ect1 = withEcn ? reader.varint() : -1;
    this.ce = withEcn ? reader.varint() : -1;
    return !reader.failed;
  }
}
