/** The fixed numbers of netcode 1.02, as its STANDARD.md names them. */

/** "NETCODE 1.02" with its terminating zero: 13 bytes. */
export const NETCODE_VERSION_INFO: Uint8Array = Uint8Array.of(
  0x4e,
  0x45,
  0x54,
  0x43,
  0x4f,
  0x44,
  0x45,
  0x20,
  0x31,
  0x2e,
  0x30,
  0x32,
  0x00,
);

export const KEY_BYTES = 32;
/** The Poly1305 tag; netcode calls it the HMAC. */
export const TAG_BYTES = 16;
export const USER_DATA_BYTES = 256;
export const MAX_SERVER_ADDRESSES = 32;

export const CONNECT_TOKEN_BYTES = 2048;
/** The sealed private part of a connect token, tag included. */
export const PRIVATE_TOKEN_BYTES = 1024;
export const TOKEN_NONCE_BYTES = 24;
/** A sealed challenge token, tag included. */
export const CHALLENGE_TOKEN_BYTES = 300;

/** The whole connection request: the one packet that is not sealed, and larger than any answer to it. */
export const REQUEST_PACKET_BYTES = 1078;
/** Nothing sealed is shorter: prefix, one sequence byte, tag. */
export const MIN_PACKET_BYTES = 18;
export const MAX_PAYLOAD_BYTES = 1200;
/** Prefix, eight sequence bytes, payload and tag. */
export const MAX_PACKET_BYTES = 1225;

/** Challenge sequence and sealed challenge token: the plaintext of challenge and response. */
export const CHALLENGE_BYTES = 308;
/** Client index and client limit: the plaintext of a keep-alive. */
export const KEEP_ALIVE_BYTES = 8;

export const PACKET_REQUEST = 0;
export const PACKET_DENIED = 1;
export const PACKET_CHALLENGE = 2;
export const PACKET_RESPONSE = 3;
export const PACKET_KEEP_ALIVE = 4;
export const PACKET_PAYLOAD = 5;
export const PACKET_DISCONNECT = 6;
/**
 * Not in the standard: a payload behind the id of its session, by which the server knows it on any path. Clients send
 * it once both sides have agreed on migration; without a payload it is a keep-alive.
 */
export const PACKET_NAMED_PAYLOAD = 7;
/** The session's id in the header of a named payload. */
export const SESSION_ID_BYTES = 4;

/** The most clients one server may be given. */
export const MAX_CLIENTS = 4096;
/** How far behind the newest sequence number a packet may arrive. */
export const REPLAY_WINDOW = 8192;
/** Requests, responses and keep-alives go at 10 Hz. */
export const SEND_INTERVAL_MS = 100;
/** A disconnect is sent this often at once, since nobody answers it. */
export const DISCONNECT_PACKETS = 10;
