/**
 * The server's side of the handshake up to the challenge response: reads requests and responses in
 * the order that the standard sets, cheap checks first, and decrypts no more than it must.
 */
import type { Crypto } from "../machine.ts";
import { addressesEqual } from "./address.ts";
import type { NetcodeAddress } from "./address.ts";
import {
  challengeTokenClientId,
  openChallengeToken,
  sealChallengeToken,
  writeChallengeToken,
} from "./challenge-token.ts";
import {
  CHALLENGE_BYTES,
  KEY_BYTES,
  NETCODE_VERSION_INFO,
  PACKET_CHALLENGE,
  PACKET_DENIED,
  PRIVATE_TOKEN_BYTES,
  REQUEST_PACKET_BYTES,
  TAG_BYTES,
} from "./constants.ts";
import type { NetcodeDrops } from "./drops.ts";
import { HandshakeBudget } from "./handshake-budget.ts";
import { writePacketHeader64 } from "./packet-header.ts";
import type { PacketHeader } from "./packet-header.ts";
import { PacketProtection, protocolAssociatedData } from "./packet-protection.ts";
import { openPrivateToken, readPrivateToken } from "./private-token.ts";
import type { PrivateConnectToken } from "./private-token.ts";
import type { PendingSession } from "./server-session.ts";
import { threadSalt } from "./shared-admission.ts";
import type { SharedAdmission } from "./shared-admission.ts";
import { TokenHistory } from "./token-history.ts";
import { readUserData } from "./user-data.ts";

// Offsets in a connection request.
const PROTOCOL_AT = 14;
const EXPIRE_AT = 22;
const NONCE_AT = 30;
const PRIVATE_AT = 54;
const TAG_AT = REQUEST_PACKET_BYTES - TAG_BYTES;

/** A challenge that stays unanswered this long is forgotten, whatever the token's timeout says. */
const MAX_PENDING_MS = 30_000;

export interface AdmissionOptions {
  readonly protocolId: bigint;
  readonly privateKey: Uint8Array;
  readonly publicAddresses: readonly NetcodeAddress[];
  readonly crypto: Crypto;
  readonly drops: NetcodeDrops;
  readonly tokenHistory: number;
  readonly handshakesPerSecond: number;
  readonly shared: SharedAdmission | undefined;
  /** What a path stands for: paths come to mean other addresses, a token stays bound to one. */
  readonly addressOf: (path: number) => string;
  readonly now: number;
}

/** A request that passed every check that does not need to know who is connected. */
export interface ValidRequest {
  readonly token: PrivateConnectToken;
  readonly expireTimestamp: number;
  readonly issuedAt: number;
  /** A view of the datagram. */
  readonly tag: Uint8Array;
  /** In the token history, or -1: not used yet. */
  readonly tokenSerial: number;
}

export class Admission {
  readonly history: TokenHistory;
  readonly #options: AdmissionOptions;
  readonly #drops: NetcodeDrops;
  readonly #budget: HandshakeBudget;
  readonly #protection: PacketProtection;
  /** Version info and protocol id as they stand in a request behind the prefix byte. */
  readonly #expected: Uint8Array;
  readonly #scratch: Uint8Array = new Uint8Array(PRIVATE_TOKEN_BYTES);
  #challengeKey: Uint8Array = new Uint8Array(0);
  #challengeSequence = 0;
  #globalHigh = 0;
  #globalLow = 0;

  constructor(options: AdmissionOptions) {
    if (options.privateKey.length !== KEY_BYTES) {
      throw new RangeError(`privateKey must be 32 bytes, got ${options.privateKey.length}`);
    }
    this.#options = { ...options, privateKey: options.privateKey.slice() };
    this.#drops = options.drops;
    this.#expected = protocolAssociatedData(options.protocolId);
    this.#protection = new PacketProtection(options.crypto, this.#expected);
    this.#budget = new HandshakeBudget(options.handshakesPerSecond, options.now);
    this.history = new TokenHistory(options.tokenHistory);
    this.start();
  }

  /** The number the next challenge gets. */
  get challengeSequence(): number {
    return this.#challengeSequence;
  }

  /** Whether a packet that names a session, from a path that is not its own, may be opened. Whoever drops it counts it. */
  takeBudget(path: number, now: number): boolean {
    return this.#budget.take(path, false, now);
  }

  /** 20 bits nobody can guess; where several threads share a port, 17 and the thread. */
  salt(): number {
    const salt = word(this.#options.crypto.randomBytes(4)) & 0xfffff;
    const { shared } = this.#options;
    return shared === undefined ? salt : threadSalt(salt, shared.thread);
  }

  /** New challenge key; the sequence of packets outside a connection starts at a random point above 2^63. */
  start(): void {
    const { crypto } = this.#options;
    this.#challengeKey = crypto.randomBytes(KEY_BYTES);
    this.#challengeSequence = 0;
    // The top half of the sequence space: nonces of a connection under the same key never meet it. A random
    // part of it: a token that outlives a restart, of this object or the process, meets no nonce again.
    this.#globalHigh = (0x8000_0000 | word(crypto.randomBytes(4))) >>> 0;
    this.#globalLow = 0;
  }

  /** Checks a connection request as far as it goes without knowing who is connected. */
  readRequest(
    buffer: Uint8Array,
    offset: number,
    length: number,
    path: number,
    now: number,
    unixNow: number,
  ): ValidRequest | undefined {
    const drops = this.#drops;
    if (length !== REQUEST_PACKET_BYTES) return void drops.malformed++;
    for (let i = 0; i < NETCODE_VERSION_INFO.length; i++) {
      if (buffer[offset + 1 + i] !== NETCODE_VERSION_INFO[i]) return void drops.wrongVersion++;
    }
    for (let i = 0; i < 8; i++) {
      if (buffer[offset + PROTOCOL_AT + i] !== this.#expected[13 + i]) return void drops.wrongProtocol++;
    }
    const expireTimestamp = readUint64Number(buffer, offset + EXPIRE_AT);
    if (expireTimestamp <= unixNow) return void drops.tokenExpired++;
    // Used by another address: ignored in the end whatever it holds, so before any decryption.
    const tokenSerial = this.history.find(buffer, offset + TAG_AT);
    if (tokenSerial >= 0 && !this.history.admits(tokenSerial, this.#options.addressOf(path)))
      return void drops.tokenReused++;
    if (!this.#budget.take(path, tokenSerial >= 0, now)) return void drops.rateLimited++;
    const token = this.#openToken(buffer, offset);
    if (token === undefined) return undefined;
    if (!token.serverAddresses.some((address) => this.#isPublic(address))) return void drops.wrongServer++;
    const { issuedAt } = readUserData(token.userData);
    const tag = buffer.subarray(offset + TAG_AT, offset + REQUEST_PACKET_BYTES);
    const { shared } = this.#options;
    if (tokenSerial < 0 && shared?.claimToken(tag, expireTimestamp, unixNow) === false) return void drops.tokenReused++;
    return { token, expireTimestamp, issuedAt, tag, tokenSerial };
  }

  /** Enters the token of a request into the history and makes an admission of it. */
  admit(request: ValidRequest, path: number, now: number, unixNow: number): PendingSession {
    const { token, expireTimestamp, issuedAt, tag } = request;
    const timeoutMs = token.timeoutSeconds <= 0 ? Infinity : token.timeoutSeconds * 1000;
    return {
      path,
      clientId: token.clientId,
      userData: token.userData,
      clientToServerKey: token.clientToServerKey,
      serverToClientKey: token.serverToClientKey,
      timeoutMs,
      expireTimestamp,
      issuedAt,
      tag: tag.slice(),
      tokenSerial: this.enter(request, path, unixNow),
      firstChallenge: this.#challengeSequence,
      expiresAt: now + Math.min(timeoutMs, MAX_PENDING_MS),
      challengeDue: false,
      challengesSent: 0,
      challengedAt: 0,
    };
  }

  /** Enters the token of a request into the history and returns its serial. */
  enter(request: ValidRequest, path: number, unixNow: number): number {
    if (request.tokenSerial >= 0) return request.tokenSerial;
    return this.history.add(request.tag, 0, this.#options.addressOf(path), request.expireTimestamp, unixNow);
  }

  /** True when a challenge response proves that the client of `pending` receives at its path. */
  readResponse(
    pending: PendingSession,
    header: PacketHeader,
    buffer: Uint8Array,
    offset: number,
    length: number,
    now: number,
  ): boolean {
    const drops = this.#drops;
    const sealedLength = length - header.length;
    if (sealedLength !== CHALLENGE_BYTES + TAG_BYTES) return count(drops, "malformed");
    if (!this.#budget.take(pending.path, true, now)) return count(drops, "rateLimited");
    const { clientToServerKey: key } = pending;
    const { sequenceHigh, sequenceLow } = header;
    if (!this.#protection.open(key, sequenceHigh, sequenceLow, buffer, offset, header.length, sealedLength)) {
      return count(drops, "forged");
    }
    const at = offset + header.length;
    const sequence = readUint64Number(buffer, at);
    // Only a challenge made for this admission counts, so a recorded response proves nothing later.
    if (sequence < pending.firstChallenge || sequence >= this.#challengeSequence)
      return count(drops, "challengeForged");
    if (!openChallengeToken(this.#options.crypto, this.#challengeKey, sequence, buffer, at + 8)) {
      return count(drops, "challengeForged");
    }
    if (challengeTokenClientId(buffer, at + 8) !== pending.clientId) return count(drops, "challengeForged");
    return true;
  }

  /** Writes a whole, sealed challenge packet and returns its length. */
  writeChallenge(pending: PendingSession, buffer: Uint8Array, offset: number): number {
    const { crypto } = this.#options;
    const sequence = this.#challengeSequence++;
    const headerLength = this.#writeHeader(buffer, offset, PACKET_CHALLENGE);
    const at = offset + headerLength;
    writeUint64Number(buffer, at, sequence);
    writeChallengeToken(buffer, at + 8, pending.clientId, pending.userData);
    sealChallengeToken(crypto, this.#challengeKey, sequence, buffer, at + 8);
    return this.#seal(pending.serverToClientKey, buffer, offset, headerLength, CHALLENGE_BYTES);
  }

  /** Writes a whole, sealed denial and returns its length: 25 bytes. */
  writeDenied(key: Uint8Array, buffer: Uint8Array, offset: number): number {
    const headerLength = this.#writeHeader(buffer, offset, PACKET_DENIED);
    return this.#seal(key, buffer, offset, headerLength, 0);
  }

  #openToken(buffer: Uint8Array, offset: number): PrivateConnectToken | undefined {
    const { crypto, privateKey } = this.#options;
    const scratch = this.#scratch;
    // In a copy: the caller's datagram stays as it came.
    for (let i = 0; i < PRIVATE_TOKEN_BYTES; i++) scratch[i] = buffer[offset + PRIVATE_AT + i];
    const nonce = buffer.subarray(offset + NONCE_AT, offset + PRIVATE_AT);
    const associatedData = buffer.subarray(offset + 1, offset + NONCE_AT);
    if (!openPrivateToken(crypto, privateKey, nonce, associatedData, scratch, 0)) return void this.#drops.tokenForged++;
    const token = readPrivateToken(scratch, 0);
    scratch.fill(0);
    return token ?? void this.#drops.tokenMalformed++;
  }

  #isPublic(address: NetcodeAddress): boolean {
    return this.#options.publicAddresses.some((own) => addressesEqual(own, address));
  }

  #writeHeader(buffer: Uint8Array, offset: number, type: number): number {
    return writePacketHeader64(buffer, offset, type, this.#globalHigh, this.#globalLow);
  }

  #seal(key: Uint8Array, buffer: Uint8Array, offset: number, headerLength: number, length: number): number {
    this.#protection.seal(key, this.#globalHigh, this.#globalLow, buffer, offset, headerLength, length);
    this.#globalLow = (this.#globalLow + 1) >>> 0;
    if (this.#globalLow === 0) this.#globalHigh = (0x8000_0000 | (this.#globalHigh + 1)) >>> 0;
    return headerLength + length + TAG_BYTES;
  }
}

function count(drops: NetcodeDrops, reason: "malformed" | "rateLimited" | "forged" | "challengeForged"): false {
  drops[reason]++;
  return false;
}

function word(bytes: Uint8Array): number {
  return bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
}

/** A 64-bit number as a double: exact below 2^53, in the right order above. */
function readUint64Number(buffer: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = 7; i >= 0; i--) value = value * 256 + buffer[offset + i];
  return value;
}

function writeUint64Number(buffer: Uint8Array, offset: number, value: number): void {
  let rest = value;
  for (let i = 0; i < 8; i++) {
    buffer[offset + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}
