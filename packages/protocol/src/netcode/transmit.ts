/** What client and server share: sizes by packet type, and filling in the driver's slot. */
import { NO_KEY } from "../machine.ts";
import type { TransmitSlot } from "../machine.ts";
import {
  KEEP_ALIVE_BYTES,
  PACKET_KEEP_ALIVE,
  PACKET_NAMED_PAYLOAD,
  PACKET_PAYLOAD,
  SESSION_ID_BYTES,
  TAG_BYTES,
} from "./constants.ts";
import { writeNamedHeader, writePacketHeader } from "./packet-header.ts";
import type { PacketHeader } from "./packet-header.ts";

/** Whether a keep-alive, payload or disconnect has the length that its type asks for. */
export function hasSizeOfType(header: PacketHeader, length: number, maxPayloadBytes: number): boolean {
  const plain = length - header.length - TAG_BYTES;
  if (header.type === PACKET_PAYLOAD) return plain >= 1 && plain <= maxPayloadBytes;
  if (header.type === PACKET_NAMED_PAYLOAD) return plain >= 0 && plain <= maxPayloadBytes;
  return plain === (header.type === PACKET_KEEP_ALIVE ? KEEP_ALIVE_BYTES : 0);
}

/** Fills in the slot of a packet that the driver seals. The payload stands behind the header already. */
export function writeSealed(
  slot: TransmitSlot,
  path: number,
  key: number,
  type: number,
  sequence: number,
  length: number,
): void {
  slot.headerLength = writePacketHeader(slot.buffer, slot.offset, type, sequence);
  slot.length = slot.headerLength + length;
  slot.path = path;
  slot.key = key;
  slot.packetNumber = sequence;
  slot.aadLength = 1;
}

/** The same for a client's payload behind the id of its session. */
export function writeNamed(
  slot: TransmitSlot,
  path: number,
  key: number,
  sessionId: number,
  sequence: number,
  length: number,
): void {
  slot.headerLength = writeNamedHeader(slot.buffer, slot.offset, sessionId, sequence);
  slot.length = slot.headerLength + length;
  slot.path = path;
  slot.key = key;
  slot.packetNumber = sequence;
  slot.aadLength = 1 + SESSION_ID_BYTES;
}

/** Fills in the slot of a packet that is whole already. */
export function asItIs(slot: TransmitSlot, path: number): true {
  slot.path = path;
  slot.key = NO_KEY;
  slot.packetNumber = 0;
  slot.headerLength = 0;
  slot.aadLength = 0;
  return true;
}
