/**
 * The frame types of a Riposte payload, and the wire's own error codes. `docs/protocol/frames.md`
 * is the specification. Frames that QUIC has are encoded as in RFC 9000 and RFC 9221.
 */

export const FRAME_PADDING = 0x00;
export const FRAME_PING = 0x01;
export const FRAME_ACK = 0x02;
export const FRAME_ACK_ECN = 0x03;
/** 0x08 to 0x0f: two low bits say which fields follow; 0x01 (QUIC's FIN) means nothing here. */
export const FRAME_STREAM = 0x08;
export const STREAM_LENGTH = 0x02;
export const STREAM_OFFSET = 0x04;
export const FRAME_MAX_DATA = 0x10;
export const FRAME_DATA_BLOCKED = 0x14;
export const FRAME_PATH_CHALLENGE = 0x1a;
export const FRAME_PATH_RESPONSE = 0x1b;
export const FRAME_CONNECTION_CLOSE = 0x1c;
export const FRAME_CONNECTION_CLOSE_APPLICATION = 0x1d;
/** RFC 9221: an `unreliableUnordered` message that fits into one packet. Low bit: a length follows. */
export const FRAME_DATAGRAM = 0x30;
export const FRAME_HELLO = 0x40;
/** An `unreliableOrdered` message that fits into one packet. Low bit: a length follows. */
export const FRAME_ORDERED = 0x42;
/** A piece of a larger unreliable message. Low bit: a length follows; bit 1: of an ordered message. */
export const FRAME_FRAGMENT = 0x44;
export const FRAGMENT_ORDERED = 0x02;
export const MESSAGE_LENGTH = 0x01;

/** Largest reliable message: 16 MiB. */
export const MAX_RELIABLE_BYTES: number = 16 * 1024 * 1024;
export const MAX_FRAGMENTS = 256;
/** Largest unreliable message: 256 KiB. */
export const MAX_UNRELIABLE_BYTES: number = 256 * 1024;
/** Independent streams of the reliable channel, numbered from 0. */
export const MAX_STREAMS = 256;
/** Length of the data of PATH_CHALLENGE and PATH_RESPONSE. */
export const PATH_DATA_BYTES = 8;

/** Longest reason of a CONNECTION_CLOSE that is written or kept. */
export const MAX_REASON_BYTES = 128;

// Codes of CONNECTION_CLOSE 0x1c. Those below 0x100 are RFC 9000's (section 20.1).
export const CLOSE_NO_ERROR = 0x00;
export const CLOSE_INTERNAL_ERROR = 0x01;
export const CLOSE_FLOW_CONTROL_ERROR = 0x03;
export const CLOSE_FRAME_ENCODING_ERROR = 0x07;
export const CLOSE_PROTOCOL_VIOLATION = 0x0a;
export const CLOSE_VERSION_MISMATCH = 0x5201;
export const CLOSE_SCHEMA_MISMATCH = 0x5202;
export const CLOSE_DISPLACED = 0x5203;
export const CLOSE_KICKED = 0x5204;
export const CLOSE_SERVER_FULL = 0x5205;
export const CLOSE_TOO_MUCH_UNFINISHED = 0x5206;
