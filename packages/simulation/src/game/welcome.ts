/** The welcome: the first message to a client, reliable. It gives a seat, and all that both sides must agree on. */
import { ByteReader } from "@riposte/wire";
import type { ByteWriter } from "@riposte/wire";
import { MessageKind } from "./message-kind.ts";

export interface Welcome {
  readonly seat: number;
  /** The server's tick. */
  readonly tick: number;
  /** Of the random numbers that everybody may know. */
  readonly seed: number;
  /** Of the random numbers of the player's own entities: 8 words. */
  readonly randomKey: Uint32Array;
  /** Whether the seat was kept, and is had again. */
  readonly resumed: boolean;
  /** Whether the debug channel is open. */
  readonly debug: boolean;
}

export function writeWelcome(welcome: Welcome, bytes: ByteWriter): void {
  bytes.u8(MessageKind.welcome);
  bytes.u8((welcome.resumed ? RESUMED : 0) | (welcome.debug ? DEBUG : 0));
  bytes.u16(welcome.seat);
  bytes.u32(welcome.tick);
  bytes.i32(welcome.seed);
  for (const word of welcome.randomKey) bytes.u32(word);
}

/** `undefined` when it is malformed. */
export function readWelcome(buffer: Uint8Array, offset: number, length: number): Welcome | undefined {
  const bytes = new ByteReader().reset(buffer, offset, offset + length);
  bytes.skip(1);
  const flags = bytes.u8();
  const seat = bytes.u16();
  const tick = bytes.u32();
  const seed = bytes.i32();
  const randomKey = Uint32Array.from({ length: RANDOM_KEY_WORDS }, () => bytes.u32());
  if (bytes.failed || tick > MAX_TICK) return undefined;
  return { seat, tick, seed, randomKey, resumed: (flags & RESUMED) !== 0, debug: (flags & DEBUG) !== 0 };
}

export const RANDOM_KEY_WORDS = 8;
/** Bits of the flags. */
const RESUMED = 1;
const DEBUG = 2;
const MAX_TICK = 0x7fffffff;
