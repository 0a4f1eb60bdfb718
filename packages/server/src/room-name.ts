/** What a room may be called: it travels in 32 bytes of a connect token, in URLs and in logs. */

import { MAX_ROOM_BYTES } from "@riposte/protocol/netcode";

/** The room of clients that name none. */
export const DEFAULT_ROOM = "" as const;

const PATTERN = /^[\p{L}\p{N}][\p{L}\p{N} ._:#-]*$/u;

/** True for `""` and for up to 32 UTF-8 bytes of letters, digits, spaces and `. _ : # -`, a letter or digit first. */
export function isRoomName(value: unknown): value is string {
  if (typeof value !== "string") return false;
  if (value === DEFAULT_ROOM) return true;
  return value.length <= MAX_ROOM_BYTES && PATTERN.test(value) && Buffer.byteLength(value) <= MAX_ROOM_BYTES;
}
