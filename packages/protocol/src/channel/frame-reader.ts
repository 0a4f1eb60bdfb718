import { ByteReader } from "@riposte/wire";
import { AckFrame } from "../recovery/ack-frame.ts";
import {
  CLOSE_FRAME_ENCODING_ERROR,
  FRAME_ACK,
  FRAME_ACK_ECN,
  FRAME_CONNECTION_CLOSE,
  FRAME_CONNECTION_CLOSE_APPLICATION,
  FRAME_DATAGRAM,
  FRAME_DATA_BLOCKED,
  FRAME_FRAGMENT,
  FRAME_HELLO,
  FRAME_MAX_DATA,
  FRAME_ORDERED,
  FRAME_PADDING,
  FRAME_PATH_CHALLENGE,
  FRAME_PATH_RESPONSE,
  FRAME_PING,
  FRAME_STREAM,
  FRAGMENT_ORDERED,
  MESSAGE_LENGTH,
  PATH_DATA_BYTES,
  STREAM_LENGTH,
  STREAM_OFFSET,
} from "./frames.ts";
import { readHello } from "./hello.ts";
import type { Hello } from "./hello.ts";

/**
 * Takes a payload apart, frame by frame: `reset`, then `next` until it says false, then look at
 * `error`. The fields hold the frame just read. Nothing is copied: `dataOffset` points into the
 * payload. Garbage ends the walk with an error code and never throws.
 */
export class FrameReader {
  /** The frame's kind: its type without the low bits that only say which fields follow. */
  kind: number;
  /** Code for CONNECTION_CLOSE when the payload was malformed, else 0. */
  error: number;
  streamId: number;
  /** STREAM: offset of the data. */
  streamOffset: number;
  /** MAX_DATA: the new limit. */
  maxData: number;
  /** Message number of an ordered message or a fragment. */
  sequence: number;
  fragment: number;
  lastFragment: number;
  ordered: boolean;
  /** The frame's data is `buffer[dataOffset, dataOffset + dataLength)` of the payload; also a close's reason and a path's challenge. */
  dataOffset: number;
  dataLength: number;
  closeCode: number;
  hello: Hello | undefined;
  readonly ack: AckFrame;
  readonly #reader: ByteReader;

  constructor() {
    this.kind = FRAME_PADDING;
    this.error = 0;
    this.streamId = 0;
    this.streamOffset = 0;
    this.maxData = 0;
    this.sequence = 0;
    this.fragment = 0;
    this.lastFragment = 0;
    this.ordered = false;
    this.dataOffset = 0;
    this.dataLength = 0;
    this.closeCode = 0;
    this.hello = undefined;
    this.ack = new AckFrame();
    this.#reader = new ByteReader();
  }

  reset(buffer: Uint8Array, offset: number, length: number): void {
    this.#reader.reset(buffer, offset, offset + length);
    this.error = 0;
  }

  /** Reads the next frame; false at the end of the payload or at the first error. Skips PADDING. */
  next(): boolean {
    const reader = this.#reader;
    let type = FRAME_PADDING;
    while (type === FRAME_PADDING) {
      if (reader.offset >= reader.end) return false;
      type = reader.buffer[reader.offset++];
    }
    if (type >= 0x40) {
      // Types up to 0x7f in two bytes; nothing above is known. RFC 9000 section 12.4: shortest form only.
      type = type === 0x40 ? reader.u8() : 0;
      if (type < 0x40 || type > 0x7f) return this.#malformed();
    }
    if (!this.#read(type) || reader.failed) return this.#malformed();
    return true;
  }

  #read(type: number): boolean {
    const reader = this.#reader;
    if (type >= FRAME_STREAM && type < FRAME_STREAM + 8) {
      this.kind = FRAME_STREAM;
      this.streamId = reader.varint();
      this.streamOffset = (type & STREAM_OFFSET) === 0 ? 0 : reader.varint();
      return this.#data((type & STREAM_LENGTH) !== 0);
    }
    switch (type) {
      case FRAME_PING:
        this.kind = FRAME_PING;
        return true;
      case FRAME_ACK:
      case FRAME_ACK_ECN:
        this.kind = FRAME_ACK;
        return this.ack.read(reader, type === FRAME_ACK_ECN);
      case FRAME_MAX_DATA:
      case FRAME_DATA_BLOCKED:
        this.kind = type;
        this.maxData = reader.varint();
        return true;
      case FRAME_PATH_CHALLENGE:
      case FRAME_PATH_RESPONSE:
        this.kind = type;
        this.dataOffset = reader.offset;
        this.dataLength = PATH_DATA_BYTES;
        reader.skip(PATH_DATA_BYTES);
        return true;
      case FRAME_CONNECTION_CLOSE:
      case FRAME_CONNECTION_CLOSE_APPLICATION:
        this.kind = type;
        this.closeCode = reader.varint();
        if (type === FRAME_CONNECTION_CLOSE) reader.varint(); // the frame type that was to blame
        return this.#data(true);
      case FRAME_DATAGRAM:
      case FRAME_DATAGRAM | MESSAGE_LENGTH:
        this.kind = FRAME_DATAGRAM;
        return this.#data((type & MESSAGE_LENGTH) !== 0);
      case FRAME_ORDERED:
      case FRAME_ORDERED | MESSAGE_LENGTH:
        this.kind = FRAME_ORDERED;
        this.sequence = reader.varint();
        return this.#data((type & MESSAGE_LENGTH) !== 0);
      case FRAME_FRAGMENT:
      case FRAME_FRAGMENT | MESSAGE_LENGTH:
      case FRAME_FRAGMENT | FRAGMENT_ORDERED:
      case FRAME_FRAGMENT | FRAGMENT_ORDERED | MESSAGE_LENGTH:
        return this.#readFragment(type);
      case FRAME_HELLO:
        this.kind = FRAME_HELLO;
        this.hello = readHello(reader);
        return this.hello !== undefined;
      default:
        return false;
    }
  }

  #readFragment(type: number): boolean {
    const reader = this.#reader;
    this.kind = FRAME_FRAGMENT;
    this.ordered = (type & FRAGMENT_ORDERED) !== 0;
    this.sequence = reader.varint();
    this.fragment = reader.u8();
    this.lastFragment = reader.u8();
    if (!this.#data((type & MESSAGE_LENGTH) !== 0)) return false;
    return this.lastFragment > 0 && this.fragment <= this.lastFragment && this.dataLength > 0;
  }

  /** The data at the end of a frame: behind a length, or up to the end of the payload. */
  #data(hasLength: boolean): boolean {
    const reader = this.#reader;
    const length = hasLength ? reader.varint() : reader.remaining;
    if (reader.failed || length > reader.remaining) return false;
    this.dataOffset = reader.offset;
    this.dataLength = length;
    reader.offset += length;
    return true;
  }

  #malformed(): false {
    this.error = CLOSE_FRAME_ENCODING_ERROR;
    return false;
  }
}
