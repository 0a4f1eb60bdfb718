/** What a netcode server keeps for a client: while it is being admitted, connected, and going. */
import { MAX_PAYLOAD_BYTES, TAG_BYTES } from "./constants.ts";
import { ReplayProtection } from "./replay-protection.ts";

/** An admission under way: a valid request came, its challenge is unanswered. netcode's "encryption mapping". */
export interface PendingSession {
  readonly path: number;
  readonly clientId: bigint;
  readonly userData: Uint8Array;
  readonly clientToServerKey: Uint8Array;
  readonly serverToClientKey: Uint8Array;
  /** Silence that ends the connection, `Infinity` for never. */
  readonly timeoutMs: number;
  /** The token's expiry and, if it says so, its issue instant: which of two tokens is newer. */
  readonly expireTimestamp: number;
  readonly issuedAt: number;
  /** The tag of the token's private part: tells one token from another. */
  readonly tag: Uint8Array;
  /** In the token history. */
  readonly tokenSerial: number;
  /** Challenges from this number on are for this admission. */
  readonly firstChallenge: number;
  readonly expiresAt: number;
  challengeDue: boolean;
  /** Challenges sent, and when the first went: the round trip, if one was enough. */
  challengesSent: number;
  challengedAt: number;
}

/** A connected client. */
export class ServerSession {
  readonly index: number;
  /** -1: none leads to the client now. */
  path: number;
  /** What names it on any path, once migration is agreed on; 0 before. */
  id = 0;
  /** Both sides agreed on migration: without a path it waits for another one. */
  movable = false;
  /** Largest payload, both ways: netcode's, until both sides agreed on more. */
  maxPayloadBytes: number = MAX_PAYLOAD_BYTES;
  readonly clientId: bigint;
  /** 256 bytes from the connect token. */
  readonly userData: Uint8Array;
  readonly sendKey: number;
  readonly receiveKey: number;
  readonly timeoutMs: number;
  readonly expireTimestamp: number;
  readonly issuedAt: number;
  readonly tag: Uint8Array;
  readonly tokenSerial: number;
  readonly replay: ReplayProtection = new ReplayProtection();
  nextSequence: number;
  lastSentAt: number;
  lastReceivedAt: number;
  /** Since when it has no path; `Infinity`: it has one. */
  interruptedAt: number = Infinity;
  /** The client said something, so it knows its index. */
  confirmed = false;
  /** A keep-alive went out since the last payload. */
  keepAliveAhead = false;
  keepAliveDue = true;
  /** Round trip of the handshake, if it was measured. */
  handshakeRttMs: number | undefined = undefined;
  /** Free for the layer above. */
  context: unknown = undefined;

  constructor(
    index: number,
    from: PendingSession,
    keys: { send: number; receive: number },
    sequence: number,
    now: number,
  ) {
    this.index = index;
    this.path = from.path;
    this.clientId = from.clientId;
    this.userData = from.userData;
    this.sendKey = keys.send;
    this.receiveKey = keys.receive;
    this.timeoutMs = from.timeoutMs;
    this.expireTimestamp = from.expireTimestamp;
    this.issuedAt = from.issuedAt;
    this.tag = from.tag;
    this.tokenSerial = from.tokenSerial;
    this.nextSequence = sequence;
    this.lastSentAt = now;
    this.lastReceivedAt = now;
  }
}

/** A session without a path is kept for so long at most, whatever its token says of silence. */
const MAX_INTERRUPTION_MS = 30_000;

/** When a session ends if nothing more is heard. */
export function timeoutOf(session: ServerSession): number {
  const { lastReceivedAt, timeoutMs, interruptedAt } = session;
  return Math.min(lastReceivedAt + timeoutMs, interruptedAt + MAX_INTERRUPTION_MS);
}

/** What is still to be sent for a session that is over. */
export interface ClosingSession {
  readonly session: ServerSession;
  /** Payloads that the layer above may still send, then disconnect packets. */
  farewells: number;
  disconnects: number;
}

/**
 * Whether a token is newer than the one a client is connected with: issued later where both say when,
 * else expiring later. Two that cannot be told apart count in the order they arrive; the token they
 * displace is spent, so it does not come back.
 */
export function isNewerToken(token: TokenAge, than: TokenAge): boolean {
  if (tagsEqual(token.tag, than.tag)) return false;
  if (token.issuedAt > 0 && than.issuedAt > 0 && token.issuedAt !== than.issuedAt) {
    return token.issuedAt > than.issuedAt;
  }
  if (token.expireTimestamp !== than.expireTimestamp) return token.expireTimestamp > than.expireTimestamp;
  return token.tokenSerial < 0 || token.tokenSerial > than.tokenSerial;
}

export type TokenAge = Pick<PendingSession, "tag" | "expireTimestamp" | "issuedAt" | "tokenSerial">;

export function tagsEqual(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < TAG_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}
