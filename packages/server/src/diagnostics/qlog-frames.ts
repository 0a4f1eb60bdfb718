/** The frames of a payload as qlog names them (draft-ietf-quic-qlog-quic-events-04 section 8.10), without what they carry. */

import {
  FRAME_ACK,
  FRAME_CONNECTION_CLOSE,
  FRAME_CONNECTION_CLOSE_APPLICATION,
  FRAME_DATAGRAM,
  FRAME_DATA_BLOCKED,
  FRAME_FRAGMENT,
  FRAME_HELLO,
  FRAME_MAX_DATA,
  FRAME_ORDERED,
  FRAME_PATH_CHALLENGE,
  FRAME_PATH_RESPONSE,
  FRAME_PING,
  FRAME_STREAM,
  FrameReader,
} from "@riposte/protocol/channel";

export type QlogFrame = { readonly frame_type: string } & Readonly<Record<string, unknown>>;

export interface DecodedPayload {
  readonly frames: QlogFrame[];
  /** It could not be read to its end. */
  readonly malformed: boolean;
}

/** `error_code` is 32 bits in qlog, ours is not. */
const MAX_ERROR_CODE = 0xffff_ffff;

const reader = new FrameReader();
const decoder = new TextDecoder();

export function decodeFrames(payload: Uint8Array): DecodedPayload {
  const frames: QlogFrame[] = [];
  let end = 0;
  reader.reset(payload, 0, payload.length);
  while (reader.next()) {
    frames.push(frameOf(payload));
    end = endOfFrame(payload);
  }
  const malformed = reader.error !== 0;
  // Padding stands at the end; a payload of nothing else has no frame before it.
  if (!malformed && end < payload.length) {
    frames.push({ frame_type: "padding", length: payload.length - end, payload_length: payload.length - end });
  }
  return { frames, malformed };
}

function frameOf(payload: Uint8Array): QlogFrame {
  switch (reader.kind) {
    case FRAME_PING:
      return { frame_type: "ping" };
    case FRAME_ACK:
      return ackFrame();
    case FRAME_STREAM:
      return {
        frame_type: "stream",
        stream_id: reader.streamId,
        offset: reader.streamOffset,
        length: reader.dataLength,
      };
    case FRAME_MAX_DATA:
      return { frame_type: "max_data", maximum: reader.maxData };
    case FRAME_DATA_BLOCKED:
      return { frame_type: "data_blocked", limit: reader.maxData };
    case FRAME_PATH_CHALLENGE:
      return { frame_type: "path_challenge", data: hex(dataOf(payload)) };
    case FRAME_PATH_RESPONSE:
      return { frame_type: "path_response", data: hex(dataOf(payload)) };
    case FRAME_CONNECTION_CLOSE:
    case FRAME_CONNECTION_CLOSE_APPLICATION:
      return closeFrame(payload);
    case FRAME_DATAGRAM:
      return { frame_type: "datagram", length: reader.dataLength };
    case FRAME_ORDERED:
      return { frame_type: "ordered_message", sequence: reader.sequence, length: reader.dataLength };
    case FRAME_FRAGMENT:
      return {
        frame_type: "message_fragment",
        ordered: reader.ordered,
        sequence: reader.sequence,
        fragment: reader.fragment,
        total_fragments: reader.lastFragment + 1,
        length: reader.dataLength,
      };
    case FRAME_HELLO:
      return {
        frame_type: "hello",
        version: reader.hello?.version ?? 0,
        schema_hash: hex(reader.hello?.schemaHash ?? new Uint8Array(0)),
        extensions: reader.hello?.extensions.map(({ id }) => id) ?? [],
      };
    default:
      return { frame_type: "unknown", frame_type_value: reader.kind };
  }
}

function ackFrame(): QlogFrame {
  const { ack } = reader;
  const ranges: number[][] = [];
  for (let i = 0; i < ack.rangeCount; i++) {
    ranges.push(ack.lowest[i] === ack.highest[i] ? [ack.lowest[i]] : [ack.lowest[i], ack.highest[i]]);
  }
  return {
    frame_type: "ack",
    ack_delay: ack.delayMs,
    acked_ranges: ranges,
    ...(ack.ce >= 0 && { ect0: ack.ect0, ect1: ack.ect1, ce: ack.ce }),
  };
}

function closeFrame(payload: Uint8Array): QlogFrame {
  const { closeCode } = reader;
  return {
    frame_type: "connection_close",
    error_space: reader.kind === FRAME_CONNECTION_CLOSE ? "transport" : "application",
    ...(closeCode <= MAX_ERROR_CODE && { error_code: closeCode }),
    error_code_value: closeCode,
    reason: decoder.decode(dataOf(payload)),
  };
}

/** Where the frame just read ends, as far as it says; padding follows none of the others. */
function endOfFrame(payload: Uint8Array): number {
  switch (reader.kind) {
    case FRAME_PING: {
      // Its only byte is not 0, which all of what may follow is.
      let end = payload.length;
      while (end > 0 && payload[end - 1] === 0) end--;
      return end;
    }
    case FRAME_PATH_CHALLENGE:
    case FRAME_PATH_RESPONSE:
      return reader.dataOffset + reader.dataLength;
    default:
      return payload.length;
  }
}

function dataOf(payload: Uint8Array): Uint8Array {
  return payload.subarray(reader.dataOffset, reader.dataOffset + reader.dataLength);
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
