/**
 * Connect tokens: 2,048 bytes that a token service hands to an authenticated client over HTTPS, and
 * that admit it to the servers named in it until the token expires.
 */
import { ByteReader, ByteWriter } from "@riposte/wire";
import type { Crypto } from "../machine.ts";
import { toAddress, writeAddress } from "./address.ts";
import type { NetcodeAddress } from "./address.ts";
import {
  CONNECT_TOKEN_BYTES,
  KEY_BYTES,
  MAX_SERVER_ADDRESSES,
  NETCODE_VERSION_INFO,
  PRIVATE_TOKEN_BYTES,
  TOKEN_NONCE_BYTES,
  USER_DATA_BYTES,
} from "./constants.ts";
import { readAddresses, readUint64, sealPrivateToken, writePrivateToken, writeUint64 } from "./private-token.ts";

export interface ConnectTokenOptions {
  readonly protocolId: bigint;
  readonly clientId: bigint;
  /** 32 bytes shared by the token service and the servers, and nobody else. */
  readonly privateKey: Uint8Array;
  /** 1 to 32 addresses that the client tries in this order. */
  readonly serverAddresses: readonly (NetcodeAddress | string)[];
  /** The addresses the servers know themselves by, if they differ (behind NAT); default `serverAddresses`. */
  readonly internalServerAddresses?: readonly (NetcodeAddress | string)[];
  /** How long the token admits, default 45; below zero it never expires (development only). */
  readonly expireSeconds?: number;
  /** Silence that ends the connection, whole seconds, default 10; below zero it never ends (development only). */
  readonly timeoutSeconds?: number;
  /** Up to 256 bytes for the server, default none; see `writeUserData`. */
  readonly userData?: Uint8Array;
  /** Unix time. */
  readonly nowSeconds: number;
  readonly crypto: Crypto;
}

/** The public part of a connect token. */
export interface ConnectToken {
  readonly protocolId: bigint;
  readonly createTimestamp: bigint;
  readonly expireTimestamp: bigint;
  readonly nonce: Uint8Array;
  /** 1,024 sealed bytes that only a server opens. */
  readonly privateData: Uint8Array;
  readonly timeoutSeconds: number;
  readonly serverAddresses: readonly NetcodeAddress[];
  readonly clientToServerKey: Uint8Array;
  readonly serverToClientKey: Uint8Array;
}

const NEVER_EXPIRES = 0xffff_ffff_ffff_ffffn;

/** Makes a connect token. A mistake in the options throws `RangeError`. */
export function generateConnectToken(options: ConnectTokenOptions): Uint8Array {
  const { protocolId, clientId, privateKey, nowSeconds, crypto } = options;
  const expireSeconds = options.expireSeconds ?? 45;
  const timeoutSeconds = options.timeoutSeconds ?? 10;
  const userData = new Uint8Array(USER_DATA_BYTES);
  if (privateKey.length !== KEY_BYTES) throw new RangeError(`privateKey must be 32 bytes, got ${privateKey.length}`);
  if ((options.userData?.length ?? 0) > USER_DATA_BYTES) {
    throw new RangeError(`userData must be at most 256 bytes, got ${options.userData?.length}`);
  }
  if (!(nowSeconds >= 0)) throw new RangeError(`nowSeconds must be Unix time, got ${nowSeconds}`);
  if (!Number.isFinite(expireSeconds)) throw new RangeError(`expireSeconds must be finite, got ${expireSeconds}`);
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds === 0 || Math.abs(timeoutSeconds) >= 0x8000_0000) {
    throw new RangeError(`timeoutSeconds must be whole seconds from 1, or negative for never, got ${timeoutSeconds}`);
  }
  checkUint64("protocolId", protocolId);
  checkUint64("clientId", clientId);
  userData.set(options.userData ?? new Uint8Array(0));
  const createTimestamp = BigInt(Math.floor(nowSeconds));
  const expireTimestamp = expireSeconds < 0 ? NEVER_EXPIRES : createTimestamp + BigInt(Math.ceil(expireSeconds));
  const clientToServerKey = crypto.randomBytes(KEY_BYTES);
  const serverToClientKey = crypto.randomBytes(KEY_BYTES);
  const nonce = crypto.randomBytes(TOKEN_NONCE_BYTES);
  const serverAddresses = checkAddresses(options.serverAddresses);
  const privateData = new Uint8Array(PRIVATE_TOKEN_BYTES);
  const privateToken = {
    clientId,
    timeoutSeconds,
    serverAddresses: checkAddresses(options.internalServerAddresses ?? options.serverAddresses),
    clientToServerKey,
    serverToClientKey,
    userData,
  };
  writePrivateToken(privateToken, privateData, 0);
  const associatedData = tokenAssociatedData(protocolId, expireTimestamp);
  sealPrivateToken(crypto, privateKey, nonce, associatedData, privateData, 0);
  return writeConnectToken({
    protocolId,
    createTimestamp,
    expireTimestamp,
    nonce,
    privateData,
    timeoutSeconds: privateToken.timeoutSeconds,
    serverAddresses,
    clientToServerKey,
    serverToClientKey,
  });
}

/** Reads the public part; `undefined` when it is no connect token. What it returns is a copy. */
export function readConnectToken(bytes: Uint8Array): ConnectToken | undefined {
  if (bytes.length !== CONNECT_TOKEN_BYTES) return undefined;
  const reader = new ByteReader(bytes);
  for (const byte of NETCODE_VERSION_INFO) if (reader.u8() !== byte) return undefined;
  const protocolId = readUint64(reader);
  const createTimestamp = readUint64(reader);
  const expireTimestamp = readUint64(reader);
  if (createTimestamp > expireTimestamp) return undefined;
  const nonce = reader.view(TOKEN_NONCE_BYTES).slice();
  const privateData = reader.view(PRIVATE_TOKEN_BYTES).slice();
  const timeoutSeconds = reader.i32();
  const serverAddresses = readAddresses(reader);
  if (serverAddresses === undefined) return undefined;
  const clientToServerKey = reader.view(KEY_BYTES).slice();
  const serverToClientKey = reader.view(KEY_BYTES).slice();
  if (reader.failed) return undefined;
  return {
    protocolId,
    createTimestamp,
    expireTimestamp,
    nonce,
    privateData,
    timeoutSeconds,
    serverAddresses,
    clientToServerKey,
    serverToClientKey,
  };
}

/** The 2,048 bytes of a token whose private part is sealed already. */
export function writeConnectToken(token: ConnectToken): Uint8Array {
  const bytes = new Uint8Array(CONNECT_TOKEN_BYTES);
  const writer = new ByteWriter(bytes);
  writer.bytes(NETCODE_VERSION_INFO);
  writeUint64(writer, token.protocolId);
  writeUint64(writer, token.createTimestamp);
  writeUint64(writer, token.expireTimestamp);
  writer.bytes(token.nonce);
  writer.bytes(token.privateData);
  writer.i32(token.timeoutSeconds);
  writer.u32(token.serverAddresses.length);
  for (const address of token.serverAddresses) writeAddress(writer, address);
  writer.bytes(token.clientToServerKey);
  writer.bytes(token.serverToClientKey);
  return bytes;
}

/** What the private part is bound to: version info, protocol id, expire timestamp. */
export function tokenAssociatedData(protocolId: bigint, expireTimestamp: bigint): Uint8Array {
  const bytes = new Uint8Array(29);
  const writer = new ByteWriter(bytes);
  writer.bytes(NETCODE_VERSION_INFO);
  writeUint64(writer, protocolId);
  writeUint64(writer, expireTimestamp);
  return bytes;
}

function checkAddresses(addresses: readonly (NetcodeAddress | string)[]): NetcodeAddress[] {
  if (addresses.length < 1 || addresses.length > MAX_SERVER_ADDRESSES) {
    throw new RangeError(`a token names 1 to 32 server addresses, got ${addresses.length}`);
  }
  return addresses.map(toAddress);
}

function checkUint64(name: string, value: bigint): void {
  if (value < 0n || value > NEVER_EXPIRES) throw new RangeError(`${name} must fit 64 bits, got ${value}`);
}
