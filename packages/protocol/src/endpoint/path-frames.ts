/** The frames that probe a path, written for both endpoints. */
import { ByteWriter } from "@riposte/wire";
import { FRAME_PATH_CHALLENGE, FRAME_PATH_RESPONSE, FRAME_PING } from "../channel/frames.ts";
import type { PathProbe } from "../path/index.ts";

/** Writes a probe's payload and returns its length. `overheadBytes` is what the packet around it adds to the UDP payload. */
export function writePathFrames(
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
