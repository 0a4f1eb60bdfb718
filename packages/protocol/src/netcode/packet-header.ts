/**
 * The header of every sealed packet: a prefix byte (type below, count of sequence bytes above) and
 * the sequence number, little-endian, without its high zero bytes; in a named payload the session's
 * id stands between them.
 *
 * Sequence numbers are 64 bits on the wire. Those of a connection start at zero and are handled as
 * JavaScript numbers; those of challenges and denials start at 2^63 and are handled as two halves.
 */
import { MIN_PACKET_BYTES, PACKET_NAMED_PAYLOAD, PACKET_REQUEST, SESSION_ID_BYTES, TAG_BYTES } from "./constants.ts";

const TWO_32 = 0x1_0000_0000;

/** One parsed header; a record reused for every packet. */
export class PacketHeader {
  type = 0;
  sequenceHigh = 0;
  sequenceLow = 0;
  /** Of a named payload. */
  sessionId = 0;
  /** Bytes before the ciphertext, and how many of them are associated data. */
  length = 0;
  aadLength = 1;

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
    if (type === PACKET_REQUEST || type > PACKET_NAMED_PAYLOAD || count < 1 || count > 8) return false;
    const aadLength = type === PACKET_NAMED_PAYLOAD ? 1 + SESSION_ID_BYTES : 1;
    if (length < aadLength + count + TAG_BYTES) return false;
    const at = offset + aadLength - 1;
    let low = 0;
    let high = 0;
    for (let i = count; i > 4; i--) high = high * 256 + buffer[at + i];
    for (let i = count < 4 ? count : 4; i > 0; i--) low = low * 256 + buffer[at + i];
    this.type = type;
    this.sequenceHigh = high;
    this.sequenceLow = low;
    this.sessionId = type === PACKET_NAMED_PAYLOAD ? readSessionId(buffer, offset + 1) : 0;
    this.length = aadLength + count;
    this.aadLength = aadLength;
    return true;
  }
}

/** Writes the header of a named payload and returns its length. */
export function writeNamedHeader(buffer: Uint8Array, offset: number, sessionId: number, sequence: number): number {
  // The sequence first, behind room for the id; then the prefix goes before both.
  const at = offset + SESSION_ID_BYTES;
  const length = writePacketHeader(buffer, at, PACKET_NAMED_PAYLOAD, sequence);
  buffer[offset] = buffer[at];
  for (let i = 0; i < SESSION_ID_BYTES; i++) buffer[offset + 1 + i] = sessionId >>> (8 * i);
  return SESSION_ID_BYTES + length;
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

function readSessionId(buffer: Uint8Array, at: number): number {
  return (buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24)) >>> 0;
}
