/**
 * The HELLO frame: how two Riposte programs recognise each other inside a netcode session, and
 * agree on version, game schema and extensions. A peer whose first payload does not start with
 * one is a plain netcode 1.02 program.
 */

import type { ByteReader, ByteWriter } from "@riposte/wire";
import { FRAME_HELLO } from "./frames.ts";

/** ASCII "RIPOSTE!". */
const HELLO_MAGIC: Uint8Array = Uint8Array.of(0x52, 0x49, 0x50, 0x4f, 0x53, 0x54, 0x45, 0x21);
export const HELLO_VERSION = 1;
export const SCHEMA_HASH_BYTES = 8;
/** Values of the extensions of one hello. */
const MAX_EXTENSION_BYTES = 128;
const MAX_EXTENSIONS = 32;

/** Frame type and magic: what tells a hello from a plain payload. */
const HELLO_PREFIX_BYTES = 10;

/** Something one side offers; the other confirms by sending the same id back. Unknown ids are ignored. */
export interface HelloExtension {
  readonly id: number;
  readonly value: Uint8Array;
}

export interface Hello {
  readonly version: number;
  readonly schemaHash: Uint8Array;
  readonly extensions: readonly HelloExtension[];
}

export function startsWithHello(buffer: Uint8Array, offset: number, length: number): boolean {
  if (length < HELLO_PREFIX_BYTES || buffer[offset] !== 0x40 || buffer[offset + 1] !== FRAME_HELLO) return false;
  for (let i = 0; i < HELLO_MAGIC.length; i++) if (buffer[offset + 2 + i] !== HELLO_MAGIC[i]) return false;
  return true;
}

/** Writes a whole HELLO frame. `RangeError` when its extensions are too large. */
export function writeHello(writer: ByteWriter, hello: Hello): void {
  if (hello.schemaHash.length !== SCHEMA_HASH_BYTES) {
    throw new RangeError(`schemaHash must be ${SCHEMA_HASH_BYTES} bytes, got ${hello.schemaHash.length}`);
  }
  let extensionBytes = 0;
  for (const { value } of hello.extensions) extensionBytes += value.length;
  if (extensionBytes > MAX_EXTENSION_BYTES || hello.extensions.length > MAX_EXTENSIONS) {
    throw new RangeError(`extensions of a hello take ${extensionBytes} bytes, more than ${MAX_EXTENSION_BYTES}`);
  }
  writer.varint(FRAME_HELLO);
  writer.bytes(HELLO_MAGIC);
  writer.varint(hello.version);
  writer.bytes(hello.schemaHash);
  writer.varint(hello.extensions.length);
  for (const { id, value } of hello.extensions) {
    writer.varint(id);
    writer.varint(value.length);
    writer.bytes(value);
  }
}

/**
 * Reads what follows the frame type, copying it; `undefined` when it is malformed. Of another
 * version only the number is known, and the rest of the payload is passed over. Rare: allocates.
 */
export function readHello(reader: ByteReader): Hello | undefined {
  for (const byte of HELLO_MAGIC) if (reader.u8() !== byte) return undefined;
  const version = reader.varint();
  if (!reader.failed && version !== HELLO_VERSION) {
    reader.skip(reader.remaining);
    return { version, schemaHash: new Uint8Array(SCHEMA_HASH_BYTES), extensions: [] };
  }
  const schemaHash = reader.view(SCHEMA_HASH_BYTES).slice();
  const count = reader.varint();
  if (reader.failed || count > MAX_EXTENSIONS) return undefined;
  const extensions: HelloExtension[] = [];
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const id = reader.varint();
    const length = reader.varint();
    bytes += length;
    if (reader.failed || bytes > MAX_EXTENSION_BYTES) return undefined;
    const value = reader.view(length).slice();
    if (reader.failed) return undefined;
    extensions.push({ id, value });
  }
  return { version, schemaHash, extensions };
}
