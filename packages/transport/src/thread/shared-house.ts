import type { SharedAdmission } from "@riposte/protocol/netcode";

/** Words: the lock, the seats that are taken. Then the tokens. */
const LOCK = 0;
const SEATS = 1;
const HEADER_WORDS = 16;
/** Of a token: its tag, when it expires (Unix seconds), and its thread, counted from 1. */
const TAG_WORDS = 4;
const EXPIRES = 4;
const THREAD = 5;
const TOKEN_WORDS = 8;
/** Places that a token may be in, one behind the other. */
const PLACES = 8;
const LOCK_ATTEMPTS = 100_000;

/** Tokens remembered: a power of two, at least as many as the threads remember each. */
function tokenCount(maxClients: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(4096, 16 * maxClients)));
}

export function houseMemory(maxClients: number): SharedArrayBuffer {
  return new SharedArrayBuffer((HEADER_WORDS + tokenCount(maxClients) * TOKEN_WORDS) * 4);
}

/** The seats and the used tokens of all network threads of a server, in shared memory. */
export class SharedHouse implements SharedAdmission {
  readonly thread: number;
  readonly #words: Int32Array;
  readonly #maxClients: number;
  readonly #mask: number;

  constructor(memory: SharedArrayBuffer, thread: number, maxClients: number) {
    this.thread = thread;
    this.#words = new Int32Array(memory);
    this.#maxClients = maxClients;
    this.#mask = tokenCount(maxClients) - 1;
  }

  get isFull(): boolean {
    return Atomics.load(this.#words, SEATS) >= this.#maxClients;
  }

  takeSeat(): boolean {
    if (Atomics.add(this.#words, SEATS, 1) < this.#maxClients) return true;
    Atomics.sub(this.#words, SEATS, 1);
    return false;
  }

  releaseSeat(): void {
    Atomics.sub(this.#words, SEATS, 1);
  }

  /**
   * Once for each token and thread, so a lock does. Where all places of a token are taken by others that have not expired, the
   * one that expires first is forgotten: then its own thread still knows it.
   */
  claimToken(tag: Uint8Array, expireTimestamp: number, unixNow: number): boolean {
    if (!this.#lock()) return false;
    try {
      return this.#claim(tag, Math.min(expireTimestamp, 0x7fff_ffff), unixNow);
    } finally {
      Atomics.store(this.#words, LOCK, 0);
    }
  }

  #claim(tag: Uint8Array, expiresAt: number, unixNow: number): boolean {
    const words = this.#words;
    const first = wordOf(tag, 0);
    let free = -1;
    for (let i = 0; i < PLACES; i++) {
      const at = HEADER_WORDS + ((first + i) & this.#mask) * TOKEN_WORDS;
      const isLive = words[at + THREAD] !== 0 && words[at + EXPIRES] > unixNow;
      if (isLive && this.#holds(at, tag)) return words[at + THREAD] === this.thread + 1;
      if (free < 0 || (isLive ? words[at + EXPIRES] : 0) < this.#livesUntil(free, unixNow)) free = at;
    }
    for (let i = 0; i < TAG_WORDS; i++) words[free + i] = wordOf(tag, i);
    words[free + EXPIRES] = expiresAt;
    words[free + THREAD] = this.thread + 1;
    return true;
  }

  #holds(at: number, tag: Uint8Array): boolean {
    for (let i = 0; i < TAG_WORDS; i++) if (this.#words[at + i] !== wordOf(tag, i)) return false;
    return true;
  }

  #livesUntil(at: number, unixNow: number): number {
    const expiresAt = this.#words[at + EXPIRES];
    return this.#words[at + THREAD] !== 0 && expiresAt > unixNow ? expiresAt : 0;
  }

  /** Held for less than a microsecond; false when it stays taken, as by a thread that was stopped with it. */
  #lock(): boolean {
    for (let i = 0; i < LOCK_ATTEMPTS; i++) if (Atomics.compareExchange(this.#words, LOCK, 0, 1) === 0) return true;
    return false;
  }
}

function wordOf(tag: Uint8Array, index: number): number {
  const at = 4 * index;
  return tag[at] | (tag[at + 1] << 8) | (tag[at + 2] << 16) | (tag[at + 3] << 24);
}
