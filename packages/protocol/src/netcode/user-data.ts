/**
 * How Riposte uses the 256 bytes of user data in a connect token: the first 64 are ours, the rest
 * is the game's. docs/protocol/user-data.md is the reference. A token of a plain netcode service
 * has no marker; its 256 bytes then all belong to the game.
 */
import { decodeUtf8, encodeUtf8, utf8Length } from "@riposte/wire";
import { USER_DATA_BYTES } from "./constants.ts";

/** Bytes of room name that fit. */
export const MAX_ROOM_BYTES = 32;
/** Bytes that are the game's. */
export const GAME_DATA_BYTES = 192;

export interface UserData {
  /** The room the client is sent to; "" is the server's default. At most 32 bytes of UTF-8. */
  readonly room?: string;
  /** Up to 192 bytes for the game. */
  readonly gameData?: Uint8Array;
  /** When the token was made, Unix milliseconds: tells apart tokens made in one second. 0 or absent: unknown. */
  readonly issuedAt?: number;
  /** What the client may use beyond netcode 1.02: packets above its size, and sessions that survive a change of address. Default both. */
  readonly allowLargePackets?: boolean;
  readonly allowMigration?: boolean;
  /** The seat that is kept for the client, of those that the server's process `epoch` has numbered. Default: none is. */
  readonly seat?: TokenSeat;
}

/** Both below 2^53, the epoch above 0. */
interface TokenSeat {
  readonly number: number;
  readonly epoch: number;
}

export interface ParsedUserData {
  /** False for a token without Riposte's marker. */
  readonly marked: boolean;
  readonly room: string;
  /** 192 bytes, or all 256 of an unmarked token. A view of the bytes given. */
  readonly gameData: Uint8Array;
  readonly issuedAt: number;
  readonly allowLargePackets: boolean;
  readonly allowMigration: boolean;
  readonly seat: TokenSeat | undefined;
}

const MARKER = [0x52, 0x50, 0x53, 0x54]; // "RPST"
const VERSION = 1;
const FLAGS_AT = 5;
const FLAG_LARGE_PACKETS = 1;
const FLAG_MIGRATION = 2;
const ROOM_AT = 8;
const ISSUED_AT = 40;
const SEAT_AT = 48;
const EPOCH_AT = 56;
const GAME_AT = 64;

/** 256 bytes for `generateConnectToken`. What does not fit throws `RangeError`. */
export function writeUserData(data: UserData): Uint8Array {
  const { room = "", gameData, issuedAt = 0, allowLargePackets = true, allowMigration = true } = data;
  const bytes = new Uint8Array(USER_DATA_BYTES);
  if (utf8Length(room) > MAX_ROOM_BYTES) throw new RangeError(`room must be at most 32 bytes of UTF-8, got "${room}"`);
  if (room.includes("\0")) throw new RangeError("room must not contain a zero character");
  if (gameData !== undefined && gameData.length > GAME_DATA_BYTES) {
    throw new RangeError(`gameData must be at most 192 bytes, got ${gameData.length}`);
  }
  if (!(Number.isSafeInteger(issuedAt) && issuedAt >= 0)) {
    throw new RangeError(`issuedAt must be whole Unix milliseconds, got ${issuedAt}`);
  }
  const { seat = NO_SEAT } = data;
  for (const value of [seat.number, seat.epoch])
    if (!(Number.isSafeInteger(value) && value >= 0))
      throw new RangeError(`a seat's numbers must be whole, got ${value}`);
  bytes.set(MARKER);
  bytes[4] = VERSION;
  bytes[FLAGS_AT] = (allowLargePackets ? FLAG_LARGE_PACKETS : 0) | (allowMigration ? FLAG_MIGRATION : 0);
  encodeUtf8(room, bytes, ROOM_AT);
  const view = new DataView(bytes.buffer);
  setUint53(view, ISSUED_AT, issuedAt);
  setUint53(view, SEAT_AT, seat.number);
  setUint53(view, EPOCH_AT, seat.epoch);
  if (gameData !== undefined) bytes.set(gameData, GAME_AT);
  return bytes;
}

/** Never throws: what is not ours, or of a version we do not know, is read as an unmarked token. */
export function readUserData(bytes: Uint8Array): ParsedUserData {
  const none = { allowLargePackets: false, allowMigration: false, seat: undefined };
  const unmarked = { marked: false, room: "", gameData: bytes, issuedAt: 0, ...none };
  if (bytes.length !== USER_DATA_BYTES || bytes[4] !== VERSION) return unmarked;
  for (const [i, byte] of MARKER.entries()) if (bytes[i] !== byte) return unmarked;
  let end = ROOM_AT;
  while (end < ISSUED_AT && bytes[end] !== 0) end++;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const issuedAt = getUint53(view, ISSUED_AT);
  const number = getUint53(view, SEAT_AT);
  const epoch = getUint53(view, EPOCH_AT);
  const room = decodeUtf8(bytes, ROOM_AT, end);
  if (room === undefined || !Number.isSafeInteger(issuedAt)) return unmarked;
  const flags = bytes[FLAGS_AT];
  return {
    marked: true,
    room,
    gameData: bytes.subarray(GAME_AT),
    issuedAt,
    allowLargePackets: (flags & FLAG_LARGE_PACKETS) !== 0,
    allowMigration: (flags & FLAG_MIGRATION) !== 0,
    seat: epoch > 0 && Number.isSafeInteger(epoch) && Number.isSafeInteger(number) ? { number, epoch } : undefined,
  };
}

const NO_SEAT: TokenSeat = { number: 0, epoch: 0 };

function setUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

function getUint53(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}
