/** The private part of a connect token: what only the token service and the servers read. */
import { ByteReader, ByteWriter } from "@riposte/wire";
import type { Crypto } from "../machine.ts";
import { readAddress, writeAddress } from "./address.ts";
import type { NetcodeAddress } from "./address.ts";
import { KEY_BYTES, MAX_SERVER_ADDRESSES, PRIVATE_TOKEN_BYTES, TAG_BYTES, USER_DATA_BYTES } from "./constants.ts";

export interface PrivateConnectToken {
  readonly clientId: bigint;
  /** Below zero: the connection never times out (development only). */
  readonly timeoutSeconds: number;
  readonly serverAddresses: readonly NetcodeAddress[];
  readonly clientToServerKey: Uint8Array;
  readonly serverToClientKey: Uint8Array;
  readonly userData: Uint8Array;
}

/** Writes the plaintext and leaves the last 16 of the 1,024 bytes for the tag. */
export function writePrivateToken(token: PrivateConnectToken, target: Uint8Array, offset: number): void {
  target.fill(0, offset, offset + PRIVATE_TOKEN_BYTES);
  const writer = new ByteWriter(target, offset, offset + PRIVATE_TOKEN_BYTES - TAG_BYTES);
  writeUint64(writer, token.clientId);
  writer.i32(token.timeoutSeconds);
  writer.u32(token.serverAddresses.length);
  for (const address of token.serverAddresses) writeAddress(writer, address);
  writer.bytes(token.clientToServerKey);
  writer.bytes(token.serverToClientKey);
  writer.bytes(token.userData);
}

/** Reads the opened plaintext; copies what it returns. `undefined` when it is malformed. */
export function readPrivateToken(buffer: Uint8Array, offset: number): PrivateConnectToken | undefined {
  const reader = new ByteReader(buffer, offset, offset + PRIVATE_TOKEN_BYTES - TAG_BYTES);
  const clientId = readUint64(reader);
  const timeoutSeconds = reader.i32();
  const serverAddresses = readAddresses(reader);
  if (serverAddresses === undefined) return undefined;
  const clientToServerKey = reader.view(KEY_BYTES).slice();
  const serverToClientKey = reader.view(KEY_BYTES).slice();
  const userData = reader.view(USER_DATA_BYTES).slice();
  if (reader.failed) return undefined;
  return { clientId, timeoutSeconds, serverAddresses, clientToServerKey, serverToClientKey, userData };
}

/** The count and the addresses; `undefined` when the count is not 1 to 32 or one is malformed. */
export function readAddresses(reader: ByteReader): NetcodeAddress[] | undefined {
  const count = reader.u32();
  if (count < 1 || count > MAX_SERVER_ADDRESSES) return undefined;
  const addresses: NetcodeAddress[] = [];
  for (let i = 0; i < count; i++) {
    const address = readAddress(reader);
    if (address === undefined) return undefined;
    addresses.push(address);
  }
  return addresses;
}

/**
 * Seals 1,024 bytes in place. The associated data is version info, protocol id and expire timestamp,
 * the same 29 bytes that stand behind the prefix byte of a connection request.
 */
export function sealPrivateToken(
  crypto: Crypto,
  privateKey: Uint8Array,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  buffer: Uint8Array,
  offset: number,
): void {
  const length = PRIVATE_TOKEN_BYTES - TAG_BYTES;
  crypto.xchacha20Poly1305.seal(privateKey, nonce, associatedData, buffer, offset, length);
}

/** Opens 1,024 bytes in place; false when they were not sealed with this key and data. */
export function openPrivateToken(
  crypto: Crypto,
  privateKey: Uint8Array,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  buffer: Uint8Array,
  offset: number,
): boolean {
  return crypto.xchacha20Poly1305.open(privateKey, nonce, associatedData, buffer, offset, PRIVATE_TOKEN_BYTES);
}

export function writeUint64(writer: ByteWriter, value: bigint): void {
  writer.u32(Number(value & 0xffff_ffffn));
  writer.u32(Number((value >> 32n) & 0xffff_ffffn));
}

export function readUint64(reader: ByteReader): bigint {
  const low = BigInt(reader.u32());
  return (BigInt(reader.u32()) << 32n) | low;
}
