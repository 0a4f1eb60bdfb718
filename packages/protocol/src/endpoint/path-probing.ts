/** What both endpoints do about other paths: they hear by which one packets come, and probe those that may be moved to. */
import { ByteWriter } from "@riposte/wire";
import type { Connection } from "../channel/connection.ts";
import { FRAME_PATH_CHALLENGE, FRAME_PATH_RESPONSE, FRAME_PING } from "../channel/frames.ts";
import type { ReceivedPacket, TransmitSlot } from "../machine.ts";
import { TAG_BYTES } from "../netcode/index.ts";
import type { ConnectionMigrator, PathProbe } from "../path/index.ts";
import type { EndpointDriver } from "./endpoint.ts";

/**
 * What a packet says of paths: by which one it came, and what it asks or answers of it. `follows`: the connection moves to
 * the path of its newest packet. `current`: the path in use.
 */
export function watchPaths(
  migrator: ConnectionMigrator,
  connection: Connection,
  packet: ReceivedPacket,
  current: number,
  follows: boolean,
  now: number,
): void {
  const { index, pathFrames } = connection;
  const { path } = packet;
  if (path === current && !pathFrames.challenged && !migrator.isWatching(index)) return;
  const isNewest = follows && pathFrames.newest && pathFrames.nonProbing;
  migrator.onPacket(index, path, current, packet.length + TAG_BYTES, isNewest, now);
  if (pathFrames.challenged) migrator.onChallenge(index, path, current, pathFrames.challenge, now);
  if (pathFrames.responded) migrator.onResponse(index, path, pathFrames.response, now);
}

/** Writes what is due on another path, which it sets in the slot, and returns the payload's length; 0 when nothing is. */
export function fillProbe(
  migrator: ConnectionMigrator,
  driver: EndpointDriver,
  connection: Connection,
  slot: TransmitSlot,
  offset: number,
  capacity: number,
  packetNumber: number,
  now: number,
): number {
  const { index } = connection;
  const probe = migrator.pollProbe(index, now);
  if (probe === undefined || !driver.writable(probe.path)) return 0;
  slot.path = probe.path;
  const overheadBytes = offset - slot.offset + TAG_BYTES;
  const length = writePathFrames(slot.buffer, offset, capacity, probe, overheadBytes);
  migrator.onProbeSent(index, length + overheadBytes, now);
  connection.countSent(packetNumber, slot.buffer, offset, length, now);
  return length;
}

/** Writes a probe's payload and returns its length. `overheadBytes` is what the packet around it adds to the UDP payload. */
function writePathFrames(
  buffer: Uint8Array,
  offset: number,
  capacity: number,
  probe: PathProbe,
  overheadBytes: number,
): number {
  const writer = new ByteWriter(buffer, offset, offset + capacity);
  if (probe.response !== undefined) {
    writer.u8(FRAME_PATH_RESPONSE);
    writer.bytes(probe.response);
  }
  if (probe.challenge !== undefined) {
    writer.u8(FRAME_PATH_CHALLENGE);
    writer.bytes(probe.challenge);
  }
  if (probe.ping) writer.u8(FRAME_PING);
  const padding = Math.min(probe.padToBytes - overheadBytes - writer.length, writer.remaining);
  if (padding > 0) writer.zeros(padding);
  return writer.length;
}
