/**
 * The extensions of a hello: what the client offers and the server confirms, beyond netcode 1.02.
 * Both have to want one; the server has to be permitted by the token (see `docs/protocol/user-data.md`).
 */
import { ByteReader, ByteWriter, varintLength } from "@riposte/wire";
import type { ConnectionExtensions, NegotiatedExtensions } from "./connection-options.ts";
import type { HelloExtension } from "./hello.ts";

/** Value: the largest UDP payload that the side takes, as a varint. */
const EXTENSION_LARGE_PACKETS = 1;
/** Value: empty from the client; from the server the session's id, 4 bytes little-endian. */
const EXTENSION_MIGRATION = 2;
/** Value: empty. */
const EXTENSION_AES = 3;

export const NOTHING_NEGOTIATED: NegotiatedExtensions = { largePackets: undefined, sessionId: undefined, aes: false };

/** What a client offers. */
export function offeredExtensions(own: ConnectionExtensions): HelloExtension[] {
  const extensions: HelloExtension[] = [];
  if (own.largePackets !== undefined) extensions.push(largePackets(own.largePackets));
  if (own.migration !== undefined) extensions.push({ id: EXTENSION_MIGRATION, value: new Uint8Array(0) });
  if (own.aes === true) extensions.push({ id: EXTENSION_AES, value: new Uint8Array(0) });
  return extensions;
}

/** What a server confirms of an offer. */
export function confirmedExtensions(own: ConnectionExtensions, offer: readonly HelloExtension[]): HelloExtension[] {
  const confirmed: HelloExtension[] = [];
  if (own.largePackets !== undefined && find(offer, EXTENSION_LARGE_PACKETS) !== undefined) {
    confirmed.push(largePackets(own.largePackets));
  }
  if (typeof own.migration === "number" && find(offer, EXTENSION_MIGRATION) !== undefined) {
    const writer = new ByteWriter(new Uint8Array(4));
    writer.u32(own.migration);
    confirmed.push({ id: EXTENSION_MIGRATION, value: writer.written() });
  }
  if (own.aes === true && find(offer, EXTENSION_AES) !== undefined) {
    confirmed.push({ id: EXTENSION_AES, value: new Uint8Array(0) });
  }
  return confirmed;
}

/** What holds between a side that is able to do `own` and a peer whose hello carried `theirs`. */
export function negotiatedExtensions(
  own: ConnectionExtensions,
  theirs: readonly HelloExtension[],
): NegotiatedExtensions {
  const large = find(theirs, EXTENSION_LARGE_PACKETS);
  const largest = large === undefined ? 0 : new ByteReader(large).varint();
  const named = find(theirs, EXTENSION_MIGRATION);
  let sessionId: number | undefined;
  if (named !== undefined && typeof own.migration === "number") sessionId = own.migration;
  else if (own.migration === true && named?.length === 4) {
    const id = new ByteReader(named).u32();
    // 0 names no session.
    if (id !== 0) sessionId = id;
  }
  return {
    largePackets: own.largePackets !== undefined && largest > 0 ? largest : undefined,
    sessionId,
    aes: own.aes === true && find(theirs, EXTENSION_AES) !== undefined,
  };
}

function largePackets(bytes: number): HelloExtension {
  const writer = new ByteWriter(new Uint8Array(varintLength(bytes)));
  writer.varint(bytes);
  return { id: EXTENSION_LARGE_PACKETS, value: writer.written() };
}

function find(extensions: readonly HelloExtension[], id: number): Uint8Array | undefined {
  return extensions.find((extension) => extension.id === id)?.value;
}
