/**
 * Challenge tokens: what a server sends to prove that a client receives at its address, sealed with
 * a key that never leaves the server.
 */
import type { Crypto } from "../machine.ts";
import { CHALLENGE_TOKEN_BYTES, TAG_BYTES, USER_DATA_BYTES } from "./constants.ts";
import { writePacketNonce } from "./packet-protection.ts";

const NO_DATA = new Uint8Array(0);

/** Writes the plaintext: client id, user data, zeros up to 300 bytes. */
export function writeChallengeToken(target: Uint8Array, offset: number, clientId: bigint, userData: Uint8Array): void {
  target.fill(0, offset, offset + CHALLENGE_TOKEN_BYTES);
  let rest = clientId;
  for (let i = 0; i < 8; i++) {
    target[offset + i] = Number(rest & 255n);
    rest >>= 8n;
  }
  target.set(userData, offset + 8);
}

/** The client id in an opened challenge token. */
export function challengeTokenClientId(buffer: Uint8Array, offset: number): bigint {
  let id = 0n;
  for (let i = 7; i >= 0; i--) id = (id << 8n) | BigInt(buffer[offset + i]);
  return id;
}

/** A copy of the user data in an opened challenge token. */
export function challengeTokenUserData(buffer: Uint8Array, offset: number): Uint8Array {
  return buffer.slice(offset + 8, offset + 8 + USER_DATA_BYTES);
}

/** Seals 300 bytes in place under the challenge sequence number. */
export function sealChallengeToken(
  crypto: Crypto,
  key: Uint8Array,
  sequence: number,
  buffer: Uint8Array,
  offset: number,
): void {
  const length = CHALLENGE_TOKEN_BYTES - TAG_BYTES;
  crypto.chacha20Poly1305.seal(key, challengeNonce(sequence), NO_DATA, buffer, offset, length);
}

/** Opens 300 bytes in place; false when this server did not seal them. */
export function openChallengeToken(
  crypto: Crypto,
  key: Uint8Array,
  sequence: number,
  buffer: Uint8Array,
  offset: number,
): boolean {
  return crypto.chacha20Poly1305.open(key, challengeNonce(sequence), NO_DATA, buffer, offset, CHALLENGE_TOKEN_BYTES);
}

function challengeNonce(sequence: number): Uint8Array {
  const nonce = new Uint8Array(12);
  writePacketNonce(nonce, Math.floor(sequence / 0x1_0000_0000), sequence >>> 0);
  return nonce;
}
