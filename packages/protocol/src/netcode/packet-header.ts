/**
 * The header of every sealed packet: a prefix byte (type below, count of sequence bytes above) and
 * the sequence number, little-endian, without its high zero bytes.
 *
 * Sequence numbers are 64 bits on the wire. Those of a connection start at zero and are handled as
 * JavaScript numbers; those of challenges and denials start at 2^63 and are handled as two halves.
 */
import { MIN_PACKET_BYTES, PACKET_DISCONNECT, PACKET_REQUEST, TAG_BYTES } from "./constants.ts";

const TWO_32 = 0x1_0000_0000;

/** One parsed header; a record reused for every packet. */
export class PacketHeader {
  type = 0;
  sequenceHigh = 0;
  sequenceLow = 0;
  /** Bytes before the ciphertext. */
  length = 0;

  /** The sequence number, or -1 when it is 2^53 or more and no connection can have sent it. */
  get sequence(): number {
    return this.sequenceHigh > 0x1fffff ? -1 : this.sequenceHigh * TWO_32 + this.sequenceLow;
  }

  /** Parses the header of a sealed packet; false when no such packet can start like this. */
  read(buffer: Uint8Array, offset: number, length: number): boolean {
    if (length < MIN_PACKET_BYTES) return false;
    const prefix = buffer[offset];
    const type = prefix & 15;
    const count = prefix >> 4;
    if (type === PACKET_REQUEST || type > PACKET_DISCONNECT || count < 1 || count > 8) return false;
    if (length < 1 + count + TAG_BYTES) return false;
    let low = 0;
    let high = 0;
    for (let i = count; i > 4; i--) high = high * 256 + buffer[offset + i];
    for (let i = count < 4 ? count : 4; i > 0; i--) low = low * 256 + buffer[offset + i];
    this.type = type;
    this.sequenceHigh = high;
    this.sequenceLow = low;
    this.length = 1 + count;
    return true;
  }
}

/** Bytes that the header of a packet with this sequence number takes. */
export function packetHeaderLength(sequence: number): number {
  return 1 + sequenceBytes(Math.floor(sequence / TWO_32), sequence >>> 0);
}

/** Writes the header for a connection's packet and returns its length. */
export function writePacketHeader(buffer: Uint8Array, offset: number, type: number, sequence: number): number {
  return writePacketHeader64(buffer, offset, type, Math.floor(sequence / TWO_32), sequence >>> 0);
}

/** The same for a sequence number given as two unsigned halves. */
export function writePacketHeader64(
  buffer: Uint8Array,
  offset: number,
  type: number,
  high: number,
  low: number,
): number {
  const count = sequenceBytes(high, low);
  buffer[offset] = type | (count << 4);
  let rest = low;
  for (let i = 1; i <= count; i++) {
    if (i === 5) rest = high;
    buffer[offset + i] = rest & 255;
    rest >>>= 8;
  }
  return 1 + count;
}

function sequenceBytes(high: number, low: number): number {
  let count = high === 0 ? 1 : 5;
  for (let rest = (high === 0 ? low : high) >>> 8; rest !== 0; rest >>>= 8) count++;
  return count;
}
