/** What a server sends for its sessions: payloads, keep-alives, and the last words of those that ended. */
import type { TransmitSlot } from "../machine.ts";
import {
  DISCONNECT_PACKETS,
  KEEP_ALIVE_BYTES,
  PACKET_DISCONNECT,
  PACKET_KEEP_ALIVE,
  PACKET_PAYLOAD,
  TAG_BYTES,
} from "./constants.ts";
import { packetHeaderLength } from "./packet-header.ts";
import type { NetcodeServerHandler } from "./server-options.ts";
import type { ClosingSession, ServerSession } from "./server-session.ts";
import { writeSealed } from "./transmit.ts";

/** Payloads that a session may send after its end, before the disconnects. */
const MAX_FAREWELLS = 3;
/** Sequence numbers that a session may use after its end. */
export const FAREWELL_PACKETS: number = MAX_FAREWELLS + DISCONNECT_PACKETS;

/** Asks the layer above for a payload; false when it has none. */
export function writePayload(
  handler: NetcodeServerHandler,
  session: ServerSession,
  slot: TransmitSlot,
  now: number,
): boolean {
  const sequence = session.nextSequence;
  const headerLength = packetHeaderLength(sequence);
  const capacity = Math.min(session.maxPayloadBytes, slot.capacity - headerLength - TAG_BYTES);
  const length = handler.fill(session, slot.buffer, slot.offset + headerLength, capacity, sequence, now);
  // Asking may have ended the session, or taken the number for something else.
  if (length <= 0 || session.nextSequence !== sequence) return false;
  writeSealed(slot, session.path, session.sendKey, PACKET_PAYLOAD, sequence, length);
  session.nextSequence++;
  return true;
}

/** Asks the layer above for a payload to probe another path with; it sets `slot.path`. False when it has none. */
export function writeProbe(
  handler: NetcodeServerHandler,
  session: ServerSession,
  slot: TransmitSlot,
  now: number,
): boolean {
  const sequence = session.nextSequence;
  const headerLength = packetHeaderLength(sequence);
  const capacity = Math.min(session.maxPayloadBytes, slot.capacity - headerLength - TAG_BYTES);
  const length = handler.fillProbe?.(session, slot, slot.offset + headerLength, capacity, sequence, now) ?? 0;
  if (length <= 0) return false;
  writeSealed(slot, slot.path, session.sendKey, PACKET_PAYLOAD, sequence, length);
  session.nextSequence++;
  return true;
}

export function writeKeepAlive(session: ServerSession, maxClients: number, slot: TransmitSlot): void {
  const sequence = session.nextSequence;
  const at = slot.offset + packetHeaderLength(sequence);
  for (let i = 0; i < 4; i++) {
    slot.buffer[at + i] = session.index >>> (8 * i);
    slot.buffer[at + 4 + i] = maxClients >>> (8 * i);
  }
  writeSealed(slot, session.path, session.sendKey, PACKET_KEEP_ALIVE, sequence, KEEP_ALIVE_BYTES);
  session.nextSequence++;
}

/** The sessions that ended and are not silent yet, oldest first. */
export class Farewells {
  readonly #handler: NetcodeServerHandler;
  readonly #closing: ClosingSession[] = [];

  constructor(handler: NetcodeServerHandler) {
    this.#handler = handler;
  }

  /** `payloads`: the layer above may say why, before the disconnects. */
  add(session: ServerSession, payloads: boolean): void {
    this.#closing.push({ session, farewells: payloads ? MAX_FAREWELLS : 0, disconnects: DISCONNECT_PACKETS });
  }

  /** Writes the next packet, if any; `done` is told of a session with its last one. */
  transmit(slot: TransmitSlot, now: number, done: (session: ServerSession) => void): boolean {
    const closing = this.#closing[0];
    if (closing === undefined) return false;
    const { session } = closing;
    if (closing.farewells > 0) {
      closing.farewells--;
      if (writePayload(this.#handler, session, slot, now)) return true;
      closing.farewells = 0;
    }
    writeSealed(slot, session.path, session.sendKey, PACKET_DISCONNECT, session.nextSequence++, 0);
    if (--closing.disconnects === 0) {
      this.#closing.shift();
      done(session);
    }
    return true;
  }
}
