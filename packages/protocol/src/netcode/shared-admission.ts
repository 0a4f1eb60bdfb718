import { isNamedType, MIN_PACKET_BYTES, SESSION_ID_BYTES } from "./constants.ts";

/** Bits of a session id that name the thread. */
const THREAD_BITS = 3;
const SALT_BITS = 20;
export const MAX_THREADS: number = 2 ** THREAD_BITS;

/**
 * What servers on one port share, each in a thread of its own: a token is used on one of them, all seats count together,
 * and a session's id names the thread it lives in, so that its packets can be passed on to it.
 */
export interface SharedAdmission {
  /** This server's number, 0 to 7. */
  readonly thread: number;
  readonly isFull: boolean;
  /** False when all seats are taken. */
  takeSeat(): boolean;
  releaseSeat(): void;
  /** Whether a token, named by its 16-byte tag, is used by nobody else. It is this server's from then on, until it expires. */
  claimToken(tag: Uint8Array, expireTimestamp: number, unixNow: number): boolean;
}

/** Puts the thread into the 20 random bits of a session's id. */
export function threadSalt(salt: number, thread: number): number {
  const random = SALT_BITS - THREAD_BITS;
  return (thread << random) | (salt & (2 ** random - 1));
}

/** The thread whose session a packet names; -1 when it names none. */
export function threadOfPacket(buffer: Uint8Array, offset: number, length: number): number {
  if (length < MIN_PACKET_BYTES + SESSION_ID_BYTES || !isNamedType(buffer[offset] & 15)) return -1;
  // The id stands behind the prefix byte, little-endian.
  return buffer[offset + SESSION_ID_BYTES] >>> (8 - THREAD_BITS);
}
