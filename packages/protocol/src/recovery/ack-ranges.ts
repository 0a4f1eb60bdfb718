import { varintLength } from "@riposte/wire";
import type { ByteWriter } from "@riposte/wire";
import { ACK_DELAY_UNITS_PER_MS, MAX_ACK_RANGES } from "./ack-frame.ts";
import { RangeSet } from "./range-set.ts";

/** Longest fixed part of an ACK frame with ECN counts: type, largest, delay, count, first range, three counts. */
const MAX_ACK_HEAD_BYTES = 1 + 8 + 8 + 1 + 8 + 24;

/**
 * The receiver's memory of packet numbers: knows duplicates, and writes ACK frames (RFC 9000
 * section 19.3). At most 64 ranges; the oldest is forgotten first, and what lies below is then
 * taken for a duplicate. Ranges that the peer is known to have seen acknowledged are not reported
 * again (RFC 9000 section 13.2.4) but still tell duplicates.
 */
export class AckRanges {
  /** -1 before the first packet. */
  largest: number;
  readonly #ranges: RangeSet;
  #largestReceivedAt: number;
  /** Below it everything counts as received. */
  #floor: number;
  /** Below it nothing is reported any more. */
  #reportFloor: number;
  #ect0: number;
  #ect1: number;
  #ce: number;

  constructor() {
    this.largest = -1;
    this.#ranges = new RangeSet(MAX_ACK_RANGES);
    this.#largestReceivedAt = 0;
    this.#floor = 0;
    this.#reportFloor = 0;
    this.#ect0 = 0;
    this.#ect1 = 0;
    this.#ce = 0;
  }

  get count(): number {
    return this.#ranges.count;
  }

  isDuplicate(packetNumber: number): boolean {
    return packetNumber <= this.largest && (packetNumber < this.#floor || this.#ranges.contains(packetNumber));
  }

  insert(packetNumber: number, ecn: number, now: number): void {
    if (ecn !== 0) {
      if (ecn === 3) this.#ce++;
      else if (ecn === 2) this.#ect0++;
      else this.#ect1++;
    }
    if (packetNumber > this.largest) {
      this.largest = packetNumber;
      this.#largestReceivedAt = now;
    }
    if (packetNumber < this.#floor) return;
    if (this.#ranges.insert(packetNumber, packetNumber + 1)) return;
    this.#floor = this.#ranges.end(0);
    if (packetNumber < this.#floor) return;
    this.#ranges.removeFirst();
    this.#ranges.insert(packetNumber, packetNumber + 1);
  }

  /** The peer acknowledged a packet whose ACK frame reported up to `largest`: no need to report that again. */
  confirmReported(largest: number): void {
    if (largest + 1 > this.#reportFloor) this.#reportFloor = largest + 1;
  }

  /** Writes one ACK frame with as many ranges as fit into what the writer has left; false when not even one does. */
  write(writer: ByteWriter, now: number): boolean {
    const ranges = this.#ranges;
    let index = ranges.count - 1;
    if (index < 0 || writer.remaining < MAX_ACK_HEAD_BYTES) return false;
    const withEcn = this.#ect0 + this.#ect1 + this.#ce > 0;
    // How many older ranges are worth reporting, and how many of them fit.
    const floor = Math.min(this.#reportFloor, this.largest);
    let room = writer.remaining - MAX_ACK_HEAD_BYTES;
    let more = 0;
    let lowest = Math.max(ranges.start(index), floor);
    for (let i = index - 1; i >= 0 && ranges.end(i) > floor; i--) {
      const highest = ranges.end(i) - 1;
      const low = Math.max(ranges.start(i), floor);
      room -= varintLength(lowest - highest - 2) + varintLength(highest - low);
      if (room < 0) break;
      lowest = low;
      more++;
    }
    lowest = Math.max(ranges.start(index), floor);
    writer.u8(withEcn ? 0x03 : 0x02);
    writer.varint(this.largest);
    writer.varint(Math.max(0, Math.floor((now - this.#largestReceivedAt) * ACK_DELAY_UNITS_PER_MS)));
    writer.varint(more);
    writer.varint(this.largest - lowest);
    while (more-- > 0) {
      index--;
      const highest = ranges.end(index) - 1;
      const low = Math.max(ranges.start(index), floor);
      writer.varint(lowest - highest - 2);
      writer.varint(highest - low);
      lowest = low;
    }
    if (withEcn) {
      writer.varint(this.#ect0);
      writer.varint(this.#ect1);
      writer.varint(this.#ce);
    }
    return true;
  }
}
